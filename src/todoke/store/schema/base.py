"""What the tables share: naming, keys, the business unit of a tenant's row."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
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


def identity() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=True)


def unit() -> Column[int]:
    return Column("business_unit_id", Id, ForeignKey("business_unit.id"), nullable=False)
