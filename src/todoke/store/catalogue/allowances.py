"""What of its daily caps a run's code has used: why a run may wait."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.limit import LimitKind, day_of
from todoke.store.catalogue.units import Unit
from todoke.store.schema import allowance, skill_run, sms_brand, transport_code


class UsedUp(NamedTuple):
    """A cap of which nothing is left. `name` is that of the code or the brand; the next day begins at `until`."""

    kind: LimitKind
    name: str
    cap: int
    until: Micros


async def used_up(connection: AsyncConnection, unit: Unit, run_id: int, now: Micros) -> list[UsedUp]:
    """The daily caps that hold the unit's run back at this moment."""
    r, t, b, a = skill_run.c, transport_code.c, sms_brand.c, allowance.c
    run = (r.bucket == unit.bucket, r.business_unit_id == unit.id, r.id == run_id)

    def row_of(kind: LimitKind, subject: object) -> object:
        return and_(a.bucket == r.bucket, a.kind == kind.value, a.subject_id == subject)

    of_code = (
        select(t.code, t.daily_cap, t.cap_zone, a.day, a.used)
        .select_from(skill_run.join(transport_code, t.id == r.transport_code_id))
        .join(allowance, row_of(LimitKind.CODE, t.id))  # pyright: ignore[reportArgumentType]
        .where(*run, t.daily_cap.is_not(None))
    )
    of_brand = (
        select(b.name, b.daily_cap, b.cap_zone, a.day, a.used)
        .select_from(skill_run.join(transport_code, t.id == r.transport_code_id))
        .join(sms_brand, b.id == t.sms_brand_id)
        .join(allowance, row_of(LimitKind.BRAND, b.id))  # pyright: ignore[reportArgumentType]
        .where(*run, b.daily_cap.is_not(None))
    )
    found: list[UsedUp] = []
    for kind, query in ((LimitKind.CODE, of_code), (LimitKind.BRAND, of_brand)):
        for name, cap, zone, number, used in await connection.execute(query):
            day = day_of(zone, now)
            if number == day.number and used >= cap:
                found.append(UsedUp(kind, name, cap, day.end))
    return found
