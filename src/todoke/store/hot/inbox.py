"""Which parts from phones were stored before, and which texts they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from todoke.model.clock import HOUR, SECOND, Micros
from todoke.store.hot.base import InboundPart, StoredInbound

REPEAT_WITHIN = 300 * SECOND
PARTS_WITHIN = HOUR


class Row(NamedTuple):
    """A stored part; ids count up as parts come."""

    id: int
    provider_id: int
    source: str
    destination: str
    text: str
    reference: int | None
    total: int
    number: int
    session: str
    received_at: Micros


def row_of(part: InboundPart, id: int) -> Row:
    return Row(
        id,
        part.provider_id,
        part.source,
        part.destination,
        part.text,
        part.reference,
        part.total,
        part.number,
        part.session,
        part.received_at,
    )


def find_repeats(parts: Sequence[InboundPart], stored: Iterable[Row]) -> list[int | None]:
    """For each part the id of the row that it repeats, or None for a new one.

    A negative id -n speaks of the n-th part of this very call.
    """
    known: dict[tuple[object, ...], list[Row]] = {}
    for row in stored:
        known.setdefault(row[1:8], []).append(row)
    found: list[int | None] = []
    for place, part in enumerate(parts, start=1):
        row = row_of(part, -place)
        alike = known.setdefault(row[1:8], [])
        repeated = [r.id for r in alike if r.session != row.session and _near(r, row)]
        found.append(repeated[-1] if repeated else None)
        if not repeated:
            alike.append(row)
    return found


def assemble(rows: Iterable[Row], total: int) -> dict[int, str]:
    """The whole texts among parts that share a reference, by the id of the part that completed each.

    A phone uses its references again: once a text is whole its parts are used up and the next one begins. A part
    that comes twice before that counts as it came last; one that is older than an hour does not count.
    """
    texts: dict[int, str] = {}
    waiting: dict[int, Row] = {}
    for row in sorted(rows):
        waiting = {n: r for n, r in waiting.items() if row.received_at - r.received_at <= PARTS_WITHIN}
        waiting[row.number] = row
        if len(waiting) == total:
            texts[row.id] = "".join(waiting[number].text for number in sorted(waiting))
            waiting = {}
    return texts


def answer(
    parts: Sequence[InboundPart], ids: Sequence[int], repeated: Sequence[bool], rows: Iterable[Row]
) -> list[StoredInbound]:
    """What became of each part: `ids` are its rows', `rows` all that are stored of the same phones."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.total > 1:
            groups.setdefault(_group(row), []).append(row)
    texts: dict[int, str] = {}
    for part in parts:
        if part.total > 1:
            texts.update(assemble(groups.get(_group(part), []), part.total))
    return [
        StoredInbound(id, again, part.text if part.total == 1 else texts.get(id))
        for part, id, again in zip(parts, ids, repeated, strict=True)
    ]


def _group(part: Row | InboundPart) -> tuple[object, ...]:
    return (part.provider_id, part.source, part.destination, part.reference, part.total)


def _near(one: Row, other: Row) -> bool:
    return abs(other.received_at - one.received_at) <= REPEAT_WITHIN
