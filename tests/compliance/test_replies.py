"""Replies as people write them, in many languages, false friends among them: a table with the expected reading."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from todoke.compliance.reading import read

TABLE = Path(__file__).with_name("replies.tsv")
_ESCAPE = re.compile(r"\\(n|t|u[0-9a-f]{4})")


def rows() -> Iterator[tuple[str, str]]:
    """(meaning, text) of the table."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            meaning, text = line.split("\t")
            yield meaning, _ESCAPE.sub(_character, text)


def _character(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1]) or chr(int(match[1][1:], 16))


@pytest.mark.parametrize(("meaning", "text"), list(rows()))
def test_the_reading_of_a_reply(meaning: str, text: str) -> None:
    found = read(text)
    assert ("lifting" if found.lifting else found.meaning.value) == meaning, found.why


def test_the_table_is_long_enough() -> None:
    counts = Counter(meaning for meaning, _ in rows())
    assert counts.total() > 300
    assert all(counts[meaning] > 5 for meaning in ("stop", "start", "help", "review", "reply", "lifting"))
    assert len({text for _, text in rows()}) == counts.total(), "a reply stands in it twice"
