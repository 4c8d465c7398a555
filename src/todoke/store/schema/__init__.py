"""The schema, once, for both databases; the migrations are tested equal to it.

Moments are BIGINT microseconds since 1970 in UTC and end in `_at` (`_until`, `not_before`). Every tenant row
carries its business unit; every hot table leads with `bucket`, the shard of the business unit, so that it can be
distributed by it.
"""

from todoke.store.schema.base import metadata
from todoke.store.schema.catalogue import (
    business_unit,
    calling_list,
    campaign,
    dnc_group,
    installation,
    list_mapping,
    list_range,
    list_rejection,
    provider,
    skill,
    sms_brand,
    sms_registration,
    template,
    template_version,
    transport_code,
)
from todoke.store.schema.compliance import (
    answer,
    consent,
    disclosure,
    dnc_entry,
    erased_number,
    erasure,
    opt_out,
    review,
)
from todoke.store.schema.dnc import dnc_change, dnc_upload, skill_dnc
from todoke.store.schema.inbound import inbound, orphan
from todoke.store.schema.lists import list_import, list_key
from todoke.store.schema.sending import (
    allowance,
    block,
    contact,
    doubt,
    due,
    engine,
    event,
    intent,
    lane,
    run_counter,
    run_cursor,
    run_selection,
    run_transition,
    selection,
    skill_run,
    tally,
)
from todoke.store.schema.suppression import cap_use, suppression

__all__ = [
    "allowance",
    "answer",
    "block",
    "business_unit",
    "calling_list",
    "campaign",
    "cap_use",
    "consent",
    "contact",
    "disclosure",
    "dnc_change",
    "dnc_entry",
    "dnc_group",
    "dnc_upload",
    "doubt",
    "due",
    "engine",
    "erased_number",
    "erasure",
    "event",
    "inbound",
    "installation",
    "intent",
    "lane",
    "list_import",
    "list_key",
    "list_mapping",
    "list_range",
    "list_rejection",
    "metadata",
    "opt_out",
    "orphan",
    "provider",
    "review",
    "run_counter",
    "run_cursor",
    "run_selection",
    "run_transition",
    "selection",
    "skill",
    "skill_dnc",
    "skill_run",
    "sms_brand",
    "sms_registration",
    "suppression",
    "tally",
    "template",
    "template_version",
    "transport_code",
]
