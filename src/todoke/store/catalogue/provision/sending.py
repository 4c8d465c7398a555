"""Providers and transport codes."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import insert, select, update

from todoke.model.declaration import Declared, Provider, TransportCode
from todoke.model.provider_kind import shown
from todoke.model.transport_code import CODE_TYPES
from todoke.store.catalogue import providers
from todoke.store.catalogue.providers import ProviderRow
from todoke.store.catalogue.provision import brands
from todoke.store.catalogue.provision.work import Work
from todoke.store.catalogue.units import Unit
from todoke.store.schema import business_unit, provider, transport_code


async def provision(work: Work) -> None:
    for declared in work.declaration.providers:
        await _provider(work, declared)
    for declared in work.declaration.brands:
        await brands.provision(work, declared)
    for declared in work.declaration.codes:
        await _code(work, declared)


async def _provider(work: Work, declared: Declared[Provider]) -> None:
    entry = declared.entry
    settings = _settings(entry)
    found = next((row for row in await providers.every(work.connection) if row.name == entry.name), None)
    if found is None:
        values = {"name": entry.name, "kind": entry.kind, "bucket": 0, "settings": settings, "created_at": work.now}
        await work.connection.execute(insert(provider).values(**values, price=entry.price, currency=entry.currency))
        work.created("provider", entry.name, None)
        return
    cost = {"price": entry.price, "currency": entry.currency}
    p = provider.c
    costed = (await work.connection.execute(select(p.price, p.currency).where(p.id == found.id))).one()
    old: dict[str, Any] = {"kind": found.kind, "price": costed[0], "currency": costed[1], **found.settings}
    new: dict[str, Any] = {"kind": entry.kind, **cost, **dict.fromkeys(found.settings), **settings}
    if _differs(work, entry.name, old, new):
        await work.connection.execute(
            update(provider).where(p.id == found.id).values(kind=entry.kind, settings=settings, **cost)
        )


def _settings(entry: Provider) -> dict[str, Any]:
    """What the file says beside the defaults of the kind, which stay with its class."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(entry.settings)}
    return {
        key: msgspec.to_builtins(value)
        for key, value in msgspec.structs.asdict(entry.settings).items()
        if value != defaults[key]
    }


def _differs(work: Work, name: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the provider changes; recorded without its secrets."""
    hidden = {key for key in new if old.get(key) != new[key] and shown(old).get(key) == shown(new)[key]}
    told = {**shown(new), **dict.fromkeys(hidden, "*** (another one)")}
    return bool(work.differs("provider", name, None, shown(old), told))


async def _code(work: Work, declared: Declared[TransportCode]) -> None:
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    finding = providers.find(work.connection, entry.provider)
    account = await work.found(finding, place, "provider", "provider", entry.provider)
    if unit is None or account is None or not await _same_bucket(work, declared, unit, account):
        return
    brand_id = None
    if entry.brand is not None:
        brand_id = await work.found(
            brands.find(work.connection, unit, entry.brand), place, "brand", "brand", entry.brand
        )
        if brand_id is None:
            return
    t = transport_code.c
    kept = ("type", "rate", "burst", "daily_cap", "cap_zone", "price", "currency")
    columns: list[Any] = [t.id, t.business_unit_id, t.sms_brand_id, *(t[name] for name in kept)]
    query = select(*columns).where(t.provider_id == account.id, t.code == entry.code)
    found = (await work.connection.execute(query)).first()
    new = {
        "type": entry.type,
        "rate": float(entry.rate or CODE_TYPES[entry.type].rate),
        "burst": entry.burst,
        "daily_cap": entry.daily_cap,
        "cap_zone": entry.cap_zone,
        "price": entry.price,
        "currency": entry.currency,
        "brand": entry.brand,
    }
    values = {**{key: value for key, value in new.items() if key != "brand"}, "sms_brand_id": brand_id}
    if found is None:
        await work.connection.execute(
            insert(transport_code).values(
                business_unit_id=unit.id, provider_id=account.id, code=entry.code, created_at=work.now, **values
            )
        )
        work.created("transport code", entry.code, unit)
        return
    if found[1] != unit.id:
        sentence = f"The code {entry.code!r} of {account.name!r} belongs to another business unit."
        work.refuse(place, "code", sentence, "Correct the code, or name that business unit.")
        return
    old: dict[str, Any] = dict(zip(kept, found[3:], strict=True))
    old["brand"] = await brands.name_of(work.connection, unit, found[2])
    if work.differs("transport code", entry.code, unit, old, new):
        await work.connection.execute(update(transport_code).where(t.id == found[0]).values(**values))


async def _same_bucket(work: Work, declared: Declared[TransportCode], unit: Unit, account: ProviderRow) -> bool:
    """Whether the account can serve the unit: what an engine commits at once is in one bucket."""
    if account.bucket == unit.bucket:
        return True
    t, b = transport_code.c, business_unit.c
    other = select(b.name).join(transport_code, t.business_unit_id == b.id).where(t.provider_id == account.id).limit(1)
    served = (await work.connection.execute(other)).scalar()
    if served is None:
        await work.connection.execute(update(provider).where(provider.c.id == account.id).values(bucket=unit.bucket))
        return True
    declared_place = declared.place
    work.refuse(
        declared_place,
        "provider",
        f"{account.name!r} serves {served!r} in bucket {account.bucket}; {unit.name!r} is in bucket {unit.bucket}.",
        "Declare another provider account for it: one account serves one bucket.",
    )
    return False
