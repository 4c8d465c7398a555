"""What a lane holds between asking for slots and the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

from todoke.model.clock import Micros
from todoke.model.limit import Limit
from todoke.pipeline.lanes import pace
from todoke.pipeline.lanes.message import Message, Submission
from todoke.pipeline.lanes.runs import LaneRun


@dataclass(slots=True)
class Reserved:
    """Segments that have slots; those before `next` are gone."""

    slots: pace.Slots
    submissions: list[Submission]
    next: int = 0


@dataclass(slots=True)
class AskedFor:
    """What the flush under way reserves: messages in order, from which slot, since when it is asked for, and under
    which limits beside the rate.
    """

    messages: list[Message]
    slots: pace.Slots
    at: Micros
    limits: tuple[Limit, ...]
    scrubbed: list[tuple[LaneRun, list[Message]]] = field(default_factory=list[tuple[LaneRun, list[Message]]])
