"""Do not call: the lists, and every opt-out and opt-in with its evidence; consent; who was erased."""

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
    Column("source", Text, nullable=False),  # opt_out | upload | person | disposition | api, or review: a hold
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

# Append-only (a trigger refuses updates): every consent and its revocation with the evidence. What stands is the fold
# of a number's rows here and in `opt_out`: model/consent.py.
consent = Table(
    "consent",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=False),  # E.164 digits; less than 0: a keyed hash, of somebody erased
    Column("act", Text, nullable=False),  # given | revoked
    Column("kind", SmallInteger, nullable=True),  # 1 implied, 2 soft opt-in, 3 express, 4 express written
    Column("at", BigInteger, nullable=False),
    Column("seller", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("disclosure", Text, nullable=False),  # the hash of its text
    Column("version", Text, nullable=False),  # of the disclosure
    Column("signed", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("double_opt_in", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=True),
    Column("method", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("confirmation", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 over the content
    Index("ix_consent_phone", "bucket", "phone"),
)

# The exact texts that people agreed to, once each.
disclosure = Table(
    "disclosure",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("hash", Text, nullable=False),  # SHA-256 of the text
    Column("text", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "business_unit_id", "hash"),
)

# Numbers of people who were erased, as keyed hashes: on a DNC group for good, or not to be texted by what was under
# way.
erased_number = Table(
    "erased_number",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=True),  # none: the number was on the group, and stays blocked
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("bucket", "business_unit_id", "dnc_group_id", "digest"),
    sqlite_with_rowid=False,
)

# One erasure of a person: what it removed, without the number.
erasure = Table(
    "erasure",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("digest", BigInteger, nullable=False),  # of the number, by the installation's key
    Column("key_check", BigInteger, nullable=False),  # tells whether a key is the one
    Column("requested_by", Text, nullable=False),
    Column("counts", JSON, nullable=False),  # rows by table
    Column("begun_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger, nullable=True),  # none: it broke off, and is to be repeated
    Index("ix_erasure_digest", "bucket", "digest"),
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
