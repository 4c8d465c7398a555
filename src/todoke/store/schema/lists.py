"""Lists beside their contacts: by what a contact is found, and the imports."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    false,
)

from todoke.store.schema.base import Id, identity, metadata, unit

# Where on a list a number or an external id is: sorted keys in chunks. Level 0 is the import, the others came later.
# No index on `contact`: that would cost each import more than all the rest.
list_key = Table(
    "list_key",
    metadata,
    Column("bucket", SmallInteger, nullable=False),
    Column("list_id", Id, nullable=False),
    Column("kind", Text, nullable=False),  # phone | external
    Column("level", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),  # the least key in the chunk
    Column("chunk", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),  # the greatest key in it
    Column("keys", LargeBinary, nullable=False),  # Arrow IPC, zstd: key, position; by key, then position
    PrimaryKeyConstraint("bucket", "list_id", "kind", "level", "first", "chunk"),
    sqlite_with_rowid=False,
)

# One import of a file: a new list, or an update of one. `state` as in model/list_import.py.
list_import = Table(
    "list_import",
    metadata,
    identity(),
    unit(),
    Column("bucket", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),  # new | update
    Column("name", Text, nullable=False),  # of the list
    Column("list_id", Id, nullable=True),  # none before it has one; none after what was begun is removed
    Column("state", Text, nullable=False),
    Column("cancel_asked", Boolean, nullable=False, server_default=false()),
    Column("options", JSON, nullable=False),  # with which it was begun: another process goes on with the same
    Column("source", Text, nullable=False),  # path
    Column("spooled", Boolean, nullable=False),  # `source` is our own copy: removed when the import has ended
    Column("source_version", Text, nullable=False),  # size and moment of the file: whether it is still the same
    Column("importer", Text, nullable=False),  # host:boot:pid:start of who works on it
    Column("stage", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("fraction", Double[float](), nullable=False),
    Column("result", JSON, nullable=True),  # what came out, of one that is done
    Column("error", JSON, nullable=True),  # sentence, where, fix of one that failed
    Column("start_skill", Text, nullable=True),  # to be started over the list when it is done
    Column("run_id", Id, nullable=True),  # the run that this made
    Column("start_error", JSON, nullable=True),  # why it made none
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger, nullable=True),
    Column("seen_at", BigInteger, nullable=False),  # when its importer last wrote
    Column("ended_at", BigInteger, nullable=True),
    Index("ix_list_import_unit", "business_unit_id", "id"),
)
