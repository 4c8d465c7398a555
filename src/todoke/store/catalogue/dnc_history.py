"""What changed on DNC groups, when, by whom and why; and what files were put on them."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.dnc import DncChange
from todoke.store.catalogue.dnc import Group
from todoke.store.catalogue.units import Unit
from todoke.store.schema import dnc_change, dnc_entry, dnc_group, dnc_upload


class UploadRow(NamedTuple):
    """A file of numbers. `state`: running, done or failed; `importer`: the process, of a running one."""

    id: int
    group: str
    file: str
    state: str
    importer: str
    who: str
    reason: str
    processed: int
    valid: int
    invalid: int
    reasons: dict[str, int]
    added: int
    extended: int
    present: int
    repeated: int
    started_at: Micros
    ended_at: Micros | None


class ChangeRow(NamedTuple):
    """`phone` None: what an upload added, so many `numbers`. `expires_at`: until when the entry holds from then on;
    None for good (or gone); `old_expires_at` the same before.
    """

    at: Micros
    phone: int | None
    group: str
    change: str
    source: str
    who: str
    reason: str
    upload_id: int | None
    numbers: int
    old_expires_at: Micros | None
    expires_at: Micros | None


_U = dnc_upload.c
_UPLOAD = (
    *(_U.id, dnc_group.c.name, _U.file, _U.state, _U.importer, _U.who, _U.reason, _U.processed, _U.valid, _U.invalid),
    *(_U.reasons, _U.added, _U.extended, _U.present, _U.repeated, _U.started_at, _U.ended_at),
)


async def uploads(
    connection: AsyncConnection, unit: Unit, group: Group | None = None, limit: int = 100
) -> list[UploadRow]:
    """The unit's uploads, the newest first."""
    query = (
        select(*_UPLOAD)
        .join(dnc_group, dnc_group.c.id == _U.dnc_group_id)
        .where(_U.business_unit_id == unit.id)
        .order_by(_U.id.desc())
        .limit(limit)
    )
    if group is not None:
        query = query.where(_U.dnc_group_id == group.id)
    return [UploadRow(*row) for row in await connection.execute(query)]


async def of_group(connection: AsyncConnection, unit: Unit, group: Group, limit: int = 1000) -> list[ChangeRow]:
    """What changed on the group, the newest first; of an upload how many it added."""
    c = dnc_change.c
    rows = await connection.execute(_changes(unit).where(c.dnc_group_id == group.id).order_by(c.id.desc()).limit(limit))
    return [ChangeRow(*row) for row in rows]


async def of_phone(connection: AsyncConnection, unit: Unit, phone: int, group: Group | None = None) -> list[ChangeRow]:
    """What became of the number, the oldest first. What an upload added is told from the entry that names it, or from
    the later change that ended it.
    """
    c, e = dnc_change.c, dnc_entry.c
    query = _changes(unit).where(c.phone == phone).order_by(c.id)
    now_there = (
        select(dnc_group.c.name, e.upload_id, e.created_at, e.expires_at)
        .join(dnc_group, dnc_group.c.id == e.dnc_group_id)
        .where(e.bucket == unit.bucket, e.phone == phone, dnc_group.c.business_unit_id == unit.id)
    )
    before = (
        select(dnc_group.c.name, c.old_upload_id, c.since, c.old_expires_at)
        .join(dnc_group, dnc_group.c.id == c.dnc_group_id)
        .where(c.bucket == unit.bucket, c.phone == phone, c.business_unit_id == unit.id, c.old_upload_id.is_not(None))
    )
    if group is not None:
        query = query.where(c.dnc_group_id == group.id)
        now_there = now_there.where(e.dnc_group_id == group.id)
        before = before.where(c.dnc_group_id == group.id)
    told = [ChangeRow(*row) for row in await connection.execute(query)]
    known = {(row.group, row.upload_id) for row in told}
    named = [*(await connection.execute(before)).all(), *(await connection.execute(now_there)).all()]
    by_id = {row.id: row for row in await uploads(connection, unit, group, limit=1_000_000)} if named else {}
    for name, upload_id, since, expires_at in named:
        upload = by_id.get(upload_id)
        if upload is not None and (name, upload_id) not in known:
            known.add((name, upload_id))
            added, source = DncChange.ADDED.value, "upload"
            told.append(
                ChangeRow(since, phone, name, added, source, upload.who, upload.reason, upload_id, 1, None, expires_at)
            )
    return sorted(told, key=lambda row: row.at)


def _changes(unit: Unit) -> Select[*tuple[Any, ...]]:
    c = dnc_change.c
    return (
        select(
            *(c.at, c.phone, dnc_group.c.name, c.change, c.source, c.who, c.reason, c.upload_id, c["count"]),
            *(c.old_expires_at, c.expires_at),
        )
        .join(dnc_group, dnc_group.c.id == c.dnc_group_id)
        .where(c.bucket == unit.bucket, c.business_unit_id == unit.id)
    )
