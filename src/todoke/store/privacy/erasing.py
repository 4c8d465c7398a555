"""The steps of an erasure, each a transaction that may be repeated. `pipeline/privacy/erase.py` has their order."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import Micros
from todoke.model.consent import digest as digest_of
from todoke.model.contact import ERASED_DESTINATION
from todoke.model.retention import DAY
from todoke.store.catalogue.units import Unit
from todoke.store.consents import reading
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists import keys
from todoke.store.lists.key_hash import external_key
from todoke.store.privacy.finding import Place
from todoke.store.schema import (
    calling_list,
    consent,
    contact,
    dnc_change,
    dnc_entry,
    dnc_group,
    doubt,
    erased_number,
    erasure,
    inbound,
    opt_out,
    orphan,
    skill_run,
    transport_code,
)

SOURCE = "erasure"
"""Of the do-not-call entries that stand only while an erasure is under way."""


async def begin(
    connection: AsyncConnection, unit: Unit, phone: int, digest: int, key_check: int, requested_by: str, now: Micros
) -> tuple[int, list[int]]:
    """Who is erased from now on: on the groups that the number is on for good, on the unit's others for as long as a
    run that is under way could text it. Returns the id of the erasure, and the unit's groups.
    """
    groups = list(
        (await connection.execute(select(dnc_group.c.id).where(dnc_group.c.business_unit_id == unit.id))).scalars()
    )
    kept = await _listed(connection, unit, groups, phone, now)
    under_way = await _under_way(connection, unit, now)
    n = erased_number.c
    mine = (n.bucket == unit.bucket, n.business_unit_id == unit.id, n.digest == digest)
    there = await connection.execute(select(n.dnc_group_id, n.until).where(*mine))
    before: dict[int, Micros | None] = {row[0]: row[1] for row in there}
    for group in groups:
        ends = [held[group] for held in (before, kept) if group in held]
        ends += [under_way] if under_way is not None else []
        if not ends:
            continue  # it is on no list, and nothing is under way
        until = None if None in ends else max(end for end in ends if end is not None)
        await connection.execute(delete(erased_number).where(*mine, n.dnc_group_id == group))
        await connection.execute(
            insert(erased_number).values(
                bucket=unit.bucket,
                business_unit_id=unit.id,
                dnc_group_id=group,
                digest=digest,
                until=until,
                created_at=now,
            )
        )
    made = await connection.execute(
        insert(erasure)
        .values(
            bucket=unit.bucket,
            business_unit_id=unit.id,
            digest=digest,
            key_check=key_check,
            requested_by=requested_by,
            counts={},
            begun_at=now,
            finished_at=None,
        )
        .returning(erasure.c.id)
    )
    return made.scalar_one(), groups


async def _listed(
    connection: AsyncConnection, unit: Unit, groups: Sequence[int], phone: int, now: Micros
) -> dict[int, Micros | None]:
    """The groups that the number is on, each until when; None for good."""
    e = dnc_entry.c
    rows = await connection.execute(
        select(e.dnc_group_id, e.expires_at).where(
            e.bucket == unit.bucket,
            e.dnc_group_id.in_(groups),
            e.phone == phone,
            e.source != SOURCE,
            or_(e.expires_at.is_(None), e.expires_at > now),
        )
    )
    return {row[0]: row[1] for row in rows}


async def _under_way(connection: AsyncConnection, unit: Unit, now: Micros) -> Micros | None:
    """Until when something that an engine has composed may wait. Standing runs do not end, their messages do, soon;
    those of one that takes no more do, too.
    """
    r, standing = skill_run.c, calling_list.c.state == "standing"
    rows = await connection.execute(
        select(standing, func.max(r.expires_at))
        .join_from(skill_run, calling_list, calling_list.c.id == r.list_id)
        .where(
            r.bucket == unit.bucket,
            r.state.in_(("running", "paused", "stopping")),
            r.business_unit_id == unit.id,
        )
        .group_by(standing)
    )
    ends = [now + DAY if soon else until for soon, until in rows]
    return max(ends, default=None)


async def blank(connection: AsyncConnection, unit: Unit, place: Place) -> None:
    """The contact loses all but its position, which is an address, and its list forgets where it was."""
    where = (unit.bucket, place.list_id)
    if place.destination > 0:
        await keys.forget(connection, *where, keys.Kind.PHONE, place.destination, [place.position])
    if place.external_id:
        key = external_key(place.external_id)
        await keys.forget(connection, *where, keys.Kind.EXTERNAL, key, [place.position])
    c = contact.c
    await connection.execute(
        update(contact)
        .where(c.bucket == unit.bucket, c.list_id == place.list_id, c.position == place.position)
        .values(
            destination=ERASED_DESTINATION,
            external_id="",
            fields=SEPARATOR * place.fields.count(SEPARATOR),
            phones=None,
        )
    )


async def replies(connection: AsyncConnection, unit: Unit, phone: int, digest: int) -> int:
    """Texts go, and who said them; that something came, to which code and when, stays."""
    i = inbound.c
    done = await connection.execute(
        update(inbound)
        .where(
            i.bucket.in_({unit.bucket, 0}),
            i.source == str(phone),
            or_(i.business_unit_id == unit.id, i.business_unit_id.is_(None)),
        )
        .values(source=pseudonym(digest), text="")
    )
    return done.rowcount


def pseudonym(digest: int) -> str:
    """In place of a number, where it was a text."""
    return f"erased:{digest:x}"


async def consents(connection: AsyncConnection, unit: Unit, phone: int, digest: int) -> int:
    """What must be kept to show that consent was there stays, under the hash. Rows never change: others stand in for
    them.
    """
    found = await reading.of_number(connection, unit, phone)
    for entry in found:
        record = entry.record._replace(phone=-digest, reference="", double_opt_in="", words="", confirmation="")
        row = record._replace(act=record.act.value, disclosure=entry.hash)._asdict()  # pyright: ignore[reportArgumentType]
        await connection.execute(
            insert(consent).values(
                **row | {"kind": None if record.kind is None else int(record.kind)},
                bucket=unit.bucket,
                business_unit_id=unit.id,
                recorded_at=entry.recorded_at,
                digest=digest_of(unit.id, record, entry.hash),
            )
        )
    c = consent.c
    await connection.execute(
        delete(consent).where(c.bucket == unit.bucket, c.phone == phone, c.business_unit_id == unit.id)
    )
    return len(found)


async def doubts(connection: AsyncConnection, unit: Unit, phone: int) -> int:
    """What is in doubt stays so, without its number."""
    d, r = doubt.c, skill_run.c
    own = select(r.id).where(r.bucket == unit.bucket, r.business_unit_id == unit.id, r.id == d.run_id)
    done = await connection.execute(
        update(doubt).where(d.bucket == unit.bucket, d.destination == phone, own.exists()).values(destination=None)
    )
    return done.rowcount


async def orphans(connection: AsyncConnection, unit: Unit, phone: int) -> int:
    """Receipts that matched nothing yet lose the number."""
    o = orphan.c
    providers = select(transport_code.c.provider_id).where(transport_code.c.business_unit_id == unit.id)
    done = await connection.execute(
        update(orphan).where(o.provider_id.in_(providers), o.number == phone).values(number=None, raw="")
    )
    return done.rowcount


async def unsay(connection: AsyncConnection, unit: Unit, phone: int) -> None:
    """The erasure's own opt-outs were for the engines; ledger and history do not keep them."""
    for table in (opt_out, dnc_change):
        c = table.c
        mine = (c.bucket == unit.bucket, c.phone == phone, c.business_unit_id == unit.id, c.source == SOURCE)
        await connection.execute(delete(table).where(*mine))


async def finish(
    connection: AsyncConnection, unit: Unit, erasure_id: int, phone: int, counts: dict[str, int], now: Micros
) -> None:
    """The number goes from the do-not-call lists, where its hash stands now."""
    e, g = dnc_entry.c, dnc_group.c
    own = select(g.id).where(g.business_unit_id == unit.id)
    await connection.execute(
        delete(dnc_entry).where(e.bucket == unit.bucket, e.dnc_group_id.in_(own), e.phone == phone)
    )
    await connection.execute(update(erasure).where(erasure.c.id == erasure_id).values(counts=counts, finished_at=now))
