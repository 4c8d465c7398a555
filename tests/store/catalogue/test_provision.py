from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.factories import seed_engine

from todoke.model.calling_window import Window
from todoke.model.declaration import DeclarationInvalid
from todoke.model.estimate import Terms
from todoke.store.catalogue import codes, dnc, providers, skills, templates, terms, units
from todoke.store.catalogue.provision import Change, Provisioned
from todoke.store.schema import metadata, sms_registration, template_version
from todoke.store.store import Store

Declare = Callable[..., Awaitable[Provisioned]]

EXAMPLE = (Path(__file__).parents[3] / "examples" / "acme.toml").read_text(encoding="utf-8")


async def counts(store: Store) -> dict[str, int]:
    async with store.reading() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "installation"
        }


def two_units(provider: str = "carrier", bucket: int = 0) -> str:
    return (
        EXAMPLE.replace("[[campaign]]", '[[campaign]]\nbusiness_unit = "Acme"')
        .replace("[[transport_code]]", '[[transport_code]]\nbusiness_unit = "Acme"')
        .replace("[[template]]", '[[template]]\nbusiness_unit = "Acme"')
        .replace("[[skill]]", '[[skill]]\nbusiness_unit = "Acme"')
        .replace("[[registration]]", '[[registration]]\nbusiness_unit = "Acme"')
        .replace("[[dnc_group]]", '[[dnc_group]]\nbusiness_unit = "Acme"')
        + f"""
[[business_unit]]
name = "Besto"
default_region = "JP"
bucket = {bucket}

[[provider]]
name = "other"
kind = "simulator"

[[transport_code]]
business_unit = "Besto"
code = "Besto"
type = "alphanumeric"
provider = "{provider}"

[[campaign]]
business_unit = "Besto"
name = "B"

[[template]]
business_unit = "Besto"
name = "Delivery"
body = "もうすぐ届きます。"

[[skill]]
business_unit = "Besto"
name = "delivery-notice"
campaign = "B"
transport_code = "Besto"
template = "Delivery"
"""
    )


async def test_everything_is_made_once(store: Store, declare: Declare) -> None:
    first = await declare(EXAMPLE)
    assert [(change.what, change.name, change.business_unit) for change in first.changes] == [
        ("business unit", "Acme", None),
        ("DNC group", "Acme do not call", "Acme"),
        ("DNC group", "Acme shifts", "Acme"),
        ("provider", "carrier", None),
        ("transport code", "72345", "Acme"),
        ("transport code", "15551230001", "Acme"),
        ("registration", "15551230001", "Acme"),
        ("campaign", "Operations", "Acme"),
        ("template", "Delivery", "Acme"),
        ("template", "Bonus shift", "Acme"),
        ("skill", "delivery-notice", "Acme"),
        ("skill", "bonus-shift", "Acme"),
    ]
    assert all(change.created for change in first.changes)
    rows = await counts(store)
    again = await declare(EXAMPLE)
    assert (again.changes, again.unchanged) == ([], 11)
    assert await counts(store) == rows

    async with store.reading() as connection:
        unit = await units.only(connection, None)
        assert (unit.name, unit.bucket, unit.default_region) == ("Acme", 0, "US")
        assert (await dnc.find(connection, unit, None)).name == "Acme do not call"
        short = await codes.find(connection, unit, "72345")
        assert (short.type, short.rate, short.provider) == ("short", 100, "carrier")
        assert (await codes.find(connection, unit, "+15551230001")).rate == 1
        skill = await skills.find(connection, unit, "delivery-notice")
        assert (skill.transport_code_id, skill.kind, str(skill.window)) == (short.id, "agentless", "08:00-21:00")
        registered = await connection.execute(select(func.count()).select_from(sms_registration))
        assert registered.scalar_one() == 2  # also the code that the file does not register


async def test_a_dry_run_tells_the_same_and_changes_nothing(store: Store, declare: Declare) -> None:
    rows = await counts(store)
    dry = await declare(EXAMPLE, dry_run=True)
    assert await counts(store) == rows
    assert (await declare(EXAMPLE)).changes == dry.changes


async def test_what_changed_is_told_field_by_field(store: Store, declare: Declare) -> None:
    await declare(EXAMPLE)
    edited = (
        EXAMPLE.replace('default_region = "US"', 'default_region = "JP"')
        .replace('default_dnc_group = "Acme do not call"', 'default_dnc_group = "Acme shifts"')
        .replace("rate = 100", "rate = 50")
        .replace('"no more shifts"', '"basta"')
        .replace("Hello {FirstName|there}", "Dear {FirstName|client}")
        .replace("08:00-21:00", "09:00-20:00")
        .replace('kind = "simulator"', 'kind = "smpp"\nhost = "h"\nsystem_id = "s"\npassword = "env:CARRIER"')
    )
    done = await declare(edited)
    fields = {
        (change.what, change.name): {key: (old, new) for key, old, new in change.fields} for change in done.changes
    }
    assert not any(change.created for change in done.changes)
    assert fields[("business unit", "Acme")] == {
        "default_region": ("US", "JP"),
        "default_dnc_group": ("Acme do not call", "Acme shifts"),
    }
    assert fields[("transport code", "72345")] == {"rate": (100, 50)}
    assert fields[("registration", "15551230001")] == {"stop_keywords": (["no more shifts"], ["basta"])}
    assert fields[("skill", "delivery-notice")] == {"window": ("08:00-21:00", "09:00-20:00")}
    assert fields[("provider", "carrier")]["kind"] == ("simulator", "smpp")
    assert fields[("provider", "carrier")]["password"] == (None, "env:CARRIER")
    assert set(fields[("provider", "carrier")]) == {"kind", "host", "system_id", "password"}
    async with store.reading() as connection:
        unit = await units.find(connection, "Acme")
        text = await templates.find(connection, unit, "Delivery")
        assert (text.version, text.body[:4]) == (2, "Dear")
        old = select(template_version.c.body).where(template_version.c.template_id == text.id)
        assert len((await connection.execute(old)).all()) == 2
    assert (await declare(edited)).changes == []


async def test_limits_are_declared_changed_and_taken_away(store: Store, declare: Declare) -> None:
    limited = (
        EXAMPLE.replace('default_region = "US"', 'default_region = "US"\nrate = 20')
        .replace("rate = 100", 'rate = 100\nburst = 5\nbrand = "Acme"\ndaily_cap = 2000\ncap_zone = "UTC"')
        .replace('kind = "simulator"', 'kind = "simulator"\nrate = 30')
        + '\n[[brand]]\nname = "Acme"\ndaily_cap = 10_000\n'
    )
    await declare(EXAMPLE)
    done = await declare(limited)
    fields = {(c.what, c.name): {key: (old, new) for key, old, new in c.fields} for c in done.changes}
    assert fields == {
        ("business unit", "Acme"): {"rate": (None, 20)},
        ("provider", "carrier"): {"rate": (None, 30)},
        ("SMS brand", "Acme"): {},
        ("transport code", "72345"): {
            "burst": (1, 5),
            "daily_cap": (None, 2000),
            "cap_zone": ("America/Los_Angeles", "UTC"),
            "brand": (None, "Acme"),
        },
    }
    assert (await declare(limited)).changes == []
    engine = await seed_engine(store)
    lanes = {lane.code: lane for lane in await store.hot.take_lanes(engine, 0, 0)}
    assert [(limit.key.kind, limit.rate, limit.cap, limit.zone) for limit in lanes["72345"].limits if limit.cap] == [
        ("transport_code", None, 2000, "UTC"),
        ("brand", None, 10_000, "America/Los_Angeles"),
    ]
    assert [limit.rate for limit in lanes["15551230001"].limits] == [30, 20]
    await declare(EXAMPLE)
    assert {lane.limits for lane in await store.hot.take_lanes(engine, 0, 0)} == {()}


async def test_a_brand_that_is_not_declared_is_told(declare: Declare) -> None:
    with pytest.raises(DeclarationInvalid, match="no SMS brand 'Acme'") as caught:
        await declare(EXAMPLE.replace("rate = 100", 'rate = 100\nbrand = "Acme"'))
    assert len(caught.value.problems) == 1


async def test_a_stream_is_declared_and_a_run_starts_with_it(store: Store, declare: Declare) -> None:
    await declare(EXAMPLE.replace('template = "Delivery"', 'template = "Delivery"\nstream = "transactional"'))
    async with store.reading() as connection:
        unit = await units.find(connection, "Acme")
        found = {skill.name: skill.stream for skill in await skills.every(connection, unit)}
    assert found == {"bonus-shift": "bulk", "delivery-notice": "transactional"}


async def test_a_new_password_in_clear_is_a_change_that_shows_no_password(store: Store, declare: Declare) -> None:
    text = '[[provider]]\nname = "c"\nkind = "smpp"\nhost = "h"\nsystem_id = "s"\npassword = "pass-one"'
    done = await declare(text)
    assert [problem.warning for problem in done.warnings] == [True]
    done = await declare(text.replace("one", "two"))
    assert done.changes == [Change(False, "provider", "c", None, (("password", "***", "*** (another one)"),))]
    async with store.reading() as connection:
        assert (await providers.find(connection, "c")).settings["password"] == "pass-two"
    assert (await declare(text.replace("one", "two"))).changes == []


async def test_every_unknown_name_is_told_and_nothing_is_changed(store: Store, declare: Declare) -> None:
    rows = await counts(store)
    wrong = (
        EXAMPLE.replace('provider = "carrier"\n\n', 'provider = "carier"\n\n')
        .replace('dnc_group = "Acme shifts"', 'dnc_group = "Acme shift"')
        .replace('campaign = "Operations"', 'campaign = "Operation"', 1)
        .replace('template = "Bonus shift"', 'template = "Bonus"')
    )
    with pytest.raises(DeclarationInvalid) as caught:
        await declare(wrong)
    assert [str(problem).partition(": ")[2] for problem in caught.value.problems] == [
        "transport_code.provider: There is no provider 'carier'. Did you mean 'carrier'?",
        "registration.dnc_group: There is no DNC group 'Acme shift'. Did you mean 'Acme shifts'?",
        "skill.campaign: There is no campaign 'Operation'. Did you mean 'Operations'?",
        "skill.template: There is no template 'Bonus'. Did you mean 'Bonus shift'?",
    ]
    assert await counts(store) == rows


async def test_what_names_an_entry_with_a_mistake_is_no_second_mistake(declare: Declare) -> None:
    with pytest.raises(DeclarationInvalid) as caught:
        await declare(EXAMPLE.replace('default_region = "US"', 'default_region = "UU"'))
    assert len(caught.value.problems) == 1


async def test_units_do_not_see_each_other(store: Store, declare: Declare) -> None:
    await declare(two_units())
    async with store.reading() as connection:
        acme, besto = await units.find(connection, "Acme"), await units.find(connection, "Besto")
        assert [code.code for code in await codes.every(connection, besto)] == ["Besto"]
        assert (await templates.find(connection, besto, "Delivery")).body == "もうすぐ届きます。"
        mine, theirs = [await skills.find(connection, unit, "delivery-notice") for unit in (acme, besto)]
        assert (mine.campaign, theirs.campaign) == ("Operations", "B")
    stolen = EXAMPLE.replace('name = "Acme"', 'name = "Besto"')
    with pytest.raises(DeclarationInvalid, match="'72345' of 'carrier' belongs to another business unit"):
        await declare(stolen)


async def test_a_name_of_another_unit_is_unknown(declare: Declare) -> None:
    with pytest.raises(DeclarationInvalid) as caught:
        await declare(two_units().replace('campaign = "B"', 'campaign = "Operations"'))
    assert [problem.sentence for problem in caught.value.problems] == ["There is no campaign 'Operations'."]


async def test_with_several_units_each_entry_names_its_own(declare: Declare) -> None:
    text = (
        '[[business_unit]]\nname = "A"\ndefault_region = "US"\n[[business_unit]]\nname = "B"\ndefault_region = "US"\n'
    )
    with pytest.raises(
        DeclarationInvalid, match=r"acme.toml:7: campaign.business_unit: It is missing. Name one: 'A', 'B'"
    ):
        await declare(text + '[[campaign]]\nname = "C"')
    with pytest.raises(DeclarationInvalid, match=r"acme.toml:8: campaign.business_unit: There is no business unit 'X'"):
        await declare(text + '[[campaign]]\nbusiness_unit = "X"\nname = "C"')
    with pytest.raises(DeclarationInvalid, match=r"There is no business unit yet"):
        await declare('[[campaign]]\nname = "C"')
    await declare(text)
    with pytest.raises(DeclarationInvalid, match=r"There are several business units"):
        await declare('[[campaign]]\nname = "C"')


async def test_one_provider_account_serves_one_bucket(store: Store, declare: Declare) -> None:
    with pytest.raises(DeclarationInvalid) as caught:
        await declare(two_units(bucket=7))
    (problem,) = caught.value.problems
    assert problem.sentence == "'carrier' serves 'Acme' in bucket 0; 'Besto' is in bucket 7."
    await declare(two_units(provider="other", bucket=7))
    async with store.reading() as connection:
        assert (await providers.find(connection, "other")).bucket == 7
    with pytest.raises(DeclarationInvalid, match="is in bucket 7, which cannot change"):
        await declare(two_units(provider="other", bucket=8))


async def test_a_code_at_two_providers_is_named_with_its_provider(store: Store, declare: Declare) -> None:
    second = (
        '[[provider]]\nname = "other"\nkind = "simulator"\n'
        '[[transport_code]]\ncode = "72345"\ntype = "short"\nprovider = "other"\n'
    )
    with pytest.raises(DeclarationInvalid) as caught:
        await declare(EXAMPLE + second)
    assert [problem.sentence for problem in caught.value.problems] == ["Two providers carry the code '72345'."]
    await declare(EXAMPLE.replace('transport_code = "72345"', 'transport_code = "other/72345"') + second)
    async with store.reading() as connection:
        unit = await units.only(connection, None)
        code = await codes.find(connection, unit, "other/72345")
        assert (await skills.find(connection, unit, "delivery-notice")).transport_code_id == code.id


async def test_prices_are_kept_told_and_taken_away(store: Store, declare: Declare) -> None:
    cost = 'price = 0.0079\ncurrency = "USD"\n'
    priced = EXAMPLE.replace('kind = "simulator"\n', f'kind = "simulator"\n{cost}')
    assert priced != EXAMPLE
    await declare(priced)
    assert (await declare(priced)).changes == []

    async def terms_of(code: str) -> Terms:
        async with store.reading() as connection:
            unit = await units.only(connection, None)
            return await terms.of_code(connection, unit, (await codes.find(connection, unit, code)).id, Window(0, 60))

    assert await terms_of("72345") == Terms(
        "72345", 100.0, Window(0, 60), None, None, (), Decimal("0.0079"), "USD", None
    )
    done = await declare(priced.replace('\ncode = "72345"\n', "\n" + 'code = "72345"\nprice = 2\ncurrency = "JPY"\n'))
    assert [(change.name, change.fields) for change in done.changes] == [
        ("72345", (("price", None, 2.0), ("currency", None, "JPY")))
    ]
    assert (await terms_of("72345"))[6:8] == (Decimal(2), "JPY")
    done = await declare(EXAMPLE)
    assert {key: new for change in done.changes for key, _, new in change.fields} == {"price": None, "currency": None}
    assert (await terms_of("72345"))[6:8] == (None, None)
