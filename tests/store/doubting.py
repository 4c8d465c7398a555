"""What tests on doubts say and look at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from tests.factories import NOW, phone_of
from tests.store.world import World

from todoke.model.clock import HOUR, SECOND
from todoke.model.event import Event, Kind
from todoke.model.ids import address, reference
from todoke.store import schema
from todoke.store.hot.base import Doubt, DueTaken, Receipt

CODE = "15551230001"
MINUTE = 60 * SECOND
UNDELIV = "receipt:UNDELIV:001"
LATER = NOW + 16 * MINUTE


async def rows(world: World) -> list[Any]:
    async with world.store.reading() as connection:
        query = select(schema.doubt).order_by(schema.doubt.c.message_id, schema.doubt.c.segment, schema.doubt.c.attempt)
        return list(await connection.execute(query))


async def due(world: World) -> list[tuple[int, int, str, int | None, str]]:
    """(ordinal, attempt, segments, CRC, state)"""
    d = schema.due.c
    async with world.store.reading() as connection:
        query = select(d.message_id, d.attempt, d.segments, d.text_crc, d.state).order_by(d.message_id)
        return [(address(row[0]).ordinal, *row[1:]) for row in await connection.execute(query)]


async def orphans(world: World) -> list[str]:
    async with world.store.reading() as connection:
        return list(await connection.scalars(select(schema.orphan.c.provider_message_id)))


async def take(world: World) -> DueTaken:
    """The one due row that is ready two hours later."""
    world.now = NOW + 2 * HOUR
    (row,) = (await world.flush(leases=[world.lease(0, 0, due=10)])).due
    return row


def doubtful(
    world: World, ordinal: int, *, segment: int = 1, segments: int = 1, attempt: int = 0, at: int = NOW
) -> Any:
    return world.event(
        ordinal, Kind.IN_DOUBT, segment=segment, segments=segments, attempt=attempt, at=at, reason="response_timeout"
    )


def known(world: World, event: Event, crc: int = 7) -> Doubt:
    phone = phone_of(address(event.message_id).ordinal)
    return Doubt(event.message_id, event.segment, event.attempt, phone, crc, event.at - 31 * SECOND)


async def doubt(world: World, *ordinals: int, at: int = NOW) -> None:
    events = [doubtful(world, n, at=at) for n in ordinals]
    await world.flush(events=events, doubts=[known(world, event) for event in events])


def echo(
    world: World, ordinal: int, id: str, kind: Kind = Kind.DELIVERED, *, segment: int = 1, attempt: int = 0
) -> Receipt:
    return world.receipt(
        id,
        kind,
        phone=f"+{phone_of(ordinal)}",
        code=CODE,
        reference=reference(world.message(ordinal), segment, attempt),
    )


def plain(world: World, ordinal: int, id: str, *, at: int = NOW + SECOND, code: str = CODE) -> Receipt:
    return world.receipt(id, at=at, phone=str(phone_of(ordinal)), code=code)


async def match(world: World, *, now: int = NOW + HOUR, before: int | None = None) -> int:
    return await world.hot.match_doubts(world.scene.provider, now, now if before is None else before)
