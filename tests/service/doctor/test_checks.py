"""Disks, engines, journals, providers, books: each check by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from todoke.model.clock import SECOND
from todoke.service.doctor import books, disk, engines, journals, providers
from todoke.service.doctor.disk import Place
from todoke.service.doctor.finding import Finding, Level
from todoke.store.catalogue.health import MANY, Books
from todoke.store.catalogue.providers import ProviderRow
from todoke.store.hot.base import EngineRow

NOW = 1_000_000 * SECOND
GIB = 1 << 30
MOUNTS = """22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
30 22 0:30 / /tmp rw - tmpfs tmpfs rw
31 22 0:31 / /srv rw - ext4 /dev/vdb rw
40 31 0:40 / /srv/my\\040share rw - nfs4 server:/x rw
41 31 0:41 / /srv/twice rw - ext4 /dev/vdc rw
42 31 0:42 / /srv/twice rw - fuse.sshfs host: rw
"""


def levels(found: list[Finding]) -> list[Level]:
    return [finding.level for finding in found]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/todoke", "ext4"),
        ("/tmp/x", "tmpfs"),
        ("/tmpx", "ext4"),
        ("/srv/my share/a", "nfs4"),
        ("/srv/twice/a", "fuse.sshfs"),
    ],
)
def test_kind_of_file_system(path: str, kind: str) -> None:
    assert disk.kind_of(Path(path), MOUNTS) == kind


@pytest.mark.parametrize(
    ("place", "forgets", "expected", "word"),
    [
        (Place(Path("/d"), 5 * GIB, "ext4", True), True, [Level.OK], "5 GiB free"),
        (Place(Path("/d"), 5 * GIB, "", True), True, [Level.OK], "5 GiB free"),
        (Place(Path("/d"), GIB // 2, "ext4", True), True, [Level.WARNING], "512 MiB"),
        (Place(Path("/d"), GIB // 100, "ext4", True), True, [Level.ERROR], "10 MiB"),
        (Place(Path("/d"), 5 * GIB, "nfs4", True), False, [Level.ERROR], "network file system (nfs4)"),
        (Place(Path("/d"), 5 * GIB, "fuse.sshfs", True), False, [Level.ERROR], "network file system"),
        (Place(Path("/d"), 5 * GIB, "tmpfs", True), True, [Level.WARNING], "reboot loses it"),
        (Place(Path("/d"), 5 * GIB, "tmpfs", True), False, [Level.OK], "free"),
        (Place(Path("/d"), 0, "cifs", False), True, [Level.ERROR] * 3, "may not write"),
    ],
)
def test_disk(place: Place, forgets: bool, expected: list[Level], word: str) -> None:
    found = disk.judge("journals", place, forgets=forgets)
    assert levels(found) == expected
    assert any(word in finding.sentence for finding in found)


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    place = disk.look(tmp_path / "a" / "b")
    assert place.path == tmp_path / "a" / "b"
    assert place.free == pytest.approx(os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize, rel=0.2)
    assert place.writable


def engine(
    id: int, state: str = "alive", *, lease: int = 5, host: str = "here", journal: str = "/none/1.journal"
) -> EngineRow:
    return EngineRow(id, host, "boot", 1, journal, state, NOW + lease * SECOND, 0)


def test_engines_that_live() -> None:
    assert engines.living([engine(1), engine(2, lease=-1), engine(3, "gone")], 4, NOW).sentence == "1 engine running."
    assert engines.living([], 0, NOW).level is Level.OK
    found = engines.living([engine(2, lease=-1)], 2, NOW)
    assert (found.level, "2 runs would go on" in found.sentence) == (Level.WARNING, True)


def test_engines_that_died(tmp_path: Path) -> None:
    journal = tmp_path / "3.journal"
    journal.touch()
    rows = [
        engine(1),
        engine(2, lease=-60),
        engine(3, "gone", lease=-1, journal=str(journal)),
        engine(4, "gone", lease=9, host="there"),
    ]
    lapsed, here, there = engines.dead(rows, NOW, "here")
    assert "Engine 2 on here is dead (its lease ended 60 s ago)" in lapsed.sentence
    assert "Its journal is gone" in lapsed.sentence
    assert "Its journal is gone" not in here.sentence
    assert "Its journal is gone" not in there.sentence  # nobody can tell from here
    assert "Start an engine on there" in there.fix


def test_codes_that_nobody_has() -> None:
    names = [f"carrier/{n}" for n in range(7)]
    (found,) = engines.lanes(names, [engine(1)], NOW)
    assert found.sentence.endswith("carrier/4 and 2 more.")
    assert engines.lanes([], [engine(1)], NOW) == []
    assert engines.lanes(names, [engine(1, lease=-1)], NOW) == []  # said already: no engine runs


def test_journals(tmp_path: Path) -> None:
    for name in ("a.journal", "b.journal", "c.rewound", "x.mark"):
        (tmp_path / name).touch()
    there, aside = journals.look(tmp_path)
    assert (there, aside) == (["a.journal", "b.journal"], ["c.rewound"])
    mine = engine(1, journal="/elsewhere/a.journal")  # by name: the folder may have been moved
    left, rewound = journals.judge(tmp_path, there, aside, [mine])
    assert "1 journal in" in left.sentence
    assert "b.journal" in left.sentence
    assert "older than what had been sent" in rewound.sentence
    assert levels(journals.judge(tmp_path, there[:1], [], [mine])) == [Level.OK]
    assert journals.look(tmp_path / "none") == ([], [])


def provider(**settings: Any) -> ProviderRow:
    return ProviderRow(1, "carrier", "smpp", 3, {"host": "h", "system_id": "me", "password": "env:CARRIER", **settings})


def test_providers() -> None:
    assert levels(providers.judge([provider()], {"CARRIER": "secret"})) == [Level.OK]
    (found,) = providers.judge([provider()], {})
    assert found.level is Level.WARNING
    assert "variable CARRIER, which is not set" in found.sentence
    (found,) = providers.judge([provider(window="many")], {"CARRIER": "secret"})
    assert "carrier" in found.sentence
    assert "secret" not in found.sentence


def test_books() -> None:
    assert levels(books.judge(Books(1, 3, 5))) == [Level.OK, Level.OK]
    assert books.judge(Books(1, 3, 5))[0].sentence == "3 messages in doubt; see them with todoke doubt list."
    assert levels(books.judge(Books(1, 0, MANY + 1))) == [Level.OK, Level.WARNING]
