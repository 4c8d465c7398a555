"""Standing runs: for each purpose and code of a business unit one run that is always open, for single messages.

Each has a skill of its own, which nobody starts, so that windows, attempts, limits and reports hold for it as for any.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, Micros
from todoke.model.stream import Stream
from todoke.store.catalogue.adhoc import CAMPAIGN, named
from todoke.store.catalogue.codes import Code
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import NewRun
from todoke.store.hot.singles import BODY
from todoke.store.schema import campaign, skill, template, template_version
from todoke.store.store import Store

KIND = "standing"
"""The kind of such a skill."""
TEMPLATE = "single text"
_FOR_EVER = 50 * 365 * 24 * HOUR
_ALL_DAY = Window(0, WHOLE_DAY)


class _Nature(NamedTuple):
    stream: Stream
    scrubbed: bool


class Purpose(Enum):
    """What the messages of a standing run are for."""

    CONFIRMATIONS = "confirmations"  # to who has opted out: the one thing that is not scrubbed
    ANSWERS = "answers"  # on START and HELP
    TEXTS = "texts"  # whatever is sent to one number


_NATURES = {
    Purpose.CONFIRMATIONS: _Nature(Stream.ANSWER, scrubbed=False),
    Purpose.ANSWERS: _Nature(Stream.ANSWER, scrubbed=True),
    Purpose.TEXTS: _Nature(Stream.TRANSACTIONAL, scrubbed=True),
}


async def ensure(
    store: Store,
    unit: Unit,
    code: Code,
    purpose: Purpose,
    groups: tuple[int, ...],
    now: Micros,
    *,
    window: Window = _ALL_DAY,
    stream: Stream | None = None,
) -> int:
    """The id of the open standing run for this; made where there is none, or where it is scrubbed against other groups.

    Conflict where the code's provider cannot serve the unit.
    """
    nature = _NATURES[purpose]
    stream = stream or nature.stream
    name = f"{purpose.value} {code.name}" + ("" if window == _ALL_DAY else f" {window}".replace(":", ""))
    if stream is not nature.stream:
        name = f"{name} {stream.value}"
    try:
        async with store.writing() as connection:
            skill_id, version_id = await _skill(connection, unit, code, name, window, stream, now)
    except IntegrityError:  # another process made it in the same moment
        async with store.writing() as connection:
            skill_id, version_id = await _skill(connection, unit, code, name, window, stream, now)
    scrubbed = groups if nature.scrubbed else ()
    run = NewRun(
        unit.bucket, unit.id, skill_id, 0, code.id, BODY, version_id, scrubbed, now, now + _FOR_EVER, stream, True
    )
    return await store.hot.start_run(run)


async def _skill(
    connection: AsyncConnection, unit: Unit, code: Code, name: str, window: Window, stream: Stream, now: Micros
) -> tuple[int, int]:
    """The skill, and the version of its template."""
    s, v = skill.c, template_version.c
    template_id = await named(connection, template, unit, TEMPLATE, now)
    version_id = await connection.scalar(select(func.max(v.id)).where(v.template_id == template_id))
    if version_id is None:
        values = {"template_id": template_id, "version": 1, "body": BODY, "direction": "ltr", "created_at": now}
        version_id = (await connection.execute(insert(template_version).values(**values).returning(v.id))).scalar_one()
    found = await connection.scalar(select(s.id).where(s.business_unit_id == unit.id, s.name == name))
    if found is not None:
        return found, version_id
    made = await connection.execute(
        insert(skill)
        .values(
            business_unit_id=unit.id,
            name=name,
            campaign_id=await named(connection, campaign, unit, CAMPAIGN, now),
            kind=KIND,
            transport_code_id=code.id,
            template_id=template_id,
            window_start=window.start,
            window_end=window.end,
            in_doubt_policy="at_most_once",
            in_doubt_minutes=15,
            max_attempts=3,
            smart_encoding=True,
            stream=stream.value,
            weight=1,
            expiry_hours=720,
            created_at=now,
        )
        .returning(s.id)
    )
    return made.scalar_one(), version_id
