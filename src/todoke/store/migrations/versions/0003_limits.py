"""Streams."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("skill", "skill_run", "due"):
        op.add_column(table, sa.Column("stream", sa.Text(), nullable=False, server_default="bulk"))
    op.drop_index("ix_due_next", "due")
    op.create_index("ix_due_next", "due", ["bucket", "transport_code_id", "state", "stream", "not_before"])
