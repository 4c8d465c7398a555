from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Awaitable[Any]]


async def test_a_file_of_numbers_goes_in_and_comes_out(acme: Command, folder: Path) -> None:
    (folder / "stop.csv").write_text("Phone,Expires\n202-555-0143,\n202-555-0144,2090-01-31\nnobody,\n")
    done = await acme("dnc", "import", "stop.csv", "--reason", "ticket 7")
    assert done.status == 0, done.err
    assert "Acme do not call: 2 added, 0 extended, 0 there already" in done.out
    assert "3 processed, 2 valid (0 of them twice in the file), 1 invalid" in done.out
    again = (await acme("dnc", "import", "stop.csv", "--json")).json
    assert (again["present"], again["invalid"], again["reasons"]) == (2, 1, {"phone_not_a_number": 1})
    assert "nobody" in (folder / again["rejects_path"]).read_text("utf-8")
    newest, first = (await acme("dnc", "uploads", "--json")).json
    assert (first["state"], first["added"], first["reason"], newest["present"]) == ("done", 2, "ticket 7", 2)
    assert "stop.csv" in (await acme("dnc", "uploads", "--group", "Acme do not call")).out
    assert (await acme("dnc", "export", "--out", "out.csv")).status == 0
    lines = (folder / "out.csv").read_text().splitlines()
    assert lines[0] == "phone,source,since,expires"
    assert [line.split(",")[0] for line in lines[1:]] == ["+12025550143", "+12025550144"]
    assert lines[2].endswith(",2090-02-01T00:00:00.000Z")
    assert (await acme("dnc", "import", "out.csv", "--json")).json["present"] == 2
    assert (await acme("dnc", "export")).out.splitlines() == lines


async def test_the_history_of_a_number_and_of_a_group(acme: Command, folder: Path) -> None:
    (folder / "stop.txt").write_text("2025550143\n")
    await acme("dnc", "import", "stop.txt", "--expires", "30d")
    await acme("dnc", "add", "2025550143", "--reason", "she called")
    await acme("dnc", "remove", "2025550143", "--reason", "she came back")
    rows = (await acme("dnc", "history", "2025550143", "--json")).json
    assert [(row["change"], row["source"], row["reason"]) for row in rows] == [
        ("added", "upload", "todoke dnc import stop.txt"),
        ("extended", "person", "she called"),
        ("removed", "person", "she came back"),
    ]
    assert all(row["who"] for row in rows)
    changes = (await acme("dnc", "history", "--json")).json
    assert [row["change"] for row in changes] == ["removed", "extended", "uploaded"]
    assert "she came back" in (await acme("dnc", "history")).out
    assert (await acme("dnc", "history", "2025550199")).out == "Nothing has changed.\n"


async def test_an_entry_with_an_end(acme: Command) -> None:
    await acme("dnc", "add", "2025550143", "--expires", "2090-01-31", "--group", "Acme shifts")
    (row,) = (await acme("dnc", "check", "2025550143", "--json")).json
    assert (row["group"], row["expires_at"]) == ("Acme shifts", "2090-02-01T00:00:00.000Z")
    (listed,) = (await acme("dnc", "list", "--group", "Acme shifts", "--json")).json
    assert listed == row


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("dnc", "add", "2025550143", "--expires", "soon"), "'soon' is no moment. Write a date such as"),
        (("dnc", "add", "2025550143", "--expires", "2001-01-01"), "--expires: 2001-01-01 is in the past."),
        (("dnc", "import", "gone.csv"), "gone.csv: There is no such file."),
        (("dnc", "import", "names.csv"), "names.csv, line 1: No column holds phone numbers."),
        (("suppress", "add"), "There is nobody."),
        (("suppress", "add", "2025550143", "--for", "soon"), "--for: 'soon' is no span of time."),
        (("suppress", "add", "2025550143", "--for", "91d"), "A suppression of 2184 hours is not possible."),
        (("list", "cap", "Agents", "often"), "'often' is not a frequency cap. Write it as"),
    ],
)
async def test_what_cannot_be_done_is_told(
    agents: Command, folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (folder / "names.csv").write_text("first,last\nAnn,Lee\n")
    result = await agents(*arguments)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(sentence)


async def test_suppressions_come_and_go(acme: Command) -> None:
    added = await acme("suppress", "add", "2025550143", "--external-id", "a7", "--for", "7d", "--reason", "on leave")
    assert added.out.startswith("2 suppressed until ")
    await acme("suppress", "add", "2025550144", "--skill", "bonus-shift")
    rows = (await acme("suppress", "list", "--json")).json
    assert [(row["phone"], row["external_id"], row["skill"], row["reason"]) for row in rows] == [
        ("+12025550144", None, "bonus-shift", ""),
        ("+12025550143", None, None, "on leave"),
        (None, "a7", None, "on leave"),
    ]
    assert (await acme("suppress", "remove", "2025550143", "--external-id", "a7")).out == "2 ended\n"
    assert len((await acme("suppress", "list", "--json")).json) == 1
    assert "on leave" in (await acme("suppress", "list", "--all")).out
    assert (await acme("suppress", "remove", "2025550144", "--skill", "bonus-shift")).out == "1 ended\n"
    assert (await acme("suppress", "list")).out == "Nobody is suppressed.\n"


async def test_a_list_is_capped(agents: Command) -> None:
    assert (await agents("list", "cap", "Agents", "2 per week")).out == "Agents: at most 2 in 7 days to one number\n"
    assert (await agents("list", "cap", "Agents")).out == "Agents: no frequency cap\n"


async def test_groups_and_caps_are_declared(acme: Command, folder: Path) -> None:
    text = (Path(__file__).parents[2] / "examples" / "acme.toml").read_text(encoding="utf-8")
    more = 'scrub = ["Acme shifts"]\ncap = "1 per day"\ncontribute = ["Acme shifts", "Acme do not call"]'
    text = text.replace('name = "bonus-shift"', f'name = "bonus-shift"\n{more}')
    (folder / "more.toml").write_text(text, encoding="utf-8")
    changed = await acme("apply", "more.toml")
    assert changed.status == 0, changed.err
    assert "scrub" in changed.out
    assert "1 in 24 hours" in changed.out
    again = await acme("apply", "more.toml")
    assert "scrub" not in again.out
    (folder / "wrong.toml").write_text(text.replace('"Acme shifts"]\ncap = "1 per day"', '"Nobody"]\ncap = "often"'))
    wrong = await acme("apply", "wrong.toml")
    assert wrong.status == 1
    assert "is not a frequency cap" in wrong.err
