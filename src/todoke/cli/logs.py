"""Logging of a process: to stderr, as text or as JSON lines; never a phone number in full."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

_PHONE = re.compile(r"\+(\d{2})(\d{4,11})(\d{2})\b")
_OWN = frozenset(vars(logging.makeLogRecord({})))  # what every record has


def start_logging(level: str, form: str) -> None:
    """Set up this process's logging; again replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("todoke").setLevel(level.upper())


def masked(text: str) -> str:
    """The text with the middle of every phone number hidden. Nobody should log one; this is the net below."""
    return _PHONE.sub(lambda match: f"+{match[1]}{'*' * len(match[2])}{match[3]}", text)


def details(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`: the action and ids."""
    return {key: value for key, value in vars(record).items() if key not in _OWN and key not in ("message", "asctime")}


class Lines(logging.Formatter):
    """`2026-01-31T12:00:00.000Z info: engine 3 runs`"""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return masked(line)


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, then action and ids."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **details(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return masked(json.dumps(entry, ensure_ascii=False, default=str))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
