"""What sending would take, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from todoke.cli.output import say, span

if TYPE_CHECKING:
    from todoke.model.estimate import Estimate


def as_json(found: Estimate) -> dict[str, Any]:
    return {**found._asdict(), "cost": None if found.cost is None else str(found.cost)}


def show(found: Estimate) -> None:
    if found.exact:
        about, basis = "", f"every one of the {found.contacts:,} contacts was measured"
    else:
        about, basis = "about ", f"an estimate from {found.measured:,} of {found.contacts:,} contacts, evenly spread"
    say(f"messages: {about}{found.messages:,} ({basis})")
    for reason, count in found.skipped.items():
        say(f"skipped: {about}{count:,} ({_why(reason)})")
    if not found.messages:
        return
    spread = f"a message has {found.fewest} to {found.most}, {found.mean:.2f} on average"
    say(f"segments: {about}{found.segments:,}; {spread}")
    say(f"encoding: {1 - found.ucs2:.1%} GSM-7, {found.ucs2:.1%} UCS-2")
    if found.cost is not None:
        say(f"cost: {about}{found.cost:,} {found.currency}")
    if found.time is not None:
        days = f", on {found.time.days:,} days" if found.time.days > 1 else ""
        say(f"time to send: {about}{span(found.time.elapsed)}{days}")
    for sentence in found.assumptions:
        say(f"  {sentence}")


def _why(reason: str) -> str:
    from todoke.model.reason import SENTENCES

    return SENTENCES.get(reason, reason)
