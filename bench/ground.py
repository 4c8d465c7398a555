"""What the bars of an engine stand on: a business unit with its accounts, codes, skills and a list, written straight
into the tables; a simulator; and what its ledger heard.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import insert, select, text
from tests.factories import NOW, seed_code, seed_dnc_group, seed_list, seed_provider, seed_skill, seed_unit

from todoke.model.clock import HOUR, SystemClock
from todoke.providers.simulator.ledger import read
from todoke.store import schema
from todoke.store.hot.base import NewRun
from todoke.store.store import Store

BODY = "Hi {FirstName}, a bonus shift opened at your site tonight. First come, first served. Reply STOP to opt out."
FIRST_NUMBER = 15_550_000_000


class Code(NamedTuple):
    """A transport code to be: its segments a second, and which account it belongs to."""

    rate: float
    account: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """The ids of what was laid; `codes` and `skills` run in parallel with the codes asked for."""

    unit: int
    group: int
    codes: list[int]
    names: list[str]
    skills: list[int]
    list: int

    def run(self, code: int = 0, *, list_id: int | None = None, body: str = BODY) -> NewRun:
        """A run of that code's skill, from now on."""
        now = SystemClock().now()
        chosen = self.list if list_id is None else list_id
        return NewRun(
            0, self.unit, self.skills[code], chosen, self.codes[code], body, None, (self.group,), now, now + 24 * HOUR
        )


def account(number: int) -> str:
    """The system id of an account; its password is `secret`."""
    return f"todoke{number}"


async def lay(
    store: Store,
    port: int,
    codes: Sequence[Code],
    contacts: int,
    *,
    window: int = 100,
    receipts: bool = False,
    body: str = BODY,
    **settings: Any,
) -> Ground:
    """A unit with 10,000 numbers on its do-not-call list, and for each code a registration and a skill."""
    unit = await seed_unit(store, bucket=0)
    group = await seed_dnc_group(store, unit, bucket=0, phones=range(17_770_000_000, 17_770_010_000))
    providers = [
        await seed_provider(
            store,
            name=f"carrier{number}",
            bucket=0,
            kind="simulator",
            settings={
                "host": "127.0.0.1",
                "port": port,
                "system_id": account(number),
                "password": "secret",
                "window": window,
                "trace": True,
                "receipts": receipts,
                **settings,
            },
        )
        for number in range(max(code.account for code in codes) + 1)
    ]
    names = [str(72_000 + number) for number in range(len(codes))]
    first = await seed_code(store, unit, providers[codes[0].account], code=names[0], type="short", rate=codes[0].rate)
    skill = await seed_skill(store, unit, first, body=body)
    list_id = await seed_list(store, unit, n=0, bucket=0)
    await fill(store, list_id, contacts)
    rows = [
        {
            "business_unit_id": unit,
            "provider_id": providers[code.account],
            "code": name,
            "type": "short",
            "rate": code.rate,
            "created_at": NOW,
        }
        for code, name in zip(codes[1:], names[1:], strict=True)
    ]
    async with store.writing() as connection:
        if rows:
            await connection.execute(insert(schema.transport_code), rows)
        ids = [row[0] for row in await connection.execute(text("select id from transport_code order by code"))]
        like = (await connection.execute(select(schema.skill).where(schema.skill.c.id == skill))).mappings().one()
        same = {key: value for key, value in like.items() if key != "id"}
        more = [{**same, "name": f"skill{code}", "transport_code_id": code} for code in ids[1:]]
        if more:
            await connection.execute(insert(schema.skill), more)
        await connection.execute(
            insert(schema.sms_registration),
            [
                {
                    "business_unit_id": unit,
                    "transport_code_id": code,
                    "dnc_group_id": group,
                    "keywords": {},
                    "created_at": NOW,
                }
                for code in ids
            ],
        )
        skills = [row[0] for row in await connection.execute(text("select id from skill order by transport_code_id"))]
    return Ground(unit, group, ids, names, skills, list_id)


async def fill(store: Store, list_id: int, count: int) -> None:
    """Make `list_id` a list of `count` contacts in one time zone, numbered from FIRST_NUMBER on."""
    numbers = (
        "generate_series(0, :last) as g(i)"
        if store.dialect == "postgresql"
        else "(with recursive g(i) as (select 0 union all select i + 1 from g where i < :last) select i from g)"
    )
    async with store.writing() as connection:
        values = {"list": list_id, "last": count - 1}
        await connection.execute(
            text(
                "insert into contact (bucket, list_id, position, destination, zone_set, external_id, fields) "
                f"select 0, :list, i, {FIRST_NUMBER} + i, 0, 'E' || i, 'Name' || i from {numbers}"
            ),
            values,
        )
        await connection.execute(text("update calling_list set contacts = :last + 1 where id = :list"), values)
        await connection.execute(text("delete from list_range where list_id = :list"), {"list": list_id})
        await connection.execute(
            text(
                "insert into list_range (list_id, number, zone_set, first_position, last_position) "
                "values (:list, 0, 0, 0, :last)"
            ),
            values,
        )
    if store.dialect == "postgresql":
        async with store.engine.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(
                text("vacuum analyze contact")
            )


async def counted(store: Store, outcome: str = "sent") -> int:
    """Messages with that outcome, in all runs."""
    async with store.reading() as connection:
        found = await connection.scalar(
            text("select coalesce(sum(messages), 0) from tally where outcome = :outcome"), {"outcome": outcome}
        )
    return int(found or 0)


async def reach(store: Store, count: int, outcome: str, seconds: float) -> None:
    """Wait until so many messages have that outcome; TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while (reached := await counted(store, outcome)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{reached} of {count} messages are {outcome} after {seconds:g} s")
        await asyncio.sleep(0.02)


@contextmanager
def smsc(folder: Path, *arguments: str, accounts: int = 1, fast: bool = True) -> Iterator[dict[str, int]]:
    """A simulator with a ledger in `folder`, as a process of its own; yields its ports."""
    command = [sys.executable, "-m", "todoke.providers.simulator", "--port", "0", "--control-port", "0"]
    command += ["--fast"] if fast else []
    for number in range(accounts):
        command += ["--account", f"{account(number)}:secret"]
    command += ["--ledger", str(ledger(folder)), "--receipt-delay", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield {**json.loads(process.stdout.readline()), "pid": process.pid}
    finally:
        process.terminate()
        process.wait(20)


def ledger(folder: Path) -> Path:
    return folder / "simulator.ledger"


def heard(folder: Path) -> dict[str, list[int]]:
    """When the simulator got each segment, by transport code: microseconds of the monotonic clock, in order."""
    times: dict[str, list[int]] = defaultdict(list)
    for entry in read(ledger(folder)):
        times[entry.source].append(entry.monotonic)
    return times
