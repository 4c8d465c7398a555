"""A composed message on its way through a lane, and the piece of work it came from."""

from __future__ import annotations

from typing import TypeAlias

from todoke.model.clock import Micros
from todoke.pipeline.lanes.runs import LaneRun
from todoke.store.hot.base import Block, DueTaken


class Work:
    """A leased block: how many of its positions have no outcome yet. It closes at none."""

    __slots__ = ("block", "open", "reserved_to", "run")

    def __init__(self, block: Block, run: LaneRun) -> None:
        self.block = block
        self.run = run
        self.open = block.last_position - block.first_position + 1
        self.reserved_to = block.first_position - 1


class Message:
    """One message in memory, from composing to its outcome.

    `numbers` are the segments that wait for a slot, `bodies` their octets in the same order. `left` counts the
    segments of this attempt that have no answer yet, waiting ones included: at none the message has its outcome. It
    came from a block (`work`) or from `due` (`taken`). Once it was given back (`not_before`) its `numbers` go to
    `due` again when the others are answered, and it never waits here any more.
    """

    __slots__ = (
        "attempt",
        "bodies",
        "crc",
        "cut",
        "deferred",
        "destination",
        "doubted",
        "id",
        "left",
        "not_before",
        "numbers",
        "run",
        "segments",
        "taken",
        "work",
        "zone_set",
    )

    def __init__(
        self,
        run: LaneRun,
        work: Work | None,
        taken: DueTaken | None,
        message_id: int,
        destination: int,
        zone_set: int,
        attempt: int,
        segments: int,
        numbers: list[int],
        bodies: list[bytes],
        crc: int,
    ) -> None:
        self.run = run
        self.work = work
        self.taken = taken
        self.id = message_id
        self.destination = destination
        self.zone_set = zone_set
        self.attempt = attempt
        self.segments = segments
        self.numbers = numbers
        self.bodies = bodies
        self.crc = crc
        self.left = len(numbers)
        self.cut = False  # it was counted out, or refused for good: what waits of it is not written, now or later
        self.not_before: Micros | None = None
        self.deferred: tuple[tuple[int, str], ...] = ()  # segments that got a temporary error, and which
        self.doubted: tuple[int, ...] = ()  # segments in doubt that are to be sent again

    @property
    def size(self) -> int:
        """How many of its segments wait for a slot."""
        return len(self.numbers)


Submission: TypeAlias = tuple[Message, int, bytes]
"""A segment on its way: message, number, octets. It is also the token by which the provider speaks of it."""
