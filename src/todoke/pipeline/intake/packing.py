"""Accepted rows as contacts with their positions: grouped by zone set, in the order of the file within a group."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.validation import generated_id
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists.base import NewContact, OpenImport


class Packer:
    """Gives out positions; `begin` comes first."""

    def __init__(self, opened: OpenImport, layout: Layout) -> None:
        self._opened = opened
        self._next: list[int] = []
        self._indexes = [column.index for column in layout.columns]
        self._width = layout.width
        self._all = self._indexes == list(range(layout.width))
        external_id = layout.find(SystemField.EXTERNAL_ID)
        self._external_id = external_id.index if external_id else None

    def begin(self, starts: Sequence[int]) -> None:
        """`starts` has the first position by zone set number."""
        self._next = list(starts)

    def pack(
        self, rows: Sequence[list[str]], lines: Sequence[int], destinations: Sequence[int], zone_sets: Sequence[int]
    ) -> list[NewContact]:
        """The contacts of these rows; all four run in parallel."""
        bucket, list_id, following = self._opened.bucket, self._opened.list_id, self._next
        at, width = self._external_id, self._width
        contacts: list[NewContact] = []
        for row, line, destination, zone_set in zip(rows, lines, destinations, zone_sets, strict=True):
            values = [value.strip() for value in (row if len(row) == width else row[:width])]
            external_id = (values[at] if at is not None else "") or generated_id(line)
            if not self._all:
                values = [values[index] for index in self._indexes]
            position = following[zone_set]
            following[zone_set] = position + 1
            contacts.append((bucket, list_id, position, destination, zone_set, external_id, SEPARATOR.join(values)))
        return contacts
