"""The life of lists: keys, further numbers, expiry, imports that can go on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("business_unit", sa.Column("list_expiry_days", sa.Integer(), nullable=False, server_default="30"))
    op.add_column("calling_list", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("calling_list", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.add_column("calling_list", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("calling_list", sa.Column("phone_types", sa.JSON(), nullable=True))
    op.add_column("calling_list", sa.Column("import_id", Id(), nullable=True))
    op.add_column("calling_list", sa.Column("into_list_id", Id(), nullable=True))
    op.add_column("calling_list", sa.Column("updating_import", Id(), nullable=True))
    op.add_column("calling_list", sa.Column("keyed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("calling_list", sa.Column("appended", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("contact", sa.Column("phones", sa.Text(), nullable=True))
    op.add_column("contact", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("skill_run", sa.Column("start_key", sa.Text(), nullable=True))
    op.create_index("ix_skill_run_list", "skill_run", ["list_id"])
    op.create_index(
        "uq_skill_run_start_key",
        "skill_run",
        ["bucket", "start_key"],
        unique=True,
        postgresql_where=sa.text("start_key IS NOT NULL"),
        sqlite_where=sa.text("start_key IS NOT NULL"),
    )
    op.create_table(
        "list_key",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "list_id", "kind", "level", "first", "chunk", name=op.f("pk_list_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "list_import",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("list_id", Id(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("spooled", sa.Boolean(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("importer", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("fraction", sa.Double[float](), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("start_skill", sa.Text(), nullable=True),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("start_error", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_list_import_business_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_import")),
    )
    op.create_index("ix_list_import_unit", "list_import", ["business_unit_id", "id"])
