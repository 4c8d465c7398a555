"""SQLite's one writer: transactions, and what a person hears when the disk does not play along."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from todoke.model.errors import Invalid
from todoke.store import writer as writing
from todoke.store.hot.base import StoreUnavailable
from todoke.store.store import open_store
from todoke.store.writer import Reader, Writer


@pytest.fixture
async def writer(tmp_path: Path) -> object:
    thread = Writer(tmp_path / "a.db")
    await thread.run(lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)"))
    yield thread
    await thread.close()


async def test_durability_is_not_a_setting(writer: Writer) -> None:
    def look(db: sqlite3.Connection) -> list[object]:
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await writer.run(look) == ["wal", 2, 1]


async def test_a_transaction_is_committed_whole_or_not_at_all(writer: Writer) -> None:
    def fail(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t (x) VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        await writer.run(fail)
    with pytest.raises(sqlite3.IntegrityError):
        await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (1), (1)"))
    await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (2)"))
    assert await writer.run(lambda db: db.execute("SELECT x FROM t").fetchall()) == [(2,)]


async def test_a_reader_sees_what_is_committed_and_writes_nothing(writer: Writer, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "a.db")
    await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (1)"))
    assert await reader.run(lambda db: db.execute("SELECT count(*) FROM t").fetchone()) == (1,)
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        await reader.run(lambda db: db.execute("DELETE FROM t"))
    await reader.close()


async def test_writes_take_turns(writer: Writer) -> None:
    async def add(x: int) -> None:
        await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (?)", (x,)))

    await asyncio.gather(*(add(x) for x in range(50)))
    assert await writer.run(lambda db: db.execute("SELECT count(*) FROM t").fetchone()) == (50,)


async def test_a_locked_file_says_so_and_nothing_is_half_done(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.run(lambda db: db.execute("PRAGMA busy_timeout=1"))
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked by another process"):
        await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (1)"))
    other.execute("COMMIT")
    other.close()
    await writer.run(lambda db: db.execute("INSERT INTO t (x) VALUES (1)"))


async def test_a_full_disk_says_so_and_the_work_goes_on_when_there_is_space(writer: Writer) -> None:
    def fill(db: sqlite3.Connection) -> None:
        db.executemany("INSERT INTO t (y) VALUES (?)", (("x" * 1000,) for _ in range(1000)))

    await writer.run(lambda db: db.execute("PRAGMA max_page_count=20"))  # as a disk with no more than that
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await writer.run(fill)
    assert await writer.run(lambda db: db.execute("SELECT count(*) FROM t").fetchone()) == (0,)
    await writer.run(lambda db: db.execute("PRAGMA max_page_count=10000"))
    await writer.run(fill)


async def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Phone,Name\n" * 100)
    with pytest.raises(StoreUnavailable, match="not a SQLite database"):
        await open_store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a SQLite database"):
        writing.connect(path)
    assert path.read_text().startswith("Phone")


async def test_a_missing_file_or_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no database file"):
        await open_store(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(Invalid, match="folder does not exist"):
        await open_store(f"sqlite:///{tmp_path}/none/todoke.db", create=True)


async def test_a_broken_file(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "todoke.db"
    content = bytearray(sqlite_template.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        async with await open_store(f"sqlite:///{path}") as store:
            await store.hot.settle_runs(0)


async def test_our_own_faults_are_not_blamed_on_the_machine(writer: Writer) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await writer.run(lambda db: db.execute("SELECT * FROM missing"))
