"""Hours by phone type, and what lists call their phone types."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("business_unit", sa.Column("phone_hours", sa.JSON(), nullable=True))
    op.add_column("skill", sa.Column("phone_hours", sa.JSON(), nullable=True))
    op.add_column("calling_list", sa.Column("phone_names", sa.JSON(), nullable=True))
