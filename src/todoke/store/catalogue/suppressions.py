"""Suppressions: contacts that are skipped for a while, by number or external id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.clock import HOUR, Micros
from todoke.model.errors import Invalid
from todoke.model.ids import MAX_ORDINAL, SELECTED
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.store.catalogue.units import Unit
from todoke.store.schema import contact, due, skill, skill_run, suppression

DEFAULT_HOURS = 24
MAX_HOURS = 90 * 24
MAX_EXTERNAL_ID = 255

_S = suppression.c
_C, _D, _R = contact.c, due.c, skill_run.c


class Suppression(NamedTuple):
    """One of `phone` and `external_id`. `skill` None: all skills of the unit. `ended_at`: by a person (`ended_by`)
    before it expired.
    """

    id: int
    phone: int | None
    external_id: str | None
    skill: str | None
    reason: str
    who: str
    created_at: Micros
    expires_at: Micros
    ended_at: Micros | None
    ended_by: str | None

    def holds(self, now: Micros) -> bool:
        return self.ended_at is None and self.expires_at > now


class Whom(NamedTuple):
    """A contact by one of the two."""

    phone: int | None = None
    external_id: str | None = None


async def add(
    connection: AsyncConnection,
    unit: Unit,
    whom: Sequence[Whom],
    *,
    reason: str,
    who: str,
    now: Micros,
    hours: float = DEFAULT_HOURS,
    skill_id: int | None = None,
) -> Micros:
    """Suppress these contacts until the moment that is returned. Invalid for a span that is too short or too long."""
    if not 0 < hours <= MAX_HOURS:
        raise Invalid(
            f"A suppression of {hours:g} hours is not possible.",
            fix=f"Give up to {MAX_HOURS} hours ({MAX_HOURS // 24}d).",
        )
    for one in whom:
        if (one.phone is None) == (one.external_id is None):
            raise Invalid("A suppression is for a number or for an external id.", fix="Give one of the two.")
        if one.external_id is not None and not 0 < len(one.external_id) <= MAX_EXTERNAL_ID:
            raise Invalid("An external id has 1 to 255 characters.", where=one.external_id[:40], fix="Correct it.")
    until = now + int(hours * HOUR)
    rows = [
        {
            "bucket": unit.bucket,
            "business_unit_id": unit.id,
            "skill_id": skill_id,
            "phone": one.phone,
            "external_id": one.external_id,
            "reason": reason,
            "who": who,
            "created_at": now,
            "expires_at": until,
        }
        for one in whom
    ]
    if rows:
        await connection.execute(insert(suppression), rows)
    return until


async def end(
    connection: AsyncConnection,
    unit: Unit,
    whom: Whom,
    *,
    who: str,
    now: Micros,
    skill_id: int | None = None,
) -> int:
    """End the suppressions of this contact that hold (with a skill only those of the skill); how many those were. What
    waited for their ends waits no longer.
    """
    conditions = [*_holding(unit, now), _is(whom)]
    if skill_id is not None:
        conditions.append(_S.skill_id == skill_id)
    moments = (await connection.execute(select(_S.expires_at).where(*conditions).distinct())).scalars().all()
    if not moments:
        return 0
    done = await connection.execute(update(suppression).where(*conditions).values(ended_at=now, ended_by=who))
    await _bring_forward(connection, unit, whom, moments, now)
    return done.rowcount


async def _bring_forward(
    connection: AsyncConnection, unit: Unit, whom: Whom, moments: Sequence[Micros], now: Micros
) -> None:
    """The messages to this contact that wait for one of these moments go now, unless something else holds them: that is
    looked at when they are taken. Of a run over a selection all that wait for that very moment do.
    """
    live = (_R.bucket == unit.bucket, _R.business_unit_id == unit.id, _R.state.in_([RunState.RUNNING, RunState.PAUSED]))
    codes = (await connection.execute(select(_R.transport_code_id).where(*live).distinct())).scalars().all()
    ordinal = _D.message_id.op("&")(MAX_ORDINAL)
    theirs = (
        select(_C.position)
        .join(skill_run, and_(_R.bucket == _C.bucket, _R.list_id == _C.list_id))
        .where(_R.bucket == _D.bucket, _R.id == _D.run_id, *live, _C.position == ordinal)
        .where(_C.destination == whom.phone if whom.phone is not None else _C.external_id == whom.external_id)
        .correlate(due)
    )
    selected = select(_R.id).where(_R.bucket == _D.bucket, _R.id == _D.run_id, *live).correlate(due)
    if codes:
        # By the key of what is due next: the moment of a suppression's end is seldom anything else's.
        waiting = (
            _D.bucket == unit.bucket,
            _D.transport_code_id.in_(codes),
            _D.state.in_(["ready", "parked"]),
            _D.stream.in_(list(Stream)),
            _D.not_before.in_(moments),
            or_(theirs.exists(), and_(ordinal >= SELECTED, selected.exists())),
        )
        await connection.execute(update(due).where(*waiting).values(not_before=now))


async def every(
    connection: AsyncConnection, unit: Unit, now: Micros, *, ended: bool = False, limit: int = 1000
) -> list[Suppression]:
    """Those that hold, the next to end first; with `ended` all there ever were, the newest first."""
    if ended:
        query = _rows(unit).order_by(_S.id.desc())
    else:
        query = _rows(unit).where(*_holding(unit, now)).order_by(_S.expires_at, _S.id)
    return [Suppression(*row) for row in await connection.execute(query.limit(limit))]


async def of(
    connection: AsyncConnection,
    unit: Unit,
    now: Micros,
    *,
    phone: int | None = None,
    external_id: str | None = None,
    skill_id: int | None = None,
) -> list[Suppression]:
    """What holds for this contact, by its number or its external id, for the skill (without one: for any)."""
    ways = [
        *([_S.phone == phone] if phone is not None else []),
        *([_S.external_id == external_id] if external_id is not None else []),
    ]
    query = _rows(unit).where(*_holding(unit, now), or_(*ways)).order_by(_S.expires_at.desc())
    if skill_id is not None:
        query = query.where(or_(_S.skill_id.is_(None), _S.skill_id == skill_id))
    return [Suppression(*row) for row in await connection.execute(query)]


def _holding(unit: Unit, now: Micros) -> list[ColumnElement[bool]]:
    return [
        _S.bucket == unit.bucket,
        _S.business_unit_id == unit.id,
        _S.expires_at > now,
        _S.ended_at.is_(None),
    ]


def _is(whom: Whom) -> ColumnElement[bool]:
    return _S.phone == whom.phone if whom.phone is not None else _S.external_id == whom.external_id


def _rows(unit: Unit) -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(_S.id, _S.phone, _S.external_id, skill.c.name, _S.reason, _S.who, _S.created_at, _S.expires_at),
            *(_S.ended_at, _S.ended_by),
        )
        .outerjoin(skill, skill.c.id == _S.skill_id)
        .where(_S.bucket == unit.bucket, _S.business_unit_id == unit.id)
    )
