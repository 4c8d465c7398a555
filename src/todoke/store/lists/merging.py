"""A staged list is merged into one that is there: the records of a file, or a few single ones.

What comes was validated by its import, as any list is; here its records meet those of the list. An update of a file
goes in short transactions, each of which also says how far it is: another process goes on where one was killed.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.errors import Conflict, Invalid
from todoke.store.catalogue.units import Unit
from todoke.store.lists import imports, key_building, keys
from todoke.store.lists.base import TakenOver
from todoke.store.lists.key_hash import external_key
from todoke.store.lists.keys import Kind
from todoke.store.lists.meeting import Fate, Meeting, Record, Shape, extents, meet
from todoke.store.lists.phone_names import all_names, renamed
from todoke.store.schema import calling_list, contact, list_import, list_range, list_rejection
from todoke.store.store import Store

MOST_RANGES = 1024  # of a list; further contacts share a mixed one
MOST_ZONE_SETS = 32_767
TOGETHER = 250  # records in a transaction

_list, _contact, _range, _import = calling_list.c, contact.c, list_range.c, list_import.c
_COLUMNS = tuple(_contact[name] for name in Record._fields)


class Ends(NamedTuple):
    """The two lists: into which, and what."""

    bucket: int
    target: int
    staged: int


@dataclass(slots=True)
class Merged:
    """How far it is, and what became of the records. `following`: the next record of the staged list. `told`: for
    whoever keeps the rejected ones, how many bytes of them count.
    """

    following: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    told: int = 0

    @property
    def rejected(self) -> int:
        return sum(self.reasons.values())

    def count(self, meetings: Sequence[Meeting]) -> Merged:
        """With these, too."""
        fates = [meeting.fate for meeting in meetings]
        reasons = dict(self.reasons)
        for meeting in meetings:
            if meeting.fate is Fate.REJECTED:
                reasons[meeting.reason] = reasons.get(meeting.reason, 0) + 1
        return Merged(
            self.following + len(meetings),
            self.added + fates.count(Fate.ADDED),
            self.updated + fates.count(Fate.UPDATED),
            self.unchanged + fates.count(Fate.UNCHANGED),
            reasons,
            self.told,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "following": self.following,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "reasons": self.reasons,
            "told": self.told,
        }


async def staged_of(store: Store, unit: Unit, import_id: int) -> Ends | None:
    """The staged list of that import and its target, if it has come so far."""
    async with store.reading() as connection:
        row = (
            await connection.execute(
                select(_list.id, _list.into_list_id).where(
                    _list.business_unit_id == unit.id, _list.import_id == import_id, _list.state == "staged"
                )
            )
        ).first()
    return None if row is None else Ends(unit.bucket, row[1], row[0])


class Staged(NamedTuple):
    """What was read of the file: how many records come, how many rows were rejected, the fields in order."""

    contacts: int
    rejected: int
    fields: list[str]


async def size_of(store: Store, ends: Ends) -> Staged:
    """What comes."""
    async with store.reading() as connection:
        columns = (_list.contacts, _list.rejected, _list.fields)
        row = await connection.execute(select(*columns).where(_list.id == ends.staged))
        return Staged(*row.one())


async def merge(
    store: Store, unit: Unit, ends: Ends, import_id: int, importer: str, so_far: Mapping[str, Any] | None
) -> AsyncGenerator[tuple[Merged, list[Meeting]]]:
    """Merge all of it, a transaction a step; gives what became of the records of each, before it is committed: whoever
    keeps the rejected ones has done so when the step counts. Holds the list for this import: nothing else is appended
    to it. `TakenOver` where the import is not this process's any more; Conflict, Invalid.
    """
    shape = await _hold(store, unit, ends, import_id)
    for list_id in (ends.target, ends.staged):
        await key_building.ensure(store, ends.bucket, list_id)
    known = await keys.matches(store, ends.bucket, ends.staged, ends.target, Kind.EXTERNAL)
    owners = await keys.matches(store, ends.bucket, ends.staged, ends.target, Kind.PHONE)
    done = Merged(**so_far) if so_far else Merged()
    while True:
        async with store.reading() as connection:
            records = await _records(connection, ends.bucket, ends.staged, done.following, TOGETHER)
            if not records:
                return
            first, last = records[0].position, records[-1].position
            maybe = _between(known, first, last), _between(owners, first, last)
            there = await _at(connection, ends, {other for found in maybe for at in found.values() for other in at})
            following = await connection.scalar(select(_list.contacts).where(_list.id == ends.target)) or 0
        candidates = [
            {position: [there[other] for other in others if other in there] for position, others in found.items()}
            for found in maybe
        ]
        meetings = meet(records, shape, candidates[0], candidates[1], following, may_update=True)
        after = done.count(meetings)
        yield after, meetings
        # Keys first: one without its contact finds nothing, a contact without its key would not be found.
        await _key(store, ends, meetings, there)
        async with store.writing() as connection:
            await _write(connection, unit, ends, meetings, following)
            mine = (_import.business_unit_id == unit.id, _import.id == import_id, _import.importer == importer)
            moved = await connection.execute(
                update(list_import)
                .where(*mine, _import.state == imports.ImportState.RUNNING)
                .values(result=after.as_json())
            )
            if moved.rowcount != 1:
                raise TakenOver
        done = after


async def append(store: Store, unit: Unit, ends: Ends) -> list[Meeting]:
    """Append all records of a small staged list, in one transaction; known ones are refused. By their order."""
    for list_id in (ends.target, ends.staged):
        await key_building.ensure(store, ends.bucket, list_id)
    async with store.reading() as connection:
        records = await _records(connection, ends.bucket, ends.staged, 0, None)
    async with store.writing() as connection:
        shape = await _shape(connection, unit, ends, None)
        found = {
            kind: await keys.find_in(connection, ends.bucket, ends.target, kind, by_key)
            for kind, by_key in (
                (Kind.EXTERNAL, {external_key(record.external_id) for record in records}),
                (Kind.PHONE, {record.destination for record in records}),
            )
        }
        there = await _at(
            connection, ends, {at for places in found.values() for some in places.values() for at in some}
        )

        def candidates(kind: Kind, key: int) -> list[Record]:
            return [there[at] for at in found[kind].get(key, ()) if at in there]

        following = await connection.scalar(select(_list.contacts).where(_list.id == ends.target)) or 0
        meetings = meet(
            records,
            shape,
            {r.position: candidates(Kind.EXTERNAL, external_key(r.external_id)) for r in records},
            {r.position: candidates(Kind.PHONE, r.destination) for r in records},
            following,
            may_update=False,
        )
        for kind, frame in _new_keys(meetings, there).items():
            await keys.append(connection, ends.bucket, ends.target, kind, frame)
        await _write(connection, unit, ends, meetings, following)
    return meetings


async def finish(
    store: Store,
    unit: Unit,
    ends: Ends,
    import_id: int,
    importer: str,
    result: Mapping[str, Any],
    counts: tuple[int, int],
    now: Micros,
) -> None:
    """The import is done, the list is free again. `counts`: rows of the file, and those that were rejected."""
    async with store.writing() as connection:
        await imports.finish(connection, unit.id, import_id, importer, ends.target, result, counts, now)
        await _let_go(connection, unit, import_id)
    await discard(store, ends)


async def abandon(store: Store, unit: Unit, import_id: int) -> None:
    """Let the list go; what was merged stays. May be called again."""
    staged = await staged_of(store, unit, import_id)
    async with store.writing() as connection:
        await _let_go(connection, unit, import_id)
    if staged is not None:
        await discard(store, staged)


async def discard(store: Store, ends: Ends) -> None:
    """Remove the staged list, in short transactions."""
    while True:
        async with store.writing() as connection:
            of_list = (_contact.bucket == ends.bucket, _contact.list_id == ends.staged)
            piece = select(_contact.position).where(*of_list).order_by(_contact.position).limit(2_000).subquery()
            last = await connection.scalar(select(func.max(piece.c.position)))
            if last is None:
                break
            await connection.execute(delete(contact).where(*of_list, _contact.position <= last))
    await keys.remove(store, ends.bucket, ends.staged)
    async with store.writing() as connection:
        for table in (list_range, list_rejection):
            await connection.execute(delete(table).where(table.c.list_id == ends.staged))
        await connection.execute(
            delete(calling_list).where(_list.id == ends.staged, _list.bucket == ends.bucket, _list.state == "staged")
        )


async def _hold(store: Store, unit: Unit, ends: Ends, import_id: int) -> Shape:
    async with store.writing() as connection:
        shape = await _shape(connection, unit, ends, import_id)
        await connection.execute(
            update(calling_list)
            .where(_list.business_unit_id == unit.id, _list.id == ends.target)
            .values(updating_import=import_id)
        )
    return shape


async def _let_go(connection: AsyncConnection, unit: Unit, import_id: int) -> None:
    await connection.execute(
        update(calling_list)
        .where(_list.business_unit_id == unit.id, _list.updating_import == import_id)
        .values(updating_import=None)
    )


async def _shape(connection: AsyncConnection, unit: Unit, ends: Ends, import_id: int | None) -> Shape:
    """How what comes fits; the list is locked, and knows all zone sets then: numbers that it has stay what they are."""
    columns = select(
        *(_list.id, _list.name, _list.state, _list.fields, _list.phone_types, _list.phone_names),
        *(_list.zone_sets, _list.updating_import),
    ).where(_list.business_unit_id == unit.id)
    target = (await connection.execute(columns.where(_list.id == ends.target).with_for_update())).one()
    staged = (await connection.execute(columns.where(_list.id == ends.staged))).one()
    if target.state != "ready":
        raise Conflict(f"The list {target.name!r} is {target.state} by now.", where=f"list {target.name!r}")
    if target.updating_import not in (None, import_id):
        raise Conflict(
            f"Import {target.updating_import} is being merged into the list {target.name!r}.",
            where=f"list {target.name!r}",
            fix=f"Wait for its end, or resume it: todoke imports resume {target.updating_import}",
        )
    strange = [name for name in staged.fields if name not in target.fields]
    if strange:
        raise Invalid(
            f"The list {target.name!r} has no field {strange[0]!r}.",
            where=f"list {target.name!r}",
            fix=f"Map the column to one of {', '.join(map(repr, target.fields))}, or leave it out.",
        )
    phone_names = all_names(target.phone_names, staged.phone_names)
    zone_sets = [list(zones) for zones in target.zone_sets]
    numbers: list[int] = []
    for coming in staged.zone_sets:
        zones = renamed(coming, phone_names)
        if zones not in zone_sets:
            zone_sets.append(zones)
        numbers.append(zone_sets.index(zones))
    if len(zone_sets) > MOST_ZONE_SETS:
        raise Invalid(f"A list has at most {MOST_ZONE_SETS:,} sets of time zones.", where=f"list {target.name!r}")
    if len(zone_sets) > len(target.zone_sets) or phone_names != target.phone_names:
        await connection.execute(
            update(calling_list)
            .where(_list.business_unit_id == unit.id, _list.id == ends.target)
            .values(zone_sets=zone_sets, phone_names=phone_names)
        )
    return Shape(
        _places(target.fields, staged.fields), _places(target.phone_types or [], staged.phone_types or []), numbers
    )


def _places(wanted: Sequence[str], come: Sequence[str]) -> list[int | None]:
    at = {name: place for place, name in enumerate(come)}
    return [at.get(name) for name in wanted]


async def _records(
    connection: AsyncConnection, bucket: int, list_id: int, first: int, limit: int | None
) -> list[Record]:
    query = (
        select(*_COLUMNS)
        .where(_contact.bucket == bucket, _contact.list_id == list_id, _contact.position >= first)
        .order_by(_contact.position)
        .limit(limit)
    )
    return [Record(*row) for row in await connection.execute(query)]


async def _at(connection: AsyncConnection, ends: Ends, positions: Collection[int]) -> dict[int, Record]:
    if not positions:
        return {}
    query = select(*_COLUMNS).where(
        _contact.bucket == ends.bucket, _contact.list_id == ends.target, _contact.position.in_(sorted(positions))
    )
    return {row[0]: Record(*row) for row in await connection.execute(query)}


def _between(frame: pl.DataFrame, first: int, last: int) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    column = frame.get_column("position")
    start, stop = column.search_sorted(first, side="left"), column.search_sorted(last, side="right")
    for position, other in frame.slice(start, stop - start).iter_rows():
        found.setdefault(position, []).append(other)
    return found


def _new_keys(meetings: Sequence[Meeting], there: Mapping[int, Record]) -> dict[Kind, pl.DataFrame]:
    """Of what is added, and of what has another number."""
    added = [m.record for m in meetings if m.fate is Fate.ADDED]
    changed = [
        m.record
        for m in meetings
        if m.fate is Fate.UPDATED and there[m.record.position].destination != m.record.destination
    ]
    phones = [(r.destination, r.position) for r in (*added, *changed) if r.destination]
    externals = [(external_key(r.external_id), r.position) for r in added]
    return {
        Kind.PHONE: pl.DataFrame(phones, schema=keys.SCHEMA, orient="row"),
        Kind.EXTERNAL: pl.DataFrame(externals, schema=keys.SCHEMA, orient="row"),
    }


async def _key(store: Store, ends: Ends, meetings: Sequence[Meeting], there: Mapping[int, Record]) -> None:
    for kind, frame in _new_keys(meetings, there).items():
        if not frame.is_empty():
            async with store.writing() as connection:
                await connection.execute(select(_list.id).where(_list.id == ends.target).with_for_update())
                await keys.append(connection, ends.bucket, ends.target, kind, frame)


_UPDATE = (
    update(contact)
    .where(
        _contact.bucket == bindparam("of_bucket"),
        _contact.list_id == bindparam("of_list"),
        _contact.position == bindparam("at"),
    )
    .values({name: bindparam(f"new_{name}") for name in Record._fields[1:]})
)


async def _write(
    connection: AsyncConnection, unit: Unit, ends: Ends, meetings: Sequence[Meeting], following: int
) -> None:
    """The contacts and the ranges; Conflict where the list is not as it was."""
    added = [m.record for m in meetings if m.fate is Fate.ADDED]
    updated = [m.record for m in meetings if m.fate is Fate.UPDATED]
    count = len(added)
    moved = await connection.execute(
        update(calling_list)
        .where(
            _list.business_unit_id == unit.id,
            _list.id == ends.target,
            _list.state == "ready",
            _list.contacts == following,
        )
        .values(contacts=_list.contacts + count, appended=_list.appended + count)
    )
    if moved.rowcount != 1:
        raise Conflict("The list was changed meanwhile.", fix="Try again.")
    if updated:
        rows = [
            {
                "of_bucket": ends.bucket,
                "of_list": ends.target,
                "at": record.position,
                **{f"new_{name}": getattr(record, name) for name in Record._fields[1:]},
            }
            for record in updated
        ]
        await connection.execute(_UPDATE, rows)
    if added:
        rows = [{"bucket": ends.bucket, "list_id": ends.target, **record._asdict()} for record in added]
        await connection.execute(insert(contact), rows)
        await _extend(connection, ends, added)


async def _extend(connection: AsyncConnection, ends: Ends, added: Sequence[Record]) -> None:
    last = (
        await connection.execute(
            select(_range.number, _range.zone_set)
            .where(_range.list_id == ends.target)
            .order_by(_range.number.desc())
            .limit(1)
        )
    ).first()
    for number, zone_set, first, end in extents(None if last is None else (last[0], last[1]), added, MOST_RANGES):
        if last is not None and number == last[0]:
            await connection.execute(
                update(list_range)
                .where(_range.list_id == ends.target, _range.number == number)
                .values(last_position=end)
            )
        else:
            await connection.execute(
                insert(list_range).values(
                    list_id=ends.target, number=number, zone_set=zone_set, first_position=first, last_position=end
                )
            )
