from __future__ import annotations

import gzip
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Awaitable[Any]]


async def test_skills(acme: Command) -> None:
    listed = (await acme("skill", "list", "--json")).json
    assert [(row["name"], row["window"], row["transport_code"]) for row in listed] == [
        ("bonus-shift", "08:00-21:00", "15551230001"),
        ("delivery-notice", "08:00-21:00", "72345"),
    ]
    assert "delivery-notice" in (await acme("skill", "list")).out
    shown = (await acme("skill", "show", "bonus-shift", "--json")).json
    assert (shown["template"], shown["template_version"], shown["smart_encoding"]) == ("Bonus shift", 1, True)
    assert "text: {FirstName|Hello}, a bonus" in (await acme("skill", "show", "bonus-shift")).out


async def test_an_import_makes_a_list_and_tells_what_it_refused(agents: Command, folder: Path) -> None:
    (listed,) = (await agents("list", "list", "--json")).json
    assert (listed["name"], listed["state"], listed["contacts"], listed["rejected"]) == ("Agents", "ready", 3, 2)
    shown = (await agents("list", "show", "Agents", "--json")).json
    assert shown["rejections"] == {"phone_not_a_number": 1, "duplicate_external_id": 1}
    assert "FirstName" in shown["fields"]
    rejected = await agents("list", "rejected", "Agents", "--json")
    kept = folder / rejected.json["rejects_path"]
    assert "not a number" in kept.read_text("utf-8-sig")
    assert "this is not a phone number" in (await agents("list", "rejected", "Agents")).out
    assert "merge fields: " in (await agents("list", "show", "Agents")).out


async def test_an_import_says_how_it_read_the_file(acme: Command, folder: Path) -> None:
    (folder / "liste.csv").write_text("Nummer;Name\n+12025550143;Ann\n", encoding="utf-8")
    refused = await acme("import", "liste.csv", "--list", "L")
    assert refused.status == 1
    assert refused.err.startswith("liste.csv, line 1: ")
    preview = await acme("import", "liste.csv", "--list", "L", "--preview", "--generate-external-ids", "--json")
    assert preview.json["delimiter"] == ";"
    options = ("--map", "Nummer=PhoneNumber", "--generate-external-ids", "--json")
    assert (await acme("import", "liste.csv", "--list", "L", "--preview", *options)).json["problem"] is None
    assert (await acme("import", "liste.csv", "--list", "L", *options)).json["contacts"] == 1


async def test_a_preview_tells_how_and_needs_no_database(todoke: Command, folder: Path) -> None:
    (folder / "liste.csv").write_text("id;My mobile is;Name\n1;+12025550143;Ann\n")

    seen = await todoke("import", "liste.csv", "--list", "L", "--preview", "--require", "Name", "--json")
    shown = await todoke("import", "liste.csv", "--list", "L", "--preview")

    assert seen.json["columns"][1] == {
        "header": "My mobile is",
        "field": "SMSPhoneNumber",
        "how": "part",
        "phone": True,
        "required": False,
    }
    assert seen.json["columns"][2]["required"] is True
    assert (seen.json["quote"], seen.json["compression"], seen.json["lines"]) == ('"', "none", [2])
    assert "by a part of its header" in seen.json["warnings"][0]
    assert "by a part of its header" in shown.err
    assert "synonym" in shown.out
    assert (await todoke("import", "liste.csv", "--list", "L", "--preview", "--mapping", "x")).status == 1


async def test_a_mapping_is_saved_suggested_used_and_deleted(acme: Command, folder: Path) -> None:
    (folder / "a.csv").write_text("Nr;Handy;Bonus\n1;202-555-0143;x\n2;202-555-0144;\n")
    options = ("--map", "Nr=ExternalId", "--require", "Bonus", "--encoding", "utf-8")
    made = await acme("import", "a.csv", "--list", "A", *options, "--save-mapping", "staff", "--json")
    assert made.json["reasons"] == {"missing_required_value": 1}
    assert [row["name"] for row in (await acme("mapping", "list", "--json")).json] == ["staff"]
    kept = (await acme("mapping", "show", "staff", "--json")).json
    assert kept["reading"] == {
        "fields": {"Nr": "ExternalId", "Handy": "SMSPhoneNumber", "Bonus": "Bonus"},
        "encoding": "utf-8",
        "required": ["Bonus"],
    }
    assert "required: Bonus" in (await acme("mapping", "show", "staff")).out
    assert "staff" in (await acme("mapping", "list")).out
    preview = ("import", "a.csv", "--list", "B", "--preview")
    assert (await acme(*preview, "--json")).json["suggested"] == ["staff"]
    assert "--mapping 'staff'" in (await acme(*preview)).out
    used = await acme("import", "a.csv", "--list", "B", "--mapping", "staff", "--json")
    assert (used.json["contacts"], used.json["rejected"]) == (1, 1)
    other = ("import", "a.csv", "--list", "C", "--map", "Nr=ExternalId", "--save-mapping", "staff")
    refused = await acme(*other)
    assert (refused.status, "another saved mapping 'staff'" in refused.err) == (1, True)
    assert (await acme("list", "list", "--json")).json[0]["name"] == "B"
    (folder / "b.csv").write_text("Nr;Handy\n1;202-555-0143\n")
    lacking = await acme("import", "b.csv", "--list", "C", "--mapping", "staff")
    assert "the column 'Bonus', which this one lacks" in lacking.err
    assert (await acme("mapping", "delete", "staff")).out == "staff: deleted\n"
    assert (await acme("mapping", "show", "staff")).status == 1


async def test_a_dry_run_makes_no_list_and_tells_what_it_would_take(acme: Command, folder: Path) -> None:
    rows = "".join(f"{i},Ann,+1202555{100 + i:04}\n" for i in range(40))
    (folder / "a.csv").write_text(f"Id,First name,Mobile\n{rows}x,Bob,12345\n")
    skill = (await acme("skill", "list", "--json")).json[0]["name"]
    command = ("import", "a.csv", "--list", "A", "--dry-run", "--skill", skill)

    told = await acme(*command, "--json")
    shown = await acme(*command, "--text", "Hello {FirstName}")

    assert (told.json["contacts"], told.json["reasons"]) == (40, {"phone_too_short": 1})
    assert told.json["estimate"]["exact"] is True
    assert told.json["estimate"]["time"]["binding"] == "pace"
    assert Path(told.json["rejects_path"]).name == "Acme-A-dry-run-rejected.csv"
    assert "40 contacts would be accepted, 1 rows rejected; nothing is imported" in shown.out
    assert "segments: 40; a message has 1 to 1, 1.00 on average" in shown.out
    assert "encoding: 100.0% GSM-7" in shown.out
    assert "may be in" in shown.out
    assert "time to send: " in shown.out
    assert "Nothing else uses the code" in shown.out
    assert (await acme("list", "list", "--json")).json == []
    assert (await acme("import", "a.csv", "--list", "A")).status == 0
    estimate = ("skill", "estimate", skill, "--list", "A")
    of_list = await acme(*estimate, "--json")
    assert {**of_list.json, "waiting": 0} == {**told.json["estimate"], "waiting": 0}  # the hour may have changed
    assert "texted: 40 of 40 contacts" in (await acme(*estimate)).out
    assert (await acme("dnc", "add", "+12025550101")).status == 0
    some = (*estimate, "--filter", '@number < "12025550110"')
    assert (await acme(*some, "--json")).json["skipped"] == {"filtered": 30, "dnc": 1}
    shown = (await acme(*some)).out
    assert "texted: 9 of 40 contacts" in shown
    assert "the filter does not take the contact" in shown
    assert "the number is on a do-not-call list" in shown
    assert (await acme(*estimate, "--filter", "Nome is empty")).err.startswith(
        "filter, column 1: The list has no field"
    )
    assert (await acme("list", "deactivate", "A")).status == 0
    assert "The list is inactive" in (await acme(*estimate)).out
    refused = await acme("import", "a.csv", "--list", "B", "--skill", skill)
    assert (refused.status, "for a dry run" in refused.err) == (1, True)


async def test_a_list_from_standard_input(acme: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(gzip.compress(b"Id,Mobile\n1,+12025550143\n2,12345\n"))

    monkeypatch.setattr("sys.stdin", Stdin)
    done = await acme("import", "-", "--list", "A", "--json")

    assert (done.json["contacts"], done.json["rejected"]) == (1, 1)
    assert done.json["rejects_path"].endswith("-rejected.csv.gz")
    assert (await acme("list", "show", "A", "--json")).json["source"] == "standard input"
    assert (await acme("list", "rejected", "A", "--json")).json["rejects_path"] == done.json["rejects_path"]
    assert not list(folder.rglob("upload-*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("gone.csv",), "gone.csv: "),
        (("list.csv", "--map", "Name"), "--map: 'Name' does not say which field a column is. Write HEADER=FIELD."),
        (("list.csv", "--business-unit", "Acne"), "There is no business unit 'Acne'. Did you mean 'Acme'?"),
    ],
)
async def test_an_import_that_cannot_be(acme: Command, folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    (folder / "list.csv").write_text("ExternalId,PhoneNumber,Name\n1,+12025550143,Ann\n")
    result = await acme("import", *arguments, "--list", "L")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(sentence)
    assert (await acme("list", "list", "--json")).json == []


OF_A_UNIT = [
    ("mapping", "list"),
    ("mapping", "show", "x"),
    ("mapping", "delete", "x"),
    ("skill", "list"),
    ("skill", "show", "x"),
    ("skill", "start", "x", "--list", "y"),
    ("skill", "estimate", "x", "--list", "y"),
    ("send", "--list", "y", "--text", "x"),
    ("run", "list"),
    ("run", "show", "1"),
    ("run", "watch", "1"),
    ("run", "pause", "1"),
    ("run", "resume", "1"),
    ("run", "stop", "1"),
    ("list", "list"),
    ("list", "show", "x"),
    ("list", "rejected", "x"),
    ("dnc", "add", "+12025550143"),
    ("dnc", "remove", "+12025550143"),
    ("dnc", "check", "+12025550143"),
    ("dnc", "list"),
    ("report", "1"),
]


async def test_with_several_units_every_command_wants_to_know_which(besto: Command) -> None:
    for arguments in OF_A_UNIT:
        result = await besto(*arguments)
        assert (result.status, result.out) == (1, ""), arguments
        assert result.err == (
            "There are several business units. Say which one with --business-unit: 'Acme', 'Besto'.\n"
        )
        unknown = await besto(*arguments, "--business-unit", "Beste")
        assert (unknown.status, unknown.err) == (1, "There is no business unit 'Beste'. Did you mean 'Besto'?\n")


async def test_another_units_names_are_unknown(agents: Command, besto: Command) -> None:
    for arguments, sentence in [
        (("skill", "show", "bonus-shift"), "There is no skill 'bonus-shift'."),
        (("skill", "start", "bonus-shift", "--list", "Agents"), "There is no skill 'bonus-shift'."),
        (("send", "--list", "Agents", "--text", "x"), "There is no list 'Agents'."),
        (("list", "show", "Agents"), "There is no list 'Agents'."),
        (("dnc", "list", "--group", "Acme shifts"), "There is no DNC group 'Acme shifts'."),
    ]:
        result = await besto(*arguments, "-b", "Besto")
        assert (result.status, result.out) == (1, ""), arguments
        assert result.err.startswith(sentence)
    assert (await besto("skill", "list", "-b", "Besto", "--json")).json == []


async def test_migrate(todoke: Command, folder: Path) -> None:
    first = await todoke("migrate")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("sqlite:///todoke-data/todoke.db has the schema ")
    assert (await todoke("migrate")).out == first.out
