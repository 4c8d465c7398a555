"""The live display of a run: a table that moves on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from todoke.cli.output import span
from todoke.model.event import State
from todoke.model.run import OPEN
from todoke.pipeline.reports.speed import Speed
from todoke.store.catalogue import runs

if TYPE_CHECKING:
    from todoke.store.catalogue.runs import Progress, RunRow
    from todoke.store.catalogue.units import Unit
    from todoke.store.store import Store

_EVERY = 0.25  # seconds between looks, on a terminal
_LINE_EVERY = 2.0
_RECEIPTS = 5.0  # seconds without a change after which the last receipts are not waited for


async def watch_run(
    store: Store, unit: Unit, run_id: int, *, console: Console | None = None, receipts: float = _RECEIPTS
) -> Progress:
    """Show the run until it has ended and no receipt has come for `receipts` seconds, or none is awaited. Returns the
    last look.
    """
    console = console or Console()
    speed = Speed()
    changed, last = time.monotonic(), None
    every = _EVERY if console.is_terminal else _LINE_EVERY
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            async with store.reading() as connection:
                run = await runs.find(connection, unit, run_id)
                progress = await runs.progress(connection, unit, run_id)
            now = time.monotonic()
            speed.add(now, progress.handed_over, progress.messages(State.SKIPPED))
            if progress != last:
                changed, last = now, progress
            over = run.state not in OPEN and (not progress.messages(State.SENT) or now - changed > receipts)
            if console.is_terminal:
                live.update(_display(run, progress, speed), refresh=True)
            elif over or changed == now:
                console.print(plain_line(run, progress, speed), soft_wrap=True, highlight=False)
            if over:
                return progress
            await asyncio.sleep(every)


def plain_line(run: RunRow, progress: Progress, speed: Speed) -> str:
    """All figures in one line."""
    parts = [f"run {run.id} {run.state.value}", f"{progress.handed_over:,} of {progress.contacts:,} sent"]
    parts += [f"{count:,} {name}" for name, count in _figures(progress) if count]
    if run.state in OPEN:
        parts.append(f"{speed.rate:,.0f}/s")
        left = speed.time_left(progress.waiting)
        if left is not None:
            parts.append(f"{span(left)} left")
    return ", ".join(parts)


def _figures(progress: Progress) -> list[tuple[str, int]]:
    states = (State.DELIVERED, State.FAILED, State.IN_DOUBT, State.SKIPPED, State.STOPPED, State.EXPIRED)
    return [(state.value.replace("_", " "), progress.messages(state)) for state in states]


def _display(run: RunRow, progress: Progress, speed: Speed) -> Group:
    """Three lines that fit 80 columns: what is 0 and need not be is left out."""
    left = speed.time_left(progress.waiting) if run.state in OPEN else None
    figures = {
        "sent": f"{progress.handed_over:,}",
        **{name: f"{count:,}" for name, count in _figures(progress) if count or name in ("delivered", "failed")},
        "waiting": f"{progress.waiting:,}",
        "rate": f"{speed.rate:,.0f}/s",
        "time left": "" if left is None else span(left),
    }
    table = Table.grid(padding=(0, 2))
    for _ in figures:
        table.add_column(justify="right", no_wrap=True)
    table.add_row(*(Text(name, style="dim") for name in figures))
    table.add_row(*(Text(value, style="bold") for value in figures.values()))
    bar = Table.grid(expand=True)
    bar.add_row(ProgressBar(total=max(progress.contacts, 1), completed=progress.contacts - progress.waiting))
    return Group(Text(f"run {run.id}: {run.skill} over {run.calling_list}, {run.state.value}"), bar, table)
