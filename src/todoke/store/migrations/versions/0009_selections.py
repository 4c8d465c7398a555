"""Filters and orders: of skills, and the selections of runs that they make."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("skill", sa.Column("filter", sa.Text(), nullable=True))
    op.add_column("skill", sa.Column("ordering", sa.Text(), nullable=True))
    op.create_table(
        "run_selection",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("ordering", sa.Text(), nullable=True),
        sa.Column("today", sa.Text(), nullable=False),
        sa.Column("first_ordinal", sa.BigInteger(), nullable=False),
        sa.Column("next_ordinal", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("resumes", sa.Boolean(), nullable=False),
        sa.Column("recalls", sa.Boolean(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("made_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "run_id", "number", name=op.f("pk_run_selection")),
    )
    making = sa.text("state = 'making'")
    op.create_index(
        "ix_run_selection_making",
        "run_selection",
        ["bucket", "run_id"],
        postgresql_where=making,
        sqlite_where=making,
    )
    op.create_table(
        "selection",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("first_ordinal", sa.BigInteger(), nullable=False),
        sa.Column("last_ordinal", sa.BigInteger(), nullable=False),
        sa.Column("positions", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "run_id", "first_ordinal", name=op.f("pk_selection")),
        sqlite_with_rowid=False,
    )
