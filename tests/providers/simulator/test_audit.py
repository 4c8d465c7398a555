"""The audit finds what was planted, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.providers.simulator import Entry, Mark, audit
from todoke.providers.simulator.ledger import Ledger
from todoke.smpp.pdu import SubmitSmResp

SECOND = 1_000_000


def _entry(monotonic: int = 0, source: str = "100", status: int = 0, mark: Mark | None = None) -> Entry:
    return Entry(
        at=0,
        monotonic=monotonic,
        account="todoke",
        connection=1,
        sequence=1,
        source=source,
        destination="1",
        given="1",
        status=status,
        fate=0,
        concatenation=None,
        user_message_reference=None,
        data_coding=0,
        size=0,
        digest=bytes(8),
        mark=mark,
    )


def _ledger(path: Path, entries: list[Entry]) -> Path:
    path.unlink(missing_ok=True)
    ledger = Ledger(path)
    for entry in entries:
        ledger.add(entry)
    ledger.close()
    return path


@pytest.mark.parametrize("keys_a_pass", [1, 7, 2_000_000])
def test_a_planted_duplicate_is_found(tmp_path: Path, keys_a_pass: int) -> None:
    entries = [_entry(mark=Mark(number, segment, 1)) for number in range(20) for segment in (1, 2)]
    entries += [_entry(mark=Mark(7, 2, attempt)) for attempt in (2, 3)] + [_entry(mark=Mark(11, 1, 1))]
    found = audit(_ledger(tmp_path / "ledger", entries), keys_a_pass)
    assert (found.submits, found.accepted, found.segments, found.duplicated) == (43, 43, 40, 3)
    assert [(one.message_id, one.segment, one.times) for one in found.duplicates] == [(7, 2, 3), (11, 1, 2)]


def test_refused_and_unmarked_submits_are_no_duplicates(tmp_path: Path) -> None:
    mark = Mark(1, 1, 1)
    entries = [_entry(status=0x58, mark=mark), _entry(status=0x58, mark=mark), _entry(mark=mark), _entry(), _entry()]
    found = audit(_ledger(tmp_path / "ledger", entries))
    assert (found.submits, found.accepted, found.unmarked, found.duplicated) == (5, 3, 2, 0)
    assert found.refused == {0x58: 2}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "ledger"


@given(gaps=st.lists(st.integers(0, SECOND * 3 // 2), max_size=30))
def test_the_fastest_second_is_exact(place: Path, gaps: list[int]) -> None:
    times = [sum(gaps[: end + 1]) for end in range(len(gaps))]
    found = audit(_ledger(place, [_entry(monotonic=at) for at in times]))
    slow_but_sure = max(
        (sum(end - SECOND < at <= end for at in times[: n + 1]) for n, end in enumerate(times)), default=0
    )
    assert found.fastest_second.get("100", 0) == slow_but_sure


def test_each_source_has_its_own_window(tmp_path: Path) -> None:
    entries = [_entry(at, source) for at in range(10) for source in ("100", "200", "200")]
    assert audit(_ledger(tmp_path / "ledger", entries)).fastest_second == {"100": 10, "200": 20}


async def test_over_the_wire(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    for number in (1, 2, 3, 2):
        client.submit_marked(number)
        await client.read(SubmitSmResp)
    status, found = await here.http("GET", "/ledger/summary")
    assert status == 200
    assert (found["submits"], found["accepted"], found["duplicated"]) == (4, 4, 1)
    assert found["duplicates"] == [{"message_id": 2, "segment": 1, "times": 2}]
    assert found["fastest_second"] == {"12025550100": 4}
