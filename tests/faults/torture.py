"""Thousands of rounds of everything that can happen to an engine: `make torture ROUNDS=2000 SEED=1`.

Each round draws a plan from its seed, carries it out with real processes, and is judged by three books. What is found
goes into a file, one JSON object a line; a line on standard output sums up every hundred rounds. It ends by itself,
with status 1 if anything was found. A round is repeated by its seed: `make torture ROUNDS=1 SEED=1 FIRST=417`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import PostgresServer, answering
from tests.faults.judge import Verdict
from tests.faults.lab import Lab
from tests.faults.plan import Plan, carry_out, draw

from todoke.store.store import migrate, open_store

_ROUND = 240.0  # seconds after which a round has failed


class Tally:
    """What came out so far."""

    def __init__(self) -> None:
        self.rounds = self.failed = self.messages = self.doubts = self.doubts_sent = self.strikes = 0
        self.states: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.fullest = 0.0  # the fastest second of a code, as a share of its rate
        self.began = time.monotonic()

    def add(self, plan: Plan, found: Verdict, strikes: int) -> None:
        self.messages += found.counts.total()
        self.states += found.counts
        self.reasons += found.doubts
        self.doubts += found.doubts.total()
        self.doubts_sent += found.doubts_sent
        self.strikes += strikes
        self.fullest = max(self.fullest, found.fastest / plan.rate)

    def __str__(self) -> str:
        states = " ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
        reasons = " ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        return (
            f"torture: {self.rounds} rounds in {time.monotonic() - self.began:.0f} s, {self.failed} with findings; "
            f"{self.messages} messages: {states}; {self.strikes} failpoints struck; {self.doubts} segments in doubt, "
            f"{self.doubts_sent} of them sent ({reasons}); fastest second {self.fullest:.3f} of its code's rate"
        )


class Torture:
    """`run` rounds first..first+rounds-1 of a seed, `jobs` at a time."""

    def __init__(self, seed: str, out: Path) -> None:
        self.seed = seed
        self.out = out
        self.tally = Tally()
        self._cleaning = asyncio.Lock()

    async def run(self, first: int, rounds: int, jobs: int) -> None:
        numbers = iter(range(first, first + rounds))
        template = Path(tempfile.mkdtemp(prefix="todoke-torture-"))
        try:
            await migrate(f"sqlite:///{template / 'todoke.db'}")
            async with asyncio.TaskGroup() as group:
                for _ in range(jobs):
                    group.create_task(self._work(numbers, template / "todoke.db"))
        finally:
            shutil.rmtree(template, ignore_errors=True)

    async def _work(self, numbers: Iterator[int], template: Path) -> None:
        address = await answering()
        server = PostgresServer(address, stem=f"todoke_torture_{id(asyncio.current_task())}") if address else None
        try:
            for number in numbers:
                await self._round(number, template, server)
        finally:
            if server is not None:
                await server.close()

    async def _round(self, number: int, template: Path, server: PostgresServer | None) -> None:
        seed = f"{self.seed}/{number}"
        plan = draw(seed)
        folder = Path(tempfile.mkdtemp(prefix="todoke-torture-"))
        if plan.dialect == "postgresql" and server is not None:
            async with self._cleaning:  # Alembic migrates one database at a time
                address = await server.clean()
        else:
            shutil.copy(template, folder / "todoke.db")
            address = f"sqlite:///{folder / 'todoke.db'}"
        try:
            async with asyncio.timeout(_ROUND), await open_store(address) as store:
                lab = Lab(store, folder)
                try:
                    await lab.simulate()
                    await carry_out(plan, lab, random.Random(seed))
                    # A simulator that was killed has forgotten which receipts it owed.
                    found = await lab.verdict(receipts=plan.aside != "simulator", patience=120.0)
                    self.tally.add(plan, found, len(lab.strikes()))
                except Exception as error:
                    self._found(seed, plan, error, lab)
                finally:
                    await lab.close()
        except TimeoutError as error:
            self._found(seed, plan, error, None)
        shutil.rmtree(folder, ignore_errors=True)
        self.tally.rounds += 1
        if self.tally.rounds % 100 == 0:
            print(self.tally, flush=True)

    def _found(self, seed: str, plan: Plan, error: Exception, lab: Lab | None) -> None:
        self.tally.failed += 1
        entry = {
            "seed": seed,
            "plan": str(plan),
            "error": "".join(traceback.format_exception(error))[-6_000:],
            "strikes": lab.strikes() if lab else [],
            "log": lab.log() if lab else "",
        }
        with self.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        print(f"torture: round {seed} found something, see {self.out}: {plan}", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(prog="make torture", description=__doc__)
    options.add_argument("--rounds", type=int, default=1_000)
    options.add_argument("--seed", default="1")
    options.add_argument("--first", type=int, default=0, help="number of the first round")
    options.add_argument("--jobs", type=int, default=2, help="rounds at a time")
    options.add_argument("--out", type=Path, default=Path("torture.jsonl"))
    given = options.parse_args()
    torture = Torture(given.seed, given.out)
    try:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # its engines end with it
        asyncio.run(torture.run(given.first, given.rounds, given.jobs))
    finally:
        print(torture.tally, flush=True)
    return 1 if torture.tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
