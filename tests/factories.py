"""Rows for tests: a business unit with all that a run needs, in one call or one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, insert

from todoke.model.clock import HOUR, SystemClock
from todoke.model.stream import Stream
from todoke.store import schema
from todoke.store.hot.base import SEPARATOR, NewRun
from todoke.store.store import Store

NOW = 1_750_000_000 * 1_000_000  # a moment for tests that have no other; in the middle of an hour
WHOLE_DAY = (0, 1440)


class Scene(NamedTuple):
    """The ids of a business unit that is ready to run its skill over its list."""

    bucket: int
    unit: int
    provider: int
    code: int
    group: int
    skill: int
    list: int


async def _insert(store: Store, table: Table, values: Mapping[str, Any]) -> int:
    async with store.writing() as connection:
        found = (await connection.execute(insert(table).values(values))).inserted_primary_key
    assert found is not None
    return found[0]


async def seed_unit(
    store: Store,
    *,
    name: str = "unit",
    bucket: int = 3,
    region: str = "US",
    rate: float | None = None,
    rule_pack: str = "none",
    **more: Any,
) -> int:
    """Without rules of places, so that its texts go out at any hour of the day; `more`: hours, holidays."""
    values = {"name": name, "bucket": bucket, "default_region": region, "rate": rate, "created_at": NOW}
    values |= {"rule_pack": rule_pack, **more}
    return await _insert(store, schema.business_unit, values)


async def seed_provider(
    store: Store,
    *,
    name: str = "carrier",
    kind: str = "simulator",
    bucket: int = 3,
    settings: Mapping[str, Any] | None = None,
) -> int:
    values = {"name": name, "kind": kind, "bucket": bucket, "settings": dict(settings or {}), "created_at": NOW}
    return await _insert(store, schema.provider, values)


async def seed_code(
    store: Store,
    unit: int,
    provider: int,
    *,
    code: str = "15551230001",
    type: str = "long",
    rate: float = 100.0,
    **more: Any,
) -> int:
    """`more`: burst, daily_cap, cap_zone, sms_brand_id."""
    values = {"business_unit_id": unit, "provider_id": provider, "code": code, "type": type, "rate": rate}
    return await _insert(store, schema.transport_code, {**values, "created_at": NOW, **more})


async def seed_brand(store: Store, unit: int, *, daily_cap: int | None = None, cap_zone: str = "UTC") -> int:
    values = {"business_unit_id": unit, "name": "brand", "daily_cap": daily_cap, "cap_zone": cap_zone}
    return await _insert(store, schema.sms_brand, {**values, "created_at": NOW})


async def seed_dnc_group(
    store: Store, unit: int, *, name: str = "default", bucket: int = 3, phones: Iterable[int] = ()
) -> int:
    group = await _insert(store, schema.dnc_group, {"business_unit_id": unit, "name": name, "created_at": NOW})
    await seed_dnc(store, group, phones, bucket=bucket)
    return group


async def seed_dnc(store: Store, group: int, phones: Iterable[int], *, bucket: int = 3) -> None:
    rows = [
        {"bucket": bucket, "dnc_group_id": group, "phone": phone, "source": "upload", "created_at": NOW}
        for phone in phones
    ]
    if rows:
        async with store.writing() as connection:
            await connection.execute(insert(schema.dnc_entry), rows)


async def seed_skill(
    store: Store,
    unit: int,
    code: int,
    *,
    name: str = "skill",
    body: str = "Hello {FirstName}",
    window: tuple[int, int] = WHOLE_DAY,
    in_doubt_policy: str = "at_most_once",
    in_doubt_minutes: int = 15,
    max_attempts: int = 3,
    smart_encoding: bool = False,
    weight: int = 1,
    expiry_hours: int = 24,
) -> int:
    own = {"business_unit_id": unit, "name": name, "created_at": NOW}
    campaign = await _insert(store, schema.campaign, own)
    template = await _insert(store, schema.template, own)
    await _insert(
        store,
        schema.template_version,
        {"template_id": template, "version": 1, "body": body, "direction": "ltr", "created_at": NOW},
    )
    return await _insert(
        store,
        schema.skill,
        {
            **own,
            "campaign_id": campaign,
            "kind": "agentless",
            "transport_code_id": code,
            "template_id": template,
            "window_start": window[0],
            "window_end": window[1],
            "in_doubt_policy": in_doubt_policy,
            "in_doubt_minutes": in_doubt_minutes,
            "max_attempts": max_attempts,
            "smart_encoding": smart_encoding,
            "weight": weight,
            "expiry_hours": expiry_hours,
        },
    )


async def update_skill(store: Store, scene: Scene, **values: Any) -> None:
    """What is live of a skill changes."""
    async with store.writing() as connection:
        await connection.execute(schema.skill.update().where(schema.skill.c.id == scene.skill).values(**values))


def phone_of(position: int) -> int:
    """The number of the contact that `seed_list` puts at `position`."""
    return 15_550_000_000 + position


async def seed_list(
    store: Store,
    unit: int,
    *,
    n: int = 10,
    name: str = "list",
    bucket: int = 3,
    state: str = "ready",
    fields: Sequence[str] = ("FirstName",),
    zones: Sequence[Sequence[str]] = (("America/New_York",),),
) -> int:
    """A list of `n` contacts, split into one range a zone set; the fields' values are `FirstName 0` and so on."""
    list_id = await _insert(
        store,
        schema.calling_list,
        {
            "business_unit_id": unit,
            "name": name,
            "state": state,
            "bucket": bucket,
            "fields": list(fields),
            "zone_sets": [list(zone) for zone in zones],
            "source": "test",
            "importer": "",
            "contacts": n,
            "rejected": 0,
            "created_at": NOW,
            "imported_at": NOW,
        },
    )
    share = -(-n // len(zones)) or 1
    contacts = [
        {
            "bucket": bucket,
            "list_id": list_id,
            "position": position,
            "destination": phone_of(position),
            "zone_set": position // share,
            "external_id": f"c{position}",
            "fields": SEPARATOR.join(f"{field} {position}" for field in fields),
        }
        for position in range(n)
    ]
    ranges = [
        {"list_id": list_id, "number": i, "zone_set": i, "first_position": first, "last_position": last}
        for i in range(len(zones))
        if (first := i * share) <= (last := min(n, (i + 1) * share) - 1)
    ]
    async with store.writing() as connection:
        if contacts:
            await connection.execute(insert(schema.contact), contacts)
            await connection.execute(insert(schema.list_range), ranges)
    return list_id


async def seed(store: Store, *, n: int = 10, bucket: int = 3, name: str = "", rate: float = 100.0) -> Scene:
    """Everything that a run needs; `name` sets several scenes in one store apart."""
    unit = await seed_unit(store, name=f"unit{name}", bucket=bucket)
    provider = await seed_provider(store, name=f"carrier{name}", bucket=bucket)
    code = await seed_code(store, unit, provider, rate=rate)
    group = await seed_dnc_group(store, unit, bucket=bucket)
    skill = await seed_skill(store, unit, code)
    list_id = await seed_list(store, unit, n=n, bucket=bucket)
    return Scene(bucket, unit, provider, code, group, skill, list_id)


async def seed_run(
    store: Store,
    scene: Scene,
    *,
    body: str = "Hello {FirstName}",
    started_at: int = NOW,
    hours: int = 24,
    stream: Stream = Stream.BULK,
) -> int:
    """A running run of the scene's skill over its list."""
    return await store.hot.start_run(
        NewRun(
            scene.bucket,
            scene.unit,
            scene.skill,
            scene.list,
            scene.code,
            body,
            None,
            (scene.group,),
            started_at,
            started_at + hours * HOUR,
            stream,
        )
    )


async def seed_engine(store: Store, *, host: str = "host", now: int | None = None, lease: int = HOUR) -> int:
    """An engine that is alive; its lease runs for an hour."""
    moment = SystemClock().now() if now is None else now
    return await store.hot.register_engine(host, "boot", 1, "/tmp/journal", moment, moment + lease)
