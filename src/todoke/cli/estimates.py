"""What a skill would do with a list, for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from todoke.cli.output import print_table, say, span

if TYPE_CHECKING:
    from todoke.model.estimate import Estimate

# What a run's report says of these is of what has come to pass.
_SKIPPED = {
    "filtered": "the filter does not take the contact",
    "expired": "in no known place, or the calling window does not open before the run expires",
    "contact_expired": "the contact expires before its turn",
}
_WAITING = {
    "window": "until their calling windows open",
    "suppressed": "until their suppressions end",
    "cap": "until a frequency cap frees",
}


def as_json(found: Estimate) -> dict[str, Any]:
    return {**found._asdict(), "cost": None if found.cost is None else str(found.cost)}


def show(found: Estimate) -> None:
    from todoke.sms.measuring import REASONS

    about = "" if found.exact else "about "
    say(f"texted: {about}{found.messages:,} of {found.contacts:,} contacts")
    for why, count in found.waiting.items():
        say(f"  {count:,} of them not at once: {_WAITING[why]}")
    rows = [
        (count if found.exact or reason not in REASONS else f"about {count:,}", _why(reason), reason)
        for reason, count in found.skipped.items()
    ]
    if rows:
        print_table(["not texted", "because", "code"], rows, empty="")
    if found.messages:
        spread = f"a message has {found.fewest} to {found.most}, {found.mean:.2f} on average"
        say(f"segments: {about}{found.segments:,}; {spread}")
        if not found.exact:
            say(f"  an estimate from {found.measured:,} texts, evenly spread over the list")
        say(f"encoding: {1 - found.ucs2:.1%} GSM-7, {found.ucs2:.1%} UCS-2")
        if found.cost is not None:
            say(f"cost: {about}{found.cost:,} {found.currency}")
        if found.time is not None:
            days = f", on {found.time.days:,} days" if found.time.days > 1 else ""
            say(f"time to send: {about}{span(found.time.elapsed)}{days}")
    for sentence in found.assumptions:
        say(f"  {sentence}")


@contextmanager
def counting() -> Generator[Callable[[int, int], None]]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")

        def tell(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield tell


def _why(reason: str) -> str:
    from todoke.model.reason import sentence

    return _SKIPPED.get(reason) or sentence(reason)
