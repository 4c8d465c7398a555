"""Streams, bursts, and limits beside the rate of a code."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("skill", "skill_run", "due"):
        op.add_column(table, sa.Column("stream", sa.Text(), nullable=False, server_default="bulk"))
    op.drop_index("ix_due_next", "due")
    op.create_index("ix_due_next", "due", ["bucket", "transport_code_id", "state", "stream", "not_before"])
    op.create_table(
        "sms_brand",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("daily_cap", sa.BigInteger(), nullable=True),
        sa.Column("cap_zone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_sms_brand_business_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_brand")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_sms_brand_business_unit_id_name")),
    )
    op.create_table(
        "allowance",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("first_cell", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "kind", "subject_id", name=op.f("pk_allowance")),
        sqlite_with_rowid=False,
    )
    op.add_column("business_unit", sa.Column("rate", sa.Double(), nullable=True))
    op.add_column("transport_code", sa.Column("burst", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("transport_code", sa.Column("daily_cap", sa.BigInteger(), nullable=True))
    op.add_column(
        "transport_code",
        sa.Column("cap_zone", sa.Text(), nullable=False, server_default="America/Los_Angeles"),
    )
    # In one statement: SQLite cannot add a constraint to a table that is there.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE transport_code ADD COLUMN sms_brand_id {kind} "
        "CONSTRAINT fk_transport_code_sms_brand_id REFERENCES sms_brand (id)"
    )
