"""A composed message on its way through a lane, and the piece of work it came from."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from todoke.model.clock import Micros
from todoke.model.limit import LimitKey
from todoke.pipeline.lanes.runs import LaneRun
from todoke.store.hot.base import Block, DueTaken


class Work:
    """A leased block: how many of its positions have no outcome yet. It closes at none."""

    __slots__ = ("block", "open", "recalls", "reserved_to", "run")

    def __init__(self, block: Block, run: LaneRun) -> None:
        self.block = block
        self.run = run
        self.recalls = run.data.recalls  # what was taken before the last of them must pass the filter
        self.open = block.last_position - block.first_position + 1
        self.reserved_to = block.first_position - 1


class Message(msgspec.Struct, eq=False, gc=False):  # made at 40 % of the cost of a class of Python's; in no cycle
    """One message in memory, from composing to its outcome.

    `numbers` are the segments that wait for a slot, `bodies` their octets in the same order. `left` counts the
    segments of this attempt that have no answer yet, waiting ones included: at none the message has its outcome. It
    came from a block (`work`) or from `due` (`taken`). Once it was given back (`not_before`) its `numbers` go to
    `due` again when the others are answered, and it never waits here any more.
    """

    run: LaneRun
    work: Work | None
    taken: DueTaken | None
    id: int
    destination: int
    zone_set: int
    attempt: int
    segments: int
    numbers: list[int]
    bodies: list[bytes]
    crc: int
    left: int
    valid_until: Micros = 0
    """What its octets say of when the carrier gives up; 0 for nothing."""
    cut: bool = False
    """It was counted out, or refused for good: what waits of it is not written, now or later."""
    not_before: Micros | None = None
    expires_at: Micros | None = None
    """From then on it is not sent: its own expiry, or that of its contact; None where only its run expires."""
    deferred: tuple[tuple[int, str], ...] = ()
    """Segments that got a temporary error, and which."""
    charges: dict[int, tuple[tuple[LimitKey, int], ...]] | None = None
    """By segment: the daily caps that its slot was charged to, with the day. None where there are no caps."""

    def expired(self, now: Micros) -> bool:
        """Whether the message, not only its run, is too old."""
        return self.expires_at is not None and now >= self.expires_at

    @property
    def size(self) -> int:
        """How many of its segments wait for a slot."""
        return len(self.numbers)


Submission: TypeAlias = tuple[Message, int, bytes]
"""A segment on its way: message, number, octets. It is also the token by which the provider speaks of it."""
