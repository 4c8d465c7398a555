"""The first schema."""

import uuid

import sqlalchemy as sa
from alembic import op

from todoke.model.clock import SystemClock

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def Id() -> sa.types.TypeEngine[int]:
    """A sequence on PostgreSQL, the rowid on SQLite."""
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "block",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("engine_id", Id(), nullable=False),
        sa.Column("reserved_to", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "run_id", "first_position", name=op.f("pk_block")),
    )
    op.create_index(
        "ix_block_engine",
        "block",
        ["engine_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'closed'"),
        sqlite_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "business_unit",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("default_region", sa.Text(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("bucket between 0 and 255", name=op.f("ck_business_unit_bucket_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_unit")),
        sa.UniqueConstraint("name", name=op.f("uq_business_unit_name")),
    )
    op.create_table(
        "contact",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.BigInteger(), nullable=False),
        sa.Column("zone_set", sa.SmallInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "list_id", "position", name=op.f("pk_contact")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dnc_entry",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "dnc_group_id", "phone", name=op.f("pk_dnc_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "due",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.Text(), nullable=False),
        sa.Column("text_crc", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", "message_id", "attempt", name=op.f("pk_due")),
    )
    op.create_index("ix_due_next", "due", ["bucket", "transport_code_id", "state", "not_before"], unique=False)
    op.create_index("ix_due_run", "due", ["bucket", "run_id"], unique=False)
    op.create_table(
        "engine",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("flush_seq", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine")),
    )
    op.create_table(
        "event",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.SmallInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.SmallInteger(), nullable=False),
        sa.Column("provider_id", Id(), nullable=True),
        sa.Column("provider_message_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "message_id", "segment", "attempt", "kind", name=op.f("pk_event")),
        postgresql_partition_by="RANGE (message_id)",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_event_provider_message",
        "event",
        ["provider_message_id"],
        unique=False,
        postgresql_ops={"provider_message_id": "text_pattern_ops"},
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
        sqlite_where=sa.text("provider_message_id IS NOT NULL"),
    )
    op.create_table(
        "inbound",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=True),
        sa.Column("provider_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=True),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
    )
    op.create_index("ix_inbound_source", "inbound", ["bucket", "source", "received_at"], unique=False)
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incarnation", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "intent",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("engine_id", Id(), nullable=False),
        sa.Column("reserved", sa.Boolean(), nullable=False),
        sa.Column("flush_seq", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.Text(), nullable=False),
        sa.Column("text_crc", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", "message_id", "attempt", name=op.f("pk_intent")),
    )
    op.create_index("ix_intent_engine", "intent", ["engine_id"], unique=False)
    op.create_index("ix_intent_run", "intent", ["bucket", "run_id"], unique=False)
    op.create_table(
        "lane",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("provider_id", Id(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("engine_id", Id(), nullable=True),
        sa.Column("next_slot_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "transport_code_id", name=op.f("pk_lane")),
    )
    op.create_index("ix_lane_provider", "lane", ["provider_id"], unique=False)
    op.create_table(
        "opt_out",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=False),
        sa.Column("phone", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_out")),
    )
    op.create_index("ix_opt_out_phone", "opt_out", ["bucket", "phone"], unique=False)
    op.create_table(
        "orphan",
        sa.Column("provider_id", Id(), nullable=False),
        sa.Column("provider_message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "provider_message_id", "kind", name=op.f("pk_orphan")),
    )
    op.create_table(
        "provider",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("name", name=op.f("uq_provider_name")),
    )
    op.create_table(
        "run_counter",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next_run", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_run_counter")),
    )
    op.create_table(
        "run_cursor",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("zone_set", sa.SmallInteger(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "run_id", "number", name=op.f("pk_run_cursor")),
    )
    op.create_table(
        "run_transition",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_transition")),
    )
    op.create_index("ix_run_transition_run", "run_transition", ["bucket", "run_id"], unique=False)
    op.create_table(
        "tally",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "run_id", "outcome", "reason", "hour", name=op.f("pk_tally")),
    )
    op.create_table(
        "calling_list",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("zone_sets", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("importer", sa.Text(), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_calling_list_business_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calling_list")),
    )
    op.create_index(
        "uq_calling_list_ready_name",
        "calling_list",
        ["business_unit_id", "name"],
        unique=True,
        postgresql_where=sa.text("state = 'ready'"),
        sqlite_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "campaign",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_campaign_business_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_campaign_business_unit_id_name")),
    )
    op.create_table(
        "dnc_group",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_dnc_group_business_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dnc_group")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_dnc_group_business_unit_id_name")),
    )
    op.create_table(
        "template",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_template_business_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_template_business_unit_id_name")),
    )
    op.create_table(
        "transport_code",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("provider_id", Id(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("rate", sa.Double[float](), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_transport_code_rate_positive")),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_transport_code_business_unit_id")
        ),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_transport_code_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transport_code")),
        sa.UniqueConstraint("provider_id", "code", name=op.f("uq_transport_code_provider_id_code")),
    )
    op.create_table(
        "list_range",
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("zone_set", sa.SmallInteger(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["calling_list.id"], name=op.f("fk_list_range_list_id")),
        sa.PrimaryKeyConstraint("list_id", "number", name=op.f("pk_list_range")),
    )
    op.create_table(
        "list_rejection",
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["calling_list.id"], name=op.f("fk_list_rejection_list_id")),
        sa.PrimaryKeyConstraint("list_id", "reason", name=op.f("pk_list_rejection")),
    )
    op.create_table(
        "skill",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("campaign_id", Id(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("template_id", Id(), nullable=False),
        sa.Column("window_start", sa.SmallInteger(), nullable=False),
        sa.Column("window_end", sa.SmallInteger(), nullable=False),
        sa.Column("in_doubt_policy", sa.Text(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("smart_encoding", sa.Boolean(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.Column("expiry_hours", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_skill_business_unit_id")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_skill_campaign_id")),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_skill_template_id")),
        sa.ForeignKeyConstraint(["transport_code_id"], ["transport_code.id"], name=op.f("fk_skill_transport_code_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill")),
        sa.UniqueConstraint("business_unit_id", "name", name=op.f("uq_skill_business_unit_id_name")),
    )
    op.create_table(
        "sms_registration",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("dnc_group_id", Id(), nullable=True),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["business_unit_id"], ["business_unit.id"], name=op.f("fk_sms_registration_business_unit_id")
        ),
        sa.ForeignKeyConstraint(["dnc_group_id"], ["dnc_group.id"], name=op.f("fk_sms_registration_dnc_group_id")),
        sa.ForeignKeyConstraint(
            ["transport_code_id"], ["transport_code.id"], name=op.f("fk_sms_registration_transport_code_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_registration")),
        sa.UniqueConstraint("transport_code_id", name=op.f("uq_sms_registration_transport_code_id")),
    )
    op.create_table(
        "template_version",
        sa.Column("id", Id(), autoincrement=True, nullable=False),
        sa.Column("template_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name=op.f("fk_template_version_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
        sa.UniqueConstraint("template_id", "version", name=op.f("uq_template_version_template_id_version")),
    )
    op.create_table(
        "skill_run",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("business_unit_id", Id(), nullable=False),
        sa.Column("skill_id", Id(), nullable=False),
        sa.Column("list_id", Id(), nullable=False),
        sa.Column("transport_code_id", Id(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("template_version_id", Id(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("zone_sets", sa.JSON(), nullable=False),
        sa.Column("scrub_groups", sa.JSON(), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["business_unit_id"], ["business_unit.id"], name=op.f("fk_skill_run_business_unit_id")),
        sa.ForeignKeyConstraint(["list_id"], ["calling_list.id"], name=op.f("fk_skill_run_list_id")),
        sa.ForeignKeyConstraint(["skill_id"], ["skill.id"], name=op.f("fk_skill_run_skill_id")),
        sa.ForeignKeyConstraint(
            ["transport_code_id"], ["transport_code.id"], name=op.f("fk_skill_run_transport_code_id")
        ),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_skill_run")),
    )
    op.create_index("ix_skill_run_state", "skill_run", ["state", "transport_code_id"], unique=False)
    # A new database is a new incarnation: a journal written for another one does not count here.
    op.execute(
        sa.text("INSERT INTO installation (id, incarnation, created_at) VALUES (1, :incarnation, :now)").bindparams(
            incarnation=uuid.uuid4().hex, now=SystemClock().now()
        )
    )
