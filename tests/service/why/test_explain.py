"""`why`: every rule says its verdict and its source, and the next moment is one at which an engine would send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from tests.factories import Scene, seed, seed_code, seed_dnc, seed_dnc_group, seed_list, seed_run, seed_skill

from todoke.compliance.rulebook import standard
from todoke.model.clock import HOUR, SECOND, from_datetime
from todoke.model.consent import Act, Kind, Record
from todoke.model.errors import NotFound
from todoke.service.why.explain import Explanation, explain
from todoke.store import schema
from todoke.store.catalogue import suppressions, units
from todoke.store.catalogue.suppressions import Whom
from todoke.store.consents import writing
from todoke.store.store import Store

FLORIDA, ALABAMA, JAPAN, LANDLINE = "+13055550123", "+12055550123", "+819012345678", "+81312345678"
NOON = from_datetime(datetime(2026, 6, 8, 16, tzinfo=UTC))  # a Monday, in New York
EVENING = NOON + 8 * HOUR + HOUR // 2  # half past eight there


@pytest.fixture
async def scene(store: Store) -> Scene:
    found = await seed(store, n=10)
    await unit(store, rule_pack="auto")
    return found


async def unit(store: Store, **values: Any) -> None:
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(**values))


async def skill(store: Store, **values: Any) -> None:
    async with store.writing() as connection:
        await connection.execute(update(schema.skill).values(**values))


async def listed(store: Store, scene: Scene, number: str, **more: Any) -> None:
    """The number is on the list `listed`."""
    of = await seed_list(store, scene.unit, n=1, name="listed", **more)
    contact = schema.contact
    async with store.writing() as connection:
        await connection.execute(update(contact).values(destination=int(number)).where(contact.c.list_id == of))


async def ask(store: Store, number: str, at: int = NOON, calling_list: str | None = None) -> Explanation:
    return await explain(
        store, standard(), business_unit=None, text=number, skill="skill", at=at, calling_list=calling_list
    )


def against(told: Explanation) -> list[str]:
    return [verdict.rule for verdict in told.verdicts if not verdict.allowed]


async def test_nothing_stands_against_it(store: Store, scene: Scene) -> None:
    told = await ask(store, FLORIDA)
    assert (told.number, told.may, told.next_at, against(told)) == (FLORIDA, True, NOON, [])
    assert told.places == ("US-FL America/New_York",)
    rules = {verdict.rule: verdict for verdict in told.verdicts}
    assert list(rules) == [
        "number", "dnc", "suppression", "cap", "consent", "erased", "run", "place", "hours of the unit",
        "hours of the skill", "rules of US", "rules of US-FL",
        "all hours",
    ]  # fmt: skip
    assert "501.616" in rules["rules of US-FL"].source
    assert rules["rules of US-FL"].until == NOON + 8 * HOUR
    assert rules["all hours"].until == NOON + 8 * HOUR - 60 * SECOND


async def test_the_rule_of_the_state_stands_against_it(store: Store, scene: Scene) -> None:
    told = await ask(store, FLORIDA, EVENING)
    assert (told.may, against(told)) == (False, ["rules of US-FL", "all hours"])
    assert told.next_at == NOON + 20 * HOUR  # eight in the morning


async def test_a_state_that_is_closed_on_sundays_is_closed_until_monday(store: Store, scene: Scene) -> None:
    sunday = NOON - 24 * HOUR
    told = await ask(store, ALABAMA, sunday)
    assert against(told) == ["rules of US-AL", "all hours"]
    assert told.next_at == NOON - 3 * HOUR  # eight in Birmingham, on Monday


async def test_unit_skill_and_holidays_each_say_so(store: Store, scene: Scene) -> None:
    await unit(store, hours="08:00-11:00", holidays=["2026-06-09"])
    await skill(store, window_start=780, window_end=840, hours=None)
    told = await ask(store, FLORIDA)
    assert against(told) == ["hours of the unit", "hours of the skill", "all hours"]
    assert told.next_at is None  # they are never open together
    await skill(store, window_start=480, window_end=1260)
    told = await ask(store, FLORIDA)
    assert told.next_at == NOON + 44 * HOUR  # not tomorrow: a holiday
    assert "holidays closed" in {v.rule: v.sentence for v in told.verdicts}["hours of the unit"]


async def test_a_calendar_that_is_gone_holds(store: Store, scene: Scene) -> None:
    await unit(store, holidays=["ZZ"])
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at) == (False, None)
    assert "hours of the unit" in against(told)


async def test_a_skill_without_rules_of_places(store: Store, scene: Scene) -> None:
    await skill(store, rule_pack="none")
    told = await ask(store, FLORIDA, EVENING)
    assert told.may
    assert "rules of the place" in [verdict.rule for verdict in told.verdicts]


async def test_a_jurisdiction_that_is_named_holds_everywhere(store: Store, scene: Scene) -> None:
    await skill(store, rule_pack="US-RI")
    told = await ask(store, JAPAN, NOON)  # one in the morning in Tokyo
    assert {"rules of JP", "rules of US-RI"} <= set(against(told))
    await skill(store, rule_pack="ZZ")
    told = await ask(store, FLORIDA)
    assert "rules of the place" in against(told)
    assert told.next_at is None


async def test_a_dnc_group_that_counts_and_one_that_does_not(store: Store, scene: Scene) -> None:
    other = await seed_dnc_group(store, scene.unit, name="other")
    await seed_dnc(store, other, [int(FLORIDA)])
    told = await ask(store, FLORIDA)
    assert told.may
    assert any("'other'" in v.sentence and "does not count" in v.sentence for v in told.verdicts)
    await unit(store, dnc_group_id=scene.group)
    await seed_dnc(store, scene.group, [int(FLORIDA)])
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, None, ["dnc"])
    assert any("since 2025-06-15" in v.sentence for v in told.verdicts if not v.allowed)


@pytest.mark.parametrize(
    ("number", "rule"), [(LANDLINE, "number"), ("+18005551234", "number"), ("at home", "number"), ("555", "number")]
)
async def test_a_number_that_takes_no_texts(store: Store, scene: Scene, number: str, rule: str) -> None:
    told = await ask(store, number)
    assert (told.may, told.next_at) == (False, None)
    assert rule in against(told)


async def test_a_number_without_a_place_is_held(store: Store, scene: Scene) -> None:
    await listed(store, scene, FLORIDA, zones=((),))
    told = await ask(store, FLORIDA, calling_list="listed")
    assert {"place", "all hours"} <= set(against(told))
    assert told.next_at is None


async def test_the_list_knows_more_of_the_place(store: Store, scene: Scene) -> None:
    await seed_list(store, scene.unit, n=3, name="more", zones=(("US-CA America/Los_Angeles 09:00-10:00",),))
    told = await ask(store, FLORIDA, calling_list="more")
    assert against(told) == ["list"]


async def test_a_contact_of_the_list_has_its_own_hours(store: Store, scene: Scene) -> None:
    await listed(store, scene, FLORIDA, zones=(("US-NY America/New_York 09:00-10:00",),))
    told = await ask(store, FLORIDA, calling_list="listed")
    assert against(told) == ["hours of the contact", "all hours"]
    assert told.next_at == NOON + 21 * HOUR


async def test_a_contact_of_the_list_has_its_own_end(store: Store, scene: Scene) -> None:
    await listed(store, scene, FLORIDA, zones=(("US-FL America/New_York",),))
    contact = schema.contact

    async def ends(at: int | None) -> None:
        async with store.writing() as connection:
            await connection.execute(update(contact).values(expires_at=at))

    await ends(NOON + HOUR)
    told = await ask(store, FLORIDA, calling_list="listed")
    assert (told.may, told.next_at) == (True, NOON)
    assert [(v.allowed, v.until) for v in told.verdicts if v.rule == "expiry"] == [(True, NOON + HOUR)]
    told = await ask(store, FLORIDA, NOON + HOUR, calling_list="listed")
    assert (told.may, told.next_at, against(told)) == (False, None, ["expiry"])
    await ends(EVENING + HOUR)  # before it is open again
    told = await ask(store, FLORIDA, EVENING, calling_list="listed")
    assert (told.may, told.next_at, against(told)) == (False, None, ["rules of US-FL", "all hours"])
    await ends(None)
    assert "expiry" not in [v.rule for v in (await ask(store, FLORIDA, calling_list="listed")).verdicts]


async def test_runs_that_are_paused_or_over(store: Store, scene: Scene) -> None:
    run = await seed_run(store, scene, started_at=NOON, hours=24)
    told = await ask(store, FLORIDA, calling_list=None)
    assert f"Run {run} is running." in [verdict.sentence for verdict in told.verdicts]
    async with store.writing() as connection:
        await connection.execute(update(schema.skill_run).values(state="paused"))
    assert against(await ask(store, FLORIDA)) == ["run"]
    async with store.writing() as connection:
        await connection.execute(update(schema.skill_run).values(state="running"))
    assert against(await ask(store, FLORIDA, NOON + 24 * HOUR)) == ["run"]


async def test_another_units_list_and_skill_are_not_there(store: Store, scene: Scene) -> None:
    other = await seed(store, n=1, name="b")
    await seed_skill(store, other.unit, await seed_code(store, other.unit, other.provider, code="9"), name="theirs")
    with pytest.raises(NotFound):
        await explain(store, standard(), business_unit="unit", text=FLORIDA, skill="theirs", at=NOON)
    await seed_list(store, other.unit, n=1, name="secret")
    with pytest.raises(NotFound):
        await explain(
            store, standard(), business_unit="unit", text=FLORIDA, skill="skill", at=NOON, calling_list="secret"
        )


async def test_consent_that_a_skill_requires_is_missing_until_it_is_given(store: Store, scene: Scene) -> None:
    await unit(store, dnc_group_id=scene.group)
    await skill(store, consent=int(Kind.EXPRESS), consent_purpose="marketing")
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, None, ["consent"])
    async with store.reading() as connection:
        of = await units.only(connection, None)
    record = Record(int(FLORIDA), Act.GIVEN, Kind.EXPRESS, NOON - HOUR, purpose="marketing")
    await writing.add(store, of, [record], NOON - HOUR)
    assert (await ask(store, FLORIDA)).may
    async with store.writing() as connection:
        await connection.execute(
            insert(schema.opt_out).values(
                bucket=scene.bucket, business_unit_id=scene.unit, dnc_group_id=scene.group, phone=int(FLORIDA),
                kind="out", source="person", evidence="", at=NOON - SECOND,
            )
        )  # fmt: skip
    assert against(await ask(store, FLORIDA)) == ["consent"]


# ------------------------------------------------------------------ hours by phone type

NEW_YORK = "US-NY America/New_York"
WORK, HOME = "mon-fri 09:00-17:00", "sat-sun 10:00-18:00"


async def test_the_hours_of_the_phone_type_of_the_lists_number(store: Store, scene: Scene) -> None:
    await unit(store, phone_hours={"Work phone": WORK, "Home phone": HOME})
    await listed(store, scene, FLORIDA, zones=((NEW_YORK, "@PhoneNumber", "@Work phone"),))
    told = await ask(store, FLORIDA, calling_list="listed")
    rules = {verdict.rule: verdict for verdict in told.verdicts}
    assert (told.may, told.places) == (True, (NEW_YORK,))
    assert "of the phone type Work phone" in rules["list"].sentence
    assert (rules["hours of Work phone"].source, rules["hours of Work phone"].until) == (
        "business unit unit",
        NOON + 5 * HOUR,
    )
    assert "hours of Home phone" not in rules
    evening = await ask(store, FLORIDA, NOON + 6 * HOUR, calling_list="listed")
    assert (against(evening), evening.next_at) == (["hours of Work phone", "all hours"], NOON + 21 * HOUR)
    await skill(store, phone_hours={"phonenumber": "13:00-14:00"})
    told = await ask(store, FLORIDA, calling_list="listed")
    assert (against(told), told.next_at) == (["hours of phonenumber", "all hours"], NOON + HOUR)


async def test_a_phone_type_without_hours_says_so(store: Store, scene: Scene) -> None:
    await unit(store, phone_hours={"Work phone": WORK})
    await listed(store, scene, FLORIDA, zones=((NEW_YORK, "@Home phone"),))
    told = await ask(store, FLORIDA, NOON + 6 * HOUR, calling_list="listed")
    assert told.may
    assert "No hours are declared for the phone type Home phone." in [verdict.sentence for verdict in told.verdicts]


async def test_of_an_unknown_phone_type_all_hours_count(store: Store, scene: Scene) -> None:
    """On a list of before, and where no list is named."""
    await unit(store, phone_hours={"Work phone": WORK, "Home phone": HOME})
    await listed(store, scene, FLORIDA, zones=((NEW_YORK,),))
    for calling_list in (None, "listed"):
        told = await ask(store, FLORIDA, calling_list=calling_list)
        assert (against(told), told.next_at) == (["hours of Home phone", "all hours"], None)
        rules = {verdict.rule: verdict for verdict in told.verdicts}
        assert "nobody knows of which phone type" in rules["hours of Work phone"].sentence
    await unit(store, phone_hours={"Work phone": WORK})
    assert (await ask(store, FLORIDA, calling_list="listed")).may


async def test_a_suppression_passes(store: Store, scene: Scene) -> None:
    async with store.writing() as connection:
        of = await units.only(connection, None)
        await suppressions.add(
            connection, of, [Whom(phone=int(FLORIDA))], hours=1, reason="on leave", who="Ann", now=NOON
        )
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, NOON + HOUR, ["suppression"])
    assert (await ask(store, FLORIDA, NOON + HOUR)).may


async def test_a_cap_that_is_used_up_frees(store: Store, scene: Scene) -> None:
    await skill(store, cap="1 in 24 hours")
    assert (await ask(store, FLORIDA)).may
    async with store.writing() as connection:
        own = (await connection.execute(select(schema.skill.c.id, schema.skill.c.transport_code_id))).one()
        await connection.execute(
            insert(schema.cap_use).values(
                bucket=scene.bucket, business_unit_id=scene.unit, phone=int(FLORIDA), message_id=1,
                at=NOON - 23 * HOUR, skill_id=own[0], list_id=1, transport_code_id=own[1],
            )
        )  # fmt: skip
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, NOON + HOUR, ["cap"])


async def test_an_entry_that_expires_passes(store: Store, scene: Scene) -> None:
    await unit(store, dnc_group_id=scene.group)
    await seed_dnc(store, scene.group, [int(FLORIDA)])
    async with store.writing() as connection:
        await connection.execute(update(schema.dnc_entry).values(expires_at=NOON + HOUR))
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, NOON + HOUR, ["dnc"])


async def test_a_list_that_is_inactive_or_expired_texts_nobody(store: Store, scene: Scene) -> None:
    await listed(store, scene, FLORIDA)
    async with store.writing() as connection:
        await connection.execute(update(schema.calling_list).values(expires_at=NOON))
    assert "list" in against(await ask(store, FLORIDA, calling_list="listed"))
    async with store.writing() as connection:
        await connection.execute(update(schema.calling_list).values(expires_at=None, active=False))
    assert "list" in against(await ask(store, FLORIDA, calling_list="listed"))


async def test_one_that_a_person_has_to_read_waits_for_the_person(store: Store, scene: Scene) -> None:
    await unit(store, dnc_group_id=scene.group)
    await seed_dnc(store, scene.group, [int(FLORIDA)])
    async with store.writing() as connection:
        await connection.execute(update(schema.dnc_entry).values(source="review", expires_at=NOON + 1000 * HOUR))
    told = await ask(store, FLORIDA)
    assert (told.may, told.next_at, against(told)) == (False, None, ["dnc"])
