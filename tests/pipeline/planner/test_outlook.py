"""The outlook of a run: who can be texted now, who later, who never."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from tests.factories import NOW, Scene, seed, seed_list

from todoke.compliance.hours import Hours, OfPhoneType
from todoke.compliance.rulebook import standard
from todoke.compliance.windows import opening
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, from_datetime
from todoke.model.errors import Conflict
from todoke.model.schedule import every_day
from todoke.pipeline.planner import choosing
from todoke.pipeline.planner.outlook import Outlook, check, look, strangers, warnings
from todoke.pipeline.planner.start import start_skill, start_text
from todoke.store import schema
from todoke.store.store import Store

HOURS = Hours((every_day(Window(480, 1260)),), standard())
NOON = from_datetime(datetime(2026, 6, 8, 16, tzinfo=UTC))  # a Monday, in New York
NEW_YORK, TOKYO, TEXAS = ("US-NY America/New_York",), ("JP Asia/Tokyo",), ("US-TX America/Chicago",)
NEVER = ("JP Asia/Tokyo", "US-RI America/New_York")


def test_contacts_are_counted_by_what_their_places_allow() -> None:
    groups = [(NEW_YORK, 5), (TOKYO, 3), ((), 2), (NEVER, 4), (TEXAS, 1)]
    found = look(groups, 7, HOURS, NOON, NOON + 24 * HOUR)
    assert found == Outlook(6, 3, 2, 4, 7, first_opens=NOON + 7 * HOUR)
    assert list(warnings(found)) == [
        "3 contacts are outside of their calling window; the first of them opens at 2026-06-08 23:00 UTC.",
        "2 contacts are in no known place; they are held until the run expires.",
        "4 contacts are in no open calling window before the run expires.",
    ]
    assert not found.hopeless


def test_a_run_that_expires_before_a_window_opens_is_no_use() -> None:
    found = look([(TOKYO, 3)], 0, HOURS, NOON, NOON + 7 * HOUR)
    assert found == Outlook(never=3)
    with pytest.raises(Conflict, match="do not open"):
        check(found, "list")
    check(look([(TOKYO, 3)], 0, HOURS, NOON, NOON + 8 * HOUR), "list")
    check(look([(TOKYO, 3)], 1, HOURS, NOON, NOON + HOUR), "list")  # whoever was not looked at may be


def test_nothing_to_warn_of_where_everybody_can_be_texted() -> None:
    assert not list(warnings(look([(NEW_YORK, 5)], 3, HOURS, NOON, NOON + HOUR)))


def test_a_phone_type_that_is_misspelt_is_told() -> None:
    """... where the list has none of those that hours are declared for; one that is there is enough."""
    hours = HOURS._replace(by_phone_type=(OfPhoneType("Work phones", every_day(Window(480, 600)), False),))
    names = {"PhoneNumber": ["Work phone"], "Home phone": []}
    assert list(strangers(hours, names)) == [
        "Hours are declared for the phone types 'Work phones', none of which the list has. "
        "It has 'PhoneNumber' or 'Work phone', 'Home phone'."
    ]
    assert not list(strangers(hours, None))
    assert not list(strangers(HOURS, names))
    home = OfPhoneType("home_phone", every_day(Window(480, 600)), True)
    assert not list(strangers(hours._replace(by_phone_type=(*hours.by_phone_type, home)), names))


@given(
    st.lists(st.tuples(st.sampled_from([NEW_YORK, TOKYO, (), NEVER, TEXAS]), st.integers(1, 9)), max_size=6),
    st.integers(0, 9),
    st.integers(0, 48),
    st.integers(1, 48),
)
def test_every_contact_is_counted_once(groups, mixed, passed, expiry) -> None:
    now = NOON + passed * HOUR
    found = look(groups, mixed, HOURS, now, now + expiry * HOUR)
    assert sum(found[:5]) == sum(count for _, count in groups) + mixed
    first = min((o.opens for p, _ in groups if (o := opening(HOURS, p, now)) and now < o.opens < now + expiry * HOUR),
                default=None)  # fmt: skip
    assert found.first_opens == first


# ------------------------------------------------------------------ at the start of a run


@pytest.fixture
async def scene(store: Store) -> Scene:
    found = await seed(store, n=10)
    await seed_list(store, found.unit, n=9, name="world", zones=(NEW_YORK, TOKYO, ()))
    await seed_list(store, found.unit, n=3, name="nowhere", zones=((),))
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(rule_pack="auto"))
    return found


async def test_who_cannot_be_texted_now_is_told(store: Store, scene: Scene) -> None:
    started = await start_skill(store, business_unit=None, skill="skill", calling_list="world", now=NOW)
    assert started.warnings == (
        "3 contacts are outside of their calling window; the first of them opens at 2025-06-15 23:00 UTC.",
        "3 contacts are in no known place; they are held until the run expires.",
    )


async def test_with_a_filter_those_that_it_takes_are_counted(store: Store, scene: Scene) -> None:
    of = {"business_unit": None, "skill": "skill", "calling_list": "world", "now": NOW}

    some = await start_skill(store, **of, wanted='@external_id in ("c0", "c5", "c7", "c8")')
    nobody = await start_skill(store, **of, wanted='FirstName = "Nobody"')

    assert some.warnings == (
        "1 contacts are outside of their calling window; the first of them opens at 2025-06-15 23:00 UTC.",
        "2 contacts are in no known place; they are held until the run expires.",
    )
    assert nobody.warnings == ("No contact of the list passes the filter.",)
    with pytest.raises(Conflict, match="that the filter takes could be texted before the run expires"):
        await start_skill(store, **of, wanted='@external_id = "c8"')


async def test_of_a_long_list_it_is_said_that_nobody_counted(
    store: Store, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "COUNTED_AT_ONCE", 8)
    of = {"business_unit": None, "skill": "skill", "now": NOW}

    (sentence,) = (await start_skill(store, **of, calling_list="world", wanted="FirstName is not empty")).warnings
    never = await start_skill(store, **of, calling_list="world", wanted='FirstName = "Nobody"')

    assert "how many of those that the filter takes is not known" in sentence
    assert never.warnings[0].startswith("None of the first contacts of the list passes the filter")
    assert (await start_skill(store, **of, calling_list="list", wanted="FirstName is not empty")).warnings == ()


async def test_a_list_that_nobody_can_be_texted_of_is_refused_before_anything_is_written(
    store: Store, scene: Scene
) -> None:
    with pytest.raises(Conflict, match="no known place") as said:
        await start_skill(store, business_unit=None, skill="skill", calling_list="nowhere", now=NOW)
    assert "todoke why" in str(said.value)
    with pytest.raises(Conflict, match="no known place"):
        await start_text(
            store, business_unit=None, code=None, calling_list="nowhere", text="Hi", window=Window(0, 1440), now=NOW
        )
    assert not await store.hot.open_runs([scene.code])


async def test_without_rules_the_whole_day_needs_no_place(store: Store, scene: Scene) -> None:
    started = await start_text(
        store,
        business_unit=None,
        code=None,
        calling_list="nowhere",
        text="Hi",
        window=Window(0, 1440),
        now=NOW,
        rule_pack="none",
    )
    assert started.warnings == ()
    (run,) = await store.hot.open_runs([scene.code])
    assert (run.hours.skill_rules, run.hours.unit_rules, run.hours.rules) == ("none", "auto", "none")


async def test_the_hours_of_a_run_are_those_of_its_unit_and_skill_now(store: Store, scene: Scene) -> None:
    await start_skill(store, business_unit=None, skill="skill", calling_list="world", now=NOW)
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(hours="mon-fri 09:00-17:00", holidays=["US"]))
        await connection.execute(update(schema.skill).values(hours="10:00-12:00; sun closed", rule_pack="US-TX"))
    (run,) = await store.hot.open_runs([scene.code])
    assert run.hours == ("mon-fri 09:00-17:00", ("US",), "auto", "10:00-12:00; sun closed", "US-TX", (), ())
    async with store.writing() as connection:
        unit, skill = {"Work": "09:00-17:00", "Home": "18:00-20:00"}, {"Work": "sun closed; 10:00-12:00"}
        await connection.execute(update(schema.business_unit).values(phone_hours=unit))
        await connection.execute(update(schema.skill).values(phone_hours=skill))
    (run,) = await store.hot.open_runs([scene.code])
    assert run.hours[5:] == (tuple(sorted(unit.items())), tuple(skill.items()))


async def test_hours_by_phone_type_are_in_the_outlook_of_a_run(store: Store, scene: Scene) -> None:
    """The third set is of a list that was imported before phone types were kept."""
    sets = ((*NEW_YORK, "@PhoneNumber", "@Work phone"), (*NEW_YORK, "@Home phone"), NEW_YORK)
    await seed_list(store, scene.unit, n=9, name="typed", zones=sets)
    await seed_list(store, scene.unit, n=9, name="old", zones=(NEW_YORK,))
    async with store.writing() as connection:
        hours = {"Work phone": "mon-fri 09:00-17:00", "Home phone": "sat-sun 09:00-18:00"}
        await connection.execute(update(schema.business_unit).values(phone_hours=hours))
    untyped = (  # on a Sunday
        "contacts the list does not say of which phone type their number is; "
        "the hours of all phone types must be open. Import it again, and it says so."
    )
    started = await start_skill(store, business_unit=None, skill="skill", calling_list="typed", now=NOW)
    assert started.warnings == (
        "3 contacts are outside of their calling window; the first of them opens at 2025-06-16 13:00 UTC.",
        "3 contacts are in no open calling window before the run expires.",
        f"Of 3 {untyped}",
    )
    with pytest.raises(Conflict, match="which phone type their numbers are"):
        await start_skill(store, business_unit=None, skill="skill", calling_list="old", now=NOW)
    async with store.writing() as connection:
        await connection.execute(update(schema.business_unit).values(phone_hours={"Work phone": "00:00-24:00"}))
    started = await start_skill(store, business_unit=None, skill="skill", calling_list="old", now=NOW)
    assert started.warnings == ()
