"""Filters from the command line: counted, started with, changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Awaitable[Any]]


async def test_what_a_filter_wants_is_counted(agents: Command) -> None:
    fields = (await agents("list", "show", "Agents", "--json")).json["fields"]
    assert "FirstName" in fields
    counted = (await agents("list", "count", "Agents", "--filter", "FirstName is not empty", "--json")).json
    assert counted["contacts"] == 3
    assert (await agents("list", "count", "Agents", "--filter", "FirstName is empty")).out == (
        f"{3 - counted['wanted']} of 3 contacts\n"
    )
    refused = await agents("list", "count", "Agents", "--filter", 'FirstNam = "x"')
    assert refused.status == 1
    assert "filter, column 1: The list has no field 'FirstNam'. Did you mean 'FirstName'?" in refused.err


async def test_a_run_is_started_with_a_filter(agents: Command) -> None:
    options = ("--filter", "FirstName is not empty", "--order", "FirstName desc", "--json")
    started = await agents("skill", "start", "bonus-shift", "--list", "Agents", *options)
    assert started.json["selecting"] is True, started.err
    shown = (await agents("run", "show", str(started.json["run"]), "--json")).json
    assert shown["selection"] == {
        "filter": "FirstName is not empty",
        "order": ["FirstName desc"],
        "state": "making",
        "read": 0.0,
    }
    assert "filter: FirstName is not empty" in (await agents("run", "show", str(started.json["run"]))).out
    refused = await agents("skill", "start", "bonus-shift", "--list", "Agents", "--order", "FirstName down")
    assert refused.status == 1
    assert refused.err.startswith("order, key 1: 'down' is not expected.")


async def test_a_skill_gets_another_filter(agents: Command) -> None:
    run = (await agents("skill", "start", "bonus-shift", "--list", "Agents", "--json")).json["run"]
    done = await agents(
        "skill", "filter", "bonus-shift", "--filter", "FirstName is not empty", "--apply", "stop", "--json"
    )
    assert done.json == {"filter": "FirstName is not empty", "order": [], "runs": [run], "paused": True}
    assert (await agents("run", "show", str(run), "--json")).json["state"] == "paused"
    preview = (await agents("skill", "preview", "bonus-shift", "--list", "Agents", "--json")).json
    assert preview["contacts"] == 3
    refused = await agents("skill", "filter", "bonus-shift", "--filter", "Nope = 1", "--apply", "hold")
    assert refused.status == 1
    assert f"run {run}: filter, column 1" in refused.err
    shown = (await agents("skill", "show", "bonus-shift", "--json")).json
    assert (shown["filter"], shown["order"]) == ("FirstName is not empty", [])
    cleared = await agents("skill", "filter", "bonus-shift", "--filter", "")
    assert "filter: none, all contacts" in cleared.out


async def test_a_filter_is_declared(todoke: Command, folder: Path) -> None:
    declared = (Path(__file__).parents[2] / "examples" / "acme.toml").read_text("utf-8")
    skill = '[[skill]]\nname = "delivery-notice"'
    assert skill in declared
    keys = """filter = 'Score >= 10 and State in ("FL", "GA")'\norder = ["Score desc"]"""
    (folder / "with.toml").write_text(declared.replace(skill, f"{skill}\n{keys}"), encoding="utf-8")
    assert (await todoke("apply", "with.toml")).status == 0
    shown = (await todoke("skill", "show", "delivery-notice", "--json")).json
    assert (shown["filter"], shown["order"]) == ('Score >= 10 and State in ("FL", "GA")', ["Score desc"])
    assert (await todoke("apply", "with.toml")).out == "= 11 unchanged\n"
    (folder / "wrong.toml").write_text(declared.replace(skill, f"{skill}\nfilter = 'State = FL'"), encoding="utf-8")
    wrong = await todoke("apply", "wrong.toml")
    assert wrong.status == 1
    assert "In column 9: 'FL' is no value. A text stands in quotes" in wrong.err
