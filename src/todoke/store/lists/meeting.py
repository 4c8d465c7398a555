"""What becomes of a record that comes to a list that is there: a pure decision.

A record is known by its external id. It keeps its position whatever else changes; a number that another contact of the
list has at that moment is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from todoke.store.hot.base import SEPARATOR


class Record(NamedTuple):
    """A row of `contact`, but for its list."""

    position: int
    destination: int
    zone_set: int
    external_id: str
    fields: str
    phones: str | None
    expires_at: int | None


class Fate(Enum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class Meeting(NamedTuple):
    """`record` is as it shall be on the list, at its position there. `reason` and `other` where it is rejected: the
    record of the list that is in the way.
    """

    fate: Fate
    record: Record
    reason: str = ""
    other: Record | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How records that come are put into the shape of the list. `fields`, `phones`: for each of the list's, the place
    among those that come, or None where they do not have it. `zone_sets`: the list's number by theirs.
    """

    fields: Sequence[int | None]
    phones: Sequence[int | None]
    zone_sets: Sequence[int]

    def of(self, record: Record, position: int, old: Record | None) -> Record:
        """The record at that position; what does not come stays as it was."""
        return Record(
            position,
            record.destination,
            self.zone_sets[record.zone_set],
            record.external_id,
            _taken(record.fields, self.fields, "" if old is None else old.fields),
            _phones(record.phones, self.phones, None if old is None else old.phones),
            record.expires_at,
        )


def meet(
    records: Sequence[Record],
    shape: Shape,
    known: Mapping[int, Sequence[Record]],
    owners: Mapping[int, Sequence[Record]],
    following: int,
    *,
    may_update: bool,
) -> list[Meeting]:
    """The fate of each record, in order. `known` and `owners`, by the record's place among those that come: contacts of
    the list that may have its external id, and that may have its number. `following`: the list's next position.
    """
    now: dict[int, Record] = {}  # contacts that have changed here
    meetings: list[Meeting] = []
    for record in records:
        old = next(
            (
                now.get(one.position, one)
                for one in known.get(record.position, ())
                if one.external_id == record.external_id
            ),
            None,
        )
        if old is not None and not may_update:
            meetings.append(Meeting(Fate.REJECTED, record, "duplicate_external_id", old))
            continue
        owner = next(
            (
                now.get(one.position, one)
                for one in owners.get(record.position, ())
                if now.get(one.position, one).destination == record.destination
                and (old is None or one.position != old.position)
            ),
            None,
        )
        if owner is not None and record.destination:
            meetings.append(Meeting(Fate.REJECTED, record, "duplicate_phone", owner))
            continue
        if old is None:
            new = shape.of(record, following, None)
            following += 1
            meetings.append(Meeting(Fate.ADDED, new))
        else:
            new = shape.of(record, old.position, old)
            meetings.append(Meeting(Fate.UNCHANGED if new == old else Fate.UPDATED, new))
        now[new.position] = new
    return meetings


def extents(ranges: tuple[int, int] | None, added: Sequence[Record], most: int) -> list[tuple[int, int, int, int]]:
    """Ranges for contacts that are added at the end: (number, zone set, first, last). `ranges`: number and zone set of
    the list's last range, which is extended (its number comes with the new first position) where it fits. Beyond `most`
    ranges the rest shares mixed ones (-1).
    """
    found: list[tuple[int, int, int, int]] = []
    number, zone_set = ranges if ranges is not None else (-1, None)
    for record in added:
        wanted = record.zone_set if zone_set == record.zone_set or number + 1 < most else -1
        if zone_set == wanted and found:
            found[-1] = (*found[-1][:3], record.position)
        elif zone_set == wanted:
            found.append((number, wanted, record.position, record.position))
        else:
            number, zone_set = number + 1, wanted
            found.append((number, wanted, record.position, record.position))
    return found


def _taken(values: str, places: Sequence[int | None], old: str) -> str:
    came, had = values.split(SEPARATOR), old.split(SEPARATOR)

    def at(having: list[str], place: int) -> str:
        return having[place] if place < len(having) else ""

    return SEPARATOR.join(at(had, own) if place is None else at(came, place) for own, place in enumerate(places))


def _phones(values: str | None, places: Sequence[int | None], old: str | None) -> str | None:
    taken = _taken(values or "", places, old or "")
    return taken if taken.strip(SEPARATOR) else None
