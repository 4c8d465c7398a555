"""Streams: what goes first where messages compete for a code."""

from __future__ import annotations

from enum import StrEnum


class Stream(StrEnum):
    """In strict order; but none starves, see `pipeline/lanes/turns.py`. A skill names one of the last two."""

    ANSWER = "answer"  # what is sent back on a keyword; later what an agent answers
    TRANSACTIONAL = "transactional"  # somebody waits for it: a code, a delivery at the door
    BULK = "bulk"  # the rest: runs share by weight


RANKS: dict[Stream, int] = {stream: rank for rank, stream in enumerate(Stream)}
"""0 goes first."""
