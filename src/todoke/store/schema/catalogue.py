"""The catalogue: what a person edits or browses."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from todoke.model.declared_hours import BY_PLACE
from todoke.model.limit import CAP_ZONE
from todoke.store.schema.base import Id, identity, metadata, unit

# One row. `incarnation` is new for a new database, and is what a journal belongs to.
installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

business_unit = Table(
    "business_unit",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    Column("bucket", SmallInteger, nullable=False),
    Column("default_region", Text, nullable=False),  # ISO 3166 alpha-2: how a number without a country code is read
    # The default DNC group: no foreign key, the two rows name each other.
    Column("dnc_group_id", Id, nullable=True),
    Column("created_at", BigInteger, nullable=False),
    Column("rate", Double[float](), nullable=True),  # segments a second, of all its codes together
    Column("retention", JSON, nullable=True),  # days by kind of data; what is not named is kept
    Column("list_expiry_days", Integer, nullable=False, server_default="30"),  # of a list that says nothing else
    Column("cap", Text, nullable=True),  # texts to one number, of all its skills: "3 in 7 days"
    Column("opt_out_scope", Text, nullable=False, server_default="business_unit"),  # where a code says none
    Column("hours", Text, nullable=True),  # its calling window, a schedule; none: the whole day
    Column("holidays", JSON, nullable=True),  # days, rules, or names of calendars
    Column("rule_pack", Text, nullable=False, server_default=BY_PLACE),  # auto | none | a jurisdiction
    Column("phone_hours", JSON(none_as_null=True), nullable=True),  # a schedule by phone type
    CheckConstraint("bucket between 0 and 255", name="bucket_range"),
)

# A verified sender identity; codes that share one share its daily cap.
sms_brand = Table(
    "sms_brand",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("daily_cap", BigInteger, nullable=True),  # segments a day
    Column("cap_zone", Text, nullable=False),  # IANA: whose day
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# A provider account: the unit of lease (all its codes go together).
provider = Table(
    "provider",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # smpp | simulator
    Column("bucket", SmallInteger, nullable=False),
    Column("settings", JSON, nullable=False),  # as the kind's settings class declares them
    Column("created_at", BigInteger, nullable=False),
    Column("price", Double[float](), nullable=True),  # what it charges for a segment, in `currency`
    Column("currency", Text, nullable=True),
)

transport_code = Table(
    "transport_code",
    metadata,
    identity(),
    unit(),
    Column("provider_id", Id, ForeignKey("provider.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("rate", Double[float](), nullable=False),  # segments a second, the carrier's limit
    Column("created_at", BigInteger, nullable=False),
    Column("burst", Integer, nullable=False, server_default="1"),  # segments that may go at once after idleness
    Column("daily_cap", BigInteger, nullable=True),  # segments a day
    Column("cap_zone", Text, nullable=False, server_default=CAP_ZONE),  # IANA: whose day
    Column("sms_brand_id", Id, ForeignKey("sms_brand.id"), nullable=True),
    Column("price", Double[float](), nullable=True),  # of a segment, where it is not the provider's
    Column("currency", Text, nullable=True),
    UniqueConstraint("provider_id", "code"),
    CheckConstraint("rate > 0", name="rate_positive"),
)

dnc_group = Table(
    "dnc_group",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# Ties a transport code to its business unit. Without a DNC group the unit's default counts.
sms_registration = Table(
    "sms_registration",
    metadata,
    identity(),
    unit(),
    Column("transport_code_id", Id, ForeignKey("transport_code.id"), nullable=False, unique=True),
    Column("dnc_group_id", Id, ForeignKey("dnc_group.id"), nullable=True),
    # {"stop": [...], "start": [...], "help": [...]} beside the built-in ones, "remove": [...] of these, "languages"
    Column("keywords", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("answers", Text, nullable=True),  # us | network | nobody; none: the usual of its type
    Column("language", Text, nullable=True),  # of what is sent back; none: that of the unit's region
    Column("texts", JSON, nullable=True),  # {"stop": {"en": "..."}, ...}: in place of the built-in ones
    Column("opt_out_scope", Text, nullable=True),  # skill | business_unit | installation; none: the unit's
)

campaign = Table(
    "campaign",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

template = Table(
    "template",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# A template's text never changes: an edit is a new version, and a run keeps the one it started with.
template_version = Table(
    "template_version",
    metadata,
    identity(),
    Column("template_id", Id, ForeignKey("template.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("direction", Text, nullable=False),  # ltr | rtl
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("template_id", "version"),
)

skill = Table(
    "skill",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("campaign_id", Id, ForeignKey("campaign.id"), nullable=False),
    Column("kind", Text, nullable=False),  # agentless
    Column("transport_code_id", Id, ForeignKey("transport_code.id"), nullable=False),
    Column("template_id", Id, ForeignKey("template.id"), nullable=False),
    # The calling window in the contact's own time, minutes after midnight; 0 and 1440 for the whole day.
    Column("window_start", SmallInteger, nullable=False),
    Column("window_end", SmallInteger, nullable=False),
    Column("in_doubt_policy", Text, nullable=False),  # at_most_once | at_least_once
    Column("in_doubt_minutes", Integer, nullable=False),  # how long at_least_once waits before it sends again
    Column("max_attempts", SmallInteger, nullable=False),
    Column("smart_encoding", Boolean, nullable=False),
    Column("weight", SmallInteger, nullable=False),  # its share where runs compete for a code
    Column("expiry_hours", Integer, nullable=False),  # a run ends after this at the latest
    Column("created_at", BigInteger, nullable=False),
    Column("stream", Text, nullable=False, server_default="bulk"),  # transactional | bulk
    Column("filter", Text, nullable=True),  # which contacts of a list it texts, as a person wrote it; none: all
    Column("ordering", Text, nullable=True),  # in which order: its keys, a line each; none: that of the list
    Column("cap", Text, nullable=True),  # its texts to one number: "1 in 24 hours"
    # The consent that it requires: a kind as in `consent`, none for no consent; for this purpose and programme.
    Column("consent", SmallInteger, nullable=True),
    Column("consent_purpose", Text, nullable=True),
    Column("consent_programme", Text, nullable=True),
    # A schedule, where the window is not the same every day; `window_start` and `window_end` hold all of it then.
    Column("hours", Text, nullable=True),
    Column("rule_pack", Text, nullable=True),  # as the business unit's, which counts where there is none
    Column("phone_hours", JSON(none_as_null=True), nullable=True),  # a schedule by phone type, beside the unit's
    UniqueConstraint("business_unit_id", "name"),
)

# Only a ready list can be run by a person; one that is standing is that of a standing run. Of a removed one its
# contacts are gone; reports need the row. `contacts`: its positions.
# state: importing | staged | ready | deleted | removed | standing
calling_list = Table(
    "calling_list",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("fields", JSON, nullable=False),  # the merge fields' names in the order in which `contact.fields` packs them
    Column(
        "zone_sets", JSON, nullable=False
    ),  # candidate places and phone type by `contact.zone_set`: [["JP Asia/Tokyo", "@SMSPhoneNumber"], ...]
    Column("source", Text, nullable=False),
    Column("importer", Text, nullable=False),  # host:boot:pid of who imports it, to tell a dead import from a live one
    Column("contacts", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=True),
    Column("active", Boolean, nullable=False, server_default=true()),  # an inactive list is not texted
    Column("deleted_at", BigInteger, nullable=True),
    Column("expires_at", BigInteger, nullable=True),  # none: it does not expire
    Column("phone_types", JSON(none_as_null=True), nullable=True),  # what `contact.phones` holds, in its order
    # What else files called the numbers of each phone field. None: a list of before, whose sets name no phone type.
    Column("phone_names", JSON(none_as_null=True), nullable=True),
    Column("import_id", Id, nullable=True),  # the import that made it
    Column("into_list_id", Id, nullable=True),  # of one that is to be merged into another: that one
    Column("updating_import", Id, nullable=True),  # the import that is being merged into it; nothing else is appended
    Column("keyed", Boolean, nullable=False, server_default=false()),  # whether `list_key` has all of its keys
    Column("appended", BigInteger, nullable=False, server_default="0"),  # contacts that came after the import
    Column("cap", Text, nullable=True),  # texts to one number of it, of all skills: "2 in 30 days"
    Index(
        "uq_calling_list_ready_name",
        "business_unit_id",
        "name",
        unique=True,
        postgresql_where=text("state = 'ready'"),
        sqlite_where=text("state = 'ready'"),
    ),
)

# How files of a header are to be read, kept under a name.
list_mapping = Table(
    "list_mapping",
    metadata,
    identity(),
    unit(),
    Column("name", Text, nullable=False),
    Column("header", JSON, nullable=False),  # the columns of the file for which it was made
    Column("reading", JSON, nullable=False),  # field by header, and whatever else was given: model/list_mapping.py
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("business_unit_id", "name"),
)

# How many rows of a file did not become contacts, by reason.
list_rejection = Table(
    "list_rejection",
    metadata,
    Column("list_id", Id, ForeignKey("calling_list.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("list_id", "reason"),
)

# Consecutive positions that share a candidate-zone set (zone_set -1: mixed, look at the contact's own).
list_range = Table(
    "list_range",
    metadata,
    Column("list_id", Id, ForeignKey("calling_list.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("zone_set", SmallInteger, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),  # inclusive
    PrimaryKeyConstraint("list_id", "number"),
)
