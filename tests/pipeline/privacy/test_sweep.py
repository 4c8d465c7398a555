"""What is past its days goes, what is not stays, and the counts are what they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update
from tests.factories import NOW, phone_of
from tests.store.world import World, make_world

from todoke.model.clock import SECOND
from todoke.model.consent import Act, Kind, Record
from todoke.model.event import Kind as EventKind
from todoke.model.retention import DAY, Data
from todoke.pipeline.privacy.sweep import Sweep, overview, past_files, remove_files
from todoke.store import schema
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.consents import writing
from todoke.store.hot.base import InboundPart, OptOut
from todoke.store.privacy import retention
from todoke.store.store import Store

DAYS = {
    "replies": 30,
    "events": 30,
    "contacts": 30,
    "doubts": 30,
    "rejected_files": 30,
    "opt_outs": 1096,
    "consents": 1096,
}


class Fixed:
    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / SECOND


async def unit_of(store: Store) -> Unit:
    async with store.reading() as connection:
        return await units.find(connection, "unit")


async def declare(store: Store, days: dict[str, int]) -> None:
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(retention=days))


async def old(store: Store, folder: Path) -> World:
    """A run that ended at NOW with everything beside it."""
    world = await make_world(store, n=10)
    scene = world.scene
    await world.flush(leases=[world.lease(0, 10)])
    await world.flush(fresh=[world.fresh(*range(9))])
    await world.flush(events=[world.event(9, EventKind.IN_DOUBT, reason="link_dropped")])
    part = InboundPart(
        scene.bucket,
        scene.unit,
        scene.provider,
        scene.code,
        str(phone_of(1)),
        "1",
        "who is this?",
        None,
        1,
        1,
        "s",
        NOW,
    )
    (said,) = await store.hot.store_inbound([part])
    stop = OptOut(scene.bucket, scene.unit, scene.group, phone_of(1), "out", "reply", "stop", said.id, NOW)
    await store.hot.apply_opt_outs([stop], [])
    given = Record(phone_of(1), Act.GIVEN, Kind.EXPRESS, NOW - 1)
    stands = given._replace(phone=phone_of(2))
    await writing.add(store, await unit_of(store), [given, stands], NOW)
    async with store.writing() as connection:
        await connection.execute(update(schema.skill_run).values(state="finished", ended_at=NOW))
        await connection.execute(update(schema.calling_list).values(expires_at=NOW))
    folder.mkdir()
    names = (
        f"list-{scene.list}-rejected.csv",
        f"list-{scene.list + 100}-rejected.csv",  # of no list that is here, as that of an update
        "unit-list-dry-run-rejected.parquet",
        "dnc-900-numbers-rejected.csv.gz",
        "import-900-not-merged-rejected.csv",
        "import-900-not-read-rejected.parquet",
        f"consents-{scene.unit}-20240501T120000000000Z-rejected.csv",
    )
    for name in names:
        file = folder / name
        file.write_text("x")
        os.utime(file, (NOW // SECOND, NOW // SECOND))
    return world


async def count(store: Store, name: str, where: str = "1 = 1") -> int:
    async with store.reading() as connection:
        query = select(func.count()).select_from(text(name)).where(text(where))
        return int(await connection.scalar(query) or 0)


async def sweep(store: Store, folder: Path, now: int) -> dict[Data, int]:
    return await Sweep(store, Fixed(now), folder, rest=0).once()


async def test_nothing_goes_where_nothing_is_declared(store: Store, tmp_path: Path) -> None:
    await old(store, tmp_path / "rejected")
    assert await sweep(store, tmp_path / "rejected", NOW + 9_000 * DAY) == {}
    assert await count(store, "event") == 10
    rows = await overview(store, await unit_of(store), tmp_path / "rejected", NOW + 9_000 * DAY)
    assert {(row.days, row.past) for row in rows} == {(None, 0)}


async def test_what_is_past_its_days_goes_and_the_counts_stay(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "rejected"
    world = await old(store, folder)
    await declare(store, DAYS)
    before = await world.tallies()
    assert not any((await sweep(store, folder, NOW + 29 * DAY)).values())
    assert (await count(store, "event"), await count(store, "contact")) == (10, 10)

    later = NOW + 31 * DAY
    rows = {row.data: row.past for row in await overview(store, await unit_of(store), folder, later)}
    assert rows == {
        Data.REPLIES: 1,
        Data.EVENTS: 10,
        Data.CONTACTS: 1,
        Data.DOUBTS: 1,
        Data.REJECTED_FILES: 7,
        Data.OPT_OUTS: 0,
        Data.CONSENTS: 0,
    }
    gone = await sweep(store, folder, later)
    assert {data: n for data, n in gone.items() if n} == {**{k: v for k, v in rows.items() if v}, Data.EVENTS: 10}
    for table in ("event", "doubt", "contact", "list_key"):
        assert await count(store, table) == 0, table
    assert await count(store, "inbound", "text = ''") == 1
    assert await count(store, "opt_out", "evidence = 'stop'") == 1
    assert list(folder.iterdir()) == []
    assert await world.tallies() == before
    assert not any((await sweep(store, folder, later)).values()), "nothing is left to do"

    assert await count(store, "consent") == 2
    gone = await sweep(store, folder, NOW + 1_097 * DAY)
    assert (gone[Data.OPT_OUTS], gone[Data.CONSENTS]) == (1, 1)
    assert await count(store, "consent", f"phone = {phone_of(2)}") == 1, "what stands is not over"
    assert await count(store, "opt_out", "evidence = ''") == 1


async def test_a_run_that_goes_on_and_its_list_keep_everything(store: Store, tmp_path: Path) -> None:
    world = await old(store, tmp_path / "rejected")
    await declare(store, DAYS)
    async with store.writing() as connection:
        await connection.execute(update(schema.skill_run).values(state="paused", ended_at=None))
    gone = await sweep(store, tmp_path / "rejected", NOW + 31 * DAY)
    assert (gone[Data.EVENTS], gone[Data.CONTACTS], gone[Data.DOUBTS]) == (0, 0, 0)
    assert await count(store, "contact") == 10
    await world.assert_doubts_match()


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_partitions_of_old_runs_are_dropped_whole(store: Store, tmp_path: Path) -> None:
    world = await old(store, tmp_path / "rejected")
    await declare(store, DAYS)
    async with store.writing() as connection:
        await connection.execute(update(schema.run_counter).values(next_run=4_000))
    unit = await unit_of(store)
    assert await retention.drop_partitions(store, [(unit, NOW + 1)]) == [], "runs may still go there"
    async with store.writing() as connection:
        await connection.execute(update(schema.run_counter).values(next_run=5_000))
    assert await retention.drop_partitions(store, [(unit, None)]) == []
    assert await retention.drop_partitions(store, [(unit, NOW)]) == [], "it ended just then"
    before = await world.tallies()
    assert await retention.drop_partitions(store, [(unit, NOW + 1)]) == [], "taken off: somebody may still know it"
    assert (await count(store, "event"), await count(store, "event_b3_r0")) == (0, 10)
    assert await retention.drop_partitions(store, [(unit, NOW + 1)]) == [], "a minute has not passed"
    assert await retention.drop_partitions(store, [(unit, NOW + 1)], wait=0) == ["event_b3_r0"]
    assert (await count(store, "event"), await count(store, "doubt")) == (0, 0)
    assert await world.tallies() == before
    assert await retention.drop_partitions(store, [(unit, NOW + 1)]) == []


def test_a_file_that_cannot_be_removed_keeps_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder, file = tmp_path / "folder-1-rejected.csv", tmp_path / "list-1-rejected.csv"
    folder.mkdir()
    file.touch()
    assert remove_files([folder, file]) == 1
    assert list(tmp_path.iterdir()) == [folder]
    assert "folder-1-rejected.csv is past its days and stays" in caplog.text


async def test_files_of_rejected_rows_go_by_the_days_of_their_unit(store: Store, tmp_path: Path) -> None:
    """Those of nobody by the longest, and never while a unit keeps its own."""
    world = await old(store, tmp_path / "rejected")
    await declare(store, {"rejected_files": 30})
    first = await unit_of(store)
    async with store.writing() as connection:
        values = {"name": "other", "bucket": first.bucket, "default_region": "US", "created_at": NOW}
        made = await connection.execute(
            insert(schema.business_unit).values(**values).returning(schema.business_unit.c.id)
        )
        other = made.scalar_one()
        listed = {"business_unit_id": other, "dnc_group_id": world.scene.group, "file": "x", "state": "done"}
        counts = dict.fromkeys(("processed", "valid", "invalid", "added", "extended", "present", "repeated"), 0)
        await connection.execute(
            insert(schema.dnc_upload).values(
                id=900, **listed, **counts, importer="", who="", reason="", reasons={}, started_at=NOW
            )
        )
    own = [f"consents-{first.id}-20240501T120000000000Z-rejected.csv", f"list-{world.scene.list}-rejected.csv"]
    assert [path.name for path in await past_files(store, first, tmp_path / "rejected", NOW + DAY)] == own
    async with store.writing() as connection:
        row = schema.business_unit.c
        await connection.execute(
            update(schema.business_unit).where(row.id == other).values(retention={"rejected_files": 7})
        )
    found = [path.name for path in await past_files(store, first, tmp_path / "rejected", NOW + DAY)]
    assert "dnc-900-numbers-rejected.csv.gz" not in found
    assert len(found) == 6
