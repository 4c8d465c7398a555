from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import EXAMPLE

Command = Callable[..., Awaitable[Any]]

BONUS = ("skill", "start", "bonus-shift", "--list", "Agents")


@pytest.fixture
async def agents(agents: Command, folder: Path) -> Command:
    """Acme's agents may be texted at any hour, so that the hour of these tests does not matter."""
    any_hour = 'window = "00:00-24:00"\nrule_pack = "none"\nsmart_encoding = true'
    (folder / "any-hour.toml").write_text(
        EXAMPLE.read_text(encoding="utf-8").replace("smart_encoding = true", any_hour)
    )
    assert (await agents("apply", "any-hour.toml")).status == 0
    return agents


async def test_a_skill_is_started_paused_resumed_and_stopped(agents: Command) -> None:
    started = await agents(*BONUS)
    assert (started.status, started.out, started.err) == (0, "run 1: 3 contacts\n", "")
    assert (await agents("run", "pause", "1", "--reason", "lunch")).out == "run 1: paused\n"
    assert (await agents("run", "pause", "1", "--reason", "dinner")).out == "run 1: paused\n"
    assert (await agents("run", "resume", "1")).out == "run 1: running\n"
    refused = await agents("run", "resume", "1")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err == ("A run that is running cannot be made to resume. Possible now: pause, stop, force stop.\n")
    assert (await agents("run", "stop", "1", "--force")).out == "run 1: stopping\n"
    shown = (await agents("run", "show", "1", "--json")).json
    assert (shown["state"], shown["contacts"], shown["stopped"], shown["waiting"]) == ("stopping", 3, 3, 0)
    history = [(step["new"], step["reason"]) for step in shown["history"]]
    assert history[1:4] == [("paused", "lunch"), ("paused", "dinner"), ("running", "")]
    text = (await agents("run", "show", "1")).out
    assert "run 1: bonus-shift over Agents, stopping" in text
    assert "running -> paused (lunch)" in text


async def test_runs_are_listed(agents: Command) -> None:
    for arguments in (BONUS, (*BONUS, "--text", "{FirstName|Hello}, come in.")):
        assert (await agents(*arguments)).status == 0
    await agents("run", "stop", "1")
    listed = (await agents("run", "list", "--json")).json
    assert [(row["run"], row["skill"], row["calling_list"], row["contacts"]) for row in listed] == [
        (2, "bonus-shift", "Agents", 3),
        (1, "bonus-shift", "Agents", 3),
    ]
    assert [row["run"] for row in (await agents("run", "list", "--json", "--limit", "1")).json] == [2]
    assert "bonus-shift" in (await agents("run", "list", "--open")).out


async def test_a_list_is_texted_at_once(agents: Command) -> None:
    several = await agents("send", "--list", "Agents", "--text", "Come in.")
    assert several.status == 1
    assert several.err == ("Acme has several transport codes. Say which one with --code: '15551230001', '72345'.\n")
    any_time = ("--window", "00:00-24:00", "--rule-pack", "none")  # so that the hour of this test does not matter
    sent = await agents("send", "--list", "Agents", "--text", "Come in.", "--code", "72345", *any_time, "--json")
    assert sent.json == {"run": 1, "contacts": 3, "warnings": [], "selecting": False}
    shown = (await agents("run", "show", "1", "--json")).json
    assert (shown["text"], shown["transport_code"]) == ("Come in.", "72345")


async def test_what_cannot_be_sent_is_said_before_it_starts(agents: Command) -> None:
    code = ("--code", "72345")
    for text, part in [
        ("Hi {Frist name}", "has no field for {Frist name}"),
        ("Hi {", "the { is never closed"),
        (" ", "The text is empty."),
    ]:
        result = await agents("send", "--list", "Agents", "--text", text, *code)
        assert (result.status, result.out) == (1, "")
        assert part in result.err
    window = await agents("send", "--list", "Agents", "--text", "x", *code, "--window", "late")
    assert window.err == "'late' is not a calling window. Write it as 08:00-21:00; 00:00-24:00 is all day.\n"
    rules = await agents("send", "--list", "Agents", "--text", "x", *code, "--rule-pack", "texas")
    assert rules.err == "'texas' is no rule pack. Use auto, none, or a jurisdiction such as US-TX.\n"
    close = await agents("skill", "start", "bonus", "--list", "Agents")
    assert close.err == "There is no skill 'bonus'. Did you mean 'bonus-shift'?\n"
    close = await agents("skill", "start", "bonus-shift", "--list", "agent")
    assert close.err == "There is no list 'agent'. Did you mean 'Agents'?\n"
    assert (await agents("run", "list", "--json")).json == []


async def test_an_empty_field_is_a_warning(agents: Command) -> None:
    started = await agents(*BONUS, "--text", "Hi {FirstName}")
    assert (started.status, started.out) == (0, "run 1: 3 contacts\n")
    assert started.err.startswith("warning: {FirstName} is empty for 1 of the first 3 contacts; they are skipped.")


async def test_a_stopped_run_is_watched_and_reported(agents: Command) -> None:
    await agents(*BONUS)
    await agents("run", "stop", "1")
    report = (await agents("report", "1", "--json")).json
    assert (report["accepted"], report["rejected"], report["contacts"], report["handed_over"]) == (3, 2, 3, 0)
    assert {line["reason"]: line["count"] for line in report["rejections"]} == {
        "phone_not_a_number": 1,
        "duplicate_external_id": 1,
    }
    stopped = next(outcome for outcome in report["outcomes"] if outcome["state"] == "stopped")
    assert (stopped["messages"], stopped["share"]) == (3, 1.0)
    assert [line["sentence"] for line in stopped["reasons"]] == ["the run was stopped before its turn"]
    text = (await agents("report", "1")).out
    assert "list: 3 contacts accepted, 2 rows rejected" in text
    assert "messages: 0 of 3 handed over as 0 segments" in text


async def test_another_units_run_is_unknown(agents: Command, besto: Command) -> None:
    assert (await agents(*BONUS, "-b", "Acme")).status == 0
    for arguments in (
        ("run", "show", "1"),
        ("run", "watch", "1"),
        ("run", "pause", "1"),
        ("run", "resume", "1"),
        ("run", "stop", "1"),
        ("report", "1"),
    ):
        result = await besto(*arguments, "-b", "Besto")
        assert (result.status, result.out, result.err) == (
            1,
            "",
            "There is no run 1. See the runs with todoke run list.\n",
        )
    assert (await besto("run", "list", "-b", "Besto", "--json")).json == []
    assert (await agents("run", "show", "1", "-b", "Acme", "--json")).json["state"] == "running"


async def test_numbers_go_on_and_off_a_group(acme: Command, folder: Path) -> None:
    added = await acme("dnc", "add", "+1 (202) 555-0143", "202-555-0144", "2025550144")
    assert (added.status, added.out) == (0, "2 on Acme do not call\n")
    listed = (await acme("dnc", "list", "--json")).json
    assert [(row["phone"], row["group"]) for row in listed] == [
        ("+12025550143", "Acme do not call"),
        ("+12025550144", "Acme do not call"),
    ]
    (folder / "numbers.txt").write_text("+12025550143\n\n+12025550149\n")
    assert (await acme("dnc", "add", "--file", "numbers.txt", "--group", "Acme shifts")).out == "2 on Acme shifts\n"
    groups = [row["group"] for row in (await acme("dnc", "check", "202 555 0143", "--json")).json]
    assert groups == ["Acme do not call", "Acme shifts"]
    assert (await acme("dnc", "remove", "+12025550143")).out == "1 off Acme do not call\n"
    assert [row["group"] for row in (await acme("dnc", "check", "+12025550143", "--json")).json] == ["Acme shifts"]
    assert "1 of 2 numbers" in (await acme("dnc", "list", "--group", "Acme shifts", "--limit", "1")).out
    assert (await acme("dnc", "check", "+12025550111")).out == "+12025550111 is on no DNC group.\n"


async def test_a_number_that_is_none_stops_all_of_them(acme: Command, folder: Path) -> None:
    (folder / "numbers.txt").write_text("+12025550143\nhello\n")
    result = await acme("dnc", "add", "--file", "numbers.txt")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("numbers.txt:2: ")
    assert result.err.endswith(" Write it with its country code, such as +15551234567.\n")
    assert (await acme("dnc", "list", "--json")).json == []
    assert (await acme("dnc", "add")).err == "There is no number. Give numbers, or a file with --file.\n"
    assert (await acme("dnc", "add", "--file", "gone.txt")).err == "gone.txt: There is no such file.\n"
