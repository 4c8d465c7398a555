"""PostgreSQL's version, its durability, its clock."""

from __future__ import annotations

from todoke.model.clock import SECOND
from todoke.service.doctor.finding import Finding, error, ok, warning
from todoke.store.server import ServerFacts

OLDEST = 15  # the oldest major version that we try
_LATEST = 2 * SECOND
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def version(facts: ServerFacts) -> Finding:
    """Old versions are not tried, and nobody mends them."""
    shown = facts.setting("server_version") or str(facts.version // 10_000)
    if facts.version < OLDEST * 10_000:
        return error("server", f"PostgreSQL {shown} is too old.", f"Use version {OLDEST} or later.")
    return ok("server", f"PostgreSQL {shown}.")


def durability(facts: ServerFacts) -> Finding:
    """What is confirmed must still be there after a crash."""
    off = [name for name in _DURABLE if facts.setting(name) == "off"]
    if off:
        return error(
            "durability",
            f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} off: after a crash the server may not know what "
            "it confirmed, and what was sent is sent again. Todoke does not start.",
            "Switch it on.",
        )
    return ok("durability", ", ".join(f"{name} = {facts.setting(name)}" for name in _DURABLE) + ".")


def clock(facts: ServerFacts) -> Finding:
    """Engines go by the database's clock; a person who reads logs goes by this machine's."""
    if abs(facts.ahead) > _LATEST:
        which = "behind" if facts.ahead > 0 else "ahead of"
        return warning(
            "clock",
            f"This machine's clock is {abs(facts.ahead) / SECOND:,.1f} s {which} the database's, by which engines go: "
            "calling windows open and close by it.",
            "Keep both machines in time, with NTP.",
        )
    return ok("clock", "This machine and the database agree about the time.")
