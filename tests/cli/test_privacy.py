from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command

NUMBER = "+12025550143"  # a1, Ann


async def test_one_person_out_and_gone(agents: Command, folder: Path) -> None:
    await agents("dnc", "add", NUMBER)
    result = await agents("privacy", "export", NUMBER, "--out", "ann.json")
    assert result.status == 0, result.err
    document = json.loads(Path("ann.json").read_text(encoding="utf-8"))
    assert [contact["fields"]["FirstName"] for contact in document["contacts"]] == ["Ann"]
    assert [entry["group"] for entry in document["do_not_call"]] == ["Acme do not call"]
    assert Path("ann.json").stat().st_mode & 0o777 == 0o600
    assert (await agents("privacy", "export", NUMBER, "--out", "ann.json")).status == 1, "no file is overwritten"

    result = await agents("privacy", "erase", NUMBER, "--yes", "--by", "her letter", "--json")
    assert result.status == 0, result.err
    assert (result.json["counts"]["contact"], result.json["files"]) == (1, [])
    assert (await agents("dnc", "check", NUMBER, "--json")).json[0]["source"] == "erased"
    result = await agents("privacy", "export", NUMBER, "--out", "later.json")
    document = json.loads(Path("later.json").read_text(encoding="utf-8"))
    assert document["contacts"] == []
    assert [row["requested_by"] for row in document["erasures"]] == ["her letter"]

    await agents("dnc", "remove", NUMBER)  # her own word
    assert (await agents("dnc", "check", NUMBER, "--json")).json == []


async def test_a_file_of_rejected_rows_with_the_number_is_named(agents: Command, folder: Path) -> None:
    (rejected,) = Path("todoke-data/rejected").glob("*")  # of a1 there is a second row, with another number
    result = await agents("privacy", "erase", "+12025550146", "--yes", "--json")
    assert result.json["files"] == [str(rejected.absolute())]
    assert f"stands in {rejected.absolute()}" in result.err


async def test_without_the_key_a_command_says_what_to_do(agents: Command, folder: Path) -> None:
    assert (await agents("privacy", "erase", NUMBER, "--yes")).status == 0
    Path("todoke-data/erasure.key").rename("elsewhere")
    result = await agents("privacy", "erase", "+12025550144", "--yes")
    assert result.status == 1
    assert "Copy erasure.key from the data folder of the machine" in result.err


async def test_retention_is_declared_and_shown(agents: Command, folder: Path) -> None:
    Path("kept.toml").write_text('[[retention]]\nbusiness_unit = "Acme"\nreplies = 365\nevents = 400\n')
    result = await agents("apply", "kept.toml")
    assert result.status == 0, result.err
    rows = {row["data"]: row["days"] for row in (await agents("privacy", "retention", "--json")).json}
    assert {data: days for data, days in rows.items() if days is not None} == {"replies": 365, "events": 400}
    assert "would go" in (await agents("privacy", "retention")).out
    assert "unchanged" in (await agents("apply", "kept.toml")).out
    Path("kept.toml").write_text('[[retention]]\nbusiness_unit = "Acme"\n')
    await agents("apply", "kept.toml")
    assert {row["days"] for row in (await agents("privacy", "retention", "--json")).json} == {None}


async def test_evidence_cannot_be_declared_away(acme: Command, folder: Path) -> None:
    Path("kept.toml").write_text('[[retention]]\nbusiness_unit = "Acme"\nconsents = 365\nopt_outs = 30\n')
    result = await acme("apply", "kept.toml")
    assert result.status == 1
    assert result.err.count("(three years) or more") == 2, result.err


async def test_a_skill_that_requires_consent_is_declared(acme: Command, folder: Path) -> None:
    from tests.cli.conftest import EXAMPLE

    text = EXAMPLE.read_text(encoding="utf-8")
    changed = text.replace("[[skill]]\n", '[[skill]]\nconsent = "express_written"\nconsent_purpose = "shifts"\n', 1)
    Path("acme.toml").write_text(changed, encoding="utf-8")
    assert "consent" in (await acme("apply", "acme.toml")).out
    assert "unchanged" in (await acme("apply", "acme.toml")).out
