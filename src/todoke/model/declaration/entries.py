"""What may be declared, one class a table of the file; the types and their limits are the first check of a value.

`Meta.description` says in words what a value must be, for the error. `business_unit` is None where it was left out.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from todoke.model.declared_hours import BY_PLACE, MAX_NAME, RULE_PACK
from todoke.model.limit import CAP_ZONE
from todoke.model.retention import EVIDENCE

DEFAULT_DNC_GROUP = "Do not call"
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\s/\x00-\x1f]([^/\x00-\x1f]*[^\s/\x00-\x1f])?$",
        description="a name of 1 to 100 characters without a slash, and no space at its ends",
    ),
]
UnitName: TypeAlias = Name | None
SharedRate = Annotated[float, Meta(ge=0.1, le=1_000_000, description="segments a second, 0.1 or more")]
DailyCap = Annotated[int, Meta(ge=1, le=10**12, description="segments a day, 1 or more")]
Scope = Annotated[
    Literal["skill", "business_unit", "installation"],
    Meta(description='"skill", "business_unit" or "installation"'),
]
LanguageCode = Annotated[str, Meta(min_length=2, max_length=2, description='a language such as "en" or "ja"')]
AnswerText: TypeAlias = (
    Annotated[
        str | dict[LanguageCode, str],
        Meta(description='a text in quotes, or one a language such as { en = "...", ja = "..." }'),
    ]
    | None
)
Price = Annotated[float, Meta(ge=0, le=1000, description="what a segment costs, such as 0.0079")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description='three capital letters, such as "USD" or "JPY"')]
CapText = Annotated[str, Meta(max_length=60, description='a frequency cap such as "3 in 7 days"')]
Keyword = Annotated[str, Meta(min_length=1, max_length=40, description="1 to 40 characters")]


Purpose = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^([^\s*\x00-\x1f]([^*\x00-\x1f]*[^\s*\x00-\x1f])?)?$",
        description="at most 100 characters, without a star",
    ),
]
Schedule = Annotated[
    str, Meta(description='a calling window such as "08:00-21:00" or "mon-fri 09:00-20:00; sat 10-17"')
]
PhoneHours = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=MAX_NAME)], Schedule],
    Meta(max_length=50, description='hours by phone type such as { "Work phone" = "mon-fri 09:00-17:00" }'),
]
RulePack = Annotated[str, Meta(pattern=RULE_PACK, description='"auto", "none", or one such as "US-TX"')]


class BusinessUnit(Struct, frozen=True, kw_only=True):
    """A tenant. `rate` in segments a second limits all its codes together, `cap` the texts to one number of all its
    skills. `bucket` is the shard that holds its data; None keeps what it is, 0 for a new unit.
    """

    name: Name
    default_region: Annotated[
        str, Meta(pattern="^[A-Z]{2}$", description='a country as two capital letters, such as "US" or "JP"')
    ]
    default_dnc_group: Name = DEFAULT_DNC_GROUP
    rate: SharedRate | None = None
    list_expiry_days: Annotated[int, Meta(ge=1, le=36_500, description="1 to 36,500 days")] = 30
    opt_out_scope: Scope = "business_unit"
    cap: CapText | None = None
    window: Schedule | None = None
    holidays: Annotated[list[str], Meta(max_length=400, description='days such as ["US", "12-24", "2026-06-02"]')] = []
    rule_pack: RulePack = BY_PLACE
    phone_hours: PhoneHours = {}
    bucket: Annotated[int, Meta(ge=0, le=255, description="a number from 0 to 255")] | None = None


class Provider(Struct, frozen=True, kw_only=True):
    """Who carries messages: one account with them. `settings` is of the class of its kind. `price` of a segment."""

    name: Name
    kind: str
    settings: Struct
    price: Price | None = None
    currency: Currency | None = None


class ProviderHead(Struct, frozen=True, kw_only=True):
    """A provider without the settings of its kind, as it stands in the file."""

    name: Name
    kind: Annotated[str, Meta(description='such as "smpp"')]
    price: Price | None = None
    currency: Currency | None = None


class Brand(Struct, frozen=True, kw_only=True):
    """A verified sender identity, as carriers know it; its codes share its `daily_cap`, in segments. `cap_zone`: whose
    day.
    """

    business_unit: UnitName = None
    name: Name
    daily_cap: DailyCap | None = None
    cap_zone: str = CAP_ZONE


class TransportCode(Struct, frozen=True, kw_only=True):
    """A sender number. `rate` in segments a second; None for the usual one of its type. `burst` segments may go at once
    after idleness. `price` of a segment; None for the provider's.
    """

    business_unit: UnitName = None
    code: Annotated[str, Meta(min_length=1, max_length=21, description='a code in quotes, such as "15551230001"')]
    type: str
    provider: Name
    rate: Annotated[float, Meta(gt=0, le=100_000, description="segments a second, more than 0")] | None = None
    burst: Annotated[int, Meta(ge=1, le=10_000, description="segments, 1 or more")] = 1
    brand: Name | None = None
    daily_cap: DailyCap | None = None
    cap_zone: str = CAP_ZONE
    price: Price | None = None
    currency: Currency | None = None


class Registration(Struct, frozen=True, kw_only=True):
    """How a transport code serves its business unit; None for its default DNC group.

    `languages`: whose built-in keywords count, None for all. `language`: of what is sent back; None for that of the
    unit's region. `answers`: who sends it; None for the usual of the code's type. Texts of None are the built-in ones.
    """

    business_unit: UnitName = None
    code: Annotated[str, Meta(min_length=1, description='a code in quotes, such as "15551230001"')]
    dnc_group: Name | None = None
    stop_keywords: Annotated[list[Keyword], Meta(max_length=50, description='words such as ["no more"]')] = []
    start_keywords: Annotated[list[Keyword], Meta(max_length=50, description='words such as ["again"]')] = []
    help_keywords: Annotated[list[Keyword], Meta(max_length=50, description='words such as ["how"]')] = []
    remove_keywords: Annotated[list[Keyword], Meta(max_length=50, description='words such as ["end"]')] = []
    languages: (
        Annotated[list[LanguageCode], Meta(max_length=50, description='languages such as ["en", "es"]')] | None
    ) = None
    language: LanguageCode | None = None
    answers: Annotated[Literal["us", "network", "nobody"], Meta(description='"us", "network" or "nobody"')] | None = (
        None
    )
    stop_text: AnswerText = None
    start_text: AnswerText = None
    help_text: AnswerText = None
    opt_out_scope: Scope | None = None


Days = Annotated[int, Meta(ge=1, le=36_500, description="days, 1 or more")]
EvidenceDays = Annotated[int, Meta(ge=EVIDENCE, le=36_500, description=f"days, {EVIDENCE} (three years) or more")]


class Retention(Struct, frozen=True, kw_only=True):
    """For how many days a business unit keeps its data; None keeps it."""

    business_unit: UnitName = None
    replies: Days | None = None
    events: Annotated[int, Meta(ge=7, le=36_500, description="days, 7 or more")] | None = None
    contacts: Days | None = None
    doubts: Days | None = None
    rejected_files: Days | None = None
    opt_outs: EvidenceDays | None = None
    consents: EvidenceDays | None = None


class DncGroup(Struct, frozen=True, kw_only=True):
    business_unit: UnitName = None
    name: Name


class Campaign(Struct, frozen=True, kw_only=True):
    business_unit: UnitName = None
    name: Name


class Template(Struct, frozen=True, kw_only=True):
    """A text with merge fields. Line breaks at its very end do not count."""

    business_unit: UnitName = None
    name: Name
    body: Annotated[str, Meta(min_length=1, max_length=40_000, description="a text of at most 40000 characters")]
    direction: Literal["ltr", "rtl"] = "ltr"


class Skill(Struct, frozen=True, kw_only=True):
    """What is started over a list. `transport_code` may be written provider/code where two providers share one.

    `scrub`: DNC groups that its contacts are looked up in, beside those that opt-outs to its code go to. `contribute`:
    groups that an opt-out in answer to it goes to, too. `cap`: its texts to one number.
    """

    business_unit: UnitName = None
    name: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9_.:-]{2,30}$", description="2 to 30 characters: letters A to Z, digits and - _ . :"),
    ]
    campaign: Name
    transport_code: Annotated[str, Meta(min_length=1, description="a code that is declared")]
    template: Name
    window: Schedule = "08:00-21:00"
    rule_pack: RulePack | None = None
    phone_hours: PhoneHours = {}
    in_doubt_policy: Literal["at_most_once", "at_least_once"] = "at_most_once"
    in_doubt_minutes: Annotated[int, Meta(ge=1, le=10_080, description="minutes from 1 to 10080")] = 15
    max_attempts: Annotated[int, Meta(ge=1, le=100, description="a number from 1 to 100")] = 3
    smart_encoding: bool = False
    stream: Literal["transactional", "bulk"] = "bulk"
    weight: Annotated[int, Meta(ge=1, le=1000, description="a number from 1 to 1000")] = 1
    expiry_hours: Annotated[int, Meta(ge=1, le=8760, description="hours from 1 to 8760")] = 720
    scrub: Annotated[list[Name], Meta(max_length=50, description='DNC groups such as ["Acme shifts"]')] = []
    contribute: Annotated[list[Name], Meta(max_length=50, description='DNC groups such as ["Acme shifts"]')] = []
    cap: CapText | None = None
    filter: Annotated[str, Meta(min_length=1, description="a filter in quotes, such as 'State = \"FL\"'")] | None = None
    order: Annotated[list[str], Meta(max_length=10, description='keys such as ["Score desc", "LastName"]')] = []
    consent: Literal["none", "implied", "soft_opt_in", "express", "express_written"] = "none"
    consent_purpose: Purpose = ""
    consent_programme: Purpose = ""


Entry: TypeAlias = (
    BusinessUnit | Provider | Brand | TransportCode | Registration | DncGroup | Campaign | Template | Skill | Retention
)
