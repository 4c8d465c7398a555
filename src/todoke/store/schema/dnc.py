"""Around DNC entries: which skills have to do with which groups, uploads of numbers, and what changed when."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from todoke.store.schema.base import Id, identity, metadata, unit

# What a skill has to do with a group, beyond the groups that opt-outs to its code go to.
skill_dnc = Table(
    "skill_dnc",
    metadata,
    Column("skill_id", Id, ForeignKey("skill.id"), nullable=False),
    Column("dnc_group_id", Id, ForeignKey("dnc_group.id"), nullable=False),
    Column("contributes", Boolean, nullable=False),  # an opt-out in answer to the skill goes here too
    Column("scrubs", Boolean, nullable=False),  # no text of the skill goes to a number that is here
    PrimaryKeyConstraint("skill_id", "dnc_group_id"),
    sqlite_with_rowid=False,
)

# A file of numbers that was put on a group. state: running | done | failed.
dnc_upload = Table(
    "dnc_upload",
    metadata,
    identity(),
    unit(),
    Column("dnc_group_id", Id, ForeignKey("dnc_group.id"), nullable=False),
    Column("file", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("importer", Text, nullable=False),  # host:boot:pid of who imports it, to tell a dead import from a live one
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("processed", BigInteger, nullable=False),  # = valid + invalid
    Column("valid", BigInteger, nullable=False),  # = added + extended + present + repeated, when it is done
    Column("invalid", BigInteger, nullable=False),
    Column("reasons", JSON, nullable=False),  # of the invalid ones, with counts
    Column("added", BigInteger, nullable=False),
    Column("extended", BigInteger, nullable=False),
    Column("present", BigInteger, nullable=False),  # were on the group already, as long or longer
    Column("repeated", BigInteger, nullable=False),  # stood in the file before
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Index("ix_dnc_upload_group", "dnc_group_id", "id"),
)

# Append-only: every change of a group. What an upload added is one row with a count: the entries name the upload.
dnc_change = Table(
    "dnc_change",
    metadata,
    identity(),
    Column("bucket", SmallInteger, nullable=False),
    Column("business_unit_id", Id, nullable=False),
    Column("dnc_group_id", Id, nullable=False),
    Column("phone", BigInteger, nullable=True),  # none: an upload
    Column("change", Text, nullable=False),  # added | extended | removed | expired | uploaded
    Column("source", Text, nullable=False),  # opt_out | upload | person | disposition | api
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("upload_id", Id, nullable=True),
    Column("count", BigInteger, nullable=False),
    # The entry before, where there was one: since when, by which upload, until when.
    Column("since", BigInteger, nullable=True),
    Column("old_upload_id", Id, nullable=True),
    Column("old_expires_at", BigInteger, nullable=True),
    Column("expires_at", BigInteger, nullable=True),  # until when the entry holds from now on; none: for good
    Column("at", BigInteger, nullable=False),
    Index("ix_dnc_change_phone", "bucket", "phone"),
    Index("ix_dnc_change_group", "bucket", "dnc_group_id", "id"),
)
