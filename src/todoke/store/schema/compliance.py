"""Do not call: the lists, and every opt-out and opt-in with its evidence."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from todoke.store.schema.base import Id, identity, metadata

dnc_entry = Table(
    "dnc_entry",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),  # E.164 digits
    Column("source", Text, nullable=False),  # opt_out | upload | person | disposition | api
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=True),  # from then on it holds no more; none: it holds for good
    Column("upload_id", Id, nullable=True),  # which upload made or extended it
    PrimaryKeyConstraint("bucket", "dnc_group_id", "phone"),
    Index(
        "ix_dnc_entry_expires_at",
        "bucket",
        "expires_at",
        postgresql_where=text("expires_at IS NOT NULL"),
        sqlite_where=text("expires_at IS NOT NULL"),
    ),
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
    Column("source", Text, nullable=False),  # reply | person
    Column("evidence", Text, nullable=False),  # the words as they came
    Column("inbound_id", BigInteger, nullable=True),
    Column("at", BigInteger, nullable=False),
    Index("ix_opt_out_phone", "bucket", "phone"),
)
