"""The life of an import in the store: begun, finished or abandoned; what a dead process left is cleared away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import BigInteger, Exists, ScalarSelect, case, cast, delete, exists, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import HOUR, Micros
from todoke.model.errors import Conflict
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import StoreUnavailable
from todoke.store.lists import imports, keys
from todoke.store.lists.base import ContactStore, Finished, OpenImport, TakenOver
from todoke.store.lists.postgres import PostgresContacts
from todoke.store.lists.sqlite import SqliteContacts
from todoke.store.schema import business_unit, calling_list, engine, list_key, list_range, list_rejection
from todoke.store.store import Store

_list = calling_list.c


def contact_store(store: Store) -> ContactStore:
    """The bulk writes of the store's database."""
    return SqliteContacts(store.writer) if store.dialect == "sqlite" else PostgresContacts(store.pool, store.address)


async def engine_runs(connection: AsyncConnection, now: Micros) -> bool:
    """Whether an engine works over this database now, of whatever unit."""
    alive = select(engine.c.id).where(engine.c.state == "alive", engine.c.lease_until > now).limit(1)
    return await connection.scalar(alive) is not None


async def begin(
    store: Store,
    unit: Unit,
    name: str,
    *,
    fields: Sequence[str],
    source: str,
    importer: str,
    alive: Callable[[str], bool],
    now: Micros,
    import_id: int | None = None,
    into: int | None = None,
) -> OpenImport:
    """A new list in the state `importing`, which nobody can run. One that is to be merged `into` another has no name of
    its own, and is `staged` in the end.

    Conflict where the unit has a ready list of that name, or a process that is `alive` imports one. What a dead
    process has left under that name is removed first.
    """
    left: list[OpenImport] = []
    async with store.writing() as connection:
        # One import at a time begins in a unit: two of the same name see each other.
        await connection.execute(select(business_unit.c.id).where(business_unit.c.id == unit.id).with_for_update())
        for list_id, state, other in await _same_name(connection, unit, name) if into is None else ():
            if state == "ready":
                raise Conflict(
                    f"There is a list {name!r} already.",
                    where=f"list {name!r}",
                    fix="Give the new one another name, or update that one with --update.",
                )
            if alive(other):
                raise Conflict(
                    f"A list {name!r} is being imported right now.",
                    where=f"list {name!r}",
                    fix="Wait for that import to end, or give this one another name.",
                )
            left.append(await _take_over(connection, OpenImport(list_id, unit.bucket, unit.id, importer)))
        list_id = await connection.scalar(
            insert(calling_list)
            .values(
                business_unit_id=unit.id,
                name=name,
                state="importing",
                bucket=unit.bucket,
                fields=list(fields),
                zone_sets=[],
                source=source,
                importer=importer,
                import_id=import_id,
                into_list_id=into,
                contacts=0,
                rejected=0,
                created_at=now,
            )
            .returning(_list.id)
        )
    assert list_id is not None
    opened = OpenImport(list_id, unit.bucket, unit.id, importer, import_id)
    try:
        for dead in left:
            await abandon(store, dead)
    except BaseException:
        await abandon(store, opened)
        raise
    return opened


async def finish(store: Store, opened: OpenImport, finished: Finished, now: Micros) -> None:
    """The last transaction of an import: from now on the list can be run. `TakenOver` where it is not ours any more."""
    try:
        async with store.writing() as connection:
            moved = await connection.execute(
                update(calling_list)
                .where(_list.id == opened.list_id, _list.state == "importing", _list.importer == opened.importer)
                .values(
                    state=case((_list.into_list_id.is_(None), "ready"), else_="staged"),
                    keyed=_has_keys(opened),
                    zone_sets=[list(zones) for zones in finished.zone_sets],
                    contacts=finished.contacts,
                    rejected=finished.rejected,
                    phone_types=None if finished.phone_types is None else list(finished.phone_types),
                    phone_names=_lists(finished.phone_names),
                    imported_at=now,
                    expires_at=_expiry(opened.business_unit_id, now),
                )
            )
            if moved.rowcount != 1:
                raise TakenOver
            ranges = [
                {
                    "list_id": opened.list_id,
                    "number": number,
                    "zone_set": zone_set,
                    "first_position": first,
                    "last_position": last,
                }
                for number, (zone_set, first, last) in enumerate(finished.ranges)
            ]
            reasons = [
                {"list_id": opened.list_id, "reason": reason, "count": count}
                for reason, count in finished.reasons.items()
            ]
            if ranges:
                await connection.execute(insert(list_range), ranges)
            if reasons:
                await connection.execute(insert(list_rejection), reasons)
            if opened.import_id is not None and not await _is_staged(connection, opened):
                result = {
                    "contacts": finished.contacts,
                    "rejected": finished.rejected,
                    "reasons": dict(finished.reasons),
                }
                mine = (opened.business_unit_id, opened.import_id, opened.importer, opened.list_id)
                counts = (finished.contacts + finished.rejected, finished.rejected)
                await imports.finish(connection, *mine, result, counts, now)
    except StoreUnavailable:
        if not await _is_ready(store, opened):  # the commit may have taken place without its answer
            raise
    except IntegrityError as error:
        raise Conflict("There is a list of that name by now.", fix="Import it under another name.") from error


async def abandon(store: Store, opened: OpenImport) -> bool:
    """Remove the list and its contacts, unless it is ready: then False, and nothing happens. May be called again."""
    if await _is_ready(store, opened):
        return False
    await contact_store(store).remove(opened)
    await keys.remove(store, opened.bucket, opened.list_id)
    async with store.writing() as connection:
        await connection.execute(delete(calling_list).where(_list.id == opened.list_id, _list.state == "importing"))
    return True


def _lists(names: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]] | None:
    return None if names is None else {field: list(others) for field, others in names.items()}


def _has_keys(opened: OpenImport) -> Exists:
    k = list_key.c
    return exists().where(k.bucket == opened.bucket, k.list_id == opened.list_id, k.kind == keys.Kind.EXTERNAL)


async def _is_staged(connection: AsyncConnection, opened: OpenImport) -> bool:
    return await connection.scalar(select(_list.state).where(_list.id == opened.list_id)) == "staged"


async def clear(store: Store, unit: Unit, import_id: int, importer: str) -> None:
    """Remove what a process that is dead left of that import's list. May be called again."""
    left: list[OpenImport] = []
    async with store.writing() as connection:
        rows = await connection.execute(
            select(_list.id).where(
                _list.business_unit_id == unit.id, _list.import_id == import_id, _list.state == "importing"
            )
        )
        for (list_id,) in rows.all():
            left.append(await _take_over(connection, OpenImport(list_id, unit.bucket, unit.id, importer, import_id)))
    for dead in left:
        await abandon(store, dead)


def _expiry(business_unit_id: int, now: Micros) -> ScalarSelect[Micros]:
    """When a list of the unit that is ready now expires."""
    days = business_unit.c.list_expiry_days
    moment = literal(now, BigInteger) + cast(days, BigInteger) * literal(24 * HOUR, BigInteger)
    return select(moment).where(business_unit.c.id == business_unit_id).scalar_subquery()


async def _is_ready(store: Store, opened: OpenImport) -> bool:
    async with store.reading() as connection:
        state = await connection.scalar(
            select(_list.state).where(_list.id == opened.list_id, _list.business_unit_id == opened.business_unit_id)
        )
    return state in ("ready", "deleted", "staged")


async def _same_name(connection: AsyncConnection, unit: Unit, name: str) -> list[tuple[int, str, str]]:
    rows = await connection.execute(
        select(_list.id, _list.state, _list.importer).where(
            _list.business_unit_id == unit.id,
            _list.name == name,
            _list.state.in_(("importing", "ready")),
            _list.into_list_id.is_(None),
        )
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def _take_over(connection: AsyncConnection, opened: OpenImport) -> OpenImport:
    """From now on what the former process writes is refused."""
    await connection.execute(update(calling_list).where(_list.id == opened.list_id).values(importer=opened.importer))
    return opened
