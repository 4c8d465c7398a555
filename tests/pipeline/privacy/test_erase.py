"""One person's data: all of it in the document, none of it after the erasure, and the number still not texted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import String, cast, insert, select
from tests.factories import NOW, Scene, phone_of, seed, seed_dnc, seed_engine, seed_list, seed_run
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SystemClock
from todoke.model.consent import Act, Kind, Record, Required
from todoke.model.errors import Conflict
from todoke.model.event import Kind as EventKind
from todoke.pipeline.privacy.erase import Erased, erase, require_key, the_key
from todoke.pipeline.privacy.export import export
from todoke.store.catalogue import units
from todoke.store.catalogue.units import Unit
from todoke.store.consents import writing
from todoke.store.hot.base import Check, InboundPart, NewRun, OptOut
from todoke.store.hot.singles import BODY
from todoke.store.lists import keys
from todoke.store.lists.key_hash import external_key
from todoke.store.privacy.key import Key, KeyFile
from todoke.store.schema import calling_list, metadata
from todoke.store.store import Store

WHO = 4  # the position of the person
PHONE = phone_of(WHO)
WORDS = "Stop it, says Ann"


async def unit_of(store: Store, name: str = "unit") -> Unit:
    async with store.reading() as connection:
        return await units.find(connection, name)


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


async def keyed(store: Store, scene: Scene, n: int) -> None:
    """The list gets its keys, as an import writes them."""
    phones = pl.DataFrame({"key": [phone_of(p) for p in range(n)], "position": range(n)})
    ids = pl.DataFrame({"key": [external_key(f"c{p}") for p in range(n)], "position": range(n)}).sort("key")
    async with store.writing() as connection:
        await keys.append(connection, scene.bucket, scene.list, keys.Kind.PHONE, phones)
        await keys.append(connection, scene.bucket, scene.list, keys.Kind.EXTERNAL, ids)


async def person(store: Store) -> World:
    """A world in which the person at `WHO` left something in every table."""
    world = await make_world(store, n=10)
    scene = world.scene
    await keyed(store, scene, 10)
    await seed_list(store, scene.unit, n=6, name="scanned")  # without keys
    await world.flush(leases=[world.lease(0, 10)])
    await world.flush(fresh=[world.fresh(*range(10))])
    await world.flush(events=[world.event(WHO, EventKind.DELIVERED, id="p4")])
    part = InboundPart(
        scene.bucket, scene.unit, scene.provider, scene.code, str(PHONE), "15551230001", WORDS, None, 1, 1, "s", NOW
    )
    (said,) = await store.hot.store_inbound([part])
    stop = OptOut(scene.bucket, scene.unit, scene.group, PHONE, "out", "reply", WORDS, said.id, NOW + 1)
    await store.hot.apply_opt_outs([stop], [(said.id, "stop")])
    given = Record(PHONE, Act.GIVEN, Kind.EXPRESS, NOW, purpose="marketing", reference="Ann's form 77")
    revoked = Record(PHONE, Act.REVOKED, None, NOW + 1, words=WORDS)
    await writing.add(store, await unit_of(store), [given, revoked], NOW)
    await besides(store, scene, said.id)
    return world


async def besides(store: Store, scene: Scene, inbound_id: int) -> None:
    """Rows that other parts write."""
    of_unit = {"bucket": scene.bucket, "business_unit_id": scene.unit}
    of_phone = {**of_unit, "phone": PHONE}
    of_code = {**of_phone, "transport_code_id": scene.code, "inbound_id": inbound_id, "at": NOW}
    held = {"reason": WORDS, "who": "Bo", "created_at": NOW, "expires_at": NOW + HOUR}
    used = {"message_id": 7, "at": NOW, "skill_id": scene.skill, "list_id": scene.list, "transport_code_id": scene.code}
    review = {"text": WORDS, "reason": "", "holds": [], "state": "open", "note": ""}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("suppression", {**of_phone, **held}),
        ("suppression", {**of_unit, **held, "external_id": f"c{WHO}"}),
        ("cap_use", {**of_phone, **used}),
        ("review", {**of_code, **review}),
        ("answer", {**of_code, "kind": "stop", "message_id": 7}),
    ]
    async with store.writing() as connection:
        for name, row in rows:
            await connection.execute(insert(metadata.tables[name]).values(**row))


async def erased(store: Store, key: Key, phone: int = PHONE, external_id: str | None = None) -> Erased:
    return await erase(
        store,
        await unit_of(store),
        phone,
        external_id,
        key=key,
        requested_by="Bo",
        clock=SystemClock(),
        settle=no_wait,
    )


async def everything(store: Store) -> str:
    """All rows of all tables, as text; keys of lists decoded."""
    found: list[str] = []
    async with store.reading() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.columns if c.name != "keys"]
            rows = await connection.execute(select(*(cast(c, String) for c in columns)))
            found += [f"{table.name}: {tuple(row)}" for row in rows]
        lists = (await connection.execute(select(calling_list.c.bucket, calling_list.c.id))).all()
    for bucket, list_id in lists:
        for kind in keys.Kind:
            found.append(str((await keys.read(store, bucket, list_id, kind)).rows()))
    return "\n".join(found)


async def test_the_document_has_all_of_one_person_and_nobody_else(store: Store) -> None:
    await person(store)
    document = await export(store, await unit_of(store), PHONE, None, NOW + 9)
    text = json.dumps(document)
    assert str(phone_of(WHO + 1)) not in text
    assert [contact["list"] for contact in document["contacts"]] == ["list", "scanned"]
    first = document["contacts"][0]
    assert first["fields"] == {"FirstName": f"FirstName {WHO}"}
    assert first["external_id"] == f"c{WHO}"
    assert [event["what"] for event in first["messages"][0]["events"]] == ["accepted", "delivered"]
    assert [reply["text"] for reply in document["replies"]] == [WORDS]
    assert [entry["group"] for entry in document["do_not_call"]] == ["default"]
    assert [row["words"] for row in document["opt_outs"]] == [WORDS]
    assert [row["reference"] for row in document["consents"]] == ["Ann's form 77", ""]
    assert document["consent_that_stands"] == []
    assert [len(document[name]) for name in ("suppression", "cap_use", "review", "answer")] == [2, 1, 1, 1]


async def test_after_the_erasure_nothing_names_the_person(store: Store, tmp_path: Path) -> None:
    world = await person(store)
    key = KeyFile(tmp_path).make()
    before = await world.tallies()
    done = await erased(store, key)
    assert done.counts == {
        **dict.fromkeys(("doubt", "orphan"), 0),
        **dict.fromkeys(("inbound", "opt_out", "answer", "review", "dnc_change", "cap_use"), 1),
        **dict.fromkeys(("contact", "consent", "suppression"), 2),
    }
    left = await everything(store)
    for trace in (str(PHONE), "Ann", f"FirstName {WHO}'", f"'c{WHO}'", str(external_key(f"c{WHO}"))):
        assert trace not in left, trace
    assert str(phone_of(WHO + 1)) in left, "the others are there"
    assert await world.tallies() == before
    document = await export(store, await unit_of(store), PHONE, None, NOW + 9, key)
    assert document["contacts"] == document["replies"] == document["consents"] == []
    assert [entry["source"] for entry in document["do_not_call"]] == ["erased"]
    assert [row["requested_by"] for row in document["erasures"]] == ["Bo"]


async def test_who_was_on_a_dnc_group_stays_blocked_on_every_later_list(store: Store, tmp_path: Path) -> None:
    world = await person(store)
    scene = world.scene
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    later = await seed_list(store, scene.unit, n=6, name="later")
    contacts = await store.hot.read_contacts(scene.bucket, later, 0, 5, (scene.group,))
    assert not any(contact.on_dnc for contact in contacts), "the number is on no list in the open"
    (run,) = await store.hot.open_runs([scene.code])
    assert run.check is not None
    phones = [contact.destination for contact in contacts]
    year = SystemClock().now() + 9_000 * HOUR
    assert await store.hot.barred(scene.bucket, (scene.group,), run.check, phones, year) == {PHONE: "dnc"}


async def test_who_was_on_no_group_is_blocked_only_while_what_was_under_way_could_text_them(
    store: Store, tmp_path: Path
) -> None:
    scene = await seed(store)
    start = SystemClock().now()
    await seed_run(store, scene, started_at=start, hours=5)
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    check = Check(scene.unit, None, True)
    blocked = [
        await store.hot.barred(scene.bucket, (scene.group,), check, [PHONE], start + hours * HOUR) for hours in (4, 5)
    ]
    assert blocked == [{PHONE: "erased"}, {}]
    assert (await store.hot.read_contacts(scene.bucket, scene.list, WHO, WHO, (scene.group,)))[0].destination == -1


async def test_standing_runs_block_who_was_erased_for_a_day_also_those_that_take_no_more(
    store: Store, tmp_path: Path
) -> None:
    scene = await seed(store)
    start = SystemClock().now()
    ids = (scene.bucket, scene.unit, scene.skill, 0, scene.code)
    for groups in ((), (scene.group,)):  # the second takes the place of the first
        await store.hot.start_run(NewRun(*ids, BODY, None, groups, start, start + 9_000 * HOUR, standing=True))
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    check = Check(scene.unit, None, True)
    blocked = [
        await store.hot.barred(scene.bucket, (scene.group,), check, [PHONE], start + hours * HOUR) for hours in (23, 25)
    ]
    assert blocked == [{PHONE: "erased"}, {}]


async def test_a_revocation_outlives_the_erasure_though_an_old_consent_is_imported_again(
    store: Store, tmp_path: Path
) -> None:
    world = await person(store)
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    old = Record(PHONE, Act.GIVEN, Kind.EXPRESS, NOW)
    await writing.add(store, await unit_of(store), [old, old._replace(phone=PHONE + 1)], NOW)
    check = Check(world.scene.unit, Required(Kind.EXPRESS), True)
    bucket = world.scene.bucket
    assert await store.hot.barred(bucket, (), check, [PHONE, PHONE + 1], NOW + 9) == {PHONE: "no_consent"}


async def test_an_erasure_may_be_repeated_and_keeps_what_the_first_one_knew(store: Store, tmp_path: Path) -> None:
    world = await person(store)
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    done = await erased(store, key)
    assert set(done.counts.values()) == {0}
    check = Check(world.scene.unit, None, True)
    found = await store.hot.barred(world.scene.bucket, (world.scene.group,), check, [PHONE], NOW + 9_999 * HOUR)
    assert found == {PHONE: "dnc"}


async def test_an_erasure_that_broke_off_is_done_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await person(store)
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)

    async def broken(*_: Any) -> None:
        raise OSError("pulled the plug")

    await seed_engine(store)
    with pytest.raises(OSError, match="plug"):
        await erase(
            store,
            await unit_of(store),
            PHONE,
            None,
            key=key,
            requested_by="Bo",
            clock=SystemClock(),
            settle=broken,
        )
    contacts = await store.hot.read_contacts(world.scene.bucket, world.scene.list, 0, 9, (world.scene.group,))
    assert contacts[WHO].destination == -1
    await erased(store, key)
    assert str(PHONE) not in await everything(store)


async def test_another_business_unit_keeps_its_own(store: Store, tmp_path: Path) -> None:
    await person(store)
    other = await seed(store, name="b")
    await seed_dnc(store, other.group, [PHONE])
    await erased(store, KeyFile(tmp_path).make())
    (contact,) = await store.hot.read_contacts(other.bucket, other.list, WHO, WHO, (other.group,))
    assert (contact.destination, contact.on_dnc) == (PHONE, True)


async def test_an_external_id_finds_contacts_with_another_number(store: Store, tmp_path: Path) -> None:
    scene = await seed(store)
    await keyed(store, scene, 10)
    done = await erased(store, KeyFile(tmp_path).make(), phone_of(1), "c2")
    assert done.counts["contact"] == 2
    contacts = await store.hot.read_contacts(scene.bucket, scene.list, 0, 3, (scene.group,))
    assert [contact.destination for contact in contacts] == [phone_of(0), -1, -1, phone_of(3)]


async def test_without_the_key_nothing_goes_on(store: Store, tmp_path: Path) -> None:
    await person(store)
    file = KeyFile(tmp_path)
    await require_key(store, file)  # nobody was erased: none is needed
    key = await the_key(store, file)
    await erased(store, key)
    await require_key(store, file)
    elsewhere = KeyFile(tmp_path / "elsewhere")
    with pytest.raises(Conflict, match="has not"):
        await require_key(store, elsewhere)
    elsewhere.make()
    with pytest.raises(Conflict, match="has not"):
        await the_key(store, elsewhere)
    assert file.path.stat().st_mode & 0o777 == 0o600


async def test_an_entry_that_expires_holds_as_a_hash_until_then(store: Store, tmp_path: Path) -> None:
    scene = await seed(store)
    now = SystemClock().now()
    until = now + 5 * HOUR
    out = OptOut(scene.bucket, scene.unit, scene.group, PHONE, "out", "person", "", None, now, until)
    await store.hot.apply_opt_outs([out], [])
    key = KeyFile(tmp_path).make()
    store.hot.use_key(key.hashed)
    await erased(store, key)
    check = Check(scene.unit, None, True)
    found = [await store.hot.barred(scene.bucket, (scene.group,), check, [PHONE], at) for at in (until - 1, until)]
    assert found == [{PHONE: "erased"}, {}]
