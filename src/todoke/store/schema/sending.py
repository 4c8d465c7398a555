"""Hot: contacts, runs, blocks, due, events. Every key leads with the bucket."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
    text,
)

from todoke.store.schema.base import Id, identity, metadata, unit

contact = Table(
    "contact",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("list_id", Id, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("destination", BigInteger, nullable=False),  # the number to text, E.164 digits; 0 for none
    Column("zone_set", SmallInteger, nullable=False),  # index into calling_list.zone_sets
    Column("external_id", Text, nullable=False),
    Column("fields", Text, nullable=False),  # the values in list order, joined by U+001F
    # Further numbers, E.164 digits in the order of calling_list.phone_types, joined by U+001F; empty for none.
    Column("phones", Text, nullable=True),
    Column("expires_at", BigInteger, nullable=True),  # the contact's own; none: it expires with its list
    PrimaryKeyConstraint("bucket", "list_id", "position"),
    sqlite_with_rowid=False,
)

skill_run = Table(
    "skill_run",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("id", Id, nullable=False),  # 26 bits, from run_counter
    unit(),
    Column("skill_id", Id, ForeignKey("skill.id"), nullable=False),
    Column("list_id", Id, ForeignKey("calling_list.id"), nullable=False),
    Column("transport_code_id", Id, ForeignKey("transport_code.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),  # the template's text, frozen
    Column("template_version_id", Id, nullable=True),  # where it came from; none for an ad hoc text
    Column("fields", JSON, nullable=False),  # frozen from the list
    Column("zone_sets", JSON, nullable=False),
    Column("scrub_groups", JSON, nullable=False),  # DNC group ids; their entries stay live
    Column("contacts", BigInteger, nullable=False),
    Column("force", Boolean, nullable=False),  # force stop: also what is reserved is withdrawn
    Column("started_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("stream", Text, nullable=False, server_default="bulk"),  # frozen from the skill
    Column("start_key", Text, nullable=True),  # who asks twice with the same key gets the same run
    # Contacts are appended to its list, and it does not finish by itself.
    Column("standing", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("bucket", "id"),
    Index("ix_skill_run_state", "state", "transport_code_id"),
    Index("ix_skill_run_list", "list_id"),
    Index(
        "uq_skill_run_start_key",
        "bucket",
        "start_key",
        unique=True,
        postgresql_where=text("start_key IS NOT NULL"),
        sqlite_where=text("start_key IS NOT NULL"),
    ),
    Index(
        "ix_skill_run_standing", "bucket", "skill_id", postgresql_where=text("standing"), sqlite_where=text("standing")
    ),
)

# The next run id, one row a bucket.
run_counter = Table(
    "run_counter",
    metadata,
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_run", BigInteger, nullable=False),
)

run_transition = Table(
    "run_transition",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_run_transition_run", "bucket", "run_id"),
)

# One a zone range of the list; work is taken by moving next_position.
run_cursor = Table(
    "run_cursor",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("number", Integer, nullable=False),
    Column("zone_set", SmallInteger, nullable=False),
    Column("next_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "run_id", "number"),
)

# A filter or an order applied to a run; the last one counts. It is made piece by piece, by any engine.
run_selection = Table(
    "run_selection",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),  # making | made | cut
    Column("filter", Text, nullable=True),
    Column("ordering", Text, nullable=True),  # keys, a line each
    Column("today", Text, nullable=False),  # the day that "today" means in it
    Column("first_ordinal", BigInteger, nullable=False),
    Column("next_ordinal", BigInteger, nullable=False),
    Column("read_to", BigInteger, nullable=False),  # positions before it are looked at; with an order: at its end all
    Column("size", BigInteger, nullable=False),  # positions of the list, when it was begun
    Column("resumes", Boolean, nullable=False),  # the run was paused for it, and goes on when it is made
    Column("recalls", Boolean, nullable=False),  # what was not handed over before must pass this filter, too
    Column("maker", Text, nullable=False),  # the process that makes it
    Column("made_until", BigInteger, nullable=False),  # then another may go on
    PrimaryKeyConstraint("bucket", "run_id", "number"),
    Index(
        "ix_run_selection_making",
        "bucket",
        "run_id",
        postgresql_where=text("state = 'making'"),
        sqlite_where=text("state = 'making'"),
    ),
)

# The positions of consecutive ordinals of a run, from SELECTED on (model/ids.py), packed: four bytes each, the largest
# byte first.
selection = Table(
    "selection",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("first_ordinal", BigInteger, nullable=False),
    Column("last_ordinal", BigInteger, nullable=False),
    Column("positions", LargeBinary, nullable=False),
    PrimaryKeyConstraint("bucket", "run_id", "first_ordinal"),
    sqlite_with_rowid=False,
)

# An engine process and its lease. `flush_seq` tells whether a flush whose COMMIT was not answered took place.
engine = Table(
    "engine",
    metadata,
    identity(),
    Column("host", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("journal", Text, nullable=False),  # path
    Column("state", Text, nullable=False),  # alive | gone | recovered
    Column("lease_until", BigInteger, nullable=False),
    Column("flush_seq", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
)

# The pace of a transport code and who may use it.
lane = Table(
    "lane",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("provider_id", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("engine_id", Id, nullable=True),
    Column("next_slot_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "transport_code_id"),
    Index("ix_lane_provider", "provider_id"),
)

# What is used of a limit beside the rate of a code. Moved under its lock by flushes that reserve.
allowance = Table(
    "allowance",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),  # provider | business_unit | transport_code | brand
    Column("subject_id", Id, nullable=False),  # of what it limits
    # Segments that have their slot in each cell of 10 ms, joined by commas; the first cell, counted from 1970.
    Column("first_cell", BigInteger, nullable=False),
    Column("counts", Text, nullable=False),
    Column("day", Integer, nullable=False),  # days since 1970 by the cap's zone
    Column("used", BigInteger, nullable=False),  # segments on that day
    PrimaryKeyConstraint("bucket", "kind", "subject_id"),
    sqlite_with_rowid=False,
)

# Consecutive positions of a run that one engine took. No position is ever in two blocks.
block = Table(
    "block",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("engine_id", Id, nullable=False),
    Column(
        "reserved_to", BigInteger, nullable=False
    ),  # positions up to it (inclusive) may have been sent; first - 1 for none
    Column("state", Text, nullable=False),  # open | closed
    PrimaryKeyConstraint("bucket", "run_id", "first_position"),
    Index(
        "ix_block_engine",
        "engine_id",
        postgresql_where=text("state <> 'closed'"),
        sqlite_where=text("state <> 'closed'"),
    ),
)

# What has a time of its own: retries, messages held for their window, what was given back.
due = Table(
    "due",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("state", Text, nullable=False),  # ready | parked
    Column("not_before", BigInteger, nullable=False),
    # What is still to be sent: empty for the whole message, else segment numbers joined by commas.
    Column("segments", Text, nullable=False),
    # CRC of the text that the segments already sent were cut from; none when nothing was sent.
    Column("text_crc", BigInteger, nullable=True),
    Column("stream", Text, nullable=False, server_default="bulk"),  # of its run
    PrimaryKeyConstraint("bucket", "message_id", "attempt"),
    Index("ix_due_next", "bucket", "transport_code_id", "state", "stream", "not_before"),
    Index("ix_due_run", "bucket", "run_id"),
)

# A due row that an engine took; `reserved` once its hand-over is committed.
intent = Table(
    "intent",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("engine_id", Id, nullable=False),
    Column("reserved", Boolean, nullable=False),
    Column("flush_seq", BigInteger, nullable=False),  # of the flush that took it: how a flush that is replayed finds it
    Column("segments", Text, nullable=False),
    Column("text_crc", BigInteger, nullable=True),
    PrimaryKeyConstraint("bucket", "message_id", "attempt"),
    Index("ix_intent_engine", "engine_id"),
    Index("ix_intent_run", "bucket", "run_id"),
)

# Append-only. Partitioned by ranges of message_id on PostgreSQL.
event = Table(
    "event",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("segment", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("segments", SmallInteger, nullable=False),
    Column("provider_id", Id, nullable=True),
    Column("provider_message_id", Text, nullable=True),  # normalised
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("bucket", "message_id", "segment", "attempt", "kind"),
    # How a receipt finds its submission: only acceptances carry the provider's id.
    Index(
        "ix_event_provider_message",
        "provider_message_id",
        postgresql_ops={"provider_message_id": "text_pattern_ops"},  # compared byte by byte, whatever the collation
        postgresql_where=text("provider_message_id IS NOT NULL"),
        sqlite_where=text("provider_message_id IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (message_id)",
    sqlite_with_rowid=False,
)

# What is in doubt now: a row for each IN_DOUBT event that nothing said later has ended. It comes and goes in the
# transactions that append events.
doubt = Table(
    "doubt",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("segment", SmallInteger, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("provider_id", Id, nullable=False),  # the account that carried it
    Column("code", Text, nullable=False),  # what it was sent from, as on the wire
    Column("destination", BigInteger, nullable=True),  # the number that was texted; none where the contact is gone
    Column("reference", Integer, nullable=True),  # what its receipt may echo, see model/ids.py
    Column("segments", SmallInteger, nullable=False),
    Column("text_crc", BigInteger, nullable=True),  # of the text that it was cut from, where that is known
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("earliest_at", BigInteger, nullable=False),  # it was certainly not written before
    Column("retry_at", BigInteger, nullable=True),  # when the skill's policy sends it again; none: it stays
    PrimaryKeyConstraint("bucket", "message_id", "segment", "attempt"),
    Index("ix_doubt_run", "bucket", "run_id", "retry_at"),
    Index("ix_doubt_number", "bucket", "destination", "provider_id"),
    Index("ix_doubt_recent", "bucket", "provider_id", "at"),
)

# Live counts, moved in the transaction that appends the events: new fold minus old fold.
tally = Table(
    "tally",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("run_id", Id, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hour", Integer, nullable=False),  # hours since 1970
    Column("messages", BigInteger, nullable=False),
    Column("segments", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "run_id", "outcome", "reason", "hour"),
)
