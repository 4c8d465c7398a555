"""Registrations: how transport codes serve their business units."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, insert, select, update

from todoke.model.answer_text import by_language, mistakes
from todoke.model.declaration import Declared, Registration
from todoke.store.catalogue import codes, dnc
from todoke.store.catalogue.provision.work import Work
from todoke.store.catalogue.units import Unit
from todoke.store.schema import sms_registration, transport_code


async def provision(work: Work) -> None:
    for declared in work.declaration.registrations:
        await _registration(work, declared)
    await _register_the_rest(work)


async def _registration(work: Work, declared: Declared[Registration]) -> None:
    entry, place = declared
    unit = await work.unit(entry.business_unit, place)
    if unit is None:
        return
    finding = codes.find(work.connection, unit, entry.code)
    code = await work.found(finding, place, "code", "transport_code", entry.code)
    group = None
    if entry.dnc_group is not None:
        looking = dnc.find(work.connection, unit, entry.dnc_group)
        group = await work.found(looking, place, "dnc_group", "dnc_group", entry.dnc_group)
        if group is None:
            return
    if code is None:
        return
    _check_texts(work, declared, unit)
    r = sms_registration.c
    columns = (r.id, r.dnc_group_id, r.keywords, r.answers, r.language, r.texts, r.opt_out_scope)
    found = (await work.connection.execute(select(*columns).where(r.transport_code_id == code.id))).first()
    values: dict[str, Any] = {
        "dnc_group_id": group.id if group else None,
        "keywords": _keywords(entry),
        "answers": entry.answers,
        "language": entry.language,
        "texts": _texts(entry),
        "opt_out_scope": entry.opt_out_scope,
    }
    if found is None:
        await work.connection.execute(
            insert(sms_registration).values(
                business_unit_id=unit.id, transport_code_id=code.id, created_at=work.now, **values
            )
        )
        work.created("registration", code.code, unit)
        return
    names = {known.id: known.name for known in await dnc.groups(work.connection, unit)}
    old = _told(names.get(found[1]), *found[2:])
    new = _told(entry.dnc_group, *list(values.values())[1:])
    if work.differs("registration", code.code, unit, old, new):
        await work.connection.execute(update(sms_registration).where(r.id == found[0]).values(**values))


def _keywords(entry: Registration) -> dict[str, Any]:
    """As they are kept."""
    words: dict[str, Any] = {
        "stop": list(entry.stop_keywords),
        "start": list(entry.start_keywords),
        "help": list(entry.help_keywords),
        "remove": list(entry.remove_keywords),
    }
    if entry.languages is not None:
        words["languages"] = list(entry.languages)
    return words


def _texts(entry: Registration) -> dict[str, dict[str, str]]:
    """What is sent back, by meaning and language, where it differs from the built-in texts."""
    given = {"stop": entry.stop_text, "start": entry.start_text, "help": entry.help_text}
    return {kind: by_language(text) for kind, text in given.items() if text is not None}


def _told(
    group: str | None,
    keywords: dict[str, Any],
    answers: str | None,
    language: str | None,
    texts: dict[str, dict[str, str]] | None,
    scope: str | None,
) -> dict[str, Any]:
    """The registration as a file would say it."""
    return {
        "dnc_group": group,
        **{f"{kind}_keywords": keywords.get(kind, []) for kind in ("stop", "start", "help", "remove")},
        "languages": keywords.get("languages"),
        "answers": answers,
        "language": language,
        **{f"{kind}_text": (texts or {}).get(kind) for kind in ("stop", "start", "help")},
        "opt_out_scope": scope,
    }


def _check_texts(work: Work, declared: Declared[Registration], unit: Unit) -> None:
    """Whether the texts that are sent back can be sent, with the names that they will have."""
    entry, place = declared
    for kind, texts in _texts(entry).items():
        for sentence, fix, warning in mistakes(texts, unit.name, entry.code):
            work.problems.append(place.problem(f"{kind}_text", sentence, fix, warning=warning))


async def _register_the_rest(work: Work) -> None:
    """Every code answers to STOP from its first day: what has no registration of its own gets the defaults."""
    t = transport_code.c
    bare = select(t.id, t.business_unit_id).where(~exists().where(sms_registration.c.transport_code_id == t.id))
    for code_id, unit_id in (await work.connection.execute(bare)).all():
        await work.connection.execute(
            insert(sms_registration).values(
                business_unit_id=unit_id,
                transport_code_id=code_id,
                dnc_group_id=None,
                keywords={"stop": [], "start": []},
                created_at=work.now,
            )
        )
