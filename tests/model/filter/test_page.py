"""What the page about filters shows can be read."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from todoke.model.filter import from_json, read, read_order

PAGE = (Path(__file__).parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.*?) \|", PAGE.partition("## A filter")[2].partition("**Fields.**")[0], re.MULTILINE)
SHOWN = [shown for row in ROWS for shown in re.findall(r"`([^`]+)`", row) if "..." not in shown and len(shown) > 5]


@pytest.mark.parametrize("shown", SHOWN)
def test_a_filter_of_the_table(shown: str) -> None:
    read(shown)


def test_the_table_was_found() -> None:
    assert len(SHOWN) > 15


def test_the_skill_of_the_page() -> None:
    (skill,) = tomllib.loads(PAGE.partition("```toml\n")[2].partition("```")[0])["skill"]
    read(skill["filter"])
    read_order(skill["order"])


def test_the_document_of_the_page() -> None:
    from_json(json.loads(PAGE.partition('```\n{"all"')[2].join(['{"all"', ""]).partition("```")[0]))
