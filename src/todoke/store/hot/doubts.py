"""Doubts as rows: which come and go with new events, which receipt ends which, and what the policy does.

Decisions only; the statements are in `sqlite/doubts.py` and `postgres/doubts.py`. The rows are a function of the
events, `model.event.in_doubt`, so that whoever appends events keeps them right, in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from todoke.model.clock import HOUR, Micros
from todoke.model.event import Event, Kind, State, fold, in_doubt
from todoke.model.ids import address, reference
from todoke.store.hot.flush import Doubt, Receipt

RECEIPT_WITHIN = 72 * HOUR
"""A receipt without a reference is that of a doubt only so long after it: carriers give up on a phone by then."""

RECENT = RECEIPT_WITHIN + HOUR
"""Doubts that old are matched to nothing any more."""


Key: TypeAlias = tuple[int, int, int]  # message id, segment, attempt
Details: TypeAlias = Mapping[Key, Doubt]
NOTHING_KNOWN: Details = {}


class Change(NamedTuple):
    """What new events change: rows that go, events whose rows come, messages that need no further attempt."""

    ended: list[Key]
    begun: list[Event]
    over: list[int]


NO_CHANGE = Change([], [], [])


def change(stored: Sequence[Event], new: Sequence[Event]) -> Change:
    """`stored` holds every event of the messages that `new` speaks of. Costs a glance where nothing is in doubt."""
    doubtful = {e.message_id for e in stored if e.kind == Kind.IN_DOUBT}
    doubtful.update([e.message_id for e in new if e.kind == Kind.IN_DOUBT])
    if not doubtful:
        return NO_CHANGE
    before: dict[int, list[Event]] = {message_id: [] for message_id in doubtful}
    after: dict[int, list[Event]] = {message_id: [] for message_id in doubtful}
    for event in stored:
        if event.message_id in doubtful:
            before[event.message_id].append(event)
            after[event.message_id].append(event)
    for event in new:
        if event.message_id in doubtful:
            after[event.message_id].append(event)
    result = Change([], [], [])
    for message_id, events in after.items():
        was, now = in_doubt(before[message_id]), in_doubt(events)
        result.ended.extend((message_id, *key) for key in sorted(was - now))
        result.begun.extend(
            event for event in events if event.kind == Kind.IN_DOUBT and (event.segment, event.attempt) in now - was
        )
        if was - now and fold(events).state in _OVER:
            result.over.append(message_id)
    return result


_OVER = frozenset({State.SENT, State.DELIVERED, State.FAILED})


def details(doubts: Iterable[Doubt]) -> dict[Key, Doubt]:
    """By what they are about."""
    return {doubt[:3]: doubt for doubt in doubts}


Row: TypeAlias = tuple[Any, ...]


def row_of(event: Event, known: Details) -> Row:
    """A new doubt as the statements take it: bucket, message id, segment, attempt, run, position, provider,
    destination, reference, segments, CRC, reason, at, earliest.
    """
    bucket, run_id, ordinal = address(event.message_id)
    doubt = known.get((event.message_id, event.segment, event.attempt))
    return (
        bucket,
        event.message_id,
        event.segment,
        event.attempt,
        run_id,
        ordinal,
        event.provider_id,
        doubt.destination if doubt else None,
        reference(event.message_id, event.segment, event.attempt),
        event.segments,
        doubt.text_crc if doubt else None,
        event.reason,
        event.at,
        doubt.earliest_at if doubt else None,
    )


def strangers(rows: Iterable[Row]) -> list[int]:
    """The messages of rows of `row_of` of which nobody has said whom they went to: their contacts tell."""
    return [row[1] for row in rows if row[7] is None]


def placed(rows: Iterable[Row], positions: Mapping[int, int]) -> list[Row]:
    """The rows with the positions of their contacts, by message id, in the place of ordinals."""
    return [(*row[:5], positions.get(row[1], row[5]), *row[6:]) for row in rows]


# ------------------------------------------------------------------ receipts


class Pair(NamedTuple):
    """A doubt and an orphan of the same provider and number."""

    message_id: int
    segment: int
    attempt: int
    segments: int
    reference: int | None
    code: str
    at: Micros
    earliest_at: Micros
    provider_message_id: str
    orphan_reference: int | None
    orphan_code: str | None
    orphan_at: Micros

    @property
    def key(self) -> Key:
        return self[:3]

    @property
    def by_reference(self) -> bool:
        return self.orphan_reference is not None and self.orphan_reference == self.reference

    @property
    def by_number(self) -> bool:
        """Whether it may be the receipt, as far as code and time tell. One that echoes a reference says itself whose it
        is.
        """
        return (
            self.orphan_reference is None
            and self.orphan_code == self.code
            and self.earliest_at <= self.orphan_at <= self.at + RECEIPT_WITHIN
        )


def number_of(phone: str) -> int | None:
    """The digits of an address; None where it is no number."""
    digits = phone.lstrip("+")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None


def orphan_row(receipt: Receipt) -> tuple[object, ...]:
    """A receipt that matches nothing yet, as its row."""
    return (*receipt[:6], number_of(receipt.phone), receipt.code.lstrip("+") or None, receipt.reference)


def unique(pairs: Iterable[Pair], before: Micros) -> list[Pair]:
    """One pair for each doubt that has one possible orphan, which is possible for no other doubt. (An orphan is a
    provider's id: it may be of two kinds.) Without a reference only orphans that came until `before` are matched.
    """
    found: list[Pair] = []
    all_pairs = list(pairs)
    for fits in (_by_reference, _by_number):
        doubts: defaultdict[str, set[Key]] = defaultdict(set)
        orphans: defaultdict[Key, dict[str, Pair]] = defaultdict(dict)
        taken = {pair.key for pair in found}
        for pair in all_pairs:
            if fits(pair):
                doubts[pair.provider_message_id].add(pair.key)
                known = orphans[pair.key].get(pair.provider_message_id)
                if known is None or known.orphan_at < pair.orphan_at:
                    orphans[pair.key][pair.provider_message_id] = pair
        for of_doubt in orphans.values():
            (name, pair), *more = of_doubt.items()
            if pair.key in taken or more or len(doubts[name]) > 1:
                continue
            if pair.by_reference or pair.orphan_at <= before:
                found.append(pair)
    return found


def _by_reference(pair: Pair) -> bool:
    return pair.by_reference


def _by_number(pair: Pair) -> bool:
    return pair.by_number


def others_waiting(events: Iterable[Event], segment: int) -> bool:
    """Whether another segment of the message was accepted and waits for its receipt: it may be that one's."""
    last: dict[int, int] = {}
    for event in events:
        if event.segment and event.segment != segment:
            last[event.segment] = max(event.kind, last.get(event.segment, 0))
    return Kind.ACCEPTED in last.values()


def receipt_events(receipt: Receipt, key: Key, segments: int) -> tuple[Event, Event]:
    """What a receipt says about a doubt: the provider has it, under this id, and what became of it."""
    message_id, segment, attempt = key
    own = (message_id, segment, attempt)
    return (
        Event(*own, Kind.ACCEPTED, receipt.at, segments, receipt.provider_id, receipt.provider_message_id),
        Event(*own, receipt.kind, receipt.at, segments, receipt.provider_id, None, receipt.reason),
    )
