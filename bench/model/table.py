"""What was found, as lines for programs and as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from bench.model.costs import Costs
from bench.model.sizing import COPIES, CORES, TARGET, Sized


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _share(value: float) -> str:
    return f"{value:.0%}" if value >= 0.01 else f"{value:.2%}"


def _octets(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


ROWS: tuple[tuple[str, Callable[[Sized], str]], ...] = (
    ("a second, on average", lambda s: _number(s.load.messages / 86_400)),
    ("a second, at the peak", lambda s: _number(s.peak)),
    ("business units / codes / provider accounts", lambda s: f"{s.load.units:,} / {s.codes:,} / {s.accounts:,}"),
    ("runs", lambda s: _number(s.runs)),
    ("**engines** (one core each)", lambda s: _number(s.engines)),
    ("their processors: p50, peak", lambda s: f"{_share(s.engine_p50)}, {_share(s.engine_peak)}"),
    (f"**primaries** ({CORES} cores each)", lambda s: _number(s.primaries) if s.enough else "none are enough"),
    (
        "the fullest one's processors: p50, p99, peak",
        lambda s: f"{_share(s.primary_p50)}, {_share(s.primary_p99)}, {_share(s.primary_peak)}",
    ),
    ("primaries for the processors alone, if every receipt were looked up", lambda s: _number(s.primaries_forgetful)),
    ("servers with a standby and one for reports each", lambda s: _number(s.primaries * COPIES)),
    ("log of the fullest primary, at the peak", lambda s: _octets(s.wal_peak) + "/s"),
    ("log of a day, all primaries", lambda s: _octets(s.wal_day)),
    ("events and contacts of a day, one copy", lambda s: _octets(s.stored_day)),
    ("kept for so many days, all copies", lambda s: f"{s.load.retention_days} d: " + _octets(s.kept)),
    ("partitions made a day", lambda s: f"{s.partitions_day:.2g}"),
    (
        "a partition is full after, in the busiest and the quietest bucket",
        lambda s: f"{_number(s.partition_days)} d, {_number(s.partition_days_most)} d",
    ),
    ("the largest partition, full or a year old", lambda s: _octets(s.partition_largest)),
    (
        "the largest bucket: messages, a primary's processors",
        lambda s: f"{_share(s.bucket_share)}, {_share(s.bucket_peak)}",
    ),
    ("engines to database, at the peak", lambda s: _octets(s.net_db_peak) + "/s"),
    ("engines to carriers, at the peak", lambda s: _octets(s.net_carrier_peak) + "/s"),
    ("left at the end of the day", lambda s: _number(s.day.waiting + s.day.retrying)),
    ("with one engine and one primary, full first", lambda s: "; ".join(f"{n} {_share(v)}" for n, v in s.firsts[:2])),
)


def table(sized: Sequence[Sized], costs: Costs) -> str:
    """Two tables in Markdown: what one message costs, what a day needs."""
    rows = [f"Costs of {costs.machine}\n", "| cost | value |", "|---|---|"]
    rows += [f"| {name} | {value:,.4g} |" for name, value in msgspec.structs.asdict(costs).items() if name != "machine"]
    rows += [f"| of db_whole_us, what its parts explain | {costs.db_parts_us / costs.db_whole_us:.0%} |"]
    rows += ["", "| messages a day | " + " | ".join(f"{s.load.messages:,}" for s in sized) + " |"]
    rows += ["|---|" + "---|" * len(sized)]
    rows += [f"| {name} | " + " | ".join(read(s) for s in sized) + " |" for name, read in ROWS]
    return "\n".join(rows) + "\n"


def lines(sized: Sized) -> Iterator[dict[str, object]]:
    """One record a figure, as all benchmarks print them."""
    stem = f"scale {sized.load.messages:,} a day"

    def line(
        name: str, value: float, unit: str, reference: str | None = None, ratio: float | None = None
    ) -> dict[str, object]:
        return {"name": f"{stem}: {name}", "value": value, "unit": unit, "reference": reference, "ratio": ratio}

    target = f"{TARGET:.0%} of one core"
    yield line("peak", round(sized.peak), "messages/s", f"{sized.load.contracted:.0f} messages/s of all codes",
               round(sized.peak / sized.load.contracted, 3))  # fmt: skip
    yield line("engines", sized.engines, "engines", target, round(sized.engine_peak, 3))
    yield line("primaries", sized.primaries, "primaries", f"{CORES} cores", round(sized.primary_peak, 3))
    yield line("primary p99", round(sized.primary_p99, 4), "of its cores", None, None)
    yield line("log peak", round(sized.wal_peak), "octets/s", None, None)
    yield line("log a day", round(sized.wal_day), "octets", None, None)
    yield line("stored a day", round(sized.stored_day), "octets", None, None)
    yield line("partitions a day", round(sized.partitions_day, 3), "partitions", None, None)
    yield line("largest partition", round(sized.partition_largest), "octets", None, None)
    yield line("primaries if every receipt is looked up", sized.primaries_forgetful, "primaries", f"{CORES} cores")
    yield line("largest bucket", round(sized.bucket_share, 4), "of the messages", f"{CORES} cores",
               round(sized.bucket_peak, 3))  # fmt: skip
    yield line("left", sized.day.waiting + sized.day.retrying, "messages", f"{sized.load.messages:,} messages",
               round((sized.day.waiting + sized.day.retrying) / sized.load.messages, 6))  # fmt: skip
    for name, full in sized.firsts:
        yield line(f"one of each, {name}", round(full, 3), "of what it has", None, None)
