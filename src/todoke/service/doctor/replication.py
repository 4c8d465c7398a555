"""What a fail-over of PostgreSQL would lose.

A standby that follows asynchronously lags. Promoted, it does not know the last commits: cursors stand where they stood
before, and what was sent since is sent again. Whether a standby is there to be promoted, or only to be read from, the
database cannot tell. What tells is an address that names several servers: its engines follow a fail-over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from todoke.service.doctor.finding import Finding, Level, count, error, ok, warning
from todoke.store.server import ServerFacts, Standby

CHECK = "replication"
_ALONE = ("off", "local")  # levels of synchronous_commit that wait for no standby
_FIX = (
    "Set synchronous_standby_names on the server, or say accept_async_replication = true if people may be texted twice."
)


def waits(facts: ServerFacts) -> bool:
    """Whether a commit waits for a standby."""
    return (
        bool(facts.setting("synchronous_standby_names").strip()) and facts.setting("synchronous_commit") not in _ALONE
    )


def judge(facts: ServerFacts, hosts: int, *, accepted: bool) -> Finding:
    """`hosts`: how many servers the address names; `accepted`: the setting accept_async_replication."""
    return _synchronous(facts) if waits(facts) else _asynchronous(facts, hosts, accepted=accepted)


def _asynchronous(facts: ServerFacts, hosts: int, *, accepted: bool) -> Finding:
    standbys = facts.standbys
    if hosts > 1:
        why = "no standby is synchronous"
        if facts.setting("synchronous_standby_names").strip():
            why = f"synchronous_commit is {facts.setting('synchronous_commit')}, so that no commit waits for a standby"
        level = Level.WARNING if accepted else Level.ERROR
        sentence = (
            f"The address names {hosts} servers, so engines follow a fail-over, and {why}: a fail-over forgets the "
            "last commits, and what they had sent would be sent again."
        )
        return Finding(CHECK, level, sentence, "Set synchronous_standby_names on the server." if accepted else _FIX)
    if standbys:
        return warning(
            CHECK,
            f"{count(len(standbys), 'standby', 'standbys')} follow{'s' if len(standbys) == 1 else ''} asynchronously"
            f"{_names(standbys)}: if one is promoted, the last commits are forgotten, and what they had sent would be "
            "sent again.",
            "Set synchronous_standby_names on the server, or never promote it: a standby for reading only is fine.",
        )
    return ok(CHECK, "No standby follows this server.")


def _synchronous(facts: ServerFacts) -> Finding:
    named = facts.setting("synchronous_standby_names").strip()
    if any(not standby.sync_state for standby in facts.standbys):
        return warning(
            CHECK,
            "Our role may not see whether the synchronous standby is connected.",
            "Allow it on the server: GRANT pg_read_all_stats TO the role.",
        )
    there = [standby for standby in facts.standbys if standby.sync_state in ("sync", "quorum")]
    needed = wanted(named)
    if len(there) < needed:
        return error(
            CHECK,
            f"Commits wait for {count(needed, 'standby', 'standbys')} ({named}), and {len(there)} "
            f"{'is' if len(there) == 1 else 'are'} connected: nothing can be written.",
            "Start the standby, or correct synchronous_standby_names on the server.",
        )
    if facts.setting("synchronous_commit") == "remote_write":
        return warning(
            CHECK,
            "synchronous_commit is remote_write: a commit is confirmed before the standby has it on its disk, and lost "
            "where both machines fail at once.",
            "Set synchronous_commit = on.",
        )
    others = [standby for standby in facts.standbys if standby not in there]
    never = f" Never promote another one{_names(others)}: it may lag." if others else ""
    return ok(CHECK, f"Commits wait for a standby{_names(there)}.{never}")


def wanted(names: str) -> int:
    """How many standbys a commit waits for: `a, b` is 1, `FIRST 2 (a, b, c)` and `ANY 2 (...)` are 2."""
    found = re.match(r"\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(", names, re.IGNORECASE)
    return int(found[1]) if found else 1


def _names(standbys: Iterable[Standby]) -> str:
    known = sorted({standby.name for standby in standbys if standby.name})
    return f" ({', '.join(known)})" if known else ""
