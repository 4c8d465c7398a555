"""A laboratory: a store, a simulator, engines of the test build that can be killed, frozen and told where to die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from tests.faults import failpoints, tap
from tests.faults.judge import Verdict, judge, nothing_left
from tests.world import World, eventually, make_world

from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.providers.simulator.client import reply
from todoke.service.processes import Child, simulator
from todoke.store import schema
from todoke.store.hot.base import StoreUnavailable
from todoke.store.store import Store

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("TODOKE_TEST_ROUNDS", "4"))
"""How often a test draws anew. `make torture` is for thousands."""


class Lab:
    """`close` ends every process. Engines share the data folder, as on one machine."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.ledger = folder / "simulator.ledger"
        self.tapped = folder / "tap"
        self.struck_file = folder / "struck"
        self.passed_file = folder / "passed"
        self.engines: list[Child] = []
        self.simulators: list[Child] = []
        self.world: World
        self.rate = 0.0
        self.contacts = 0
        self.run = 0

    # -------------------------------------------------------------- setting up

    async def simulate(self, *options: str, port: int = 0) -> Child:
        """A simulator with this lab's ledger; the last one started is `self.simulator`."""
        child = await simulator("--ledger", str(self.ledger), "--receipt-delay", "0.02", *options, port=port)
        self.simulators.append(child)
        return child

    @property
    def simulator(self) -> Child:
        return self.simulators[-1]

    async def prepare(
        self, *, contacts: int, rate: float, text: str = "Hello {FirstName}", started: bool = True, **world: Any
    ) -> None:
        """A business unit, a list, a run that has `started`; no engine yet."""
        port = self.simulator.told["smpp_port"]
        self.world = await make_world(self.store, port, self.ledger, contacts=contacts, rate=rate, **world)
        self.contacts, self.rate = contacts, rate
        if started:
            self.run = await self.world.start(text)

    async def policy(self, name: str) -> None:
        """What the skill wants of doubts."""
        skill = schema.skill
        async with self.store.writing() as connection:
            await connection.execute(
                skill.update().where(skill.c.id == self.world.scene.skill).values(in_doubt_policy=name)
            )

    async def window(self, start: int, end: int) -> float:
        """The skill's calling window, in minutes after midnight; by when it was committed, on the tap's clock."""
        skill = schema.skill
        async with self.store.writing() as connection:
            of_ours = skill.update().where(skill.c.id == self.world.scene.skill)
            await connection.execute(of_ours.values(window_start=start, window_end=end))
        return time.monotonic()

    async def engine(
        self, points: str = "", *, seed: int = 0, ready: bool = True, lease: float = 10.0, tapped: Path | None = None
    ) -> Child:
        """An engine of the test build. With `ready` it is waited for; else it may die at any moment."""
        values = {
            "TODOKE_DATABASE": self.store.url,
            "TODOKE_DATA_DIR": str(self.folder),
            "TODOKE_LOG_LEVEL": "info",
            "TODOKE_LEASE_S": str(lease),
            tap.VARIABLE: str(tapped or self.tapped),
            failpoints.VARIABLE: points,
            failpoints.SEED: str(seed),
            failpoints.STRUCK: str(self.struck_file),
            failpoints.PASSED: str(self.passed_file),
        }
        child = await self._spawn(["-m", "tests.faults.engine"], values)
        self.engines.append(child)
        if ready:
            await child.ready()
        return child

    async def _spawn(self, arguments: list[str], environ: Mapping[str, str]) -> Child:
        with (self.folder / "engines.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **environ},
                cwd=ROOT,
                start_new_session=True,
            )
        return Child("engine", process)

    # -------------------------------------------------------------- what happens

    async def control(self, path: str, body: object = None, *, method: str = "POST") -> None:
        """A hand on the simulator."""
        url = f"http://127.0.0.1:{self.simulator.told['control_port']}{path}"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=body) as answer:
            assert answer.status < 400, await answer.text()

    async def says(self, phone: int, text: str) -> None:
        """A phone texts our code."""
        await reply(self.simulator.told["control_port"], phone, "72345", text)

    async def taken(self, count: int, patience: float = 60.0) -> None:
        """Wait until the simulator has taken so many segments in all."""

        async def enough() -> bool:
            return len(self.world.entries()) >= count

        await eventually(enough, f"the simulator has taken {count} segments", patience)

    async def counted(self, state: State, count: int, patience: float = 60.0) -> None:
        """Wait until so many messages, at least, have this state."""

        async def enough() -> bool:
            return (await self.world.counts(self.run))[state] >= count

        await eventually(enough, f"{count} messages are {state}", patience)

    def strikes(self) -> list[str]:
        """What failpoints did so far."""
        return self.struck_file.read_text().splitlines() if self.struck_file.exists() else []

    async def struck(self, count: int = 1, patience: float = 30.0) -> None:
        """Wait until failpoints struck so often in all."""

        async def enough() -> bool:
            return len(self.strikes()) >= count

        await eventually(enough, "a failpoint strikes", patience)

    async def over(self) -> bool:
        """Whether the run has ended and every receipt that will come is in."""
        try:
            ended = await self.world.state(self.run) not in OPEN and not (await self.world.counts(self.run))[State.SENT]
            return ended and await self.world.answered()
        except (StoreUnavailable, OSError):
            return False
        except Exception as error:  # whatever SQLAlchemy makes of a server that is away
            if type(error).__module__.split(".")[0] in ("sqlalchemy", "asyncpg"):
                return False
            raise

    # -------------------------------------------------------------- the end

    async def stop_engines(self) -> None:
        """Every engine that lives ends cleanly."""
        for child in self.engines:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGCONT)
            if child.process.returncode is None:
                assert await child.stop() == 0, f"an engine did not end cleanly:\n{self.log()}"
        self.engines = []

    async def until_over(self, *, patience: float = 60.0, receipts: bool = True) -> None:
        """Wait until the run has ended, with its receipts or without."""

        async def ended() -> bool:
            return await self.over() or (not receipts and await self.world.state(self.run) not in OPEN)

        try:
            await eventually(ended, "the run ends", patience)
        except AssertionError:
            state, counts = await self.world.state(self.run), await self.world.counts(self.run)
            raise AssertionError(f"the run does not end: {state}, {counts}\n{self.log()}") from None

    async def verdict(self, *, at_least_once: bool = False, patience: float = 60.0, receipts: bool = True) -> Verdict:
        """Wait for the run's end, end every engine, and judge. Without `receipts` some never come."""

        await self.until_over(patience=patience, receipts=receipts)
        await self.stop_engines()
        found = await judge(
            self.world, self.tapped, self.run, self.contacts, rate=self.rate, at_least_once=at_least_once
        )
        await nothing_left(self.store, self.folder, self.run)
        return found

    def log(self) -> str:
        """The last words of the engines."""
        path = self.folder / "engines.log"
        return path.read_text(errors="replace")[-4_000:] if path.exists() else ""

    async def close(self) -> None:
        for child in self.engines:
            await kill(child)
        for child in self.simulators:
            await child.stop()


async def kill(child: Child) -> None:
    """SIGKILL, at once, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    await child.process.wait()


async def dead(child: Child, patience: float = 30.0) -> int:
    """Wait until it has died by itself; its exit status."""
    return await asyncio.wait_for(child.process.wait(), patience)


def freeze(child: Child) -> None:
    os.kill(child.pid, signal.SIGSTOP)


def thaw(child: Child) -> None:
    os.kill(child.pid, signal.SIGCONT)


def texts(rng: random.Random) -> str:
    """One segment or several."""
    return rng.choice(["Hello {FirstName}", "Hello {FirstName}. " + "A long text. " * 20])
