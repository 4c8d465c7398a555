"""The main job, end to end, with nothing but this machine: a list file becomes delivered texts, and two books are
compared.

The simulator is a process of its own with a ledger of every submission it saw; the engine is another, over the same
SMPP socket that a carrier would use. At the end what the store says is held against what the ledger says.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.model.errors import NotFound
from todoke.model.event import Kind, State
from todoke.model.ids import address, base
from todoke.model.run import OPEN, RunState
from todoke.pipeline.planner.start import StartedRun, start_skill
from todoke.providers.simulator import audit, read
from todoke.providers.simulator.client import reply
from todoke.service.processes import Child, engine, simulator
from todoke.store.catalogue import lists, runs, units
from todoke.store.catalogue.runs import Progress
from todoke.store.store import Store, migrate, open_store

UNIT = "Demo"
SKILL = "bonus-shift"
LIST = "Agents"
CODE = "72345"
CODE_RATE = 1_000

BEHAVIOUR = """{"receipt_delay": 0.4, "receipt_jitter": 0.4, "round_trip": 0.02,
 "receipt_styles": ["standard", "text_only", "tlv_only", "data_sm", "joined_dates", "no_counts"],
 "receipt_repeat_ratio": 0.01, "duplicate_response_ratio": 0.002, "early_receipt_ratio": 0.005,
 "rules": [{"ratio": 0.004, "status": 11}, {"ratio": 0.012, "state": "UNDELIV", "error": "027"},
           {"ratio": 0.003, "state": "EXPIRED", "error": "069"}]}"""

DECLARATION = '''
[[business_unit]]
name = "Demo"
default_region = "US"
default_dnc_group = "Demo do not call"

[[provider]]
name = "demo-carrier"
kind = "simulator"
port = {port}
window = 200

[[transport_code]]
code = "72345"
type = "short"
provider = "demo-carrier"
rate = {rate}

[[campaign]]
name = "Staffing"

[[template]]
name = "bonus shift"
body = """Hi {{FirstName|there}}, a bonus shift opened at {{Site|your site}}: {{Shift bonus|extra pay}}. \
First come, first served. Reply STOP to opt out."""

[[skill]]
name = "bonus-shift"
campaign = "Staffing"
transport_code = "72345"
template = "bonus shift"
window = "00:00-24:00"
'''


@dataclass(frozen=True, slots=True)
class Verdict:
    """The two books compared. `right`: nothing lost, nothing doubled, and they agree."""

    contacts: int
    skipped: int
    handed_over: int
    delivered: int
    failed: int
    in_doubt: int
    lost: int
    duplicated: int
    disagreements: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not (self.lost or self.duplicated or self.disagreements)

    def __str__(self) -> str:
        return (
            f"demo: {self.contacts} contacts, {self.skipped} skipped, {self.handed_over} handed over, "
            f"{self.delivered} delivered, {self.failed} failed, {self.in_doubt} in doubt, "
            f"{self.lost} lost, {self.duplicated} duplicated"
        )


class Demo:
    """`async with Demo(...) as demo`: the simulator and the engine run, `demo.store` is open."""

    def __init__(self, directory: Path | None = None, database: str | None = None) -> None:
        self.directory = directory or Path(tempfile.mkdtemp(prefix="todoke-demo-"))
        self.settings = Settings(
            database=database or f"sqlite:///{self.directory.absolute() / 'todoke.db'}",
            data_dir=self.directory,
            log_level="warning",
        )
        self.ledger = self.directory / "simulator.ledger"
        self._stack = AsyncExitStack()
        self.clock = SystemClock()

    async def __aenter__(self) -> Demo:
        async with AsyncExitStack() as stack:
            self.directory.mkdir(parents=True, exist_ok=True)
            await migrate(self.settings.database)
            self.simulator = await simulator("--ledger", str(self.ledger), "--behaviour", BEHAVIOUR)
            stack.push_async_callback(self.simulator.stop)
            self.store: Store = await stack.enter_async_context(await open_store(self.settings.database))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def declaration(self) -> str:
        """What is applied: a business unit, a code, a template, a skill."""
        return DECLARATION.format(port=self.simulator.told["smpp_port"], rate=CODE_RATE)

    async def start_engine(self) -> Child:
        """The engine as a process of its own."""
        child = await engine(self.settings)
        self._stack.push_async_callback(child.stop)
        return child

    async def stops(self, count: int) -> int:
        """So many phones of the list send STOP before the run; waits until their numbers are on the DNC list."""
        async with self.store.reading() as connection:
            unit = await units.find(connection, UNIT)
            found = await lists.find(connection, unit, LIST)
        step = max(1, found.contacts // (count + 1))
        wanted = [step * (i + 1) for i in range(min(count, found.contacts - 1))]
        groups = (unit.dnc_group_id,) if unit.dnc_group_id is not None else ()
        for contact in await self.store.hot.read_contacts_at(unit.bucket, found.id, wanted, groups):
            await reply(self.simulator.told["control_port"], contact.destination, CODE, "Stop!")
        end = self.clock.monotonic() + 10.0
        while True:
            contacts = await self.store.hot.read_contacts_at(unit.bucket, found.id, wanted, groups)
            listed = sum(contact.on_dnc for contact in contacts)
            if listed == len(wanted) or self.clock.monotonic() > end:
                return listed
            await asyncio.sleep(0.05)

    async def start(self) -> StartedRun:
        """Start the skill over the imported list."""
        return await start_skill(self.store, business_unit=UNIT, skill=SKILL, calling_list=LIST, now=self.clock.now())

    async def progress(self, run_id: int) -> tuple[RunState, Progress]:
        """How far the run is."""
        async with self.store.reading() as connection:
            unit = await units.find(connection, UNIT)
            run = await runs.find(connection, unit, run_id)
            return run.state, await runs.progress(connection, unit, run_id)

    async def settled(self, started: StartedRun, tell: Callable[[Progress], None], patience: float = 60.0) -> Progress:
        """Wait until the run has ended and every receipt is in, or nothing has moved for `patience` seconds."""
        last, moved_at = None, self.clock.monotonic()
        while True:
            state, progress = await self.progress(started.run_id)
            tell(progress)
            if state not in OPEN and not progress.messages(State.SENT):
                return progress
            if progress != last:
                last, moved_at = progress, self.clock.monotonic()
            elif self.clock.monotonic() - moved_at > patience:
                return progress
            await asyncio.sleep(0.2)

    async def verdict(self, started: StartedRun, progress: Progress) -> Verdict:
        """Hold the store against the ledger, segment by segment."""
        found = await asyncio.to_thread(audit, self.ledger)
        sent = await asyncio.to_thread(_accepted, self.ledger, started.run_id)
        known = await self._known(started)
        handed_over = progress.handed_over
        skipped = progress.messages(State.SKIPPED, State.STOPPED, State.EXPIRED)
        disagreements: list[str] = []
        if unknown := len(sent - known.keys()):
            disagreements.append(f"the simulator took {unknown} segments that the store does not know")
        certain = {segment for segment, certainly in known.items() if certainly}
        if missing := len(certain - sent):
            disagreements.append(f"the store has {missing} segments as sent that the simulator never took")
        if found.unmarked:
            disagreements.append(f"{found.unmarked} submissions carry no message id")
        return Verdict(
            progress.contacts,
            skipped,
            handed_over,
            progress.messages(State.DELIVERED),
            progress.messages(State.FAILED),
            progress.messages(State.IN_DOUBT),
            progress.contacts - handed_over - skipped,
            found.duplicated,
            tuple(disagreements),
        )

    async def _known(self, started: StartedRun) -> dict[tuple[int, int], bool]:
        """Segments that the store has as handed over, and whether it is sure of it."""
        known: dict[tuple[int, int], bool] = {}
        start = base(started.bucket, started.run_id)
        for first in range(0, started.contacts, 2_000):
            for event in await self.store.hot.events_between(start + first, start + first + 1_999):
                if event.kind in _TAKEN:
                    key = (event.message_id, event.segment)
                    known[key] = known.get(key, False) or event.kind != Kind.IN_DOUBT
        return known


_TAKEN = frozenset({Kind.ACCEPTED, Kind.DELIVERED, Kind.UNDELIVERED, Kind.IN_DOUBT})


def _accepted(ledger: Path, run_id: int) -> set[tuple[int, int]]:
    """Every segment of the run that the simulator accepted; what it took besides confirms opt-outs."""
    taken = (entry.mark for entry in read(ledger) if entry.status == 0 and entry.mark)
    return {(mark.message_id, mark.segment) for mark in taken if address(mark.message_id).run == run_id}


def sample_list() -> Path:
    """The list of 10,000 contacts that comes with Todoke."""
    for place in (Path(__file__).parents[1] / "examples", Path(__file__).parents[3] / "examples"):
        if (place / "agents.csv").is_file():
            return place / "agents.csv"
    raise NotFound("The sample list is not there.", fix="Run the demo from a checkout, or install Todoke again.")
