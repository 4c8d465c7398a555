"""Draws the diagrams of docs/states.md from the state tables in the code.

    python docs/make_states.py            write them into the file
    python docs/make_states.py --check    exit with status 1 where the file differs

A diagram stands between `<!-- states: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from todoke.model import list_import, run
from todoke.model.event import WHOLE, Event, Kind, State, fold
from todoke.smpp.session import state as session

PAGE = Path(__file__).parent / "states.md"
START = "[*]"

Table = Mapping[str, Mapping[str, str]]
"""{state: {event: next state}}"""

# Rows whose state the statements of the store move: there is no table of them in the code. A test compares the names
# with those that the schema allows. "" is the row that is not there.
KEPT: dict[str, Table] = {
    "calling_list": {
        "": {"import begins": "importing", "a standing run begins": "standing"},
        "importing": {
            "last contact written": "ready",
            "last contact written, for another list": "staged",
            "import failed": "",
        },
        "staged": {"merged into that list": ""},
        "ready": {"delete": "deleted"},
        "deleted": {"restore": "ready", "10 days later": "removed"},
        "removed": {},
        "standing": {},
    },
    "engine": {
        "": {"starts": "alive"},
        "alive": {"stops, or its journal is found free": "gone"},
        "gone": {"its rows are told apart": "recovered"},
        "recovered": {},
    },
    "block": {
        "": {"positions leased": "open"},
        "open": {"every position has its outcome": "closed", "recovered": "closed"},
        "closed": {},
    },
    "due": {
        "": {"held, retried or given back": "ready"},
        "ready": {"run paused": "parked", "taken": "", "run stopped or expired": ""},
        "parked": {"run resumed": "ready", "run stopped or expired": ""},
    },
}


def drawn() -> dict[str, str]:
    """Every diagram by name, as Mermaid."""
    diagrams = {"run": diagram(run_table()), "message": diagram(message_table()), "import": diagram(import_table())}
    diagrams["session"] = diagram(session_table())
    return diagrams | {name: diagram(table) for name, table in KEPT.items()}


def run_table() -> Table:
    """The states of a skill run."""
    table = {state.value: {event.value: after.value for event, after in moves.items()} for state, moves in _runs()}
    return {"": {"start": run.RunState.RUNNING.value}, **table}


def _runs() -> list[tuple[run.RunState, dict[run.RunEvent, run.RunState]]]:
    return list(run.TRANSITIONS.items())


def import_table() -> Table:
    """The states of an import."""
    moves = list_import.TRANSITIONS.items()
    table = {state.value: {event.value: after.value for event, after in ways.items()} for state, ways in moves}
    return {"": {"begin": list_import.ImportState.RUNNING.value}, **table}


def session_table() -> Table:
    """The states of an SMPP session."""
    table = {
        state.value: {move.value: after.value for move, after in moves.items() if after is not state}
        for state, moves in session.TRANSITIONS.items()
    }
    return {"": {"connect": session.State.OPEN.value}, **table}


def message_table() -> Table:
    """What each event makes of a message of one segment: every order of events is folded, and what moves is kept."""
    table: dict[str, dict[str, str]] = {"": {"contact of a run": State.WAITING.value}}
    table |= {state.value: {} for state in State}
    todo: list[frozenset[Kind]] = [frozenset()]
    seen = set(todo)
    while todo:
        known = todo.pop()
        before = fold(map(_event, known)).state
        for kind in Kind:
            # What goes no further goes no further; and only what waits can be cut short.
            if known & WHOLE or (kind in WHOLE and before is not State.WAITING):
                continue
            after = known | {kind}
            state = fold(map(_event, after)).state
            if state is not before:
                table[before.value][kind.name.lower()] = state.value
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return table


def _event(kind: Kind) -> Event:
    return Event(1, 0 if kind in WHOLE else 1, 0, kind, int(kind), 1)


def diagram(table: Table) -> str:
    """The table as a Mermaid state diagram; events that lead the same way share an arrow."""
    lines = ["stateDiagram-v2"]
    for state, moves in table.items():
        ways: dict[str, list[str]] = {}
        for event, after in moves.items():
            ways.setdefault(after, []).append(event.replace("_", " "))
        for after, events in ways.items():
            lines.append(f"    {state or START} --> {after or START}: {', '.join(events)}")
        if not moves:
            lines.append(f"    {state} --> {START}")
    return "\n".join(lines)


def filled(page: str) -> str:
    """The page with every diagram as the code has it; ValueError for a mark that nothing draws."""
    diagrams = drawn()

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name not in diagrams:
            raise ValueError(f"{PAGE.name}: nothing draws {name!r}; there are {', '.join(diagrams)}")
        return f"<!-- states: {name} -->\n```mermaid\n{diagrams[name]}\n```\n<!-- end -->"

    return re.sub(r"<!-- states: (\w+) -->\n.*?<!-- end -->", fill, page, flags=re.DOTALL)


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    wanted = filled(page)
    if "--check" in arguments:
        if page != wanted:
            sys.stderr.write(f"{PAGE} is not what the code says; run python docs/make_states.py\n")
        return int(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
