"""Who sends: engines that live, engines that died and are not recovered, codes that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from todoke.model.clock import SECOND, Micros
from todoke.service.doctor.finding import Finding, count, ok, warning
from todoke.store.hot.base import EngineRow

_SHOWN = 5


def living(engines: Sequence[EngineRow], open_runs: int, now: Micros) -> Finding:
    """Is there one, where there is something to do?"""
    alive = sum(engine.state == "alive" and engine.lease_until >= now for engine in engines)
    if not alive and open_runs:
        return warning("engines", f"No engine runs, and {count(open_runs, 'run')} would go on.", "Start todoke engine.")
    return ok("engines", f"{count(alive, 'engine')} running." if alive else "No engine runs, and no run is open.")


def dead(engines: Sequence[EngineRow], now: Micros, host: str) -> list[Finding]:
    """What they took waits for recovery. `host`: this machine, where the journals of its engines can be looked for."""
    found: list[Finding] = []
    for engine in engines:
        if engine.state == "alive" and engine.lease_until >= now:
            continue
        ago = max(0, now - engine.lease_until) // SECOND
        lost = engine.host == host and not Path(engine.journal).exists()
        sentence = f"Engine {engine.id} on {engine.host} is dead (its lease ended {ago:,} s ago) and not recovered."
        if lost:
            sentence += " Its journal is gone: what it had reserved will be in doubt."
        fix = (
            f"Start an engine on {engine.host}: only there its journal tells what was sent. Else any engine closes the "
        )
        found.append(warning("engines", sentence, fix + "rest ten minutes after the lease ended, with more in doubt."))
    return found


def lanes(idle: Sequence[str], engines: Sequence[EngineRow], now: Micros) -> list[Finding]:
    """`idle`: codes that no living engine has."""
    alive = any(engine.state == "alive" and engine.lease_until >= now for engine in engines)
    if not idle or not alive:
        return []
    names = ", ".join(idle[:_SHOWN]) + (f" and {len(idle) - _SHOWN} more" if len(idle) > _SHOWN else "")
    return [
        warning(
            "lanes",
            f"No engine has {'this code' if len(idle) == 1 else 'these codes'}: {names}.",
            "Look into the engines' logs: a provider that cannot be used is said there.",
        )
    ]
