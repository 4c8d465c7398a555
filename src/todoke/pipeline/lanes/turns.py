"""Whose turn it is: the messages of a lane wait in a line for each run, and this says which line is drawn from next.

Pure: no clock, no chance, no I/O; the same calls give the same order. Streams go in strict order (see
`model/stream.py`), but one that waits behind others is owed a small share of what they get, so none starves. In a
stream the runs take turns by weight, counted in segments: deficit round robin. The order inside a run is kept.

    while room and (turn := turns.next(room)) is not None:
        ... take messages from the front of turn.line, for at most turn.most segments ...
        turns.served(turn, segments)

A decision costs the same however many runs and messages wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from todoke.model.stream import RANKS, Stream

GUARANTEED = 1 / 16
"""Of what is drawn: the least that a stream gets while it waits behind another one."""
_OWED_FOR_ONE = GUARANTEED / (1 - GUARANTEED)
_LOWEST_FIRST = tuple(sorted(RANKS.values(), reverse=True))


class Sized(Protocol):
    """A message: how many segments of it wait."""

    @property
    def size(self) -> int: ...


M = TypeVar("M", bound=Sized)


class Line(Generic[M]):
    """What waits of one run. `weight` is live."""

    __slots__ = ("deficit", "key", "messages", "rank", "standing", "weight")

    def __init__(self, key: tuple[int, int], rank: int, weight: int) -> None:
        self.key = key
        self.rank = rank
        self.weight = weight
        self.messages: deque[M] = deque()
        self.deficit = 0  # segments that it may still be drawn from in this turn; below 0: what it had too much
        self.standing = False  # whether it is among those that take turns


class Turn(NamedTuple, Generic[M]):
    """Draw from the front of `line` until at least `most` segments are drawn or it is empty."""

    line: Line[M]
    most: int


class Turns(Generic[M]):
    """All lines of a lane. `grain` is what one turn of a run of weight 1 is: larger for a faster code."""

    def __init__(self, grain: int = 1) -> None:
        self._grain = grain
        self._lines: dict[tuple[int, int], Line[M]] = {}
        self._rings: list[deque[Line[M]]] = [deque() for _ in RANKS]
        self._owed = [0.0 for _ in RANKS]
        self._earned = [0.0 for _ in RANKS]  # of what is owed, since the stream waits

    # -------------------------------------------------------------- what waits

    def __bool__(self) -> bool:
        return any(self._rings)

    def __len__(self) -> int:
        return sum(len(line.messages) for ring in self._rings for line in ring)

    def __iter__(self) -> Iterator[M]:
        for ring in self._rings:
            for line in ring:
                yield from line.messages

    def waiting(self, stream: Stream) -> int:
        """How many messages of the stream wait."""
        return sum(len(line.messages) for line in self._rings[RANKS[stream]])

    def line(self, key: tuple[int, int], stream: Stream, weight: int) -> Line[M]:
        """The line of a run, made where there is none."""
        found = self._lines.get(key)
        if found is None:
            found = self._lines[key] = Line(key, RANKS[stream], weight)
        found.weight = weight
        return found

    def extend(self, line: Line[M], messages: Iterable[M]) -> None:
        """To the end of the line."""
        line.messages.extend(messages)
        self._stand(line)

    def restore(self, line: Line[M], messages: Sequence[M]) -> None:
        """To the front of the line, in this order."""
        line.messages.extendleft(reversed(messages))
        self._stand(line)

    def undo(self, line: Line[M], messages: Sequence[M]) -> None:
        """The same for what was drawn and is not sent after all: its run is not worse off for it."""
        if not messages:
            return
        segments = sum(message.size for message in messages)
        self.restore(line, messages)
        if len(self._rings[line.rank]) > 1:
            line.deficit += segments
        if any(self._rings[: line.rank]):
            self._owed[line.rank] += segments
        for rank in range(line.rank + 1, len(self._rings)):
            if self._rings[rank]:
                self._earn(rank, -min(segments * _OWED_FOR_ONE, self._earned[rank]))

    def take_out(self, wanted: Callable[[M], bool]) -> list[M]:
        """Remove and return what is `wanted`; goes through everything."""
        taken: list[M] = []
        for line in [line for ring in self._rings for line in ring]:
            if any(map(wanted, line.messages)):
                taken += filter(wanted, line.messages)
                line.messages = deque(message for message in line.messages if not wanted(message))
                self._leave_if_empty(line)
        return taken

    def clear(self) -> None:
        self._lines.clear()
        for ring in self._rings:
            ring.clear()
        self._owed = [0.0 for _ in RANKS]
        self._earned = [0.0 for _ in RANKS]

    def forget(self, known: Iterable[tuple[int, int]]) -> None:
        """Empty lines of runs that are not `known` any more."""
        for key in self._lines.keys() - set(known):
            if not self._lines[key].standing:
                del self._lines[key]

    # -------------------------------------------------------------- whose turn it is

    def next(self, room: int) -> Turn[M] | None:
        """From which line to draw now, at most `room` segments; None where nothing waits."""
        rank = self._stream()
        if rank is None:
            return None
        line = self._run(rank)
        most = room if len(self._rings[rank]) == 1 else min(room, line.deficit)
        for lower in range(rank + 1, len(self._rings)):
            if self._rings[lower]:  # so much, and then that one has its share
                most = min(most, int((1 - self._owed[lower]) / _OWED_FOR_ONE + 0.999))
        if any(self._rings[:rank]):
            most = min(most, int(self._owed[rank]))
        return Turn(line, max(1, most))

    def served(self, turn: Turn[M], segments: int) -> None:
        """So many segments were drawn from its line."""
        line = turn.line
        ring = self._rings[line.rank]
        line.deficit -= segments
        if any(self._rings[: line.rank]):
            self._owed[line.rank] -= segments
        for rank in range(line.rank + 1, len(self._rings)):
            if self._rings[rank]:
                self._earn(rank, segments * _OWED_FOR_ONE)
        if len(ring) == 1:
            line.deficit = 0  # nobody to share with
        if not line.messages:
            self._leave_if_empty(line)
        elif line.deficit <= 0:
            ring.rotate(-1)

    def _earn(self, rank: int, share: float) -> None:
        self._owed[rank] += share
        self._earned[rank] += share

    def _stream(self) -> int | None:
        """The first that waits, unless a later one is owed a segment."""
        first: int | None = None
        for rank in _LOWEST_FIRST:
            if self._rings[rank]:
                if self._owed[rank] >= 1 - 1e-9 and any(self._rings[:rank]):
                    return rank
                first = rank
        return first

    def _run(self, rank: int) -> Line[M]:
        """The line at whose turn the stream is. Who drew more than its turn held sits out until that is made up."""
        ring = self._rings[rank]
        if len(ring) == 1:
            return ring[0]
        while ring[0].deficit <= 0:
            ring[0].deficit += ring[0].weight * self._grain
            if ring[0].deficit <= 0:
                ring.rotate(-1)
        return ring[0]

    def _stand(self, line: Line[M]) -> None:
        if line.messages and not line.standing:
            line.standing = True
            self._lines[line.key] = line
            self._rings[line.rank].append(line)

    def _leave_if_empty(self, line: Line[M]) -> None:
        if not line.messages and line.standing:
            line.standing = False
            line.deficit = min(line.deficit, 0)  # what is not used is not saved up
            self._rings[line.rank].remove(line)
            if not self._rings[line.rank]:
                self._owed[line.rank] = min(self._owed[line.rank], 0.0)
                self._earned[line.rank] = 0.0
