"""Links lead somewhere; the project needs nothing that is not in it."""

from __future__ import annotations

import re
from typing import Any

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The headings of a page as links write them."""
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(outside)}


def test_every_link_leads_to_a_file_and_a_heading(pages: Any) -> None:
    wrong: list[str] = []
    count = 0
    for page in pages:
        for target in _LINK.findall(pages[page]):
            if target.startswith("https://"):
                continue
            count += 1
            path, _, anchor = target.partition("#")
            file = (pages.root / page).parent / path if path else pages.root / page
            if not file.exists():
                wrong.append(f"{page}: {target}")
            elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
                wrong.append(f"{page}: {target} has no such heading")
    assert count > 20
    assert wrong == []


def test_every_page_can_be_reached_from_the_readme(pages: Any) -> None:
    reached: set[str] = set()
    todo = ["README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in _LINK.findall(pages[page]):
            path = ((pages.root / page).parent / target.partition("#")[0]).resolve()
            if path.suffix == ".md" and path.is_relative_to(pages.root):
                todo.append(path.relative_to(pages.root).as_posix())
    assert set(pages) - reached == set()


def test_pages_stand_alone(pages: Any) -> None:
    for page in pages:
        assert not re.search(r"(?<![\w.~])/(home|root|opt|work)/", pages[page]), page


def test_every_decision_is_in_the_index_and_has_its_three_parts(pages: Any) -> None:
    index = pages["docs/adr/README.md"]
    numbered = [page for page in pages if re.match(r"docs/adr/\d{4}-", page)]
    assert len(numbered) > 10
    for number, page in enumerate(sorted(numbered), 1):
        title = re.match(r"# (\d+)\. (.+)\n", pages[page])
        assert title is not None, page
        assert int(title[1]) == number, page
        assert f"[{title[2]}]({page.removeprefix('docs/adr/')})" in index, page
        for part in ("Context", "Decision", "Consequences"):
            assert f"**{part}.** " in pages[page], f"{page} has no {part}"
