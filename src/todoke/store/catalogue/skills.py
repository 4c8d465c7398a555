"""Skills: what is started over a calling list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.calling_window import Window
from todoke.store.catalogue.naming import pick
from todoke.store.catalogue.units import Unit
from todoke.store.schema import campaign, skill, template, transport_code


class SkillRow(NamedTuple):
    """`campaign`, `transport_code` and `template` are names; the window is in the contact's own time. `hours`
    is a schedule where it is not the same every day. `rule_pack` None: as the business unit has it. `phone_hours`: a
    schedule by phone type.
    """

    id: int
    name: str
    kind: str
    campaign: str
    transport_code_id: int
    transport_code: str
    template_id: int
    template: str
    window_start: int
    window_end: int
    in_doubt_policy: str
    in_doubt_minutes: int
    max_attempts: int
    smart_encoding: bool
    stream: str
    weight: int
    expiry_hours: int
    cap: str | None
    consent: int | None
    consent_purpose: str | None
    consent_programme: str | None
    filter: str | None
    ordering: str | None
    hours: str | None = None
    rule_pack: str | None = None
    phone_hours: dict[str, str] | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The keys of its order."""
        return tuple(self.ordering.split("\n")) if self.ordering else ()

    @property
    def window(self) -> Window:
        """From its earliest to its latest hour, on any day."""
        return Window(self.window_start, self.window_end)

    @property
    def schedule(self) -> str:
        """Its calling window as it is declared."""
        return str(self.window) if self.hours is None else self.hours


async def every(connection: AsyncConnection, unit: Unit) -> list[SkillRow]:
    """The unit's skills by name, but for those of standing runs, which nobody starts."""
    s = skill.c
    rows = await connection.execute(
        select(
            s.id,
            s.name,
            s.kind,
            campaign.c.name,
            s.transport_code_id,
            transport_code.c.code,
            s.template_id,
            template.c.name,
            s.window_start,
            s.window_end,
            s.in_doubt_policy,
            s.in_doubt_minutes,
            s.max_attempts,
            s.smart_encoding,
            s.stream,
            s.weight,
            s.expiry_hours,
            s.cap,
            s.consent,
            s.consent_purpose,
            s.consent_programme,
            s.filter,
            s.ordering,
            s.hours,
            s.rule_pack,
            s.phone_hours,
        )
        .join(campaign, campaign.c.id == s.campaign_id)
        .join(transport_code, transport_code.c.id == s.transport_code_id)
        .join(template, template.c.id == s.template_id)
        .where(s.business_unit_id == unit.id, s.kind != "standing")
        .order_by(s.name)
    )
    return [SkillRow(*row) for row in rows]


async def set_selection(
    connection: AsyncConnection, unit: Unit, skill_id: int, wanted: str | None, order: Sequence[str]
) -> None:
    """Its filter and its order from now on; for runs that start then."""
    s = skill.c
    await connection.execute(
        update(skill)
        .where(s.business_unit_id == unit.id, s.id == skill_id)
        .values(filter=wanted, ordering="\n".join(order) or None)
    )


async def find(connection: AsyncConnection, unit: Unit, name: str) -> SkillRow:
    """The unit's skill of that name; NotFound."""
    rows = await every(connection, unit)
    return pick(name, rows, "skill", "Declare it under [[skill]] and run todoke apply.")
