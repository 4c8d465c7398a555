from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Command

FILE = """Phone,Kind,Time,Zone,Purpose,Disclosure,Version,Signed
202-555-0143,express_written,2024-05-01 12:00,America/New_York,marketing,"I agree, ""really"".",2,checkbox
202-555-0144,express,2024-05-01T12:00:00Z,,marketing,,,
202-555-0145,express_written,2024-05-01T12:00:00Z,,marketing,,,
nobody,express,2024-05-01T12:00:00Z,,,,,
"""


async def test_one_consent_and_its_revocation(acme: Command) -> None:
    given = ("--kind", "express", "--purpose", "marketing", "--source", "agent", "--reference", "Ann")
    result = await acme("consent", "add", "+12025550143", *given, "--at", "2024-05-01T12:00:00Z")
    assert (result.status, result.out) == (0, "consent recorded\n"), result.err
    shown = (await acme("consent", "show", "202-555-0143", "--json")).json
    assert [(row["kind"], row["purpose"]) for row in shown["standing"]] == [("express", "marketing")]
    result = await acme("consent", "add", "+12025550143", "--revoke", "--method", "call", "--words", "please stop")
    assert result.out == "revocation recorded\n"
    result = await acme("consent", "show", "+12025550143")
    assert "please stop" in result.out
    assert result.out.endswith("Nothing stands.\n")


async def test_the_same_record_is_recorded_once(acme: Command) -> None:
    arguments = ("consent", "add", "+12025550143", "--kind", "implied", "--at", "2024-05-01T12:00:00Z")
    assert (await acme(*arguments)).out == "consent recorded\n"
    assert (await acme(*arguments)).out == "it is in the ledger already\n"


async def test_what_is_wrong_names_the_option(acme: Command) -> None:
    result = await acme("consent", "add", "+12025550143", "--kind", "verbal")
    assert result.status == 1
    assert result.err.startswith("--kind: 'verbal' is no kind of consent")


async def test_a_file_goes_in_and_comes_out(acme: Command, folder: Path) -> None:
    Path("given.csv").write_text(FILE, encoding="utf-8")
    result = await acme("consent", "import", "given.csv", "--json")
    assert result.status == 0, result.err
    assert result.json.items() >= {"rows": 4, "added": 2, "known": 0, "rejected": 2, "encoding": "utf-8"}.items()
    assert result.json["reasons"] == {"missing_evidence": 1, "phone_not_a_number": 1}
    path = Path(result.json["rejects_path"])
    assert path.parent == Path("todoke-data/rejected")
    assert path.stat().st_mode & 0o077 == 0
    rejected = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [(row["todoke_line"], row["todoke_field"], row["todoke_reason"]) for row in rejected] == [
        ("4", "disclosure", "missing_evidence"),
        ("5", "number", "phone_not_a_number"),
    ]
    assert rejected[1]["Phone"] == "nobody"
    assert list(folder.glob("*-rejected*")) == []

    result = await acme("consent", "export", "--out", "all.csv")
    assert result.out == "2 rows in all.csv\n"
    rows = list(csv.DictReader((folder / "all.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0]["disclosure"] == 'I agree, "really".'
    assert rows[0]["at"] == "2024-05-01T16:00:00.000000Z"
    assert rows[0]["zone"] == "America/New_York"
    assert [row["intact"] for row in rows] == ["yes", "yes"]

    result = await acme("consent", "export", "--format", "jsonl", "--number", "+12025550144")
    assert [json.loads(line)["number"] for line in result.out.splitlines()] == ["+12025550144"]
    assert (await acme("consent", "export", "--before", "2024-05-01T13:00:00Z")).out.count("\n") == 2


async def test_an_export_can_be_imported_again(acme: Command, folder: Path) -> None:
    Path("given.csv").write_text("\n".join(FILE.splitlines()[:3]), encoding="utf-8")
    await acme("consent", "import", "given.csv")
    await acme("consent", "export", "--out", "all.csv")
    result = await acme("consent", "import", "all.csv", "--json")
    assert result.json.items() >= {"rows": 2, "added": 0, "known": 2, "rejected": 0}.items(), result.err
    assert result.json["rejects_path"] is None


async def test_a_corrected_file_of_rejected_rows_is_imported(acme: Command) -> None:
    Path("given.csv").write_text(FILE, encoding="utf-8")
    result = await acme("consent", "import", "given.csv")
    assert "2 recorded, 0 in the ledger already, 2 rows rejected" in result.out
    assert "express written consent needs the text" in result.out
    path = Path(result.out.strip().rpartition(" ")[2])
    mended = path.read_text(encoding="utf-8").replace("nobody", "202-555-0146")
    Path("again.csv").write_text(mended.replace("express_written", "express"), encoding="utf-8")
    result = await acme("consent", "import", "again.csv", "--json")
    assert (result.json["added"], result.json["rejected"]) == (2, 0), result.err


@pytest.mark.parametrize("form", ["workbook", "packed", "cp932"])
async def test_consents_come_in_the_forms_that_lists_have(acme: Command, form: str) -> None:
    rows = [line.split(",") for line in ("Phone,Kind,At,Programme", "202-555-0143,express,2024-05-01T12:00Z,会員")]
    rows.append(["no phone", *rows[1][1:]])
    text = "".join(",".join(row) + "\n" for row in rows)
    path = Path("given.csv")
    match form:
        case "workbook":
            path = Path("given.xlsx")
            pl.DataFrame(rows[1:], schema=rows[0], orient="row").write_excel(path)
        case "packed":
            path.write_bytes(gzip.compress(text.encode()))
        case _:
            path.write_text(text, encoding="cp932")
    result = await acme("consent", "import", path, "--json")
    assert (result.json["added"], result.json["rejected"]) == (1, 1), result.err
    shown = (await acme("consent", "show", "202-555-0143", "--json")).json
    assert [row["programme"] for row in shown["rows"]] == ["会員"]
    again = await acme("consent", "import", result.json["rejects_path"], "--json")
    assert (again.json["rows"], again.json["reasons"]) == (1, {"phone_not_a_number": 1})


async def test_a_row_that_does_not_fit_its_header_is_rejected(acme: Command) -> None:
    rows = ("number,kind,at", "202-555-0143,express", "202-555-0144,express,2024-05-01T12:00Z,more", "", ",,")
    Path("given.csv").write_text("\n".join(rows), encoding="utf-8")
    result = await acme("consent", "import", "given.csv", "--json")
    assert result.json["rows"] == 2
    assert result.json["reasons"] == {"too_few_fields": 1, "too_many_fields": 1}


async def test_a_header_that_nobody_knows_adds_nothing(acme: Command, folder: Path) -> None:
    Path("given.csv").write_text("number,kind,at,purpse\n", encoding="utf-8")
    result = await acme("consent", "import", "given.csv")
    assert result.status == 1
    assert "There is no column 'purpse'" in result.err
    assert "Did you mean 'purpose'?" in result.err


async def test_the_units_do_not_share_a_ledger(besto: Command) -> None:
    at = ("--at", "2024-05-01T12:00:00Z")
    unit = ("--business-unit", "Acme")
    await besto("consent", "add", "+12025550143", "--kind", "express", *at, *unit)
    result = await besto("consent", "show", "+12025550143", "--business-unit", "Besto")
    assert result.out == "Nothing is recorded of +12025550143.\n"
