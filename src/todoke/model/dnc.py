"""A number on a DNC group: what becomes of its entry when it is put there once more. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from todoke.model.clock import Micros

HELD = "review"
"""The source of the entry of a number that is held while a person has to read what it said. No lasting entry."""


class DncChange(StrEnum):
    """What can happen to the entries of a group."""

    ADDED = "added"
    EXTENDED = "extended"
    REMOVED = "removed"
    EXPIRED = "expired"
    UPLOADED = "uploaded"


class Entry(NamedTuple):
    """`expires_at` None: it holds for good. `upload_id`: the upload that made or extended it."""

    source: str
    since: Micros
    expires_at: Micros | None = None
    upload_id: int | None = None

    def holds(self, now: Micros) -> bool:
        return self.expires_at is None or self.expires_at > now


class Merged(NamedTuple):
    """The entry from now on, and what has changed, in order; nothing where the old one is as strict."""

    entry: Entry
    changes: tuple[DncChange, ...]


def merge(old: Entry | None, new: Entry, now: Micros) -> Merged:
    """What two words on one number make: the stricter one holds. For good is stricter than any expiry, a later expiry
    than an earlier one. An entry that has expired counts no more, and a mere hold gives way to a lasting entry.
    """
    if old is None or (old.source == HELD and new.source != HELD):
        return Merged(new, (DncChange.ADDED,))
    if not old.holds(now):
        return Merged(new, (DncChange.EXPIRED, DncChange.ADDED))
    if old.expires_at is None or (new.expires_at is not None and new.expires_at <= old.expires_at):
        return Merged(old, ())
    return Merged(new._replace(since=old.since), (DncChange.EXTENDED,))
