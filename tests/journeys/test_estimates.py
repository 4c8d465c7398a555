"""What is estimated of a skill is what its run then does, over a real socket."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from tests.factories import NOW, phone_of, seed_dnc, seed_dnc_group, update_skill
from tests.journeys.conftest import EngineContext
from tests.world import BUCKET, World, eventually, make_world

from todoke.model.clock import HOUR, SECOND, SystemClock
from todoke.model.consent import Act, Kind, Record
from todoke.model.event import State
from todoke.model.run import RunEvent
from todoke.pipeline.planner.estimating import estimate_skill
from todoke.pipeline.planner.start import start_skill
from todoke.pipeline.privacy.erase import erase, the_key
from todoke.providers.simulator import Simulator
from todoke.store import schema
from todoke.store.catalogue import suppressions, units
from todoke.store.catalogue.suppressions import Whom
from todoke.store.consents import writing
from todoke.store.privacy.key import KeyFile
from todoke.store.store import Store

CONTACTS = 60
NEVER = range(48, 60)  # in a place of which no clock knows, with hours of their own
FILTERED = {0, 20, 21, 40, 50}
FILTER = "@external_id not in (" + ", ".join(f'"c{position}"' for position in sorted(FILTERED)) + ")"

REASONS = {
    "dnc": {1, 2, 13},  # the last one's owner was erased
    "no_consent": {4, 5, 19},  # the same
    "suppressed": {6, 7},
    "contact_expired": {10},
    "no_mobile": {11},
    "erased": {12, 22},
    "missing_field": {14},
    "cap": {15},
}
SOON = 3 * SECOND
LATER = {9: "suppressed", 16: "cap"}  # that is when


@pytest.mark.parametrize(("wanted", "order"), [(None, ()), (FILTER, ()), (FILTER, ("FirstName desc",))])
async def test_a_run_does_what_was_estimated(
    store: Store,
    simulator: Simulator,
    engine: EngineContext,
    ledger: Path,
    tmp_path: Path,
    wanted: str | None,
    order: tuple[str, ...],
) -> None:
    zones = (("America/New_York",),) * 4 + (("- Nowhere/Nowhere mon-sun 09:00-17:00",),)
    world = await make_world(store, simulator.ports.smpp_port, ledger, contacts=CONTACTS, rate=200, zones=zones)
    await set_the_scene(world, tmp_path)
    await update_skill(store, world.scene, filter=wanted, ordering="\n".join(order) or None)
    clock, of = SystemClock(), {"business_unit": None, "skill": "skill", "calling_list": "list"}
    now = clock.now()

    found = await estimate_skill(store, now=now, **of)

    taken = set(range(CONTACTS)) - (FILTERED if wanted else set())
    reasons = {position: reason for reason, positions in REASONS.items() for position in positions}
    reasons[51] = "dnc" if order else "expired"  # without an order nobody comes to it
    expected = Counter(reasons.get(at, "expired" if at in NEVER else "") for at in taken)
    texted = expected.pop("")
    assert (found.contacts, found.exact, found.messages) == (CONTACTS, True, texted)
    assert found.skipped == expected | ({"filtered": len(FILTERED)} if wanted else {})
    assert set(found.waiting) <= set(LATER.values())  # they may be over by now

    async with engine():
        run = (await start_skill(store, now=clock.now(), **of)).run_id

        async def done() -> bool:
            counts = await world.counts(run)
            return (counts[State.DELIVERED], counts[State.SKIPPED]) == (texted, expected.total() - expected["expired"])

        await eventually(done, "what was estimated is sent and skipped")
        await store.hot.control_run(BUCKET, run, RunEvent.STOP, "it would wait for its expiry", clock.now())
        await world.ended(run)
    counts = await world.judge(run, len(taken))
    assert counts == {State.DELIVERED: texted, State.SKIPPED: counts[State.SKIPPED], State.STOPPED: expected["expired"]}
    told = Counter(folded.reason for folded in (await world.states(run)).values() if folded.state is State.SKIPPED)
    assert told == {reason: count for reason, count in expected.items() if reason != "expired"}


async def set_the_scene(world: World, folder: Path) -> None:
    """Somebody for every reason."""
    store, scene = world.store, world.scene
    now = SystemClock().now()
    async with store.reading() as connection:
        (unit,) = await units.every(connection)
    own = await seed_dnc_group(store, scene.unit, name="own", bucket=BUCKET, phones=[phone_of(1), phone_of(51)])
    other = await seed_dnc_group(store, scene.unit, name="other", bucket=BUCKET, phones=[phone_of(8)])
    await seed_dnc(store, scene.group, [phone_of(2), phone_of(13)], bucket=BUCKET)
    contact = schema.contact
    changes = {
        10: {"expires_at": now - 1},
        11: {"destination": 0},
        14: {"fields": ""},
        17: {"expires_at": now + 6 * HOUR},
    }
    async with store.writing() as connection:
        row = {"bucket": BUCKET, "dnc_group_id": scene.group, "phone": phone_of(3), "source": "person"}
        await connection.execute(insert(schema.dnc_entry).values(**row, created_at=NOW, expires_at=NOW + 1))
        for group, scrubs in ((own, True), (other, False)):
            row = {"skill_id": scene.skill, "dnc_group_id": group, "contributes": False, "scrubs": scrubs}
            await connection.execute(insert(schema.skill_dnc).values(row))
        for position, values in changes.items():
            await connection.execute(update(contact).where(contact.c.position == position).values(values))
        for position, at in ((15, now - HOUR), (16, now - 48 * HOUR + SOON)):
            row = {"bucket": BUCKET, "business_unit_id": scene.unit, "phone": phone_of(position), "at": at}
            ids = {"skill_id": scene.skill, "list_id": scene.list, "transport_code_id": scene.code}
            await connection.execute(insert(schema.cap_use).values(**row, **ids, message_id=1 << 60))
        skill_only = {"reason": "", "who": "", "now": now, "skill_id": scene.skill + 1}
        for whom, hours in ((Whom(phone_of(6)), 48), (Whom(external_id="c7"), 48), (Whom(phone_of(9)), SOON / HOUR)):
            await suppressions.add(connection, unit, [whom], **{**skill_only, "skill_id": None}, hours=hours)
        await suppressions.add(connection, unit, [Whom(phone_of(18))], **skill_only, hours=48)
    await update_skill(
        store, scene, consent=int(Kind.EXPRESS), consent_purpose="shifts", consent_programme="", cap="1 in 2 days"
    )
    agreed = [at for at in range(CONTACTS) if at != 4]
    given = [Record(phone_of(at), Act.GIVEN, Kind.EXPRESS, now - SECOND, purpose="shifts") for at in agreed]
    await writing.add(store, unit, [*given, Record(phone_of(5), Act.REVOKED, None, now - 1)], now)
    key = await the_key(store, KeyFile(folder))
    store.hot.use_key(key.hashed)
    for position in (12, 13, 19):
        await erase(store, unit, phone_of(position), None, key=key, requested_by="a test", clock=SystemClock())
    async with store.writing() as connection:
        for position in (13, 19):  # they come again
            again = update(contact).where(contact.c.position == position)
            await connection.execute(again.values(destination=phone_of(position), fields="Ann"))
        row = {"bucket": BUCKET, "business_unit_id": scene.unit, "dnc_group_id": scene.group, "created_at": now}
        barred = {**row, "digest": key.hashed(phone_of(22)), "until": now + 48 * HOUR}
        await connection.execute(insert(schema.erased_number).values(barred))
