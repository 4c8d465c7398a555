"""The sample lists that the repository ships."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.pipeline.intake.conftest import ReadList

from todoke.pipeline.intake.preview import preview

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_agents_are_good_to_about_94_percent_with_every_kind_of_flaw(read_list: ReadList) -> None:
    read = read_list((EXAMPLES / "agents.csv").read_bytes())

    assert read.checked.rows == 10_000
    assert 9_300 <= len(read.contacts) <= 9_500
    assert len(read.contacts) + len(read.rejected) == 10_000
    assert {reason for _, _, reason in read.verdicts} >= {
        "duplicate_phone", "duplicate_external_id", "missing_external_id", "missing_phone", "phone_too_short",
        "landline", "phone_not_a_number", "phone_not_valid", "invalid_time_zone", "too_few_fields", "too_many_fields",
    }  # fmt: skip
    assert len(read.checked.zone_ranges) >= 10
    assert sum(1 for contact in read.contacts if str(contact.destination).startswith("81")) > 1_000


def test_the_agents_are_mapped_without_help() -> None:
    seen = preview(EXAMPLES / "agents.csv")

    assert seen.problem is None
    assert list(seen.layout.mapping.values())[:6] == [
        "ExternalId", "FirstName", "LastName", "SMSPhoneNumber", "PhoneNumber", "TimeZone",
    ]  # fmt: skip


def test_the_investigators_are_read_from_japanese_excel(read_list: ReadList) -> None:
    read = read_list((EXAMPLES / "investigators.tsv").read_bytes(), region="JP", name="investigators.tsv")
    seen = preview(EXAMPLES / "investigators.tsv")

    assert (len(read.contacts), read.rejected) == (50, [])
    assert (seen.written.encoding, seen.written.delimiter) == ("cp932", "\t")
    assert read.places == [["JP Asia/Tokyo"]]


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for rows in (300,):
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            subprocess.run(
                [sys.executable, EXAMPLES / "make_sample.py", "--rows", str(rows), "--directory", tmp_path / folder],
                check=True,
            )

    for name in ("agents.csv", "investigators.tsv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "investigators.tsv").read_bytes() == (EXAMPLES / "investigators.tsv").read_bytes()
    shipped = (EXAMPLES / "agents.csv").read_bytes()
    assert shipped.startswith((tmp_path / "a" / "agents.csv").read_bytes())
