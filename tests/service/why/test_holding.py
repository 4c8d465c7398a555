"""`why` tells of suppressions, caps, consent and erased people what an engine would hold a number back for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update
from tests.factories import Scene, seed, seed_list, update_skill

from todoke.compliance.rulebook import standard
from todoke.model.clock import HOUR, from_datetime
from todoke.model.consent import Act, Kind, Record
from todoke.model.errors import Conflict
from todoke.service.why.explain import Explanation, explain
from todoke.service.why.verdict import Verdict
from todoke.store import schema
from todoke.store.catalogue import caps, suppressions, units
from todoke.store.catalogue.suppressions import Whom
from todoke.store.catalogue.units import Unit
from todoke.store.consents import writing
from todoke.store.store import Store

NUMBER = 13_055_550_123
NOON = from_datetime(datetime(2026, 6, 8, 16, tzinfo=UTC))  # a Monday, in Florida
DAY = 24 * HOUR


@pytest.fixture
async def scene(store: Store) -> Scene:
    return await seed(store, n=10)


async def unit_of(store: Store) -> Unit:
    async with store.reading() as connection:
        return await units.find(connection, "unit")


async def ask(store: Store, at: int = NOON, calling_list: str | None = None) -> Explanation:
    return await explain(
        store, standard(), business_unit=None, text=f"+{NUMBER}", skill="skill", at=at, calling_list=calling_list
    )


def against(told: Explanation) -> list[str]:
    return [verdict.rule for verdict in told.verdicts if not verdict.allowed]


def of(told: Explanation, rule: str) -> list[Verdict]:
    return [verdict for verdict in told.verdicts if verdict.rule == rule]


async def suppress(store: Store, *whom: Whom, hours: int, skill_id: int | None = None) -> None:
    unit = await unit_of(store)
    async with store.writing() as connection:
        await suppressions.add(
            connection, unit, whom, reason="in hospital", who="ann", now=NOON, hours=hours, skill_id=skill_id
        )


async def test_the_last_suppression_to_end_tells_when(store: Store, scene: Scene) -> None:
    await suppress(store, Whom(NUMBER), hours=2)
    await suppress(store, Whom(NUMBER), hours=3, skill_id=scene.skill)
    await suppress(store, Whom(NUMBER + 1), hours=9)
    told = await ask(store)
    assert against(told) == ["suppression", "suppression"]
    assert {verdict.until for verdict in of(told, "suppression")} == {NOON + 2 * HOUR, NOON + 3 * HOUR}
    assert "by ann: in hospital" in of(told, "suppression")[0].source
    assert told.next_at == NOON + 3 * HOUR
    assert (await ask(store, NOON + 3 * HOUR)).may


async def test_a_suppression_by_external_id_is_found_through_the_list(store: Store, scene: Scene) -> None:
    listed = await seed_list(store, scene.unit, n=1, name="listed", bucket=scene.bucket)
    c = schema.contact.c
    async with store.writing() as connection:
        await connection.execute(
            update(schema.contact).values(destination=NUMBER, external_id="E7").where(c.list_id == listed)
        )
    await suppress(store, Whom(external_id="E7"), hours=2)
    assert (await ask(store)).may
    told = await ask(store, calling_list="listed")
    assert (against(told), told.next_at) == (["suppression"], NOON + 2 * HOUR)
    assert "E7" in of(told, "suppression")[0].sentence


async def test_caps_of_unit_skill_and_list(store: Store, scene: Scene) -> None:
    assert of(await ask(store), "cap")[0].sentence == "No frequency cap is declared."
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(cap="2 in 7 days"))
        await connection.execute(update(schema.skill).values(cap="1 in 24 hours"))
        await caps.set_list(connection, await unit_of(store), scene.list, "1 in 48 hours")
        use = {"bucket": scene.bucket, "business_unit_id": scene.unit, "phone": NUMBER, "skill_id": scene.skill}
        use |= {"message_id": 1, "at": NOON - HOUR, "list_id": scene.list, "transport_code_id": scene.code}
        await connection.execute(insert(schema.cap_use).values(use))
    told = await ask(store)
    assert [(verdict.allowed, verdict.until) for verdict in of(told, "cap")] == [
        (True, None),
        (False, NOON + 23 * HOUR),
    ]
    assert of(told, "cap")[0].sentence == "It has had 1 of 2 texts."
    assert (told.may, told.next_at) == (False, NOON + 23 * HOUR)
    assert (await ask(store, NOON + 23 * HOUR)).may


async def test_consent_where_the_skill_requires_it(store: Store, scene: Scene) -> None:
    assert of(await ask(store), "consent")[0].sentence == "The skill requires no consent."
    await update_skill(store, scene, consent=Kind.EXPRESS, consent_purpose="marketing")
    told = await ask(store)
    assert (told.may, against(told), told.next_at) == (False, ["consent"], None)
    assert "express for the purpose 'marketing'" in of(told, "consent")[0].sentence
    given = Record(NUMBER, Act.GIVEN, Kind.EXPRESS_WRITTEN, NOON - DAY, purpose="marketing")
    await writing.add(store, await unit_of(store), [given], NOON)
    assert (await ask(store)).may
    revoked = Record(NUMBER, Act.REVOKED, None, NOON - HOUR, purpose="marketing")
    await writing.add(store, await unit_of(store), [revoked], NOON)
    assert against(await ask(store)) == ["consent"]


@pytest.mark.parametrize(("until", "words"), [(None, "was on a DNC group"), (NOON + HOUR, "under way")])
async def test_whoever_was_erased_is_not_texted(store: Store, scene: Scene, until: int | None, words: str) -> None:
    store.hot.use_key(lambda phone: phone * 7)
    row = {"bucket": scene.bucket, "business_unit_id": scene.unit, "dnc_group_id": scene.group, "until": until}
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(dnc_group_id=scene.group))
        await connection.execute(insert(schema.erased_number).values(**row, digest=NUMBER * 7, created_at=NOON))
    told = await ask(store)
    assert (told.may, against(told), told.next_at) == (False, ["erased"], None)
    assert words in of(told, "erased")[0].sentence
    assert of(told, "consent")[0].allowed
    store.hot.use_key(lambda phone: phone * 11)
    assert (await ask(store)).may


async def test_without_the_key_nobody_erased_can_be_told(store: Store, scene: Scene) -> None:
    row = {"bucket": scene.bucket, "business_unit_id": scene.unit, "dnc_group_id": scene.group, "until": None}
    async with store.writing() as connection:
        await connection.execute(insert(schema.erased_number).values(**row, digest=1, created_at=NOON))
    with pytest.raises(Conflict, match="no key to recognise"):
        await ask(store)
