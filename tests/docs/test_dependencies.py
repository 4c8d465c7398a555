"""Every dependency has a reason, and all places that name them agree."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

PAGE = "docs/dependencies.md"


def lines(file: Path) -> list[str]:
    """The requirements of a .in file."""
    found = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in found if line and not line.startswith(("#", "-"))]


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return found[0].lower()


@pytest.fixture
def told(pages: Any) -> list[dict[str, list[str]]]:
    """The page's tables: by package, its reason and licence."""
    tables = [table for table in pages.tables(PAGE) if table[0][0] == "package"]
    return [{row[0].strip("`"): row[1:] for row in table[1:]} for table in tables]


def test_every_dependency_has_a_reason_and_a_licence(pages: Any, told: list[dict[str, list[str]]]) -> None:
    needed = [{name(line) for line in lines(pages.root / "requirements" / f"{part}.in")} for part in ("runtime", "dev")]
    peers = json.loads((pages.root / "tests" / "peers" / "package.json").read_text(encoding="utf-8"))
    assert [set(table) for table in told] == [*needed, set(peers["dependencies"])]
    for table in told:
        for package, (reason, licence) in table.items():
            assert len(reason) > 5, package
            assert licence, package


def test_the_package_needs_what_is_pinned(pages: Any) -> None:
    project = tomllib.loads((pages.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = [line.replace('"', "'") for line in lines(pages.root / "requirements" / "runtime.in")]
    assert sorted(project["dependencies"]) == sorted(plain)


@pytest.mark.parametrize("part", ["runtime", "dev"])
def test_pinned_files_have_hashes_and_name_no_index(pages: Any, part: str) -> None:
    text = (pages.root / "requirements" / f"{part}.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert {name(line) for line in lines(pages.root / "requirements" / f"{part}.in")} <= {p.lower() for p in pinned}
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:])
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", text)


def test_the_lock_of_the_peers_names_no_registry(pages: Any) -> None:
    text = (pages.root / "tests" / "peers" / "package-lock.json").read_text(encoding="utf-8")
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert packages
    assert all("integrity" in entry and "resolved" not in entry for entry in packages.values())
