"""Frequency caps: what is declared, and what of it one number has left."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.cap import Cap, free_at, parse
from todoke.model.clock import Micros
from todoke.store.catalogue.units import Unit
from todoke.store.schema import calling_list, cap_use, skill


class Left(NamedTuple):
    """`whose`: business unit, skill or list. `free_at`: when the next text may go by this cap: now, or later."""

    whose: str
    name: str
    cap: Cap
    used: int
    free_at: Micros


async def set_list(connection: AsyncConnection, unit: Unit, list_id: int, text: str | None) -> str | None:
    """Cap the texts to one number of the list, by all skills; None lifts it. Invalid for what is no cap."""
    tidy = None if text is None else str(parse(text))
    c = calling_list.c
    await connection.execute(
        update(calling_list).where(c.business_unit_id == unit.id, c.id == list_id).values(cap=tidy)
    )
    return tidy


async def left(
    connection: AsyncConnection,
    unit: Unit,
    phone: int,
    now: Micros,
    *,
    skill_id: int | None = None,
    list_id: int | None = None,
) -> list[Left]:
    """What of each cap that holds for a text of the skill to a contact of the list is used; nothing where none is."""
    caps: list[tuple[str, str, Cap, int | None]] = []
    if unit.cap is not None:
        caps.append(("business unit", unit.name, parse(unit.cap), None))
    for whose, table, id_ in (("skill", skill, skill_id), ("list", calling_list, list_id)):
        query = select(table.c.name, table.c.cap).where(table.c.business_unit_id == unit.id, table.c.id == id_)
        row = (await connection.execute(query)).first() if id_ is not None else None
        if row is not None and row[1] is not None:
            caps.append((whose, row[0], parse(row[1]), id_))
    if not caps:
        return []
    u = cap_use.c
    uses = (
        await connection.execute(
            select(u.at, u.skill_id, u.list_id).where(
                u.bucket == unit.bucket, u.business_unit_id == unit.id, u.phone == phone
            )
        )
    ).all()
    found: list[Left] = []
    for whose, name, cap, id_ in caps:
        place = {"business unit": None, "skill": 1, "list": 2}[whose]
        own = [use[0] for use in uses if place is None or use[place] == id_]
        within = sum(at > now - cap.within for at in own)
        found.append(Left(whose, name, cap, within, free_at(own, cap, now)))
    return found
