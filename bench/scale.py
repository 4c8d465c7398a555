"""From what a message costs here to what a day of a billion needs: engines, primaries, log, disks, and what is full
first.

    python -m bench.scale [--table] [--costs FILE] [--save FILE] [--messages N]... [--units N] [...]

The costs are measured in the same run, or taken from a file of an earlier one. The day is simulated in steps; the same
seed gives the same day.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from bench.model.costs import Costs
from bench.model.load import ZONES, Load
from bench.model.measure import measure
from bench.model.server import NoServer
from bench.model.sizing import Sized, size
from bench.model.table import lines, table

SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)


def cases() -> Iterator[dict[str, object]]:
    """One record a figure of each size of day; none where there is no PostgreSQL to start."""
    try:
        costs = measure()
    except NoServer as error:
        sys.stderr.write(f"bench: {error}\n")
        return
    for messages in SIZES:
        yield from lines(size(of_size(Load(), messages), costs))


def of_size(load: Load, messages: int) -> Load:
    """A day of so many messages, with as many units and as large lists as go with it."""
    units = min(load.units, max(1, messages // 100_000))
    return replace(load, messages=messages, units=units)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    costs = Costs.load(options.costs) if options.costs else measure()
    if options.save:
        costs.save(options.save)
    load = Load(**{field.name: getattr(options, field.name) for field in fields(Load) if field.name in options})
    sized: list[Sized] = []
    for messages in options.messages or SIZES:
        sized.append(size(of_size(load, messages), costs))
        if not options.table:
            for line in lines(sized[-1]):
                sys.stdout.write(json.dumps(line) + "\n")
    if options.table:
        sys.stdout.write(table(sized, costs))
    return 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m bench.scale", argument_default=argparse.SUPPRESS)
    made.add_argument("--table", action="store_true", default=False, help="for people to read")
    made.add_argument("--costs", type=Path, default=None, help="measured before")
    made.add_argument("--save", type=Path, default=None, help="write the costs there")
    made.add_argument("--messages", type=int, action="append", default=None, help="a day; may be given several times")
    for field in fields(Load):
        if field.name in ("hours", "units", "list_size", "codes", "account_rate", "retention_days", "step", "seed"):
            made.add_argument(f"--{field.name.replace('_', '-')}", type=int)
        elif field.name in ("peak", "receipts", "segments", "retries", "skew", "list_spread", "early"):
            made.add_argument(f"--{field.name.replace('_', '-')}", type=float)
    made.add_argument("--zones", choices=sorted(ZONES))
    made.add_argument("--rates", type=lambda text: tuple(int(part) for part in text.split(",")), help="1,10,100,500")
    return made


if __name__ == "__main__":
    sys.exit(main())
