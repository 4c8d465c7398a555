"""The consent ledger, erasure, and how long things are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("seller", "programme", "purpose", "channel")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("disclosure", "version", "signed", "zone")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source", "reference", "double_opt_in")),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("method", "words", "scope", "confirmation")),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_phone", "consent", ["bucket", "phone"])
    op.create_table(
        "disclosure",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "business_unit_id", "hash", name=op.f("pk_disclosure")),
    )
    op.create_table(
        "erased_number",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "business_unit_id", "dnc_group_id", "digest", name=op.f("pk_erased_number")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("key_check", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_digest", "erasure", ["bucket", "digest"])
    op.add_column("skill", sa.Column("consent", sa.SmallInteger(), nullable=True))
    op.add_column("skill", sa.Column("consent_purpose", sa.Text(), nullable=True))
    op.add_column("skill", sa.Column("consent_programme", sa.Text(), nullable=True))
    op.add_column("business_unit", sa.Column("retention", sa.JSON(), nullable=True))
    _append_only()


def _append_only() -> None:
    """The ledger's rows never change."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER consent_append_only BEFORE UPDATE ON consent "
            "BEGIN SELECT RAISE(ABORT, 'the consent ledger is append-only'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION todoke_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the consent ledger is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER consent_append_only BEFORE UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION todoke_append_only()"
    )
