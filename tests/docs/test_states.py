"""The diagrams are what the code says."""

from __future__ import annotations

import inspect
import re

from docs import make_states
from todoke.model.run import TRANSITIONS
from todoke.store.schema import catalogue, sending


def test_every_diagram_of_the_page_is_drawn_from_the_code() -> None:
    page = make_states.PAGE.read_text(encoding="utf-8")
    assert make_states.filled(page) == page, "run .venv/bin/python docs/make_states.py"


def test_every_diagram_that_can_be_drawn_is_on_the_page() -> None:
    page = make_states.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- states: (\w+) -->", page)) == set(make_states.drawn())


def test_a_changed_table_changes_the_diagram() -> None:
    table = {
        state.value: {event.value: after.value for event, after in TRANSITIONS[state].items()} for state in TRANSITIONS
    }
    before = make_states.diagram(table)
    table["stopped"]["resume"] = "running"
    assert "stopped --> running: resume" in make_states.diagram(table)
    assert "stopped --> running" not in before


def test_states_without_a_table_are_those_that_the_schema_allows() -> None:
    source = inspect.getsource(catalogue) + inspect.getsource(sending)
    for name, table in make_states.KEPT.items():
        (body,) = re.findall(rf"^{name} = Table\(\n(.*?)^\)", source, re.MULTILINE | re.DOTALL)
        allowed = set(re.findall(r"[a-z]+", _said_of_state(source, name, body)))
        named = {state for state in (*table, *(after for moves in table.values() for after in moves.values())) if state}
        assert named <= allowed, name


def _said_of_state(source: str, name: str, body: str) -> str:
    """The comment behind the state's column, or the one above the table."""
    behind = re.search(r'Column\("state".*#(.*)', body)
    if behind:
        return behind[1]
    above = re.search(rf"# state: (.*)\n{name} = Table", source)
    assert above is not None, name
    return above[1]
