"""What a reply means."""

from __future__ import annotations

from enum import StrEnum


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    REPLY = "reply"
    REVIEW = "review"  # it may mean stop: a person decides, and until then the number gets nothing
    PART = "part"  # of a text whose other parts have not come yet


DECIDED = (Meaning.STOP, Meaning.START, Meaning.HELP, Meaning.REPLY)
"""What a person may say that a reply means."""
