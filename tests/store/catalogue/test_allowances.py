"""Why a run waits: its code or its brand has had its segments of the day."""

from __future__ import annotations

from sqlalchemy import insert, update
from tests.factories import NOW, seed, seed_brand, seed_run

from todoke.model.clock import HOUR
from todoke.model.limit import LimitKind, day_of
from todoke.store import schema
from todoke.store.catalogue import allowances, units
from todoke.store.catalogue.allowances import UsedUp
from todoke.store.store import Store


async def test_caps_that_are_used_up_are_told_by_the_units_own_run(store: Store) -> None:
    scene = await seed(store)
    other = await seed(store, name="other")
    run, strange = await seed_run(store, scene), await seed_run(store, other)
    brand = await seed_brand(store, scene.unit, daily_cap=10)
    day = day_of("UTC", NOW)
    async with store.writing() as connection:
        codes = update(schema.transport_code).where(schema.transport_code.c.id == scene.code)
        await connection.execute(codes.values(sms_brand_id=brand, daily_cap=5, cap_zone="UTC"))
        for kind, subject, used in ((LimitKind.CODE, scene.code, 4), (LimitKind.BRAND, brand, 10)):
            await connection.execute(
                insert(schema.allowance).values(
                    bucket=scene.bucket,
                    kind=kind.value,
                    subject_id=subject,
                    first_cell=0,
                    counts="",
                    day=day.number,
                    used=used,
                )
            )
    async with store.reading() as connection:
        mine, theirs = await units.find(connection, "unit"), await units.find(connection, "unitother")
        told = [UsedUp(LimitKind.BRAND, "brand", 10, day.end)]
        assert await allowances.used_up(connection, mine, run, NOW) == told
        assert await allowances.used_up(connection, mine, run, NOW + 24 * HOUR) == []  # another day
        assert await allowances.used_up(connection, mine, strange, NOW) == []
        assert await allowances.used_up(connection, theirs, run, NOW) == []
