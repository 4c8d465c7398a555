"""What befalls the engines of one round of torture: drawn from a seed, told in a line, carried out in a laboratory."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from tests.factories import phone_of
from tests.faults.lab import Lab, freeze, kill, texts, thaw
from tests.faults.seams import POINTS

from todoke.service.processes import Child

LONGEST = 0.9  # seconds that a life lasts before its end comes from outside
_CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


@dataclass(frozen=True, slots=True)
class Life:
    """One engine, and how it ends: at a failpoint, by a signal after `seconds`, or cleanly."""

    end: str
    seconds: float
    points: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One round. `behaviour` is the simulator's; `aside` happens to something else than an engine meanwhile."""

    dialect: str
    contacts: int
    rate: float
    text: str
    behaviour: dict[str, object] = field(default_factory=dict[str, object])
    lives: tuple[Life, ...] = ()
    aside: str = ""

    def __str__(self) -> str:
        lives = ", ".join(f"{one.end} {one.points or f'{one.seconds:.2f} s'}" for one in self.lives)
        long = "long" if len(self.text) > 40 else "short"
        return f"{self.dialect}, {self.contacts} {long} at {self.rate:g}/s, {self.behaviour}, {lives}; {self.aside}"


def draw(seed: str) -> Plan:
    """The same seed draws the same plan."""
    rng = random.Random(seed)
    dialect = rng.choice(["sqlite", "postgresql"])
    behaviour: dict[str, object] = {}
    if rng.random() < 0.4:
        for name, most in (
            ("lose_response_ratio", 0.02),
            ("late_response_ratio", 0.02),
            ("duplicate_response_ratio", 0.1),
            ("early_receipt_ratio", 0.3),
            ("receipt_repeat_ratio", 0.2),
            ("drop_ratio", 0.004),
            ("queue_full_ratio", 0.003),
        ):
            if rng.random() < 0.4:
                behaviour[name] = round(rng.uniform(0, most), 4)
        behaviour |= {"round_trip": round(rng.uniform(0, 0.05), 3), "late_response_delay": 1.6}
    lives = tuple(_life(rng) for _ in range(rng.randint(1, 3)))
    asides = ["", "", "simulator", "half_open", "stop", "stall"]
    if dialect == "postgresql":
        asides += ["sessions", "sessions", "freeze", "freeze"]
    rate = rng.choice([150.0, 600.0, 2_000.0, 50_000.0])
    contacts = rng.randint(100, 300) if rate < 600 else rng.randint(200, 900)
    return Plan(dialect, contacts, rate, texts(rng), behaviour, lives, rng.choice(asides))


def _life(rng: random.Random) -> Life:
    seconds = rng.uniform(0, LONGEST)
    kind = rng.choice(["kill", "kill", "point", "point", "point", "raise", "delay", "clean"])
    if kind in ("kill", "clean"):
        return Life(kind, seconds)
    action = {"point": "kill", "raise": "raise", "delay": f"delay/{rng.uniform(0.01, 0.4):.3f}"}[kind]
    point = rng.choice(sorted(POINTS))
    when = rng.choice([f"@{rng.randint(1, 40)}", f":{rng.choice([0.5, 0.1, 0.03])}"])
    return Life(kind, seconds, f"{point}={action}{when}")


async def carry_out(plan: Plan, lab: Lab, rng: random.Random) -> None:
    """Let it happen; at the end one engine is left, which brings the run to its end."""
    timeouts: dict[str, Any] = {"response_timeout": 1.0, "enquire_link": 1.0}
    await lab.prepare(contacts=plan.contacts, rate=plan.rate, text=plan.text, **timeouts)
    if plan.behaviour:
        await lab.control("/faults", plan.behaviour)
    meanwhile = asyncio.create_task(_aside(plan.aside, lab, rng))
    try:
        for life in plan.lives:
            child = await lab.engine(life.points, seed=rng.randrange(1 << 30), ready=False, lease=2.0)
            await _live(life, child)
        await lab.engine(lease=2.0)
    finally:
        await meanwhile
    if plan.behaviour:
        await lab.control("/faults", method="DELETE")


async def _live(life: Life, child: Child) -> None:
    if life.end in ("point", "raise", "delay"):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(child.process.wait()), 3.0)
            return
    with contextlib.suppress(Exception):  # it may have died on its way
        await child.ready()
        await asyncio.sleep(life.seconds)
    if life.end == "clean":
        await child.stop()
    else:
        await kill(child)


async def _aside(what: str, lab: Lab, rng: random.Random) -> None:
    with contextlib.suppress(AssertionError):  # the engines died before anything was sent: it happens at once
        await lab.taken(rng.randint(1, 100), patience=5.0)
    match what:
        case "simulator":
            port = lab.simulator.told["smpp_port"]
            await kill(lab.simulator)
            await asyncio.sleep(rng.uniform(0, 0.5))
            await lab.simulate(port=port)
        case "half_open":
            await lab.control("/pause")
            await asyncio.sleep(rng.uniform(0, 2.0))
            await lab.control("/resume")
        case "stop":
            for _ in range(5):
                await lab.says(phone_of(rng.randrange(lab.contacts)), "STOP")
        case "stall":
            await _frozen(lab, rng.uniform(0.01, 0.5))
        case "freeze":
            await lab.engine(lease=2.0)
            await _frozen(lab, rng.uniform(2.0, 5.0))
        case "sessions":
            parts = urlsplit(lab.store.url)
            server = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
            try:
                for _ in range(rng.randint(1, 5)):
                    await server.fetchval(_CUT, parts.path[1:])
                    await asyncio.sleep(rng.uniform(0, 0.3))
            finally:
                await server.close()
        case _:
            pass


async def _frozen(lab: Lab, seconds: float) -> None:
    """The engine that has run for longest is frozen for so long; it may have died before."""
    alive = [child for child in lab.engines if child.process.returncode is None]
    if alive:
        with contextlib.suppress(ProcessLookupError):
            freeze(alive[0])
            await asyncio.sleep(seconds)
            thaw(alive[0])
