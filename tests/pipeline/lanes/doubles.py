"""What lanes stand on, in a form that a test holds in its hand: a clock, a provider, a run, blocks and contacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from todoke.model.clock import HOUR, SECOND, Micros
from todoke.model.declared_hours import DeclaredHours
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.model.transport_code import CodeType
from todoke.pipeline.lanes.composing import compose_block
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.pipeline.lanes.runs import LaneRun
from todoke.providers.base import Sink
from todoke.store.hot.base import SEPARATOR, Block, Contact, Cursor, OpenRun

START: Micros = 1_750_000_000 * SECOND
BUCKET, RUN, CODE, PROVIDER, GROUP = 3, 7, 11, 5, 9
LONG = "This text is so long that it takes three segments. " * 8


class ManualClock:
    """Moves when it is told to."""

    def __init__(self, now: Micros = START) -> None:
        self.moment = now

    def now(self) -> Micros:
        return self.moment

    def monotonic(self) -> float:
        return self.moment / SECOND

    def pass_(self, seconds: float) -> Micros:
        self.moment += round(seconds * SECOND)
        return self.moment


class PlainSender:
    """The wire form is what is said, readable."""

    def segment(
        self,
        destination: int,
        payload: bytes,
        data_coding: int,
        header: bytes,
        message_id: int,
        number: int,
        attempt: int,
        valid_until: Micros = 0,
    ) -> bytes:
        self.told = valid_until
        return b"%d|%d|%d|%s|%s" % (destination, number, attempt, header, payload)


class Wire:
    """A provider that writes down what is submitted; the test says what it answers."""

    def __init__(self, provider_id: int = PROVIDER) -> None:
        self.id = provider_id
        self.name = "wire"
        self.up = True
        self.free = 1_000_000
        self.patience = 30.0
        self.written: list[Submission] = []
        self.waiting: list[Submission] = []
        self.acknowledged: list[object] = []
        self.resets: list[str] = []
        self.sink: Sink | None = None

    def sender(self, code: str, code_type: CodeType) -> PlainSender:
        return PlainSender()

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        assert self.up
        assert 0 < len(batch) <= self.free
        self.free -= len(batch)
        for body, token in batch:
            message, number, own = token  # type: ignore[misc]
            assert own == body
            assert not any(message is m and number == n for m, n, _ in self.waiting), "submitted twice at a time"
            self.written.append(token)  # type: ignore[arg-type]
            self.waiting.append(token)  # type: ignore[arg-type]

    def take(self, count: int | None = None) -> list[Submission]:
        """The oldest submissions without an answer, to be answered by the test."""
        count = len(self.waiting) if count is None else count
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        self.free += len(taken)
        return taken

    def acknowledge(self, handles: Sequence[object]) -> None:
        self.acknowledged.extend(handles)

    def health(self) -> str:
        return "fine"

    def reset(self, reason: str) -> None:
        self.resets.append(reason)

    async def start(self, sink: Sink) -> None:
        self.sink = sink

    async def drain(self, seconds: float) -> None:
        return None

    async def stop(self) -> None:
        return None


def open_run(**changes: Any) -> OpenRun:
    values: dict[str, Any] = {
        "bucket": BUCKET,
        "id": RUN,
        "business_unit_id": 1,
        "list_id": 1,
        "transport_code_id": CODE,
        "state": RunState.RUNNING,
        "force": False,
        "body": "Hello {FirstName}",
        "fields": ["FirstName"],
        "zone_sets": [["America/New_York"]],
        "scrub_groups": (GROUP,),
        "expires_at": START + 24 * HOUR,
        "window": (0, 1440),
        "in_doubt_policy": "at_most_once",
        "max_attempts": 3,
        "smart_encoding": False,
        "weight": 1,
        "stream": Stream.BULK,
        "cursors": [Cursor(0, 0, 0, 999)],
        "hours": DeclaredHours(unit_rules="none"),
    }
    return OpenRun(**{**values, **changes})


def lane_run(**changes: Any) -> LaneRun:
    return LaneRun(open_run(**changes), PlainSender())


def phone(position: int) -> int:
    return 15_550_000_000 + position


def contact(position: int, *values: str, zone_set: int = 0, on_dnc: bool = False) -> Contact:
    fields = SEPARATOR.join(values or (f"Name {position}",))
    return Contact(position, phone(position), zone_set, fields, on_dnc)


def block(first: int, last: int, run_id: int = RUN) -> Block:
    return Block(BUCKET, run_id, first, last, CODE, 0)


def composed(run: LaneRun, first: int, last: int, now: Micros = START) -> tuple[Work, list[Message]]:
    """A block whose contacts all became messages."""
    work = Work(block(first, last, run.data.id), run)
    batch = compose_block(run, work, [contact(position) for position in range(first, last + 1)], now)
    assert not batch.events
    assert not batch.due
    return work, batch.messages
