"""Codes of several speeds at once: never above the limit in any second, the pace used, no write late.

Measured where the engine's bytes go to the socket (`bench/tap.py`), so that the simulator's own delays do not count.
The share is counted from the gaps between the first and the last segment of the span.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.databases import databases
from bench.ground import Code, lay, smsc
from bench.tap import GIVEN_UP, fullest, rows, tapped_engine
from todoke.config import Settings
from todoke.pipeline.lanes.pace import SHARE
from todoke.store.store import migrate, open_store

SPAN = float(os.environ.get("BENCH_RATE_SECONDS", "20"))
RATES = (5.0, 100.0, 1_000.0, 5_000.0)
BAR_LATE = 30.0  # ms
_WARM = 4.0


class Measured(NamedTuple):
    """Of one code."""

    rate: float
    fullest: int  # segments in the fullest second
    share: float  # of the pace
    late: int  # of 1,000 writes 999 are at most so many microseconds after their slot
    latest: int
    given_up: int  # slots that were not used


def cases() -> Iterator[dict[str, object]]:
    """Every speed on every store there is."""
    for name, url in databases():
        with url() as address, tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measure(address, Path(folder)))
        for code in found:
            where = f"code of {code.rate:,.0f}/s, {name}"
            yield _case(f"{where}: fullest second", code.fullest, "segments", code.rate)
            yield _case(f"{where}: pace used", round(code.share, 4), "of the pace", 0.98)
            yield _case(f"{where}: late, p99.9", code.late / 1000, "ms", BAR_LATE)
            yield _case(f"{where}: late at most", code.latest / 1000, "ms", BAR_LATE)
            yield {
                "name": f"{where}: slots not used",
                "value": code.given_up,
                "unit": "slots",
                "reference": None,
                "ratio": None,
            }


def _case(name: str, value: float, unit: str, reference: float) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "reference": reference, "ratio": round(value / reference, 3)}


async def measure(url: str, folder: Path, rates: tuple[float, ...] = RATES, span: float = SPAN) -> list[Measured]:
    await migrate(url)
    with smsc(folder, "--no-receipts") as ports:
        async with await open_store(url) as store:
            codes = [Code(rate) for rate in rates]
            ground = await lay(store, ports["smpp_port"], codes, int((span + _WARM + 10) * max(rates)), window=500)
            for code in range(len(codes)):
                await store.hot.start_run(ground.run(code))
            child = await tapped_engine(Settings(database=url, data_dir=folder), folder / "tap")
            try:
                await asyncio.sleep(_WARM)
                begun = time.monotonic_ns() // 1000
                await asyncio.sleep(span)
                ended = time.monotonic_ns() // 1000
            finally:
                await child.stop()
    written = rows(folder / "tap")
    return [
        _of_code(rate, [row for row in written if row.code == code and begun <= row.at <= ended])
        for rate, code in zip(rates, ground.codes, strict=True)
    ]


def _of_code(rate: float, written: list[tuple[int, int, int]]) -> Measured:
    moments = [at for _, at, late in written if late != GIVEN_UP]
    late = sorted(late for _, _, late in written if late != GIVEN_UP)
    span = (moments[-1] - moments[0]) / 1e6
    return Measured(
        rate,
        fullest(moments),
        (len(moments) - 1) / (span * rate * SHARE),
        late[len(late) * 999 // 1000],
        late[-1],
        len(written) - len(late),
    )
