"""What lies in the folder of uploads goes when nobody can go on with it any more, and never before."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.factories import seed_unit

from todoke.model.clock import HOUR, Micros, SystemClock
from todoke.model.errors import Unavailable
from todoke.model.list_import import ImportState
from todoke.service.list_imports import ListImports, Upload
from todoke.service.spool import LEFT, remove_parts, spool, spooled
from todoke.service.uploads import KEPT, remove_old
from todoke.store.catalogue import units
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import imports, lists
from todoke.store.lists.importer import this_process
from todoke.store.lists.imports import ImportRow
from todoke.store.schema import calling_list, list_import
from todoke.store.store import Store

ROWS = b"id,FirstName,Mobile\n1,Ann,212 555 2671\n2,Bob,212 555 2672\n"


class Later(SystemClock):
    def __init__(self, by: Micros) -> None:
        super().__init__()
        self._by = by

    def now(self) -> Micros:
        return super().now() + self._by


async def row_of(store: Store) -> ImportRow:
    async with store.reading() as connection:
        return await imports.find(connection, await units.only(connection, None), 1)


async def failed(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An upload whose import failed because the database went away."""
    await seed_unit(store)
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    path = spool(io.BytesIO(ROWS), folder)

    async def fails(self: Any, opened: Any, contacts: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(lists.contact_store(store)), "write", fails)
        with pytest.raises(StoreUnavailable):
            work = ListImports(store, unit, folder.parent / "rejected", SystemClock())
            await work.begin("agents", Upload(path, spooled=True), {})
    return path


async def remove(store: Store, folder: Path, later: Micros) -> int:
    return await remove_old(store, folder, folder.parent / "rejected", Later(later))


async def test_an_upload_that_nobody_went_on_with_goes_and_its_import_is_cancelled(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await failed(store, tmp_path / "uploads", monkeypatch)
    assert await remove(store, path.parent, KEPT - HOUR) == 0
    assert (await row_of(store)).state is ImportState.FAILED
    assert path.exists()

    assert await remove(store, path.parent, KEPT + HOUR) == 1

    assert (await row_of(store)).state is ImportState.CANCELLED
    assert not path.exists()
    async with store.reading() as connection:
        assert await connection.scalar(select(func.count(calling_list.c.id))) == 0
    assert await remove(store, path.parent, KEPT + HOUR) == 0


async def test_an_import_that_a_process_works_on_keeps_its_upload(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However old it is, and nobody asks for its end."""
    path = await failed(store, tmp_path / "uploads", monkeypatch)
    async with store.writing() as connection:
        running = update(list_import).values(state="running", importer=this_process(), ended_at=None)
        await connection.execute(running)
    assert await remove(store, path.parent, 10 * KEPT) == 0
    row = await row_of(store)
    assert (row.state, row.cancel_asked, path.exists()) == (ImportState.RUNNING, False, True)


async def test_a_file_of_no_import_goes_as_many_days_after_its_last_byte(store: Store, tmp_path: Path) -> None:
    await seed_unit(store)
    path = spool(io.BytesIO(ROWS), tmp_path / "uploads")
    assert await remove(store, path.parent, KEPT - HOUR) == 0
    assert await remove(store, path.parent, KEPT + HOUR) == 1
    assert list(path.parent.iterdir()) == []
    assert await remove(store, tmp_path / "nowhere", 0) == 0


async def test_what_cannot_be_removed_stops_no_engine(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as the upload of another user, whose import is over then all the same."""
    path = await failed(store, tmp_path / "uploads", monkeypatch)

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        assert await remove(store, path.parent, KEPT + HOUR) == 0
    assert "old uploads stay: [Errno 13] Permission denied" in caplog.text
    assert (await row_of(store)).state is ImportState.CANCELLED
    assert await remove(store, path.parent, KEPT + HOUR) == 1
    assert not path.exists()


# Copies a line of its standard input, then waits for more, like `todoke import -` in a pipe.
COPYING = """
import sys
from pathlib import Path
from todoke.service.spool import spool
spool(sys.stdin.buffer, Path(sys.argv[1]))
"""


@pytest.mark.fault
def test_a_copy_goes_an_hour_after_its_process_was_killed_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    piece = b"x" * (1 << 21)
    with subprocess.Popen([sys.executable, "-c", COPYING, str(folder)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(piece)  # more than a pipe holds: some of it is copied when this returns
        process.stdin.flush()
        (path,) = folder.iterdir()
        copied = path.stat().st_mtime
        assert remove_parts(folder, copied + 10 * LEFT) == 0, "its process lives"
        os.kill(process.pid, signal.SIGKILL)
    assert remove_parts(folder, copied + LEFT - 1) == 0
    assert path.exists()
    os.utime(path, (copied - 2 * LEFT, copied - 2 * LEFT))
    other = spool(io.BytesIO(ROWS), folder)
    assert list(folder.iterdir()) == [other], "the next upload removed it"


def test_what_is_only_looked_at_is_there_as_long(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    with spooled(io.BytesIO(ROWS), folder) as path:
        assert path.read_bytes() == ROWS
        assert path.stat().st_mode & 0o077 == 0
        assert remove_parts(folder, path.stat().st_mtime + 10 * LEFT) == 0
    assert list(folder.iterdir()) == []


def test_a_disk_that_does_not_take_it_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="No space left"):
        spool(Broken(), tmp_path / "uploads")
    assert list((tmp_path / "uploads").iterdir()) == []
