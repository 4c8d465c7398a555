"""A row of a file of consents: what it means, and what is wrong with it."""

from __future__ import annotations

import pytest

from todoke.model.clock import to_datetime
from todoke.model.consent import Act, Kind
from todoke.pipeline.intake.consents.rows import BadRow, read
from todoke.sms.phone import parse

NOW = 1_750_000_000_000_000
GOOD = {"number": "(202) 555-0143", "kind": "express", "at": "2024-05-01T12:00:00-05:00"}


def of(**more: str) -> object:
    return read({**GOOD, **more}, lambda raw: parse(raw, "US").e164, NOW)


def test_a_row_with_what_is_needed() -> None:
    record = read(GOOD, lambda raw: parse(raw, "US").e164, NOW)
    assert (record.phone, record.act, record.kind, record.channel) == (12025550143, Act.GIVEN, Kind.EXPRESS, "sms")
    assert to_datetime(record.at).isoformat() == "2024-05-01T17:00:00+00:00"
    assert record.zone == "UTC-05:00"


def test_a_local_time_counts_in_the_zone_that_is_named() -> None:
    record = read({**GOOD, "at": "2024-05-01 12:00", "zone": "Asia/Tokyo"}, lambda _: 1, NOW)
    assert to_datetime(record.at).isoformat() == "2024-05-01T03:00:00+00:00"
    assert record.zone == "Asia/Tokyo"
    default = read({**GOOD, "at": "2024-05-01 12:00"}, lambda _: 1, NOW, "Asia/Tokyo")
    assert (default.at, default.zone) == (record.at, record.zone)


def test_the_zone_of_moments_that_say_none_is_of_no_other() -> None:
    """Else the same row would be another record, once the file is imported with a zone and once without."""
    first = read(GOOD, lambda _: 1, NOW)
    assert read(GOOD, lambda _: 1, NOW, "Asia/Tokyo") == first


def test_what_is_exported_with_an_offset_is_read_again() -> None:
    first = read(GOOD, lambda _: 1, NOW)
    assert read({**GOOD, "zone": first.zone, "at": "2024-05-01T17:00:00Z"}, lambda _: 1, NOW) == first


@pytest.mark.parametrize(
    ("change", "column", "words", "code"),
    [
        ({"number": ""}, "number", "no number", "missing_phone"),
        ({"number": "call me"}, "number", "letters", "phone_not_a_number"),
        ({"kind": ""}, "kind", "missing", "missing_kind"),
        ({"kind": "verbal"}, "kind", "express_written", "unknown_kind"),
        ({"act": "perhaps"}, "act", "neither", "unknown_act"),
        ({"at": ""}, "at", "missing", "missing_moment"),
        ({"at": "yesterday"}, "at", "no moment", "invalid_moment"),
        ({"at": "2024-05-01T12:00:00"}, "at", "no time zone", "no_time_zone"),
        ({"at": "2090-05-01T12:00:00Z"}, "at", "future", "future_moment"),
        ({"zone": "Mars/Olympus"}, "zone", "no time zone", "invalid_time_zone"),
        ({"expires": "2024-05-01T12:00:00-05:00"}, "expires", "not after", "never_held"),
        ({"kind": "express_written", "signed": "checkbox"}, "disclosure", "text that was shown", "missing_evidence"),
        ({"kind": "express written", "disclosure": "I agree"}, "signed", "how it was signed", "missing_evidence"),
        ({"purpose": "*"}, "purpose", "star", "any_purpose"),
        ({"reference": "x" * 1001}, "reference", "1,001", "too_long"),
    ],
)
def test_what_is_wrong_is_said_with_its_column(change: dict[str, str], column: str, words: str, code: str) -> None:
    with pytest.raises(BadRow, match=words) as caught:
        of(**change)
    assert (caught.value.column, caught.value.code) == (column, code)
