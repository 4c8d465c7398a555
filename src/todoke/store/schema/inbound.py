"""What providers and phones say."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from todoke.store.schema.base import Id, identity, metadata

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
    # What it may be matched to a doubt by: the phone, our code, the reference that it echoes.
    Column("number", BigInteger, nullable=True),
    Column("code", Text, nullable=True),
    Column("reference", Integer, nullable=True),
    PrimaryKeyConstraint("provider_id", "provider_message_id", "kind"),
    Index("ix_orphan_number", "provider_id", "number"),
)

# Messages from phones, a row a segment as it came, stored before it is acknowledged.
inbound = Table(
    "inbound",
    metadata,
    identity(),
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
    Column("meaning", Text, nullable=False),  # stop | start | help | reply | review | part
    Column("session", Text, nullable=False),  # of the link it came on: a repeat on another one is the same message
    Column("received_at", BigInteger, nullable=False),
    Index("ix_inbound_source", "bucket", "source", "received_at"),
)
