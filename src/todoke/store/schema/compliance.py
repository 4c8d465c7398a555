"""Do not call: the lists, and every opt-out and opt-in with its evidence."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from todoke.store.schema.base import Id, identity, metadata

dnc_entry = Table(
    "dnc_entry",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),  # E.164 digits
    Column("source", Text, nullable=False),  # opt_out | upload | person | review
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "dnc_group_id", "phone"),
    sqlite_with_rowid=False,
)

# Append-only: every opt-out and opt-in with its evidence.
opt_out = Table(
    "opt_out",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # out | in
    Column("source", Text, nullable=False),  # reply | person | review
    Column("evidence", Text, nullable=False),  # the words as they came
    Column("inbound_id", BigInteger, nullable=True),
    Column("at", BigInteger, nullable=False),
    Index("ix_opt_out_phone", "bucket", "phone"),
)

# What a person has to read: it may mean stop. While it is open the number is held on these groups.
review = Table(
    "review",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=True),  # none when no registration knows the code
    Column("transport_code_id", Id, nullable=True),
    Column("phone", BigInteger, nullable=False),  # 0 where it came from no number
    Column("inbound_id", BigInteger, nullable=False),
    Column("text", Text, nullable=False),  # the words as they came
    Column("reason", Text, nullable=False),  # why a machine could not tell, for people
    Column("holds", JSON, nullable=False),  # [[bucket, DNC group], ...]
    Column("state", Text, nullable=False),  # open | decided
    Column("meaning", Text, nullable=True),  # what a person, or a later reply, said that it means
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
    UniqueConstraint("bucket", "phone", "inbound_id"),
    Index(
        "ix_review_open",
        "bucket",
        "id",
        postgresql_where=text("state = 'open'"),
        sqlite_where=text("state = 'open'"),
    ),
)

# What was sent back on a keyword: what tells whether another one would be one too many.
answer = Table(
    "answer",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # stop | start | help
    Column("inbound_id", BigInteger, nullable=True),
    Column("message_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_answer_phone", "bucket", "phone"),
)
