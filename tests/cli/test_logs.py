from __future__ import annotations

import json
import logging
import sys

from todoke.cli.logs import JsonLines, Lines, masked


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("todoke.x", logging.INFO, "x.py", 1, message, arguments, None)
    made.__dict__.update(extra)
    made.created = 1_700_000_000.25
    return made


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


def test_an_exception_keeps_its_trace() -> None:
    try:
        raise ValueError("of +15551234567")
    except ValueError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    for form in (Lines(), JsonLines()):
        text = form.format(made)
        assert "ValueError: of +15*******67" in text


def test_phone_numbers_are_masked() -> None:
    assert masked("to +819012345678, run 12345678901, 2023-11-14T22:13:20+00:00") == (
        "to +81********78, run 12345678901, 2023-11-14T22:13:20+00:00"
    )
