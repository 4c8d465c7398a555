"""Business units and their DNC groups."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from todoke.model import schedule
from todoke.model.declaration import BusinessUnit, Declared, Retention
from todoke.model.retention import Data
from todoke.store.catalogue import dnc, units
from todoke.store.catalogue.provision.work import Change, Work
from todoke.store.catalogue.units import Unit
from todoke.store.privacy import retention
from todoke.store.schema import business_unit, dnc_group


async def provision(work: Work) -> None:
    for unit in work.declaration.units:
        await _unit(work, unit)
    for kept in work.declaration.retentions:
        await _retention(work, kept)
    for group, place in work.declaration.dnc_groups:
        owner = await work.unit(group.business_unit, place)
        if owner is not None:
            before = len(work.done.changes)
            await _group(work, owner, group.name)
            made = Change(True, "DNC group", group.name, owner.name)
            work.done.unchanged += len(work.done.changes) == before and made not in work.done.changes


async def _retention(work: Work, declared: Declared[Retention]) -> None:
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    old = {data.value: (await retention.days(work.connection, unit)).get(data.value) for data in Data}
    new = {data.value: getattr(entry, data.value) for data in Data}
    if work.differs("retention", unit.name, None, old, new):
        days = {name: days for name, days in new.items() if days is not None}
        await work.connection.execute(
            update(business_unit).where(business_unit.c.id == unit.id).values(retention=days or None)
        )


async def _unit(work: Work, declared: Declared[BusinessUnit]) -> None:
    entry, place = declared
    found = next((unit for unit in await units.every(work.connection) if unit.name == entry.name), None)
    if found is None:
        await work.connection.execute(
            insert(business_unit).values(
                name=entry.name,
                bucket=entry.bucket or 0,
                default_region=entry.default_region,
                dnc_group_id=None,
                created_at=work.now,
            )
        )
        unit = await units.find(work.connection, entry.name)
        work.created("business unit", entry.name, None)
        await _set(work, unit, entry, await _group(work, unit, entry.default_dnc_group))
        return
    if entry.bucket not in (None, found.bucket):
        sentence = f"The data of {found.name!r} is in bucket {found.bucket}, which cannot change."
        work.refuse(place, "bucket", sentence, f"Write bucket = {found.bucket}, or leave it out.")
        return
    groups = {group.id: group.name for group in await dnc.groups(work.connection, found)}
    group_id = await _group(work, found, entry.default_dnc_group)
    old = {
        "default_region": found.default_region,
        "default_dnc_group": groups.get(found.dnc_group_id or 0),
        "rate": found.rate,
        "list_expiry_days": found.list_expiry_days,
        "opt_out_scope": found.opt_out_scope,
        "cap": found.cap,
        "window": found.hours,
        "holidays": found.holidays or [],
        "rule_pack": found.rule_pack,
        "phone_hours": found.phone_hours or {},
    }
    new = {
        "default_region": entry.default_region,
        "default_dnc_group": entry.default_dnc_group,
        "rate": entry.rate,
        "list_expiry_days": entry.list_expiry_days,
        "opt_out_scope": entry.opt_out_scope,
        "cap": entry.cap,
        **_hours(entry),
    }
    if work.differs("business unit", entry.name, None, old, new):
        await _set(work, found, entry, group_id)


def _hours(entry: BusinessUnit) -> dict[str, Any]:
    """Its hours in the form in which they are kept."""
    return {
        "window": None if entry.window is None else str(schedule.parse(entry.window)),
        "holidays": entry.holidays,
        "rule_pack": entry.rule_pack,
        "phone_hours": schedule.by_name(entry.phone_hours),
    }


async def _set(work: Work, unit: Unit, entry: BusinessUnit, group_id: int) -> None:
    hours = _hours(entry)
    await work.connection.execute(
        update(business_unit)
        .where(business_unit.c.id == unit.id)
        .values(
            default_region=entry.default_region,
            dnc_group_id=group_id,
            rate=entry.rate,
            list_expiry_days=entry.list_expiry_days,
            opt_out_scope=entry.opt_out_scope,
            cap=entry.cap,
            hours=hours["window"],
            holidays=hours["holidays"],
            rule_pack=hours["rule_pack"],
            phone_hours=hours["phone_hours"] or None,
        )
    )


async def _group(work: Work, unit: Unit, name: str) -> int:
    """The id of the unit's DNC group, made where it is not there."""
    g = dnc_group.c
    query = select(g.id).where(g.business_unit_id == unit.id, g.name == name)
    group_id = (await work.connection.execute(query)).scalar()
    if group_id is None:
        values = {"business_unit_id": unit.id, "name": name, "created_at": work.now}
        await work.connection.execute(insert(dnc_group).values(**values))
        work.created("DNC group", name, unit)
        group_id = (await work.connection.execute(query)).scalar_one()
    return group_id
