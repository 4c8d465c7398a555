"""The project's pages, as the tests read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page, and the line on which its text begins."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


class Pages:
    """Every Markdown file of the project, by its path from the root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        files = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
        self.texts = {str(file.relative_to(root)): file.read_text(encoding="utf-8") for file in sorted(files)}

    def __getitem__(self, page: str) -> str:
        return self.texts[page]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def blocks(self, language: str) -> list[Block]:
        """The fenced blocks in that language."""
        return [
            Block(page, text.count("\n", 0, found.start()) + 2, language, found["text"])
            for page, text in self.texts.items()
            for found in _FENCE.finditer(text)
            if found["language"] == language
        ]

    def tables(self, page: str) -> list[list[list[str]]]:
        """The tables of a page: rows of cells, without the line below the header."""
        tables: list[list[list[str]]] = []
        within = False
        for line in self.texts[page].splitlines():
            if not line.startswith("|"):
                within = False
                continue
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not within:
                tables.append([])
                within = True
            if not all(set(cell) <= set("-: ") for cell in cells):
                tables[-1].append(cells)
        return tables

    def table(self, page: str, first: str) -> list[list[str]]:
        """The rows of the one table of a page whose first header cell is `first`, without that header."""
        found = [table for table in self.tables(page) if table[0][0] == first]
        assert len(found) == 1, f"{page} has {len(found)} tables that begin with {first!r}"
        return found[0][1:]


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages(ROOT)
