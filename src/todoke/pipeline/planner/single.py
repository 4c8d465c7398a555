"""One text to one number: checked as a list is, then a message of a standing run."""

from __future__ import annotations

from typing import NamedTuple

from todoke.compliance import windows
from todoke.compliance.hours import hours_of
from todoke.compliance.rulebook import Rulebook, standard
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, Micros
from todoke.model.declared_hours import MAX_NAME
from todoke.model.errors import Conflict, Invalid, sentence_of
from todoke.model.plain_name import plain
from todoke.model.stream import Stream
from todoke.sms import places
from todoke.sms.compose import EmptyText, TooLong, compose
from todoke.sms.numbers import Phone, PhoneError
from todoke.sms.phone import parse
from todoke.sms.phone_type import named
from todoke.sms.templates import literal
from todoke.sms.templates import parse as parse_template
from todoke.store.catalogue import codes, dnc, registrations, standing, units
from todoke.store.catalogue.codes import Code
from todoke.store.catalogue.standing import Purpose
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import RunEnded, Single
from todoke.store.store import Store

EXPIRY: Micros = 24 * HOUR
"""How long it may wait for its calling window, its slot, its next attempt."""


class Posted(NamedTuple):
    """The message that will carry it. `opens_at`: when its calling window opens; None where it is open now."""

    message_id: int
    run_id: int
    bucket: int
    phone: int
    segments: int
    opens_at: Micros | None


async def send_text(
    store: Store,
    *,
    business_unit: str | None,
    code: str | None,
    to: str,
    text: str,
    window: Window,
    now: Micros,
    stream: Stream = Stream.TRANSACTIONAL,
    rule_pack: str | None = None,
    rulebook: Rulebook | None = None,
    phone_type: str | None = None,
    not_before: Micros | None = None,
    expires_at: Micros | None = None,
) -> Posted:
    """Text one number, in the hours of the places where its owner may be, and not if it is on a do-not-call
    list of the code: that is looked up here and again before it is sent. Where hours are declared by phone type, those
    of `phone_type` must be open, and of all of them where it is not told. Counted as expired where it is not sent
    before `expires_at`, a day from now if that is not given.

    Invalid for a number or a text that cannot be sent, Conflict where the number is not to be texted, NotFound.
    """
    expires = now + EXPIRY if expires_at is None else expires_at
    begin = now if not_before is None else max(now, not_before)
    if expires <= begin:
        raise Invalid("It would expire before it may be sent.", fix="Give it a later expiry.")
    segments = _segments(text)
    if phone_type is not None and not (plain(phone_type) and len(phone_type) <= MAX_NAME):
        raise Invalid(f"{phone_type!r} is no name of a phone type.", fix='Write it as it is declared, "Work phone".')
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        chosen = await codes.only(connection, unit, code)
        phone = _phone(to, unit.default_region)
        groups = await registrations.scrub_groups(connection, unit, chosen.id)
        listed = [entry.group for entry in await dnc.on(connection, unit, phone.e164, now, groups=groups)]
    if listed:
        fix = "It may be texted again when its owner says so: START, or todoke dnc remove."
        raise Conflict(f"The number is on the DNC group {listed[0]!r}.", where=to, fix=fix)
    zones = named(places.of_number(phone.e164, phone.region, phone.zones), (phone_type,) if phone_type else ())
    hours = hours_of(unit.declared_hours(None, rule_pack), window, rulebook or standard())
    opens = windows.opens_at(hours, zones, begin)
    if opens is None:
        fix = 'Give the window "00:00-24:00" and the rule pack "none" if it may be texted at any hour.'
        if hours.by_phone_type and phone_type is None:
            fix = "Say of which phone type it is; else the hours of all phone types must be open together."
        raise Invalid(
            "There is no hour at which the number may be texted, or its place is not known.", where=to, fix=fix
        )
    run_id, message_id = await _post(
        store, unit, chosen, groups, window, rule_pack, stream, zones, phone, text, begin, expires
    )
    return Posted(message_id, run_id, unit.bucket, phone.e164, segments, None if opens <= now else opens)


async def _post(
    store: Store,
    unit: Unit,
    code: Code,
    groups: tuple[int, ...],
    window: Window,
    rule_pack: str | None,
    stream: Stream,
    zones: tuple[str, ...],
    phone: Phone,
    text: str,
    begin: Micros,
    expires: Micros,
) -> tuple[int, int]:
    """The run that carries it, and its id."""
    while True:
        run_id = await standing.ensure(
            store, unit, code, Purpose.TEXTS, groups, begin, window=window, stream=stream, rule_pack=rule_pack
        )
        single = Single(unit.bucket, run_id, phone.e164, text, zones, begin, expires)
        try:
            return run_id, (await store.hot.post([single]))[0]
        except RunEnded:
            continue  # somebody stopped it between the two: there is another one


def _segments(text: str) -> int:
    try:
        return len(compose(parse_template(literal(text)).compile(()), (), smart=True).split.parts)
    except EmptyText:
        raise Invalid("The text is empty.", fix="Write what is to be sent.") from None
    except TooLong as error:
        raise Invalid(f"{str(error).capitalize()}.", fix="Shorten it.") from None


def _phone(to: str, region: str) -> Phone:
    try:
        phone = parse(to, region)
        if not phone.kind.may_text:
            raise Invalid("No text can reach a number of this kind.", where=to, fix="Give a mobile number.")
        return phone
    except PhoneError as error:
        fix = "Write it with its country code, such as +15551234567."
        raise Invalid(sentence_of(str(error)), where=to, fix=fix) from None
