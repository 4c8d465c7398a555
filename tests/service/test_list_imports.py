"""Imports as rows: progress, cancel by another process, resume after a kill, a skill started exactly once."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.factories import seed, seed_unit

from todoke.model.clock import SystemClock
from todoke.model.errors import Conflict, Invalid, NotFound, TodokeError, Unavailable
from todoke.model.list_import import ImportState
from todoke.pipeline.intake.progress import Progress
from todoke.service import list_imports
from todoke.service.list_imports import Cancelled, ListImports, Upload
from todoke.service.spool import spool
from todoke.store.catalogue import units
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import imports, lists
from todoke.store.lists.imports import ImportRow
from todoke.store.schema import calling_list, contact, skill_run
from todoke.store.store import Store

ROWS = "id,FirstName,Mobile\n1,Ann,212 555 2671\n2,Bob,212 555 2672\n3,Eve,12345\n"


def many(count: int = 30_000) -> str:
    return "id,Mobile\n" + "".join(f"{i},+1212{i % 8 + 2}{i:06d}\n" for i in range(count))


async def work_of(store: Store, folder: Path) -> ListImports:
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    return ListImports(store, unit, folder / "rejected", SystemClock())


async def row_of(store: Store, number: int = 1) -> ImportRow:
    async with store.reading() as connection:
        return await imports.find(connection, await units.only(connection, None), number)


async def scalar(store: Store, column: Any) -> Any:
    async with store.reading() as connection:
        return await connection.scalar(select(column))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def make(text: str = ROWS) -> Path:
        path = tmp_path / "agents.csv"
        path.write_text(text)
        return path

    return make


async def test_a_finished_import_says_what_came_out(store: Store, tmp_path: Path, file: Any) -> None:
    await seed_unit(store)
    seen: list[Progress] = []
    ended = await (await work_of(store, tmp_path)).begin("agents", Upload(file()), {}, progress=seen.append)

    row = await row_of(store, ended.import_id)
    assert ended.imported is not None
    assert (row.state, row.list_id, row.fraction) == (ImportState.DONE, ended.imported.list_id, 1.0)
    assert row.result is not None
    assert (row.result["contacts"], row.result["rejected"]) == (2, 1)
    assert row.result["mapping"] == {"id": "ExternalId", "FirstName": "FirstName", "Mobile": "SMSPhoneNumber"}
    assert seen
    with pytest.raises(Conflict, match="done"):
        await (await work_of(store, tmp_path)).cancel(row.id)
    with pytest.raises(Conflict, match="done"):
        await (await work_of(store, tmp_path)).resume(row.id)


async def test_an_import_that_fails_says_why(store: Store, tmp_path: Path, file: Any) -> None:
    await seed_unit(store)
    work = await work_of(store, tmp_path)
    with pytest.raises(Invalid, match="external id"):
        await work.begin("agents", Upload(file("Mobile\n2125552671\n")), {})

    row = await row_of(store)
    assert row.state is ImportState.FAILED
    assert row.error is not None
    assert "external id" in row.error["sentence"]
    assert await scalar(store, func.count(calling_list.c.id)) == 0
    with pytest.raises(NotFound):
        await work.begin("agents", Upload(tmp_path / "nowhere.csv"), {})


async def test_an_import_is_cancelled_by_another(
    store: Store, tmp_path: Path, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever works on it notices, and leaves nothing of the list."""
    await seed_unit(store)
    monkeypatch.setattr(list_imports, "EVERY", 0.02)
    work = await work_of(store, tmp_path)
    begun, kept = asyncio.Event(), lists.contact_store(store)

    async def write(self: Any, opened: Any, contacts: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(type(kept), "write", write)
    task = asyncio.ensure_future(work.begin("agents", Upload(file()), {}))
    await begun.wait()
    assert await scalar(store, calling_list.c.state) == "importing"
    assert not await (await work_of(store, tmp_path)).cancel(1)
    with pytest.raises(Cancelled):
        await task

    assert (await row_of(store)).state is ImportState.CANCELLED
    assert await scalar(store, func.count(calling_list.c.id)) == 0
    assert await scalar(store, func.count(contact.c.position)) == 0
    with pytest.raises(Conflict, match="cancelled"):
        await work.resume(1)


# Goes as far as the first contacts that are written, says so, and waits to be killed.
KILLED = """
import asyncio, sys
from pathlib import Path
from todoke.model.clock import SystemClock
from todoke.service.list_imports import ListImports, Upload
from todoke.store.catalogue import units
from todoke.store.store import open_store

def tell(step):
    if step.stage.value == "writing":
        print("writing", flush=True)
        sys.stdin.readline()

async def main(url, path, folder, spooled):
    async with await open_store(url) as store:
        async with store.reading() as connection:
            unit = await units.only(connection, None)
        work = ListImports(store, unit, Path(folder) / "rejected", SystemClock())
        await work.begin("agents", Upload(Path(path), spooled == "yes"), {}, start_skill="skill", progress=tell)

asyncio.run(main(*sys.argv[1:]))
"""


def killed(store: Store, path: Path, folder: Path, *, spooled: bool) -> None:
    """An import in a process of its own, killed while it writes contacts."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, store.url, str(path), str(folder), "yes" if spooled else "no"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.kill()


@pytest.mark.fault
async def test_a_killed_import_is_gone_on_with(store: Store, tmp_path: Path, file: Any) -> None:
    """... by another process: the same file, the same options, one list, one run; the upload goes at the end."""
    await seed(store)
    path = file("id,FirstName,Mobile\n" + "".join(f"{i},A,+1212{i % 8 + 2}{i:06d}\n" for i in range(30_000)))
    await asyncio.to_thread(killed, store, path, tmp_path, spooled=True)
    assert (await row_of(store)).state is ImportState.RUNNING
    work = await work_of(store, tmp_path)

    ended = await work.resume(1)

    assert ended.imported is not None
    assert ended.run is not None
    row = await row_of(store)
    assert (row.state, row.run_id) == (ImportState.DONE, ended.run.run_id)
    assert await scalar(store, func.count(calling_list.c.id).filter(calling_list.c.name == "agents")) == 1
    left = func.count(contact.c.position).filter(contact.c.list_id != row.list_id)
    assert await scalar(store, left) == 10  # of the scene's own list
    assert await scalar(store, func.count(skill_run.c.id)) == 1
    assert not path.exists()


@pytest.mark.fault
async def test_a_killed_import_whose_file_changed_is_refused_and_can_be_cancelled(
    store: Store, tmp_path: Path, file: Any
) -> None:
    await seed(store)
    path = file(many())
    await asyncio.to_thread(killed, store, path, tmp_path, spooled=False)
    path.write_text(many() + "x,+12125552671\n")
    work = await work_of(store, tmp_path)
    with pytest.raises(Conflict, match="not the one"):
        await work.resume(1)

    assert await work.cancel(1)

    assert (await row_of(store)).state is ImportState.CANCELLED
    assert await scalar(store, func.count(contact.c.position)) == 10
    assert path.exists()


async def test_the_skill_is_started_once_also_after_a_kill(
    store: Store, tmp_path: Path, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the end of the import and the start, and once more between the start and the word of it."""
    await seed(store)
    work = await work_of(store, tmp_path)

    async def dies(*_: Any, **__: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(list_imports, "start_skill", dies)
        with pytest.raises(Unavailable):
            await work.begin("agents", Upload(file()), {}, start_skill="skill")
    assert (await row_of(store)).to_start
    with monkeypatch.context() as patch:
        patch.setattr(imports, "started", dies)
        with pytest.raises(Unavailable):
            await work.resume(1)
    assert (await row_of(store)).to_start

    ended = await work.resume(1)

    assert ended.run is not None
    assert await scalar(store, func.count(skill_run.c.id)) == 1
    assert (await row_of(store)).run_id == ended.run.run_id
    with pytest.raises(Conflict):
        await work.resume(1)


async def test_a_skill_that_cannot_be_started_leaves_the_list(store: Store, tmp_path: Path, file: Any) -> None:
    await seed(store)
    work = await work_of(store, tmp_path)
    ended = await work.begin("agents", Upload(file("id,Mobile\n1,2125552671\n")), {}, start_skill="skill")

    assert ended.run is None
    assert isinstance(ended.start_error, TodokeError)
    row = await row_of(store)
    assert row.state is ImportState.DONE
    assert row.start_error is not None
    assert "FirstName" in row.start_error["sentence"]
    with pytest.raises(NotFound, match="no skill"):
        await work.begin("others", Upload(file()), {}, start_skill="nope")


async def test_an_upload_is_kept_for_a_resume_where_the_database_went_away(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed_unit(store)
    path = spool(io.BytesIO(ROWS.encode()), tmp_path / "uploads")
    work = await work_of(store, tmp_path)

    async def fails(self: Any, opened: Any, contacts: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(lists.contact_store(store)), "write", fails)
        with pytest.raises(StoreUnavailable):
            await work.begin("agents", Upload(path, spooled=True, name="standard input"), {})
    assert path.exists()
    assert path.stat().st_mode & 0o077 == 0
    assert (await row_of(store)).state is ImportState.FAILED

    ended = await work.resume(1)

    assert ended.imported is not None
    assert not path.exists()
    assert await scalar(store, calling_list.c.source) == "standard input"


def test_an_upload_of_nothing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="Nothing came"):
        spool(io.BytesIO(b""), tmp_path / "uploads")
    assert not list((tmp_path / "uploads").iterdir())
