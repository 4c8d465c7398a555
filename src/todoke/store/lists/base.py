"""What an import does to the store, on either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from todoke.model.errors import Conflict


class OpenImport(NamedTuple):
    """A list in the state `importing` that is this process's. `import_id`: its row of `list_import`, if it has one."""

    list_id: int
    bucket: int
    business_unit_id: int
    importer: str
    import_id: int | None = None


# A row of the contact table, in the order of `CONTACT_COLUMNS`; `fields` are the values in list order, joined by
# U+001F. A plain tuple: there are millions of them, and the garbage collector forgets plain tuples of plain values.
NewContact: TypeAlias = tuple[int, int, int, int, int, str, str]
CONTACT_COLUMNS = ("bucket", "list_id", "position", "destination", "zone_set", "external_id", "fields")


class Finished(NamedTuple):
    """What is known of a list when its last contact is written. `ranges`: (zone set, first, last position)."""

    zone_sets: Sequence[Sequence[str]]
    ranges: Sequence[tuple[int, int, int]]
    contacts: int
    rejected: int
    reasons: Mapping[str, int]


class TakenOver(Conflict):
    """Another process has taken this import over; nothing of it was kept."""


class ContactStore(Protocol):
    """Bulk writes of contacts. All raise StoreUnavailable where the database is.

    `alone`: a busy thread of this process would make its transactions long, so nothing should run beside `write`.
    """

    alone: bool

    async def write(self, opened: OpenImport, contacts: Sequence[NewContact]) -> None:
        """Append contacts, in transactions of at most some 20 ms on SQLite. `TakenOver` where the list is not this
        import's any more.
        """
        ...

    async def remove(self, opened: OpenImport) -> None:
        """Remove all contacts of the list, in as short transactions."""
        ...
