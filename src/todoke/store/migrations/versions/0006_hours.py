"""Hours of business units and skills by days, holidays, and which rules of places hold."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("business_unit", sa.Column("hours", sa.Text(), nullable=True))
    op.add_column("business_unit", sa.Column("holidays", sa.JSON(), nullable=True))
    op.add_column("business_unit", sa.Column("rule_pack", sa.Text(), nullable=False, server_default="auto"))
    op.add_column("skill", sa.Column("hours", sa.Text(), nullable=True))
    op.add_column("skill", sa.Column("rule_pack", sa.Text(), nullable=True))
