"""Saved mappings of list files; what a segment costs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "list_mapping",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_list_mapping_business_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_mapping")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_list_mapping_business_unit_id_name")),
    )
    for table in ("provider", "transport_code"):
        op.add_column(table, sa.Column("price", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("currency", sa.Text(), nullable=True))
