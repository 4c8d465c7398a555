"""What the types of a declaration cannot say about one entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from zoneinfo import available_timezones

import phonenumbers
from msgspec import structs

from todoke.model import cap, holidays, schedule
from todoke.model.closest import suggestion
from todoke.model.declaration.entries import (
    Brand,
    BusinessUnit,
    Entry,
    Provider,
    Registration,
    Retention,
    Skill,
    Template,
    TransportCode,
)
from todoke.model.declaration.place import Place, Problem
from todoke.model.declared_hours import NO_RULES
from todoke.model.errors import Invalid
from todoke.model.filter import read as read_filter
from todoke.model.filter import read_order
from todoke.model.language import LANGUAGES
from todoke.model.plain_name import plain
from todoke.model.provider_kind import REFERENCE
from todoke.model.transport_code import CODE_TYPES, check_code
from todoke.sms import territories
from todoke.sms.templates import TemplateError, parse

_CALENDAR = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_SMPP_PASSWORD = 8  # SMPP 3.4, 5.2.2: nine octets with the closing zero


def plain_code(code: str) -> str:
    """The code as it is kept: a number without its plus sign."""
    return code[1:] if re.fullmatch(r"\+\d+", code) else code


def tidied(entry: Entry) -> Entry:
    """The entry in the form in which it is kept."""
    match entry:
        case TransportCode() | Registration():
            return structs.replace(entry, code=plain_code(entry.code))
        case Skill():
            return structs.replace(
                entry,
                transport_code=plain_code(entry.transport_code),
                cap=_tidy_cap(entry.cap),
                scrub=sorted(set(entry.scrub)),
                contribute=sorted(set(entry.contribute)),
            )
        case BusinessUnit():
            return structs.replace(entry, cap=_tidy_cap(entry.cap))
        case Template():
            return structs.replace(entry, body=entry.body.rstrip("\r\n"))
        case _:
            return entry


def identity(entry: Entry) -> tuple[object, ...]:
    """What makes it another thing than its likes."""
    match entry:
        case BusinessUnit() | Provider():
            return (type(entry), entry.name)
        case TransportCode():
            return (type(entry), entry.provider, entry.code)
        case Registration():
            return (type(entry), entry.business_unit, entry.code)
        case Retention():
            return (type(entry), entry.business_unit)
        case _:
            return (type(entry), entry.business_unit, entry.name)


def check(entry: Entry, place: Place) -> Iterator[Problem]:
    """The problems of the entry, warnings among them."""
    match entry:
        case BusinessUnit():
            if entry.default_region not in phonenumbers.SUPPORTED_REGIONS:
                fix = suggestion(entry.default_region, phonenumbers.SUPPORTED_REGIONS, 'Use one such as "US" or "JP".')
                yield place.problem("default_region", f"There is no country {entry.default_region!r}.", fix)
            yield from _cap(entry.cap, place)
            yield from _hours(entry.window, entry.rule_pack, place)
            yield from _phone_hours(entry.phone_hours, place)
            yield from _holidays(entry, place)
        case TransportCode():
            yield from _code(entry, place)
            yield from _zone(entry.cap_zone, place)
            yield from _price(entry.price, entry.currency, place)
        case Provider():
            yield from _price(entry.price, entry.currency, place)
        case Brand():
            yield from _zone(entry.cap_zone, place)
        case Registration():
            yield from _registration(entry, place)
        case Template():
            yield from _template(entry, place)
        case Skill():
            yield from _cap(entry.cap, place)
            yield from _selection(entry, place)
            yield from _hours(entry.window, entry.rule_pack, place)
            yield from _phone_hours(entry.phone_hours, place)
        case _:
            pass


def password(password: str, place: Place) -> Iterator[Problem]:
    """The problems of a password that stands in the file."""
    if not password.startswith(REFERENCE):
        if len(password) > _SMPP_PASSWORD:
            sentence = f"An SMPP password has at most {_SMPP_PASSWORD} characters."
            yield place.problem("password", sentence, 'To name a variable write "env:NAME".')
        else:
            sentence = "The password is going to stand in the database in clear."
            fix = 'Write "env:NAME" to have the engine read it from its environment.'
            yield place.problem("password", sentence, fix, warning=True)
        return
    name = password.removeprefix(REFERENCE)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        yield place.problem("password", f"{name!r} is not the name of a variable.", 'Write it as "env:CARRIER".')
    elif name.startswith("TODOKE_") and not name.startswith("TODOKE_SECRET_"):
        yield place.problem("password", f"{name} would be taken for a setting.", "Call it TODOKE_SECRET_...")


def _hours(window: str | None, rule_pack: str | None, place: Place) -> Iterator[Problem]:
    try:
        if window is not None and schedule.parse(window).never:
            yield place.problem("window", "It is never open.", "Leave out what is not to be sent at all.")
    except Invalid as error:
        yield place.problem("window", error.sentence, error.fix or "")
    if rule_pack is not None and "-" in rule_pack and rule_pack not in territories.names():
        fix = suggestion(rule_pack, territories.names(), 'Use one such as "US-TX".')
        yield place.problem("rule_pack", f"There is no state or province {rule_pack!r}.", fix)
    if rule_pack == NO_RULES:
        sentence = "Texts go out at hours that the law of the contact's place may forbid."
        fix = "It is right for what the law exempts, such as texts to one's own staff; see docs/hours.md."
        yield place.problem("rule_pack", sentence, fix, warning=True)


def _phone_hours(hours: Mapping[str, str], place: Place) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, window in hours.items():
        one = seen.setdefault(plain(name), name)
        if not plain(name):
            yield place.problem("phone_hours", f"{name!r} is no name of a phone type.", "Write the column's header.")
        elif one != name:
            yield place.problem("phone_hours", f"{one!r} and {name!r} are one phone type.", "Take one of them out.")
        try:
            if schedule.parse(window).never:
                fix = "Leave numbers that are not to be texted out of the list."
                yield place.problem("phone_hours", f"{name!r} is never open.", fix)
        except Invalid as error:
            yield place.problem("phone_hours", f"Of {name!r}: {error.sentence}", error.fix or "")


def _holidays(entry: BusinessUnit, place: Place) -> Iterator[Problem]:
    for day in entry.holidays:
        if not _CALENDAR.fullmatch(day):
            try:
                holidays.check(day)
            except Invalid as error:
                yield place.problem("holidays", error.sentence, error.fix or "")


def _code(entry: TransportCode, place: Place) -> Iterator[Problem]:
    if entry.type not in CODE_TYPES:
        yield place.problem("type", f"There is no code type {entry.type!r}.", suggestion(entry.type, CODE_TYPES))
        return
    try:
        kind = check_code(entry.code, entry.type)
    except Invalid as error:
        yield place.problem("code", error.sentence, error.fix or "")
        return
    if entry.burst > 1:
        sentence = f"{entry.burst} segments may go at once: more than the rate in some second."
        yield place.problem("burst", sentence, "Make sure that the carrier permits bursts.", warning=True)
    if entry.rate is not None and entry.rate > kind.rate:
        sentence = f"{entry.rate:g} segments a second is more than the usual {kind.rate:g} of a {kind.name} code."
        yield place.problem("rate", sentence, "Make sure that the carrier has agreed to it.", warning=True)


_REVOCATIONS = frozenset({"stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"})


def _registration(entry: Registration, place: Place) -> Iterator[Problem]:
    for key, named in (("languages", entry.languages or []), ("language", [entry.language] if entry.language else [])):
        for language in named:
            if language not in LANGUAGES:
                fix = suggestion(language, LANGUAGES, f"The languages are: {', '.join(LANGUAGES)}.")
                yield place.problem(key, f"There is no language {language!r}.", fix)
    kinds = {"stop": entry.stop_keywords, "start": entry.start_keywords, "help": entry.help_keywords}
    seen: dict[str, str] = {}
    for kind, words in kinds.items():
        for word in {word.casefold().strip() for word in words}:
            if word in seen:
                sentence = f"{word!r} cannot mean both {seen[word]} and {kind}."
                yield place.problem(f"{kind}_keywords", sentence, "Take it out of one of them.")
            seen[word] = kind
    for word in entry.remove_keywords:
        plain = word.casefold().strip()
        if plain == "stop":
            yield place.problem("remove_keywords", "'stop' always means stop.", "Leave it out.")
        elif plain in _REVOCATIONS:
            sentence = f"In the United States {plain!r} by itself is an opt-out by law."
            yield place.problem("remove_keywords", sentence, "Make sure that nobody there is texted.", warning=True)


def _tidy_cap(text: str | None) -> str | None:
    """As it is kept; one with a mistake as it stands."""
    try:
        return None if text is None else str(cap.parse(text))
    except Invalid:
        return text


def _cap(text: str | None, place: Place) -> Iterator[Problem]:
    try:
        cap.optional(text)
    except Invalid as error:
        yield place.problem("cap", error.sentence, error.fix or "")


def _selection(entry: Skill, place: Place) -> Iterator[Problem]:
    """The fields that it names are looked at when it is started: only then is the list known."""
    try:
        if entry.filter is not None:
            read_filter(entry.filter)
    except Invalid as error:
        yield place.problem("filter", f"{_in(error)}{error.sentence}", error.fix or "")
    try:
        read_order(entry.order)
    except Invalid as error:
        yield place.problem("order", f"{_in(error)}{error.sentence}", error.fix or "")


def _in(error: Invalid) -> str:
    """Where in the value it is: after its key, which is told before."""
    place = (error.where or "").partition(", ")[2]
    return f"In {place}: " if place else ""


def _zone(zone: str, place: Place) -> Iterator[Problem]:
    known = available_timezones()
    if zone not in known:
        fix = suggestion(zone, known, 'Use one such as "America/Los_Angeles" or "UTC".')
        yield place.problem("cap_zone", f"There is no time zone {zone!r}.", fix)


def _price(price: float | None, currency: str | None, place: Place) -> Iterator[Problem]:
    if price is not None and currency is None:
        yield place.problem("price", "It does not say in which currency.", 'Add currency = "USD" or another one.')
    if price is None and currency is not None:
        yield place.problem("currency", "There is no price in it.", "Add price = ..., what a segment costs.")


def _template(entry: Template, place: Place) -> Iterator[Problem]:
    if not entry.body.strip():
        yield place.problem("body", "The text is empty.", "Write what the contacts are to read.")
    try:
        parse(entry.body)
    except TemplateError as error:
        at = f"In line {error.line}, column {error.column} of the text: {error.problem}."
        yield place.problem("body", at, f"{error.fix[0].upper()}{error.fix[1:]}.")
