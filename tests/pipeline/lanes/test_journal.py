"""The journal: what it says is what was noted, wherever the process was cut off."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.pipeline.lanes.journal import Entry, Journal, JournalBroken, JournalInUse, Record, seize

BOOT = "0f3c9f9e-8a60-4a51-9f4d-5f1f0f3c9f9e"
INCARNATION = "0123456789abcdef0123456789abcdef"
HEADER, ENTRY = 96, 16

entries = st.tuples(
    st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 32) - 1), st.integers(1, 255), st.integers(1, 255)
).flatmap(lambda e: st.integers(0, 65_535).map(lambda attempt: (*e, attempt)))
few = st.tuples(st.integers(1, 4), st.just(7), st.integers(1, 3), st.just(3), st.integers(0, 1))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.lists(st.one_of(few, entries), min_size=1, max_size=4)),
        st.tuples(st.just("take_back"), few),
        st.tuples(st.just("flushed"), st.integers(1, 1 << 40)),
    ),
    max_size=20,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journals" / "one.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal(path, BOOT, INCARNATION)
    yield opened
    opened.close()


def read(path: Path) -> Record:
    dead = seize(path)
    assert dead is not None
    try:
        return dead.read()
    finally:
        dead.close()


def replay(actions: list[tuple[str, object]]) -> Record:
    """What single entries mean, said plainly."""
    record = Record(BOOT, INCARNATION)
    for action, value in actions:
        if action == "flushed":
            record.last_flush = max(record.last_flush, value)  # type: ignore[call-overload]
            continue
        message_id, crc, segment, segments, attempt = value  # type: ignore[misc]
        of_message = record.sent.setdefault((message_id, attempt), {})
        if action == "submit":
            of_message[segment] = Entry(message_id, crc, segment, segments, attempt)
        else:
            of_message.pop(segment, None)
    return record


def same(one: Record, other: Record) -> bool:
    return (one.boot_id, one.incarnation, one.last_flush) == (other.boot_id, other.incarnation, other.last_flush) and {
        key: value for key, value in one.sent.items() if value
    } == {key: value for key, value in other.sent.items() if value}


def write(path: Path, actions: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Carry out the actions; returns them one entry each."""
    journal = Journal(path, BOOT, INCARNATION)
    single: list[tuple[str, object]] = []
    for action, value in actions:
        match action:
            case "submit":
                journal.submit(value)  # type: ignore[arg-type]
                single.extend(("submit", entry) for entry in value)  # type: ignore[attr-defined]
            case "take_back":
                journal.take_back(value[0], value[2], value[4])  # type: ignore[index]
                single.append((action, value))
            case _:
                journal.flushed(value)  # type: ignore[arg-type]
                single.append((action, value))
    journal.close()
    return single


@given(actions=steps)
def test_round_trip(actions: list[tuple[str, object]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    single = write(path, actions)
    assert same(read(path), replay(single))


@given(actions=steps, data=st.data())
def test_a_journal_that_is_cut_anywhere_says_what_was_whole(
    actions: list[tuple[str, object]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    single = write(path, actions)
    size = data.draw(st.integers(0, path.stat().st_size))
    os.truncate(path, size)
    if size < HEADER:
        assert same(read(path), Record("", ""))
    else:
        assert same(read(path), replay(single[: (size - HEADER) // ENTRY]))


def test_what_is_written_again_after_it_was_taken_back_counts(journal: Journal, path: Path) -> None:
    journal.submit([(1, 7, 1, 2, 0), (1, 7, 2, 2, 0)])
    journal.take_back(1, 1, 0)
    journal.submit([(1, 7, 1, 2, 0)])
    journal.take_back(1, 2, 0)
    journal.close()
    assert set(read(path).sent[1, 0]) == {1}


def test_reading_keeps_only_what_is_wanted(journal: Journal, path: Path) -> None:
    journal.submit([(n, 0, 1, 1, 0) for n in range(100)])
    journal.flushed(4)
    journal.close()
    dead = seize(path)
    assert dead is not None
    record = dead.read(lambda message_id: 10 <= message_id < 13)
    dead.close()
    assert set(record.sent) == {(10, 0), (11, 0), (12, 0)}
    assert record.last_flush == 4


def test_more_than_is_read_at_a_time(path: Path) -> None:
    journal = Journal(path, BOOT, INCARNATION)
    journal.submit([(n, n, 1, 1, 0) for n in range(150_000)])
    journal.close()
    assert len(read(path).sent) == 150_000


def test_only_one_engine_has_it(journal: Journal, path: Path) -> None:
    with pytest.raises(JournalInUse, match="data directory"):
        Journal(path, BOOT, INCARNATION)
    assert seize(path) is None
    journal.close()
    dead = seize(path)
    assert dead is not None
    with pytest.raises(JournalInUse):
        Journal(path, BOOT, INCARNATION)
    dead.remove()
    dead.close()
    assert not path.exists()


def test_it_tells_which_boot_and_which_database_it_is_of(journal: Journal, path: Path) -> None:
    journal.close()
    record = read(path)
    assert (record.boot_id, record.incarnation) == (BOOT, INCARNATION)


def test_a_missing_one_is_of_no_boot(path: Path) -> None:
    assert same(read(path), Record("", ""))


def test_another_file_is_no_journal(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else entirely " * 10)
    with pytest.raises(JournalBroken, match="not a journal"):
        read(path)


def test_a_disk_that_takes_only_a_part_leaves_no_torn_entry(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.submit([(1, 7, 1, 1, 0)])
    write = os.write
    room = 20

    def full(fd: int, data: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = write(fd, data[:room])
        room -= taken
        return taken

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.submit([(2, 7, 1, 1, 0), (3, 7, 1, 1, 0)])
    journal.submit([(4, 7, 1, 1, 0)])
    journal.close()
    assert set(read(path).sent) == {(1, 0), (4, 0)}


def test_it_can_begin_anew(journal: Journal, path: Path) -> None:
    journal.submit([(1, 7, 1, 1, 0), (2, 7, 1, 1, 0)])
    assert journal.size == path.stat().st_size == HEADER + 2 * ENTRY
    journal.clear()
    assert journal.size == path.stat().st_size == HEADER
    journal.submit([(3, 7, 1, 1, 0)])
    journal.close()
    record = read(path)
    assert set(record.sent) == {(3, 0)}
    assert (record.boot_id, record.incarnation) == (BOOT, INCARNATION)


def test_after_closing_nothing_is_written_anywhere(journal: Journal, path: Path, tmp_path: Path) -> None:
    journal.close()
    with (tmp_path / "other").open("wb", buffering=0) as other:  # may get the same file descriptor
        with pytest.raises(OSError, match="Bad file descriptor"):
            journal.take_back(1, 1, 0)
        assert other.tell() == 0
    assert read(path).sent == {}
    Journal(path, BOOT, INCARNATION).close()
