"""What a file of numbers does to a DNC group, on either database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from todoke.model.clock import Micros
from todoke.store.dnc.numbers import Numbers

EntryOut: TypeAlias = tuple[int, str, Micros, Micros | None]
"""Number, source, since, expiry."""


class Upload(NamedTuple):
    """A file that is being put on a group."""

    id: int
    bucket: int
    business_unit_id: int
    dnc_group_id: int
    who: str
    reason: str
    at: Micros


class Written(NamedTuple):
    """How many numbers were put on the group, stay there longer, or were there already."""

    added: int
    extended: int
    present: int

    def plus(self, other: Written) -> Written:
        return Written(*map(sum, zip(self, other, strict=True)))


class Swept(NamedTuple):
    """(group, number) of entries that had expired and are gone; `more`: there may be more of them."""

    freed: list[tuple[int, int]]
    more: bool


class DncStore(Protocol):
    """Bulk work on entries. All raise StoreUnavailable where the database is."""

    async def write(self, upload: Upload, numbers: Numbers) -> Written:
        """Put the numbers on the group, in short transactions. What is there as strictly, or more so, stays."""
        ...

    async def page(self, bucket: int, group: int, after: int, limit: int) -> Sequence[EntryOut]:
        """The next numbers of the group that have not expired, in order."""
        ...

    async def expire(self, limit: int) -> Swept:
        """Remove up to so many entries that have expired, one transaction, with what is told of it."""
        ...

    async def forget_uses(self, after: tuple[int, int, int, int], before: Micros, limit: int) -> UsesSwept:
        """Walk on over so many uses of caps; those that are older than `before` go, and those of messages of runs
        that are over without any word that they were sent.
        """
        ...


class UsesSwept(NamedTuple):
    """Where the walk goes on; None at its end. How many uses are gone."""

    after: tuple[int, int, int, int] | None
    gone: int
