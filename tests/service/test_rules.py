"""The rule packs of an installation: read at the start, read again when they change, never broken by a broken one."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from tests.pipeline.lanes.doubles import ManualClock

from todoke.compliance.rulebook import PackInvalid, standard
from todoke.model.errors import Invalid
from todoke.service.rules import Rules, load, read_pack

PACK = """version = "1"
[[jurisdiction]]
code = "DE"
name = "Germany"
hours = "10:00-12:00"
basis = "custom"
source = "a test"
"""


def test_without_a_folder_the_built_in_rules_hold(tmp_path: Path) -> None:
    assert load(tmp_path / "rules") is standard()
    (tmp_path / "notes.txt").write_text("x")
    assert load(tmp_path) is standard()


def test_a_changed_pack_is_read_again_and_a_broken_one_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    rules = Rules(tmp_path, clock)
    assert rules.current() is standard()
    pack = tmp_path / "own.toml"
    pack.write_text(PACK)
    assert rules.current() is standard()  # not looked at yet
    clock.pass_(11)
    first = rules.current()
    assert [str(rule.schedule) for rule in first.of("DE")] == ["10:00-12:00"]
    clock.pass_(11)
    assert rules.current() is first
    pack.write_text(PACK.replace("10:00", "11:60"))
    clock.pass_(11)
    with caplog.at_level(logging.ERROR):
        assert rules.current() is first
    assert "11:60" in caplog.text
    caplog.clear()
    clock.pass_(11)
    assert rules.current() is first
    assert not caplog.records  # it is said once
    pack.write_text(PACK.replace("10:00", "09:00"))
    os.utime(pack, ns=(1, 1))
    clock.pass_(11)
    assert [str(rule.schedule) for rule in rules.current().of("DE")] == ["09:00-12:00"]
    pack.unlink()
    clock.pass_(11)
    assert rules.current() is standard()


def test_an_engine_does_not_start_with_a_broken_pack(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("version = 1")
    with pytest.raises(PackInvalid, match=r"own\.toml:1"):
        Rules(tmp_path, ManualClock())


def test_a_pack_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no such file"):
        read_pack(tmp_path / "none.toml")
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="UTF-8"):
        load(tmp_path)
