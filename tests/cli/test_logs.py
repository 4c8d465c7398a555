from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.cli.logs import IDS, JsonLines, Lines, handler, mask, masked


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("todoke.x", logging.INFO, "x.py", 1, message, arguments, None)
    made.__dict__.update(extra)
    made.created = 1_700_000_000.25
    return made


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger with a handler of ours, and what it wrote."""
    stream = io.StringIO()
    logger = logging.getLogger(f"todoke.test_logs.{request.param}")
    ours = handler(stream, request.param)
    logger.addHandler(ours)
    logger.setLevel(logging.DEBUG)
    yield logger, stream
    logger.removeHandler(ours)


def test_text_lines() -> None:
    assert Lines().format(record("engine %d runs", 3, action="up")) == "2023-11-14T22:13:20.250Z info: engine 3 runs"


def test_json_lines_have_action_and_ids() -> None:
    assert json.loads(JsonLines().format(record("run %d ended", 3, action="run_ended", run=3))) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "info",
        "logger": "todoke.x",
        "message": "run 3 ended",
        "action": "run_ended",
        "run": 3,
    }


def test_a_trace_is_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    try:
        try:
            raise ValueError("of +15551234567")
        except ValueError as error:
            raise RuntimeError(f"for 15557654321: {error}") from error
    except RuntimeError:
        logger.exception("failed for %s", "+15551112222")
    text = stream.getvalue()
    assert "RuntimeError: for 15*******21: of +15*******67" in text
    assert "+15*******22" in text
    for number in ("5551234567", "5557654321", "5551112222"):
        assert number not in text


def test_what_is_given_as_extra_is_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    many = {"phones": [15551234567, "+81 90-1234-5678"]}
    logger.info("x", extra={"phone": 15551234567, "to": "+15551234567", "many": many, "run": 15551234567})
    shown = mask(record("x", phone=15551234567, many=many, run=15551234567, at=1.5, ok=True))
    assert (shown.phone, shown.run, shown.at, shown.ok) == ("15*******67", 15551234567, 1.5, True)  # type: ignore[attr-defined]
    assert shown.many == "{'phones': [15*******67, '+81 **-****-**78']}"  # type: ignore[attr-defined]
    if '"' in stream.getvalue():
        assert json.loads(stream.getvalue())["phone"] == "15*******67"
        assert stream.getvalue().count("15551234567") == 1, "the id"


def test_another_handler_gets_the_record_as_it_was() -> None:
    given = record("to %s", "+15551234567")
    mask(given)
    assert given.getMessage() == "to +15551234567"


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20+00:00",
        "2026-01-31 12:00:00.123456",
        "engine 4294967",
        "message m0123456789abc",
        "at 1700000000250000",
        "message 108086391056891904",
        "192.168.100.200:5432",
        "journal 0123456789abcdef0123456789abcdef.journal",
        "sqlite:////var/lib/todoke/todoke.db",
        "took 0.123456789012 s",
    ],
)
def test_what_is_no_number_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +819012345678.", "to +81********78."),
        ("to 819012345678, run 12", "to 81********78, run 12"),
        ("(202) 555-0143", "(20*) ***-**43"),
        ("'+44 20 7946 0958'", "'+44 ** **** **58'"),
        ("phone=15551234567", "phone=15*******67"),
        ("['15551234567', 815551234567]", "['15*******67', 81********67]"),
    ],
)
def test_numbers_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.sampled_from([0, 1, 2]),
    st.sampled_from(["{}", "to {}", "<{}>"]),
)
def test_no_mobile_of_the_world_comes_through(region: str, form: int, around: str) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    if len(digits) < 9:
        return  # too short to tell from an id
    written = phonenumbers.format_number(number, form)  # E.164, international, national
    national = sum(character.isdigit() for character in written)
    shown = masked(around.format(written))
    if national >= 9:
        assert shown.count("*") >= national - 4, shown


def test_ids_are_what_we_log() -> None:
    assert {"run", "engine", "inbound"} <= IDS
