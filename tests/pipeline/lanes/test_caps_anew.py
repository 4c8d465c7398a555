"""Daily caps that are declared anew while messages are with the carrier, over a real database."""

from __future__ import annotations

from sqlalchemy import select, update
from tests.factories import seed_brand
from tests.pipeline.lanes.test_owner import Desk, Open, desk

from todoke.model.clock import to_datetime
from todoke.model.limit import LimitKind
from todoke.providers.base import Decision, Failure
from todoke.store import schema

__all__ = ["desk"]


async def used(d: Desk) -> dict[str, int]:
    a = schema.allowance.c
    async with d.store.reading() as connection:
        rows = await connection.execute(select(a.kind, a.used))
        return {row.kind: row.used for row in rows}


async def declare(d: Desk, **values: object) -> None:
    async with d.store.writing() as connection:
        await connection.execute(update(schema.transport_code).values(values))


async def test_what_the_carrier_did_not_take_is_credited_to_the_cap_that_was_charged(desk: Open) -> None:
    d = await desk(n=50)
    offset = to_datetime(d.clock.now()).hour - 12  # noon, or a little later: no midnight comes between
    zone = f"Etc/GMT{offset:+d}" if offset else "Etc/GMT"
    await declare(d, daily_cap=1_000, cap_zone=zone)
    d.wire.silent = True
    await d.run()
    engine = await d.engine()
    await d.until(lambda: len(d.wire.written) == 50)
    assert await used(d) == {LimitKind.CODE: 50}
    brand = await seed_brand(d.store, d.scene.unit, daily_cap=500, cap_zone=zone)
    await declare(d, daily_cap=None, sms_brand_id=brand)

    def seen() -> bool:
        return [lim.key.kind for lane in engine.owner.lanes.values() for lim in lane.row.limits] == [LimitKind.BRAND]

    await d.until(seen)
    refused = d.wire.take(20)
    engine.owner.failed(d.scene.provider, [Failure(s, Decision.NEVER_SENT, "closed") for s in refused])
    await d.until(lambda: len(d.wire.written) == 70)

    async def credited() -> bool:
        return await used(d) == {LimitKind.CODE: 30, LimitKind.BRAND: 20}

    await d.until(credited)
