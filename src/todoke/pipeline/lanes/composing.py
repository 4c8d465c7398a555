"""From contacts to messages: the text, its segments ready for the wire, or the reason why there is none.

Pure but for the clock that is passed in. What is out gets an event, what is early a due row; either way the
position has its outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

from todoke.model.clock import Micros
from todoke.model.contact import unreachable
from todoke.model.event import Event, Kind
from todoke.model.ids import RUN_SHIFT
from todoke.pipeline.lanes.keeping import NOTHING
from todoke.pipeline.lanes.message import Message, Work
from todoke.pipeline.lanes.runs import LONGEST_VALIDITY, LaneRun
from todoke.sms.compose import EmptyText, MissingField, TooLong, compose, compose_short
from todoke.sms.segments import header
from todoke.store.hot.base import SEPARATOR, Contact, DueRow, DueTaken, Held


@dataclass(slots=True)
class Batch:
    """What became of some contacts."""

    messages: list[Message] = field(default_factory=list[Message])
    events: list[Event] = field(default_factory=list[Event])
    due: list[DueRow] = field(default_factory=list[DueRow])


def compose_block(
    run: LaneRun, work: Work, contacts: list[Contact], now: Micros, kept: Mapping[int, Held | str] = NOTHING
) -> Batch:
    """Compose contacts of a block, in order of position. `kept`: messages that wait, or
    go no further for a reason, by id: suppressions, caps, consent, erased people."""
    batch = Batch()
    if kept:
        contacts = [contact for contact in contacts if not _keep(batch, run, None, contact, kept, now)]
    if run.data.smart_encoding:
        for contact in contacts:
            _one(batch, run, work, None, contact, now)
        return batch
    # At full speed this is a third of an engine's work. What is not one segment as it stands goes the long way.
    append, make, base_id, renderer = batch.messages.append, run.sender.segment, run.base_id, run.renderer
    last_zones, is_open, valid = -1, False, 0
    for contact in contacts:
        position, destination, zones, fields, on_dnc, expires_at = contact
        if zones != last_zones:  # neighbours mostly share theirs
            last_zones, gate = zones, run.gate(zones, now)
            is_open, valid = gate.opens == 0, gate.valid_until
        short = None
        if is_open and not on_dnc and destination > 0 and (expires_at is None or expires_at > now):
            short = compose_short(renderer, fields.split(SEPARATOR))
        if short is None:
            _one(batch, run, work, None, contact, now)
            continue
        payload, coding = short
        message_id = base_id + position
        told = valid if expires_at is None else _told(valid, expires_at, now)
        body = make(destination, payload, coding, b"", message_id, 1, 0, told)
        message = Message(run, work, None, message_id, destination, zones, 0, 1, [1], [body], 0, 1, valid)
        if expires_at is not None:
            message.expires_at = expires_at
        append(message)
    return batch


def compose_due(
    run: LaneRun, taken: list[tuple[DueTaken, Contact]], now: Micros, kept: Mapping[int, Held | str] = NOTHING
) -> Batch:
    """Compose due rows: retries, messages that were held, what was given back."""
    batch = Batch()
    for row, contact in taken:
        if kept and _keep(batch, run, row, contact, kept, now):
            continue
        _one(batch, run, None, row, contact, now)
    return batch


def _keep(
    batch: Batch, run: LaneRun, taken: DueTaken | None, contact: Contact, kept: Mapping[int, Held | str], now: Micros
) -> bool:
    """Whether it waits, or goes no further: for a reason, or because its run ends before it may go."""
    message_id = run.base_id + contact.position
    found = kept.get(message_id)
    if found is None or _out(contact, now):
        return False
    attempt = taken.attempt if taken else 0
    expires_at = _expiry(run, contact, contact.fields.split(SEPARATOR))
    if isinstance(found, Held) and found.until < (run.data.expires_at if expires_at is None else expires_at):
        batch.due.append(_held(run, taken, message_id, attempt, found.until))
    else:
        reason = found.reason if isinstance(found, Held) else found
        batch.events.append(Event(message_id, 0, attempt, Kind.SKIPPED, now, reason=reason))
    return True


def _one(batch: Batch, run: LaneRun, work: Work | None, taken: DueTaken | None, contact: Contact, now: Micros) -> None:
    message_id = run.base_id + contact.position
    attempt = taken.attempt if taken else 0
    out = _out(contact, now)
    if out:
        batch.events.append(Event(message_id, 0, attempt, Kind.SKIPPED, now, reason=out))
        return
    fields = contact.fields.split(SEPARATOR)
    expires_at = _expiry(run, contact, fields)
    if expires_at is not None and expires_at <= now:
        batch.events.append(Event(message_id, 0, attempt, Kind.EXPIRED, now, reason="expired"))
        return
    if run.opens_at(contact.zone_set, now) != now:
        later = run.held_until(contact.zone_set, now)
        batch.due.append(
            _held(run, taken, message_id, attempt, later if expires_at is None else min(later, expires_at))
        )
        return
    try:
        text, split, _ = compose(run.renderer, fields, smart=run.data.smart_encoding)
    except (MissingField, EmptyText, TooLong) as error:
        batch.events.append(Event(message_id, 0, attempt, Kind.SKIPPED, now, reason=_REASONS[type(error)]))
        return
    parts = split.parts
    # Only a text of several segments can be interrupted between them.
    crc = crc32(text.encode("utf-8", "surrogatepass")) if len(parts) > 1 or (taken and taken.segments) else 0
    coding = split.encoding.value
    make = run.sender.segment
    if taken and taken.segments and taken.text_crc != crc:
        # Other parts of the text as it was are on the phone already.
        batch.events.append(Event(message_id, 0, attempt, Kind.SKIPPED, now, reason="edited"))
        return
    numbers = list(range(1, len(parts) + 1))
    if taken and taken.segments:
        numbers = [int(number) for number in taken.segments.split(",")]
    total = len(parts)
    valid = run.valid_until(contact.zone_set, now)
    told = valid if expires_at is None else _told(valid, expires_at, now)
    reference = (message_id ^ message_id >> RUN_SHIFT) & 0xFF  # another one for the same contact in the next run
    bodies = [
        make(
            contact.destination,
            parts[number - 1],
            coding,
            header(reference, total, number) if total > 1 else b"",
            message_id,
            number,
            attempt,
            told,
        )
        for number in numbers
    ]
    batch.messages.append(
        Message(
            run,
            work,
            taken,
            message_id,
            contact.destination,
            contact.zone_set,
            attempt,
            total,
            numbers,
            bodies,
            crc,
            len(numbers),
            valid,
            expires_at=expires_at,
        )
    )


def _out(contact: Contact, now: Micros) -> str:
    """Why nobody is texted at all, if so."""
    return unreachable(contact.destination, contact.expires_at, now, on_dnc=contact.on_dnc)


def _expiry(run: LaneRun, contact: Contact, fields: list[str]) -> Micros | None:
    """From when on it is not sent, although its run goes on."""
    of_text = run.expires_at(fields)
    return contact.expires_at if of_text is None else of_text


def _told(valid_until: Micros, expires_at: Micros, now: Micros) -> Micros:
    """Until when the carrier may try what expires by itself."""
    if expires_at - now > LONGEST_VALIDITY:
        return valid_until
    return min(valid_until or expires_at, expires_at)


_REASONS: dict[type[Exception], str] = {MissingField: "missing_field", EmptyText: "empty_text", TooLong: "too_long"}


def _held(run: LaneRun, taken: DueTaken | None, message_id: int, attempt: int, not_before: Micros) -> DueRow:
    """The due row of a message that may not go yet."""
    return DueRow(
        run.data.bucket,
        message_id,
        attempt,
        run.data.id,
        run.data.transport_code_id,
        not_before,
        taken.segments if taken else "",
        taken.text_crc if taken else None,
    )
