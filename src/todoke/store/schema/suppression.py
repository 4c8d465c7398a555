"""What keeps a contact from being texted for a while: suppressions, and uses that count against frequency caps."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, SmallInteger, Table, Text

from todoke.store.schema.base import Id, identity, metadata

# A temporary skip of a contact, by its number or its external id. Rows stay: who, why, and who ended it.
suppression = Table(
    "suppression",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("skill_id", Id, nullable=True),  # none: all skills of the unit
    Column("phone", BigInteger, nullable=True),  # one of the two
    Column("external_id", Text, nullable=True),
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),  # by a person, before it expired
    Column("ended_by", Text, nullable=True),
    Index("ix_suppression_phone", "bucket", "business_unit_id", "phone", "expires_at"),
    Index("ix_suppression_external_id", "bucket", "business_unit_id", "external_id", "expires_at"),
    Index("ix_suppression_end", "bucket", "business_unit_id", "expires_at"),
)

# A message that counts against a frequency cap; written only where one is set, or a skill contributes to a DNC group.
cap_use = Table(
    "cap_use",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # it is written at this moment at the latest
    Column("skill_id", Id, nullable=False),
    Column("list_id", Id, nullable=False),
    Column("transport_code_id", Id, nullable=False),
    PrimaryKeyConstraint("bucket", "business_unit_id", "phone", "message_id"),
    sqlite_with_rowid=False,
)
