"""The schema, once, for both databases; the migrations are tested equal to it.

Moments are BIGINT microseconds since 1970 in UTC and end in `_at` (`_until`, `not_before`). Every tenant row
carries its business unit; every hot table leads with `bucket`, the shard of the business unit, so that it can be
distributed by it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

# A sequence on PostgreSQL, the rowid on SQLite.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def _unit() -> Column[int]:
    return Column("business_unit_id", Id, ForeignKey("business_unit.id"), nullable=False)


# ---------------------------------------------------------------- the catalogue: what a person edits or browses

# One row. `incarnation` is new for a new database, and is what a journal belongs to.
installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

business_unit = Table(
    "business_unit",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("bucket", SmallInteger, nullable=False),
    Column("default_region", Text, nullable=False),  # ISO 3166 alpha-2: how a number without a country code is read
    # The default DNC group: no foreign key, the two rows name each other.
    Column("dnc_group_id", Id, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("bucket between 0 and 255", name="bucket_range"),
)

# A provider account: the unit of lease (all its codes go together).
provider = Table(
    "provider",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # smpp | simulator
    Column("bucket", SmallInteger, nullable=False),
    Column("settings", JSON, nullable=False),  # as the kind's settings class declares them
    Column("created_at", BigInteger, nullable=False),
)

transport_code = Table(
    "transport_code",
    metadata,
    _id(),
    _unit(),
    Column("provider_id", Id, ForeignKey("provider.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("rate", Double[float](), nullable=False),  # segments a second, the carrier's limit
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("provider_id", "code"),
    CheckConstraint("rate > 0", name="rate_positive"),
)

dnc_group = Table(
    "dnc_group",
    metadata,
    _id(),
    _unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# Ties a transport code to its business unit. Without a DNC group the unit's default counts.
sms_registration = Table(
    "sms_registration",
    metadata,
    _id(),
    _unit(),
    Column("transport_code_id", Id, ForeignKey("transport_code.id"), nullable=False, unique=True),
    Column("dnc_group_id", Id, ForeignKey("dnc_group.id"), nullable=True),
    Column("keywords", JSON, nullable=False),  # {"stop": [...], "start": [...]}: beside the built-in ones
    Column("created_at", BigInteger, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    _id(),
    _unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

template = Table(
    "template",
    metadata,
    _id(),
    _unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# A template's text never changes: an edit is a new version, and a run keeps the one it started with.
template_version = Table(
    "template_version",
    metadata,
    _id(),
    Column("template_id", Id, ForeignKey("template.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("direction", Text, nullable=False),  # ltr | rtl
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("template_id", "version"),
)

skill = Table(
    "skill",
    metadata,
    _id(),
    _unit(),
    Column("name", Text, nullable=False),
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("kind", Text, nullable=False),  # agentless
    Column("transport_code_id", Id, ForeignKey("transport_code.id"), nullable=False),
    Column("template_id", Id, ForeignKey("template.id"), nullable=False),
    # The calling window in the contact's own time, minutes after midnight; 0 and 1440 for the whole day.
    Column("window_start", SmallInteger, nullable=False),
    Column("window_end", SmallInteger, nullable=False),
    Column("in_doubt_policy", Text, nullable=False),  # at_most_once | at_least_once
    Column("max_attempts", SmallInteger, nullable=False),
    Column("smart_encoding", Boolean, nullable=False),
    Column("weight", SmallInteger, nullable=False),  # its share where runs compete for a code
    Column("expiry_hours", Integer, nullable=False),  # a run ends after this at the latest
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# state: importing | ready | deleted. Only a ready list can be run.
calling_list = Table(
    "calling_list",
    metadata,
    _id(),
    _unit(),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("fields", JSON, nullable=False),  # the merge fields' names in the order in which `contact.fields` packs them
    Column(
        "zone_sets", JSON, nullable=False
    ),  # candidate zones by `contact.zone_set`: [["Asia/Tokyo"], ["America/Chicago", ...], []]
    Column("source", Text, nullable=False),
    Column("importer", Text, nullable=False),  # host:boot:pid of who imports it, to tell a dead import from a live one
    Column("contacts", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=True),
    Index(
        "uq_calling_list_ready_name",
        "business_unit_id",
        "name",
        unique=True,
        postgresql_where=text("state = 'ready'"),
        sqlite_where=text("state = 'ready'"),
    ),
)

# How many rows of a file did not become contacts, by reason.
list_rejection = Table(
    "list_rejection",
    metadata,
    Column("list_id", Id, ForeignKey("calling_list.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("list_id", "reason"),
)

# Consecutive positions that share a candidate-zone set (zone_set -1: mixed, look at the contact's own).
list_range = Table(
    "list_range",
    metadata,
    Column("list_id", Id, ForeignKey("calling_list.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("zone_set", SmallInteger, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),  # inclusive
    PrimaryKeyConstraint("list_id", "number"),
)

# ---------------------------------------------------------------- do not call

dnc_entry = Table(
    "dnc_entry",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),  # E.164 digits
    Column("source", Text, nullable=False),  # opt_out | upload | person
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "dnc_group_id", "phone"),
    sqlite_with_rowid=False,
)

# Append-only: every opt-out and opt-in with its evidence.
opt_out = Table(
    "opt_out",
    metadata,
    _id(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # out | in
    Column("source", Text, nullable=False),  # reply | person
    Column("evidence", Text, nullable=False),  # the words as they came
    Column("inbound_id", BigInteger, nullable=True),
    Column("at", BigInteger, nullable=False),
    Index("ix_opt_out_phone", "bucket", "phone"),
)

# ---------------------------------------------------------------- hot: contacts, runs, blocks, due, events

contact = Table(
    "contact",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("list_id", Id, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("destination", BigInteger, nullable=False),  # the number to text, E.164 digits
    Column("zone_set", SmallInteger, nullable=False),  # index into calling_list.zone_sets
    Column("external_id", Text, nullable=False),
    Column("fields", Text, nullable=False),  # the values in list order, joined by U+001F
    PrimaryKeyConstraint("bucket", "list_id", "position"),
    sqlite_with_rowid=False,
)

skill_run = Table(
    "skill_run",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("id", Id, nullable=False),  # 26 bits, from run_counter
    _unit(),
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
    PrimaryKeyConstraint("bucket", "id"),
    Index("ix_skill_run_state", "state", "transport_code_id"),
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
    _id(),
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

# An engine process and its lease. `flush_seq` tells whether a flush whose COMMIT was not answered took place.
engine = Table(
    "engine",
    metadata,
    _id(),
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
    Column("state", Text, nullable=False),  # open | recovering | closed
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
    PrimaryKeyConstraint("bucket", "message_id", "attempt"),
    Index("ix_due_next", "bucket", "transport_code_id", "state", "not_before"),
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

# ---------------------------------------------------------------- what providers say

# Receipts that match no submission yet: matched again when results come.
orphan = Table(
    "orphan",
    metadata,
    Column("provider_id", Id, nullable=False),
    Column("provider_message_id", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("raw", Text, nullable=False),
    PrimaryKeyConstraint("provider_id", "provider_message_id", "kind"),
)

# Messages from phones, a row a segment as it came, stored before it is acknowledged.
inbound = Table(
    "inbound",
    metadata,
    _id(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=True),  # none when no registration knows the code
    Column("provider_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=True),
    Column("source", Text, nullable=False),  # the phone
    Column("destination", Text, nullable=False),  # our code
    Column("text", Text, nullable=False),
    Column("reference", Integer, nullable=True),  # of a concatenated message
    Column("total", SmallInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("meaning", Text, nullable=False),  # stop | start | help | reply | part
    Column("session", Text, nullable=False),  # of the link it came on: a repeat on another one is the same message
    Column("received_at", BigInteger, nullable=False),
    Index("ix_inbound_source", "bucket", "source", "received_at"),
)
