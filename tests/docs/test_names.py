"""One word for one thing: what the glossary says to avoid is no name in the code or the database."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from todoke.store.schema import metadata

SOURCE = Path(__file__).parents[2] / "src" / "todoke"
GLOSSARY = "docs/glossary.md"

# Where a word is right: in a folder or a file.
PLACES = {
    # What a carrier gives out: an SMPP account.
    "account": ("providers/", "service/up.py", "store/catalogue/provision/sending.py"),
    "esme": ("smpp/",),
    "smsc": ("smpp/", "providers/"),
}
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")


def words(name: str) -> list[str]:
    """`SkillRun_id` is skill, run, id; a plural is its singular."""
    return [part.lower().removesuffix("s") if len(part) > 3 else part.lower() for part in _BOUNDARY.split(name) if part]


def names_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier, and its line."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "asname"):
            value: Any = getattr(node, field, None)
            if isinstance(value, str):
                yield value, getattr(node, "lineno", 0)


def holds(name: str, avoided: list[str]) -> bool:
    """Whether the words stand in the name, next to each other."""
    parts = words(name)
    return any(parts[at : at + len(avoided)] == avoided for at in range(len(parts)))


@pytest.fixture(scope="module")
def avoided(pages: Any) -> dict[str, list[str]]:
    """By the word as the glossary writes it, its parts."""
    rows = pages.table(GLOSSARY, "term")
    found = {word.strip(): words(word) for row in rows for word in row[2].split(",") if word.strip()}
    return found | {word: [word] for word in ("esme", "smsc")}


def test_the_glossary_names_words_to_avoid(avoided: dict[str, list[str]]) -> None:
    assert {"tenant", "account", "sender id", "blast", "gateway", "msisdn"} <= avoided.keys()


def test_a_word_is_found_in_any_form() -> None:
    assert holds("tenant_id", ["tenant"])
    assert holds("listTenants", ["tenant"])
    assert holds("SenderID", words("sender id"))
    assert not holds("sender_of_id", words("sender id"))
    assert not holds("tenancy", ["tenant"])
    assert not holds("reorganise", ["org"])


def test_no_identifier_is_a_word_to_avoid(avoided: dict[str, list[str]]) -> None:
    wrong: list[str] = []
    for file in sorted(SOURCE.rglob("*.py")):
        place = file.relative_to(SOURCE).as_posix()
        names = [*names_of(ast.parse(file.read_text(encoding="utf-8"))), *((part, 0) for part in place[:-3].split("/"))]
        for name, line in names:
            for word, parts in avoided.items():
                if holds(name, parts) and not place.startswith(PLACES.get(word, ("\0",))):
                    wrong.append(f"{place}:{line}: {name} ({word})")
    assert not wrong, "\n".join(wrong)


def test_no_table_or_column_is_a_word_to_avoid(avoided: dict[str, list[str]]) -> None:
    names = [name for table in metadata.tables.values() for name in (table.name, *table.columns.keys())]
    assert [name for name in names for parts in avoided.values() if holds(name, parts)] == []


def test_what_is_excepted_is_there(avoided: dict[str, list[str]]) -> None:
    assert avoided.keys() >= PLACES.keys()
    for word, places in PLACES.items():
        for place in places:
            files = (SOURCE / place).rglob("*.py") if place.endswith("/") else [SOURCE / place]
            names = (name for file in files for name, _ in names_of(ast.parse(file.read_text(encoding="utf-8"))))
            assert any(holds(name, [word]) for name in names), f"{word} is not needed in {place}"
