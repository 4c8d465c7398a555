"""Logging of a process: to stderr, as text or as JSON lines; never a phone number in full."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import IO, Any

# What looks like a number with its country code or area code: 9 to 15 digits, perhaps with the marks that people write
# between them. No date, no address of a machine, no decimal, nothing in the middle of a word or of a longer number.
_PHONE = re.compile(
    r"""
    (?<![\w.:/+-])                          # where a word begins
    (?!\d{4}-\d\d-\d\d)(?!\d{1,3}(?:\.\d{1,3}){3}(?!\d))(?!\d+\.\d+(?![\d.-]))
    (?:\+|\(?\d)[\d ().\-\u00a0\u2010-\u2015/]{6,24}\d
    (?!\w|[.-]\d)
    """,
    re.VERBOSE,
)
_LEAST, _MOST = 9, 15  # digits
_KEPT = 2  # of them at each end
_OWN = frozenset(vars(logging.makeLogRecord({})))  # what every record has

# Numbers in `extra` that are ids, however long.
IDS = frozenset(
    (
        "action",
        "bucket",
        "engine",
        "inbound",
        "link",
        "list_id",
        "message",
        "paused",
        "provider",
        "run",
        "step",
        "flush",
    )
)


def start_logging(level: str, form: str) -> None:
    """Set up this process's logging; again replaces what was set up before."""
    root = logging.getLogger()
    root.handlers[:] = [handler(sys.stderr, form)]
    root.setLevel(logging.WARNING)
    logging.getLogger("todoke").setLevel(level.upper())


def handler(stream: IO[str], form: str) -> logging.Handler:
    """A handler that writes lines in this form (text or json), in which no number is in full."""
    made = logging.StreamHandler(stream)
    made.setFormatter(JsonLines() if form == "json" else Lines())
    return made


def masked(text: str) -> str:
    """The text with the middle of everything that looks like a phone number hidden. Nobody should log one; this is the
    net below.
    """
    return _PHONE.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    found = match[0]
    digits = [at for at, character in enumerate(found) if character.isdigit()]
    if not _LEAST <= len(digits) <= _MOST:
        return found
    hidden = set(digits[_KEPT:-_KEPT])
    return "".join("*" if at in hidden else character for at, character in enumerate(found))


def mask(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record whose message and every `extra` are masked; other handlers are not ours."""
    copy = logging.makeLogRecord(vars(record))
    copy.msg, copy.args = masked(record.getMessage()), None
    for name, value in details(record).items():
        setattr(copy, name, value if name in IDS and isinstance(value, int) else _plain(value))
    return copy


def _plain(value: Any) -> Any:
    """As it is where it can hold no number, else its text, masked."""
    if value is None or isinstance(value, bool | float):
        return value
    text = str(value)
    shown = masked(text)
    return value if isinstance(value, int) and shown == text else shown


def details(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`: the action and ids."""
    return {key: value for key, value in vars(record).items() if key not in _OWN and key not in ("message", "asctime")}


class Lines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z info: engine 3 runs`"""

    def format(self, record: logging.LogRecord) -> str:
        shown = mask(record)
        line = f"{_time(shown)} {shown.levelname.lower()}: {shown.getMessage()}"
        return line + (f"\n{masked(self.formatException(record.exc_info))}" if record.exc_info else "")


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, then action and ids."""

    def format(self, record: logging.LogRecord) -> str:
        shown = mask(record)
        entry: dict[str, Any] = {
            "time": _time(shown),
            "level": shown.levelname.lower(),
            "logger": shown.name,
            "message": shown.getMessage(),
            **details(shown),
        }
        if record.exc_info:
            entry["exception"] = masked(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
