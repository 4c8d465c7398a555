"""Doubts as rows: what is in doubt now, what it is matched by, and when its policy decides."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


# What an earlier version left in doubt.
EARLIER = """
    INSERT INTO doubt (bucket, message_id, segment, attempt, run_id, transport_code_id, provider_id, code, destination,
                       reference, segments, text_crc, reason, at, earliest_at, retry_at)
    SELECT e.bucket, e.message_id, e.segment, e.attempt, r.id, c.id, coalesce(e.provider_id, c.provider_id),
           ltrim(c.code, '+'),
           t.destination, NULL, e.segments, NULL, e.reason, e.at, e.at - 3600000000, NULL
    FROM event e
    JOIN skill_run r ON r.bucket = e.bucket AND r.id = (e.message_id >> 29) & 67108863
    JOIN transport_code c ON c.id = r.transport_code_id
    LEFT JOIN contact t ON t.bucket = e.bucket AND t.list_id = r.list_id AND t.position = e.message_id & 536870911
    WHERE e.kind = 20 AND NOT EXISTS (
        SELECT 1 FROM event o
        WHERE o.bucket = e.bucket AND o.message_id = e.message_id AND o.segment = e.segment
          AND (o.kind = 60 OR (o.kind IN (30, 40, 50) AND o.attempt >= e.attempt)))
"""


def upgrade() -> None:
    op.create_table(
        "doubt",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("provider_id", Id(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("destination", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.Integer(), nullable=True),
        sa.Column("segments", sa.SmallInteger(), nullable=False),
        sa.Column("text_crc", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("earliest_at", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", "message_id", "segment", "attempt", name=op.f("pk_doubt")),
    )
    op.create_index("ix_doubt_run", "doubt", ["bucket", "run_id", "retry_at"])
    op.create_index("ix_doubt_number", "doubt", ["bucket", "destination", "provider_id"])
    op.create_index("ix_doubt_recent", "doubt", ["bucket", "provider_id", "at"])
    op.execute(EARLIER)
    op.add_column("orphan", sa.Column("number", sa.BigInteger(), nullable=True))
    op.add_column("orphan", sa.Column("code", sa.Text(), nullable=True))
    op.add_column("orphan", sa.Column("reference", sa.Integer(), nullable=True))
    op.create_index("ix_orphan_number", "orphan", ["provider_id", "number"])
    with op.batch_alter_table("skill") as skill:
        skill.add_column(sa.Column("in_doubt_minutes", sa.Integer(), nullable=False, server_default="15"))
    with op.batch_alter_table("skill") as skill:
        skill.alter_column("in_doubt_minutes", server_default=None)
