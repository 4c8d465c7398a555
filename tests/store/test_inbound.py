"""What phones say: stored once, put together, obeyed before it is acknowledged."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select
from tests.factories import NOW, phone_of, seed_dnc
from tests.store.world import World, make_world

from todoke.model.clock import HOUR, SECOND
from todoke.store import schema
from todoke.store.hot.base import Contact, InboundPart, OptOut
from todoke.store.store import open_store


def part(world: World, text: str, *, number: int = 1, total: int = 1, **changes: object) -> InboundPart:
    scene = world.scene
    reference = 7 if total > 1 else None
    whole = InboundPart(
        scene.bucket,
        scene.unit,
        scene.provider,
        scene.code,
        "15550000001",
        "15551230001",
        text,
        reference,
        total,
        number,
        "link-1",
        NOW,
    )
    return whole._replace(**changes)  # type: ignore[arg-type]


async def meanings(world: World) -> dict[int, str]:
    async with world.store.reading() as connection:
        rows = await connection.execute(select(schema.inbound.c.id, schema.inbound.c.meaning))
        return {row.id: row.meaning for row in rows}


async def test_a_text_is_stored_and_given_back(world: World) -> None:
    one, two = await world.hot.store_inbound([part(world, "Yes"), part(world, "No 届け", business_unit_id=None)])
    assert (one.repeated, one.text, two.text) == (False, "Yes", "No 届け")
    assert await meanings(world) == {one.id: "reply", two.id: "reply"}
    assert await world.hot.store_inbound([]) == []


async def test_the_same_words_twice_on_one_link_are_two_messages(world: World) -> None:
    one, two = await world.hot.store_inbound([part(world, "Yes"), part(world, "Yes")])
    (three,) = await world.hot.store_inbound([part(world, "Yes")])
    assert not (one.repeated or two.repeated or three.repeated)
    assert len({one.id, two.id, three.id}) == 3


@pytest.mark.parametrize("together", [True, False])
async def test_a_repeat_on_another_link_is_the_same_message(world: World, together: bool) -> None:
    parts = [part(world, "Stop"), part(world, "Stop", session="link-2", received_at=NOW + 299 * SECOND)]
    if together:
        first, again = await world.hot.store_inbound(parts)
    else:
        (first,), (again,) = await world.hot.store_inbound(parts[:1]), await world.hot.store_inbound(parts[1:])
    assert (again.id, again.repeated, again.text) == (first.id, True, "Stop")
    (later,) = await world.hot.store_inbound([part(world, "Stop", session="link-3", received_at=NOW + 301 * SECOND)])
    assert not later.repeated


@pytest.mark.parametrize(
    "change", [{"text": "other"}, {"source": "15550000002"}, {"destination": "1"}, {"provider_id": 99}]
)
async def test_another_message_is_no_repeat(world: World, change: dict[str, object]) -> None:
    await world.hot.store_inbound([part(world, "Stop")])
    (other,) = await world.hot.store_inbound([part(world, "Stop", session="link-2")._replace(**change)])  # type: ignore[arg-type]
    assert not other.repeated


@pytest.mark.parametrize("together", [True, False])
async def test_parts_are_put_together_in_any_order(world: World, together: bool) -> None:
    parts = [
        part(world, "three", number=3, total=3),
        part(world, "one ", number=1, total=3),
        part(world, "two ", number=2, total=3),
    ]
    if together:
        stored = await world.hot.store_inbound(parts)
    else:
        stored = [(await world.hot.store_inbound([p]))[0] for p in parts]
    assert [s.text for s in stored] == [None, None, "one two three"]
    assert await meanings(world) == {stored[0].id: "part", stored[1].id: "part", stored[2].id: "reply"}
    (again,) = await world.hot.store_inbound([parts[2]._replace(session="link-2")])
    assert (again.repeated, again.id, again.text) == (True, stored[2].id, "one two three")


async def test_a_reference_is_used_again(world: World) -> None:
    await world.hot.store_inbound([part(world, "a1", number=1, total=2), part(world, "a2", number=2, total=2)])
    (first,) = await world.hot.store_inbound([part(world, "b2", number=2, total=2)])
    (second,) = await world.hot.store_inbound([part(world, "b1", number=1, total=2)])
    assert (first.text, second.text) == (None, "b1b2")


async def test_parts_of_different_phones_or_hours_do_not_mix(world: World) -> None:
    await world.hot.store_inbound([part(world, "a1", number=1, total=2)])
    for change in ({"source": "15550000002"}, {"reference": 8}, {"received_at": NOW + HOUR + 1}):
        (stored,) = await world.hot.store_inbound(
            [part(world, "a2", number=2, total=2)._replace(**change)]  # type: ignore[arg-type]
        )
        assert stored.text is None


async def test_two_parts_on_two_links_at_once_make_one_text(database_url: str) -> None:
    async with await open_store(database_url) as one, await open_store(database_url) as two:
        world = await make_world(one)
        for n in range(10):
            pair = [part(world, f"{number}", number=number, total=2, reference=n) for number in (1, 2)]
            left, right = await asyncio.gather(one.hot.store_inbound(pair[:1]), two.hot.store_inbound(pair[1:]))
            assert {left[0].text, right[0].text} == {None, "12"}


def opt_out(world: World, kind: str, *, at: int = NOW, inbound_id: int | None = None, n: int = 1) -> OptOut:
    scene = world.scene
    return OptOut(scene.bucket, scene.unit, scene.group, phone_of(n), kind, "reply", "Stop", inbound_id, at)


async def listed(world: World, n: int = 1) -> bool:
    scene = world.scene
    (contact,) = await world.hot.read_contacts(scene.bucket, scene.list, n, n, (scene.group,))
    return contact.on_dnc


async def evidence(world: World) -> list[tuple[str, int]]:
    o = schema.opt_out.c
    async with world.store.reading() as connection:
        return [(row.kind, row.at) for row in await connection.execute(select(o.kind, o.at).order_by(o.id))]


async def test_an_opt_out_lists_the_number_and_an_opt_in_lifts_it(world: World) -> None:
    (said,) = await world.hot.store_inbound([part(world, "Stop")])
    await world.hot.apply_opt_outs([opt_out(world, "out", inbound_id=said.id)], [(said.id, "stop")])
    assert await listed(world)
    assert not await listed(world, 2)
    assert await meanings(world) == {said.id: "stop"}
    await world.hot.apply_opt_outs([opt_out(world, "in", at=NOW + 1)], [])
    assert not await listed(world)
    assert await evidence(world) == [("out", NOW), ("in", NOW + 1)]


async def test_an_opt_out_that_is_told_again_changes_nothing(world: World) -> None:
    (said,) = await world.hot.store_inbound([part(world, "Stop")])
    out = opt_out(world, "out", inbound_id=said.id)
    await world.hot.apply_opt_outs([out, out], [])
    await world.hot.apply_opt_outs([opt_out(world, "in", at=NOW + 1)], [])
    await world.hot.apply_opt_outs([out._replace(at=NOW + 2)], [(said.id, "stop")])
    by_person = opt_out(world, "in", at=NOW + 1)
    await world.hot.apply_opt_outs([by_person], [])
    assert not await listed(world)
    assert await evidence(world) == [("out", NOW), ("in", NOW + 1)]


async def test_the_latest_word_counts_in_whatever_order_it_comes(world: World) -> None:
    await world.hot.apply_opt_outs([opt_out(world, "in", at=NOW + 2)], [])
    await world.hot.apply_opt_outs([opt_out(world, "out", at=NOW + 1)], [])
    assert not await listed(world)
    await world.hot.apply_opt_outs([opt_out(world, "out", at=NOW + 3)], [])
    assert await listed(world)


async def test_an_opt_out_of_a_number_that_is_listed_already(world: World) -> None:
    await seed_dnc(world.store, world.scene.group, [phone_of(1)])
    await world.hot.apply_opt_outs([opt_out(world, "out")], [])
    assert await listed(world)


async def test_contacts_are_read_with_their_lists(world: World) -> None:
    scene = world.scene
    await seed_dnc(world.store, scene.group, [phone_of(3)])
    contacts = await world.hot.read_contacts(scene.bucket, scene.list, 2, 4, (999, scene.group))
    assert [(c.position, c.destination, c.zone_set, c.fields, c.on_dnc) for c in contacts] == [
        (n, phone_of(n), 0, f"FirstName {n}", n == 3) for n in (2, 3, 4)
    ]
    some = await world.hot.read_contacts_at(scene.bucket, scene.list, [4, 3, 99], ())
    assert [(c.position, c.on_dnc) for c in some] == [(3, False), (4, False)]
    assert all(len(contact) == len(Contact._fields) and type(contact.on_dnc) is bool for contact in contacts)
    assert await world.hot.read_contacts(scene.bucket + 1, scene.list, 0, 9, ()) == []
