"""Replies: reviews, answers, and the standing runs that carry single messages."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("skill_run", sa.Column("standing", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_skill_run_standing",
        "skill_run",
        ["bucket", "skill_id"],
        postgresql_where=sa.text("standing"),
        sqlite_where=sa.text("standing"),
    )
    scope = sa.Column("opt_out_scope", sa.Text(), nullable=False, server_default="business_unit")
    op.add_column("business_unit", scope)
    for name, kind in (
        ("answers", sa.Text()),
        ("language", sa.Text()),
        ("texts", sa.JSON()),
        ("opt_out_scope", sa.Text()),
    ):
        op.add_column("sms_registration", sa.Column(name, kind, nullable=True))
    op.create_table(
        "review",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=True),
        sa.Column("transport_code_id", Id(), nullable=True),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("holds", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("bucket", "phone", "inbound_id", name=op.f("uq_review_bucket_phone_inbound_id")),
    )
    op.create_index(
        "ix_review_open",
        "review",
        ["bucket", "id"],
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "answer",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index("ix_answer_phone", "answer", ["bucket", "phone"])
