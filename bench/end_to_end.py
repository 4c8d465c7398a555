"""The whole engine over a real socket, against a raw blaster of pre-encoded messages at the same simulator in the
same run.

The engine is a process of its own with everything on: journal, DNC scrub twice, slots, tallies, results and
receipts stored. The clock runs from the start of the run until the store has the last result (or, with receipts,
the last receipt).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from tests.factories import seed_code, seed_dnc_group, seed_list, seed_provider, seed_skill, seed_unit

from bench.blaster import blast_in_process, simulator
from bench.databases import databases
from bench.ground import fill
from todoke.config import Settings
from todoke.model.clock import HOUR, SystemClock
from todoke.service.processes import engine
from todoke.store.hot.base import NewRun
from todoke.store.store import Store, migrate, open_store

BODY = "Hi {FirstName}, a bonus shift opened at your site tonight. First come, first served. Reply STOP to opt out."
WINDOW = 100
_PATIENCE = 120.0


def cases(count: int | None = None, runs: int = 3) -> Iterator[dict[str, object]]:
    """With and without receipts, on every store there is."""
    messages = count or int(os.environ.get("BENCH_MESSAGES", "300000"))
    for receipts in (False, True):
        rates: dict[str, list[float]] = {}
        blasts: list[float] = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                blasts.append(_blast(Path(folder), messages, receipts))
            for name, url in databases():
                with url() as address, tempfile.TemporaryDirectory() as folder:
                    rates.setdefault(name, []).append(asyncio.run(_measure(address, Path(folder), messages, receipts)))
        reference = statistics.median(blasts)
        kind = "with receipts" if receipts else "without receipts"
        for name, measured in rates.items():
            value = statistics.median(measured)
            yield {
                "name": f"end to end {kind}, {name}",
                "value": round(value),
                "unit": "messages/s",
                "reference": f"raw blaster {kind}: {reference:.0f} messages/s",
                "ratio": round(value / reference, 3),
            }


def arguments(folder: Path, receipts: bool) -> list[str]:
    return [
        "--ledger",
        str(folder / "ledger"),
        "--receipt-delay",
        "0",
        "--inbound-window",
        "5000",
        *([] if receipts else ["--no-receipts"]),
    ]


def _blast(folder: Path, count: int, receipts: bool) -> float:
    with simulator(*arguments(folder, receipts)) as ports:
        return blast_in_process(ports["smpp_port"], count, receipts)


async def _measure(url: str, folder: Path, count: int, receipts: bool) -> float:
    """Messages a second of one run over a list of `count` contacts."""
    await migrate(url)
    with simulator(*arguments(folder, receipts)) as ports:
        async with await open_store(url) as store:
            run = await scene(store, ports["smpp_port"], count, receipts)
            child = await engine(Settings(database=url, data_dir=folder))
            try:
                started = time.monotonic()
                await store.hot.start_run(run)
                await until(store, count, "delivered" if receipts else "sent", started)
                return count / (time.monotonic() - started)
            finally:
                await child.stop()


async def scene(store: Store, port: int, count: int, receipts: bool) -> NewRun:
    """A list of `count` contacts and a code that is faster than any link, so that the link is the limit."""
    unit = await seed_unit(store, bucket=0)
    group = await seed_dnc_group(store, unit, bucket=0, phones=range(17_770_000_000, 17_770_010_000))
    settings = {"host": "127.0.0.1", "port": port, "system_id": "todoke", "password": "secret", "window": WINDOW}
    provider = await seed_provider(
        store, bucket=0, kind="simulator", settings={**settings, "trace": True, "receipts": receipts}
    )
    code = await seed_code(store, unit, provider, code="72345", type="short", rate=1_000_000)
    skill = await seed_skill(store, unit, code, body=BODY)
    calling_list = await seed_list(store, unit, n=0, bucket=0)
    await fill(store, calling_list, count)
    now = SystemClock().now()
    return NewRun(0, unit, skill, calling_list, code, BODY, None, (group,), now, now + 24 * HOUR)


async def until(store: Store, count: int, outcome: str, started: float) -> None:
    while True:
        async with store.reading() as connection:
            done = await connection.scalar(
                text("select coalesce(sum(messages), 0) from tally where outcome = :outcome"), {"outcome": outcome}
            )
        if int(done or 0) >= count:
            return
        if time.monotonic() - started > _PATIENCE:
            raise TimeoutError(f"{done} of {count} messages are {outcome} after {_PATIENCE:g} s")
        await asyncio.sleep(0.05)


def main() -> None:
    """One measurement with a profile: `python -m bench.end_to_end URL COUNT [receipts]`."""
    url, count, *rest = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        print(round(asyncio.run(_measure(url, folder, int(count), bool(rest)))))


if __name__ == "__main__":
    main()
