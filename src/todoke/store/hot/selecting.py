"""A run's selection on its way: what whoever makes it knows of it, and what both databases do alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from todoke.model.clock import Micros
from todoke.model.errors import Conflict
from todoke.model.filter import read, resolved
from todoke.model.ids import MAX_ORDINAL
from todoke.store.hot.positions import CHUNK, pack
from todoke.store.selection.query import Compiler, Query

CURSORS = 1 << 16  # cursor numbers of one selection


class Apply(StrEnum):
    """What a new filter of a skill does to its runs that are on their way."""

    NONE = "none"  # nothing: it is for new runs
    HOLD = "hold"  # what is taken goes on; the rest is selected anew
    STOP = "stop"  # the same, and nothing is handed over until it is selected
    FLUSH = "flush"  # the same, and what is not handed over is taken back and must pass the filter, too


class Selecting(NamedTuple):
    """A filter and an order, each as a person wrote it; `today` is the day of which a filter may speak (2026-11-27)."""

    filter: str | None
    ordering: tuple[str, ...]
    today: str


class SelectionKey(NamedTuple):
    bucket: int
    run_id: int
    number: int


class Range(NamedTuple):
    """Consecutive positions of the list with one zone set."""

    number: int
    zone_set: int
    first: int
    last: int


class OpenSelection(NamedTuple):
    """A selection that is this process's to make. Positions before `read_to` are in it, or not wanted; with an order
    that is 0 until all are in it. Ordinals before `next_ordinal` are given out.
    """

    key: SelectionKey
    maker: str
    selecting: Selecting
    first_ordinal: int
    next_ordinal: int
    read_to: int
    size: int
    list_id: int
    fields: list[str]
    zone_sets: list[list[str]]
    ranges: list[Range]


class Piece(NamedTuple):
    """Positions in the order of their ordinals, all of one zone set (-1: mixed). `cursor` tells those of a selection
    apart: the number of the range.
    """

    cursor: int
    zone_set: int
    positions: Sequence[int]


class Added(NamedTuple):
    """What is added to a selection in one transaction: at most CHUNK positions, so that it is short."""

    pieces: Sequence[Piece]
    read_to: int
    made: bool
    """It is complete now."""

    @property
    def size(self) -> int:
        return sum(len(piece.positions) for piece in self.pieces)


def new_selection(
    bucket: int,
    run_id: int,
    number: int,
    selecting: Selecting,
    first: int,
    size: int,
    *,
    resumes: bool = False,
    recalls: bool = False,
) -> tuple[Any, ...]:
    """The row of a selection that is to be made, as `SELECT_LATER` takes it. `first`: its first ordinal."""
    ordering = "\n".join(selecting.ordering) or None
    return bucket, run_id, number, selecting.filter, ordering, selecting.today, first, first, size, resumes, recalls


def opened(row: tuple[Any, ...], ranges: Sequence[tuple[int, int, int, int]], maker: str) -> OpenSelection:
    """From the columns of the statement that claims one."""
    bucket, run_id, number, wanted, ordering, today, first, following, read_to, size = row[:10]
    list_id, fields, zone_sets = row[10:]
    return OpenSelection(
        SelectionKey(bucket, run_id, number),
        maker,
        Selecting(wanted, tuple(ordering.split("\n")) if ordering else (), today),
        first,
        following,
        read_to,
        size,
        list_id,
        json.loads(fields),
        json.loads(zone_sets),
        [Range(*each) for each in ranges],
    )


class Passes(NamedTuple):
    """The filter of a run's last selection, and the list that it is held against."""

    filter: str | None
    today: str
    list_id: int
    fields: str
    zone_sets: str

    def compile(self, compiler: type[Compiler]) -> Query | None:
        """What finds the positions that pass among some; None where all do."""
        if self.filter is None:
            return None
        wanted = resolved(read(self.filter), date.fromisoformat(self.today))
        return compiler(json.loads(self.fields), json.loads(self.zone_sets), chosen=True).compile(wanted)


def rows_of(selection: OpenSelection, added: Added) -> Iterator[tuple[int, int, bytes, int, int]]:
    """For each piece: first and last ordinal, packed positions, number and zone set of its cursor. Conflict where the
    run has no ordinal left.
    """
    following = selection.next_ordinal
    if following + added.size - 1 > MAX_ORDINAL:
        raise Conflict(
            f"Run {selection.key.run_id} has no message number left.", fix="Stop it, and start the skill again."
        )
    for piece in added.pieces:
        for start in range(0, len(piece.positions), CHUNK):
            some = piece.positions[start : start + CHUNK]
            number = selection.key.number * CURSORS + piece.cursor
            yield following, following + len(some) - 1, pack(some), number, piece.zone_set
            following += len(some)


def after(selection: OpenSelection, added: Added) -> OpenSelection:
    """How the selection stands when this is added."""
    return selection._replace(next_ordinal=selection.next_ordinal + added.size, read_to=added.read_to)


CLAIM_FOR: Micros = 15_000_000
"""How long whoever makes a selection may say nothing until another goes on with it."""


class Selections(Protocol):
    """The part of the contract of the hot operations that is about selections."""

    async def selections_to_make(self, now: Micros) -> list[SelectionKey]:
        """Selections of open runs that nobody makes."""
        ...

    async def claim_selection(self, key: SelectionKey, maker: str, now: Micros) -> OpenSelection | None:
        """It is this maker's from now on, until it says nothing for a while; None where it is another's, or made."""
        ...

    async def keep_selection(self, selection: OpenSelection, now: Micros) -> bool:
        """The maker is still at it; False where it is another's by now."""
        ...

    async def add_to_selection(self, selection: OpenSelection, added: Added, now: Micros) -> OpenSelection | None:
        """Add these, and let lanes have them: how it stands then. None, and nothing happens, where it is another's by
        now, where it does not stand as this maker believes, or where its run ends. A run that was paused for it goes on
        when it is complete.
        """
        ...

    async def taken_positions(self, bucket: int, run_id: int, after: int, limit: int) -> list[tuple[int, int]]:
        """What engines have taken of the run so far, as (first, last) ordinals, from blocks that begin after `after`,
        in order.
        """
        ...

    async def select_anew(self, bucket: int, run_id: int, wanted: Selecting, apply: Apply, now: Micros) -> bool:
        """What no engine has taken of the run is given up, and selected anew. False where the run ends or has ended."""
        ...

    async def passing(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> set[int]:
        """Which of these ordinals have contacts that pass the filter of the run's last selection."""
        ...

    async def selected(self, bucket: int, run_id: int, first: int, last: int) -> dict[int, int]:
        """The positions of the ordinals first..last of the run's selection, by ordinal."""
        ...

    async def selected_at(self, bucket: int, run_id: int, ordinals: Sequence[int]) -> dict[int, int]:
        """The same for just these ordinals."""
        ...
