"""DNC entries that expire, uploads and history of DNC groups, suppressions, frequency caps."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("dnc_entry", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("dnc_entry", sa.Column("upload_id", Id(), nullable=True))
    op.create_index(
        "ix_dnc_entry_expires_at",
        "dnc_entry",
        ["bucket", "expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL"),
        sqlite_where=sa.text("expires_at IS NOT NULL"),
    )
    for table in ("business_unit", "skill", "calling_list"):
        op.add_column(table, sa.Column("cap", sa.Text(), nullable=True))
    op.create_table(
        "skill_dnc",
        sa.Column("skill_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("contributes", sa.Boolean(), nullable=False),
        sa.Column("scrubs", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["skill_id"], ["skill.id"], name=op.f("fk_skill_dnc_skill_id")),
        sa.ForeignKeyConstraint(["dnc_group_id"], ["dnc_group.id"], name=op.f("fk_skill_dnc_dnc_group_id")),
        sa.PrimaryKeyConstraint("skill_id", "dnc_group_id", name=op.f("pk_skill_dnc")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dnc_upload",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("importer", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("processed", sa.BigInteger(), nullable=False),
        sa.Column("valid", sa.BigInteger(), nullable=False),
        sa.Column("invalid", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("extended", sa.BigInteger(), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.Column("repeated", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_dnc_upload_business_unit_id")
        ),
        sa.ForeignKeyConstraint(["dnc_group_id"], ["dnc_group.id"], name=op.f("fk_dnc_upload_dnc_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dnc_upload")),
    )
    op.create_index("ix_dnc_upload_group", "dnc_upload", ["dnc_group_id", "id"])
    op.create_table(
        "dnc_change",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=True),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("upload_id", Id(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("old_upload_id", Id(), nullable=True),
        sa.Column("old_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dnc_change")),
    )
    op.create_index("ix_dnc_change_phone", "dnc_change", ["bucket", "phone"])
    op.create_index("ix_dnc_change_group", "dnc_change", ["bucket", "dnc_group_id", "id"])
    op.create_table(
        "suppression",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("skill_id", Id(), nullable=True),
        sa.Column("phone", sa.BigInteger(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    of_unit = ["bucket", "business_unit_id"]
    op.create_index("ix_suppression_phone", "suppression", [*of_unit, "phone", "expires_at"])
    op.create_index("ix_suppression_external_id", "suppression", [*of_unit, "external_id", "expires_at"])
    op.create_index("ix_suppression_end", "suppression", [*of_unit, "expires_at"])
    op.create_table(
        "cap_use",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("skill_id", Id(), nullable=False),
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "business_unit_id", "phone", "message_id", name=op.f("pk_cap_use")),
        sqlite_with_rowid=False,
    )
