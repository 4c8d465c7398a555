"""Rows of `due` whose moment has become too late: the hours that held them were widened.

Why a row waits is not written down. A hold is told from another attempt by its attempt and its moment: what was never
tried waits for nothing else, and no attempt waits longer than an hour for the next. What is brought forward is looked
at anew when it is taken, so too much of it costs one look and is never wrong.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from todoke.model.clock import HOUR, Micros
from todoke.model.stream import Stream

AT_ONCE = 2_000
LONGEST_RETRY: Micros = HOUR
"""No attempt waits longer for the next one, see `pipeline.lanes.outcomes`."""


class Span(NamedTuple):
    """What these runs of one code and stream have waiting for a moment after `to`, up to `until`, waits for `to`."""

    bucket: int
    transport_code_id: int
    stream: Stream
    to: Micros
    until: Micros
    run_ids: tuple[int, ...]


class Forwarding(Protocol):
    """A part of the hot operations."""

    async def bring_forward(self, span: Span, now: Micros) -> int:
        """Bring AT_ONCE rows forward at most, in one transaction; returns how many. At none there are no more.

        Not for standing runs: what waits there may have been asked for at its moment.
        """
        ...
