"""Importing a list into the SQLite file over which an engine sends: what the lanes lose by it.

Codes of several speeds send, first alone, then while another process imports. Measured at the engine's socket, as in
`bench/rate.py`: the share of the pace, slots that were not used, and how late writes are.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from bench.databases import databases
from bench.ground import Code, lay, smsc
from bench.list_files import write_list
from bench.tap import GIVEN_UP, Written, rows, tapped_engine
from todoke.config import Settings
from todoke.model.clock import SystemClock
from todoke.pipeline.intake.importing import import_list
from todoke.pipeline.lanes.pace import SHARE
from todoke.store.store import migrate, open_store

ROWS = int(os.environ.get("BENCH_BESIDE_ROWS", "400000"))
RATES = (5.0, 100.0, 1_000.0)
_WARM, _ALONE = 4.0, 10.0  # seconds


class Measured(NamedTuple):
    """Of all codes in a span."""

    share: float  # of the pace, of the slowest
    given_up: int  # slots that were not used
    late: float  # ms, the 99.9th percentile


def cases() -> Iterator[dict[str, object]]:
    """One record a figure; the reference is the same without an import."""
    name, url = next(iter(databases()))
    with url() as address, tempfile.TemporaryDirectory() as folder:
        alone, beside, speed = asyncio.run(measure(address, Path(folder)))
    for what, unit, value, reference in (
        ("pace used", "of the pace", beside.share, alone.share),
        ("slots not used", "slots", beside.given_up, alone.given_up),
        ("late, p99.9", "ms", beside.late, alone.late),
    ):
        ratio = round(value / reference, 4) if reference else None
        where = f"sending beside an import, {name}: {what}"
        yield {"name": where, "value": round(value, 4), "unit": unit, "reference": round(reference, 4), "ratio": ratio}
    yield {
        "name": f"import beside a send, {name}",
        "value": round(speed),
        "unit": "rows/s",
        "reference": None,
        "ratio": None,
    }


async def measure(url: str, folder: Path) -> tuple[Measured, Measured, float]:
    path = folder / "agents.csv"
    write_list(path, ROWS)
    await migrate(url)
    with smsc(folder, "--no-receipts") as ports:
        async with await open_store(url) as store:
            ground = await lay(store, ports["smpp_port"], [Code(rate) for rate in RATES], 200_000, window=500)
            for code in range(len(RATES)):
                await store.hot.start_run(ground.run(code))
            child = await tapped_engine(Settings(database=url, data_dir=folder), folder / "tap")
            try:
                await asyncio.sleep(_WARM)
                begun = time.monotonic_ns() // 1000
                await asyncio.sleep(_ALONE)
                between = time.monotonic_ns() // 1000
                importing = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.beside", url, str(path))
                if await importing.wait():
                    raise RuntimeError("the import failed")
                ended = time.monotonic_ns() // 1000
            finally:
                await child.stop()
    written = rows(folder / "tap")
    spans = ((begun, between), (between, ended))
    alone, beside = (_of(written, ground.codes, first, last) for first, last in spans)
    return alone, beside, ROWS / ((ended - between) / 1e6)


def _of(written: list[Written], codes: list[int], first: int, last: int) -> Measured:
    shares: list[float] = []
    inside = [row for row in written if first <= row.at <= last]
    for rate, code in zip(RATES, codes, strict=True):
        moments = [row.at for row in inside if row.code == code and row.late != GIVEN_UP]
        shares.append((len(moments) - 1) / ((moments[-1] - moments[0]) / 1e6 * rate * SHARE))
    late = sorted(row.late for row in inside if row.late != GIVEN_UP)
    return Measured(min(shares), len(inside) - len(late), late[len(late) * 999 // 1000] / 1000)


async def _import(url: str, path: Path) -> None:
    async with await open_store(url) as store:
        async with store.reading() as connection:
            unit = await connection.scalar(text("select name from business_unit"))
        await import_list(
            store,
            business_unit=str(unit),
            name="beside",
            path=path,
            rejects_dir=path.parent / "rejected",
            now=SystemClock().now(),
        )


if __name__ == "__main__":
    asyncio.run(_import(sys.argv[1], Path(sys.argv[2])))
