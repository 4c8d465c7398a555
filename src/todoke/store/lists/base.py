"""What an import does to the store, on either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import polars as pl

from todoke.model.errors import Conflict


class OpenImport(NamedTuple):
    """A list in the state `importing` that is this process's. `import_id`: its row of `list_import`, if it has one."""

    list_id: int
    bucket: int
    business_unit_id: int
    importer: str
    import_id: int | None = None


# Contacts of one list as columns, in the order of their positions; `fields` are the values in list order, joined by
# U+001F, `phones` and `expires_at` null where there are none.
CONTACT_SCHEMA = pl.Schema(
    {
        "position": pl.Int64(),
        "destination": pl.Int64(),
        "zone_set": pl.Int16(),
        "external_id": pl.String(),
        "fields": pl.String(),
        "phones": pl.String(),
        "expires_at": pl.Int64(),
    }
)


class Finished(NamedTuple):
    """What is known of a list when its last contact is written. `ranges`: (zone set, first, last position).
    `phone_names`: by phone field, what else the file called it.
    """

    zone_sets: Sequence[Sequence[str]]
    ranges: Sequence[tuple[int, int, int]]
    contacts: int
    rejected: int
    reasons: Mapping[str, int]
    phone_types: Sequence[str] | None = None
    phone_names: Mapping[str, Sequence[str]] | None = None


class TakenOver(Conflict):
    """Another process has taken this import over; nothing of it was kept."""


class ContactStore(Protocol):
    """Bulk writes of contacts. All raise StoreUnavailable where the database is. `at_once`: how many `write`s side by
    side make it faster.
    """

    at_once: int

    async def write(self, opened: OpenImport, contacts: pl.DataFrame) -> None:
        """Append contacts, with the columns of `CONTACT_SCHEMA` among others, in transactions of at most some 20 ms on
        SQLite. `TakenOver` where the list is not this import's any more.
        """
        ...

    async def remove(self, opened: OpenImport) -> None:
        """Remove all contacts of the list, in as short transactions."""
        ...
