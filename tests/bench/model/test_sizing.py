"""More messages never need less, and what is found keeps its margin."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from bench.model.load import Load, make_units
from bench.model.sizing import CORES, TARGET, account_cpu, engines_for, size
from bench.model.table import lines, table
from tests.bench.model.costs import COSTS

from bench.model.costs import Costs

BASE = Load(messages=20_000_000, units=60, step=15)


def test_more_messages_never_need_less() -> None:
    found = [size(replace(BASE, messages=messages), COSTS) for messages in (200_000, 20_000_000, 2_000_000_000)]
    for less, more in pairwise(found):
        assert less.engines <= more.engines
        assert less.primaries <= more.primaries
        assert less.wal_day < more.wal_day
        assert less.stored_day < more.stored_day
        assert less.peak < more.peak
    assert found[0].engines < found[-1].engines
    assert found[0].primaries < found[-1].primaries


def test_what_is_found_is_enough_and_keeps_its_margin() -> None:
    for messages in (20_000_000, 1_000_000_000):
        sized = size(replace(BASE, messages=messages), COSTS)
        assert sized.enough
        assert not sized.day.throttled
        assert sized.day.sent == messages
        assert sized.primary_p50 <= sized.primary_p99 <= sized.primary_peak <= TARGET
        assert sized.engine_p50 <= sized.engine_peak <= TARGET * 1.01


def test_dearer_messages_need_more_primaries() -> None:
    dear = msgspec.structs.replace(COSTS, db_result_us=20_000.0)
    assert size(BASE, dear).primaries > size(BASE, COSTS).primaries


def test_what_is_kept_longer_needs_more_disks() -> None:
    long = replace(BASE, messages=1_000_000_000, retention_days=365)
    assert size(long, COSTS).primaries > size(replace(long, retention_days=7), COSTS).primaries


def test_a_bucket_that_no_primary_carries_is_said() -> None:
    dear = msgspec.structs.replace(COSTS, db_result_us=1_000_000.0)
    sized = size(BASE, dear)
    assert not sized.enough
    assert sized.bucket_peak > TARGET
    assert sized.day.throttled
    assert "none are enough" in table([sized], COSTS)


def test_an_account_is_on_one_engine() -> None:
    units = make_units(BASE)
    loads = sum(account_cpu(BASE, unit, COSTS) * unit.accounts for unit in units)
    engines = engines_for(BASE, units, COSTS)
    assert engines >= loads / TARGET
    assert engines <= max(1, 2 * loads / TARGET + 1)


def test_what_is_full_first_comes_first() -> None:
    firsts = size(replace(BASE, messages=1_000_000_000, retention_days=1), COSTS).firsts
    assert [full for _, full in firsts] == sorted((full for _, full in firsts), reverse=True)
    assert firsts[0][0].startswith("engines: the processor")
    assert size(replace(BASE, messages=1_000_000_000), COSTS).firsts[0][0].startswith("primaries: the disk")


def test_it_is_written_for_people_and_for_programs() -> None:
    sized = size(BASE, COSTS)
    text = table([sized], COSTS)
    assert f"| **primaries** ({CORES} cores each) | {sized.primaries} |" in text
    assert "20,000,000" in text
    for line in lines(sized):
        assert list(line) == ["name", "value", "unit", "reference", "ratio"]


def test_costs_are_read_as_they_were_written(tmp_path: Path) -> None:
    COSTS.save(tmp_path / "costs.json")
    assert Costs.load(tmp_path / "costs.json") == COSTS
    (tmp_path / "costs.json").write_text("{}")
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        Costs.load(tmp_path / "costs.json")
