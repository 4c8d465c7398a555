"""Campaigns, templates and skills."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import delete, insert, update

from todoke.model import schedule
from todoke.model.consent import KINDS, Kind
from todoke.model.declaration import Campaign, Declared, Place, Skill, Template
from todoke.store.catalogue import campaigns, codes, dnc, skills, templates
from todoke.store.catalogue.codes import Code
from todoke.store.catalogue.provision.work import Work
from todoke.store.catalogue.skills import SkillRow
from todoke.store.catalogue.units import Unit
from todoke.store.schema import campaign, skill, skill_dnc, template, template_version


async def provision(work: Work) -> None:
    for declared in work.declaration.campaigns:
        await _campaign(work, declared)
    for declared in work.declaration.templates:
        await _template(work, declared)
    for declared in work.declaration.skills:
        await _skill(work, declared)


async def _campaign(work: Work, declared: Declared[Campaign]) -> None:
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    if any(row.name == entry.name for row in await campaigns.every(work.connection, unit)):
        work.done.unchanged += 1
        return
    values = {"business_unit_id": unit.id, "name": entry.name, "created_at": work.now}
    await work.connection.execute(insert(campaign).values(**values))
    work.created("campaign", entry.name, unit)


async def _template(work: Work, declared: Declared[Template]) -> None:
    """A text that changed is a new version; runs keep the one they started with."""
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    found = next((row for row in await templates.every(work.connection, unit) if row.name == entry.name), None)
    if found is None:
        values = {"business_unit_id": unit.id, "name": entry.name, "created_at": work.now}
        made = await work.connection.execute(insert(template).values(**values).returning(template.c.id))
        template_id, version = made.scalar_one(), 1
        work.created("template", entry.name, unit)
    else:
        old = {"body": found.body, "direction": found.direction}
        if not work.differs("template", entry.name, unit, old, {"body": entry.body, "direction": entry.direction}):
            return
        template_id, version = found.id, found.version + 1
    await work.connection.execute(
        insert(template_version).values(
            template_id=template_id,
            version=version,
            body=entry.body,
            direction=entry.direction,
            created_at=work.now,
        )
    )


async def _skill(work: Work, declared: Declared[Skill]) -> None:
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    link = work.connection
    group = await work.found(campaigns.find(link, unit, entry.campaign), place, "campaign", "campaign", entry.campaign)
    finding = codes.find(link, unit, entry.transport_code)
    code = await work.found(finding, place, "transport_code", "transport_code", entry.transport_code)
    text = await work.found(templates.find(link, unit, entry.template), place, "template", "template", entry.template)
    if group is None or code is None or text is None:
        return
    hours = schedule.parse(entry.window)
    window = hours.span
    values: dict[str, Any] = {
        "campaign_id": group.id,
        "transport_code_id": code.id,
        "template_id": text.id,
        "window_start": window.start,
        "window_end": window.end,
        "hours": None if hours == schedule.every_day(window) else str(hours),
        "rule_pack": entry.rule_pack,
        "phone_hours": schedule.by_name(entry.phone_hours) or None,
        "in_doubt_policy": entry.in_doubt_policy,
        "in_doubt_minutes": entry.in_doubt_minutes,
        "max_attempts": entry.max_attempts,
        "smart_encoding": entry.smart_encoding,
        "stream": entry.stream,
        "weight": entry.weight,
        "expiry_hours": entry.expiry_hours,
        "cap": entry.cap,
        "filter": entry.filter,
        "ordering": "\n".join(entry.order) or None,
        "consent": KINDS.get(entry.consent),
        "consent_purpose": entry.consent_purpose,
        "consent_programme": entry.consent_programme,
    }
    groups = await _groups(work, unit, entry, place)
    if groups is None:
        return
    found = next((row for row in await skills.every(link, unit) if row.name == entry.name), None)
    if found is None:
        made = await link.execute(
            insert(skill)
            .values(business_unit_id=unit.id, name=entry.name, kind="agentless", created_at=work.now, **values)
            .returning(skill.c.id)
        )
        await _set_groups(work, made.scalar_one(), groups)
        work.created("skill", entry.name, unit)
        return
    old = await _as_declared(work, unit, found)
    new: dict[str, Any] = {
        "campaign": entry.campaign,
        "transport_code": code.name,
        "template": entry.template,
        "window": str(hours),
        "rule_pack": entry.rule_pack,
        "phone_hours": values["phone_hours"] or {},
        "consent": entry.consent,
        **{key: values[key] for key in _PLAIN + _CONSENT},
        "scrub": entry.scrub,
        "contribute": entry.contribute,
        "order": list(entry.order),
    }
    if work.differs("skill", entry.name, unit, old, new):
        await link.execute(update(skill).where(skill.c.id == found.id).values(**values))
        await _set_groups(work, found.id, groups)


_PLAIN = (
    *("in_doubt_policy", "in_doubt_minutes", "max_attempts", "smart_encoding", "stream", "weight", "expiry_hours"),
    *("cap", "filter"),
)
_CONSENT = ("consent_purpose", "consent_programme")


class _Groups(NamedTuple):
    """Ids of DNC groups."""

    scrub: list[int]
    contribute: list[int]


async def _groups(work: Work, unit: Unit, entry: Skill, place: Place) -> _Groups | None:
    """None, with the problem recorded, where one of them is not there."""
    ids: list[list[int]] = []
    for key, names in (("scrub", entry.scrub), ("contribute", entry.contribute)):
        found = [
            await work.found(dnc.find(work.connection, unit, name), place, key, "dnc_group", name) for name in names
        ]
        ids.append([group.id for group in found if group is not None])
        if len(ids[-1]) < len(names):
            return None
    return _Groups(*ids)


async def _set_groups(work: Work, skill_id: int, groups: _Groups) -> None:
    d = skill_dnc.c
    await work.connection.execute(delete(skill_dnc).where(d.skill_id == skill_id))
    rows = [
        {
            "skill_id": skill_id,
            "dnc_group_id": group,
            "contributes": group in groups.contribute,
            "scrubs": group in groups.scrub,
        }
        for group in sorted({*groups.scrub, *groups.contribute})
    ]
    if rows:
        await work.connection.execute(insert(skill_dnc), rows)


async def _as_declared(work: Work, unit: Unit, row: SkillRow) -> dict[str, Any]:
    """The skill as a file would say it."""
    codes_by_id: dict[int, Code] = {code.id: code for code in await codes.every(work.connection, unit)}
    return {
        "campaign": row.campaign,
        "transport_code": codes_by_id[row.transport_code_id].name,
        "template": row.template,
        "window": row.schedule,
        "rule_pack": row.rule_pack,
        "phone_hours": row.phone_hours or {},
        "consent": "none" if row.consent is None else Kind(row.consent).label,
        **{key: getattr(row, key) for key in _PLAIN},
        **(await dnc.of_skill(work.connection, unit, row.id))._asdict(),
        "order": list(row.order),
        **{key: getattr(row, key) or "" for key in _CONSENT},
    }
