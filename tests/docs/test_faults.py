"""The page on faults names the failpoints that there are."""

from __future__ import annotations

from typing import Any

from tests.faults.seams import POINTS


def test_the_page_has_every_point(pages: Any) -> None:
    assert {row[0].strip("`"): row[1] for row in pages.table("docs/faults.md", "point")} == POINTS
