"""A dry run is what the import would make, and leaves nothing but the rejected rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update
from tests.factories import NOW, seed

from todoke.model import sample
from todoke.model.clock import HOUR, SystemClock
from todoke.model.consent import Act, Kind, Record
from todoke.model.errors import Invalid, NotFound, Unavailable
from todoke.model.list_mapping import Reading
from todoke.pipeline.intake.dry_run import DryRun, dry_run
from todoke.pipeline.intake.importing import import_list
from todoke.pipeline.intake.progress import Progress
from todoke.pipeline.intake.rules import Channel
from todoke.pipeline.planner.estimating import estimate_skill
from todoke.store.catalogue import suppressions, units
from todoke.store.catalogue.suppressions import Whom
from todoke.store.consents import writing
from todoke.store.privacy.key import KeyFile
from todoke.store.schema import (
    business_unit,
    calling_list,
    cap_use,
    contact,
    dnc_entry,
    erased_number,
    provider,
    skill,
    template_version,
    transport_code,
)
from todoke.store.store import Store

ROWS = "id,First name,Mobile\n1,Ann,212 555 2671\n2,太郎,+81 90-1234-5678\n3,Bob,12345\n4,Kim,(212) 555-2671\n"

DoDryRun = Callable[..., Awaitable[DryRun]]


@pytest.fixture
async def do(store: Store, tmp_path: Path) -> DoDryRun:
    await seed(store)

    async def run(rows: str = ROWS, reading: Reading | None = None, **options: Any) -> DryRun:
        path = tmp_path / "agents.csv"
        path.write_text(rows, encoding="utf-8")
        given = {"business_unit": "unit", "name": "A/gents", "path": path, "rejects_dir": tmp_path / "rejected"}
        return await dry_run(store, **{**given, **options}, reading=reading or Reading())

    return run


async def lists_and_contacts(store: Store) -> tuple[int, int]:
    async with store.reading() as connection:
        lists = await connection.execute(select(func.count()).select_from(calling_list))
        contacts = await connection.execute(select(func.count()).select_from(contact))
        return lists.scalar_one(), contacts.scalar_one()


async def test_it_counts_as_the_import_does_and_writes_nothing(do: DoDryRun, store: Store, tmp_path: Path) -> None:
    before = await lists_and_contacts(store)
    seen: list[Progress] = []

    found = await do(progress=seen.append)

    assert await lists_and_contacts(store) == before
    assert found.rejects_path == tmp_path / "rejected" / "unit-A-gents-dry-run-rejected.csv"
    told = (tmp_path / "rejected" / "unit-A-gents-dry-run-rejected.csv").read_text()
    assert len(told.splitlines()) == 3
    assert found.estimate is None
    assert seen[-1].fraction == 1.0
    done = await import_list(
        store, business_unit="unit", name="x", path=tmp_path / "agents.csv", rejects_dir=tmp_path / "r", now=NOW
    )
    assert (found.contacts, found.rejected, found.blank) == (done.contacts, done.rejected, done.blank) == (2, 2, 0)
    assert (found.reasons, found.layout.mapping) == (done.reasons, done.mapping)
    assert [(zones, count) for zones, count in found.zone_groups] == [tuple(group) for group in done.zone_groups]
    assert done.rejects_path is not None
    assert told == done.rejects_path.read_text()


async def test_nobody_accepted_is_an_answer(do: DoDryRun) -> None:
    found = await do("id,Mobile\n1,12345\n", text="x")

    assert (found.contacts, found.reasons) == (0, {"phone_too_short": 1})
    assert found.estimate is not None
    assert (found.estimate.messages, found.estimate.segments) == (0, 0)


async def test_what_a_skill_would_take(do: DoDryRun, store: Store, tmp_path: Path) -> None:
    async with store.writing() as connection:
        await connection.execute(update(template_version).values(body="Hi {FirstName}, a shift is open."))
        await connection.execute(update(provider).values(price=0.01, currency="USD", settings={"rate": 50.0}))

    found = await do(ROWS + "5,,212 555 2673\n", skill="skill")

    estimate = found.estimate
    assert estimate is not None
    assert (estimate.contacts, estimate.messages, estimate.segments, estimate.ucs2) == (3, 2, 2, 0.5)
    assert (estimate.skipped, estimate.exact) == ({"missing_field": 1}, True)
    assert (estimate.cost, estimate.currency) == (Decimal("0.02"), "USD")
    assert estimate.time is not None
    assert estimate.time.sending == pytest.approx(2 / 48)
    async with store.writing() as connection:
        await connection.execute(update(transport_code).values(price=3.5, currency="JPY"))
    path = tmp_path / "agents.csv"
    done = await import_list(store, business_unit="unit", name="x", path=path, rejects_dir=tmp_path / "r", now=NOW)
    of_list = await estimate_skill(store, business_unit="unit", skill="skill", calling_list="x", now=NOW)
    assert done.contacts == of_list.contacts
    assert of_list._replace(cost=None, currency=None) == estimate._replace(cost=None, currency=None)
    assert (of_list.cost, of_list.currency) == (Decimal("7.00"), "JPY")


async def test_a_text_by_itself_and_in_place_of_the_skills(do: DoDryRun) -> None:
    for options in ({}, {"skill": "skill"}):
        found = (await do(text="{FirstName} " + "x" * 160, **options)).estimate
        assert found is not None
        assert (found.segments, found.fewest, found.most) == (5, 2, 3)
        assert found.time is not None


async def test_a_contact_without_a_number_to_text_gets_no_message(do: DoDryRun) -> None:
    found = await do("id,Phone\n1,+81 3 1234 5678\n2,212 555 2671\n", text="Hello", channel=Channel.ANY)

    assert found.estimate is not None
    assert (found.contacts, found.estimate.messages, found.estimate.skipped) == (2, 1, {"no_mobile": 1})


async def test_a_long_list_is_sampled_evenly(
    do: DoDryRun, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MOST_MEASURED", 1000)
    rows = "".join(f"{i},{'花' if i < 5000 else 'a'},212{i % 8 + 2}{i:06d}\n" for i in range(20_000))

    found = await do("id,First name,Mobile\n" + rows, text="{FirstName}")

    assert found.estimate is not None
    assert (found.estimate.exact, found.estimate.measured <= 1000) == (False, True)
    share = 5000 / 20_000
    assert found.estimate.ucs2 == pytest.approx(share, abs=0.03)
    assert found.estimate.messages == found.contacts
    await import_list(
        store, business_unit="unit", name="x", path=tmp_path / "agents.csv", rejects_dir=tmp_path / "r", now=NOW
    )
    of_list = await estimate_skill(
        store, business_unit="unit", skill="skill", calling_list="x", text="{FirstName}", now=NOW
    )
    assert (of_list.exact, of_list.measured, of_list.messages) == (False, found.estimate.measured, found.contacts)


async def test_numbers_on_a_dnc_list_count_as_skipped_of_a_list_that_is_there(
    do: DoDryRun, store: Store, tmp_path: Path
) -> None:
    await do()
    await import_list(
        store, business_unit="unit", name="x", path=tmp_path / "agents.csv", rejects_dir=tmp_path / "r", now=NOW
    )
    async with store.writing() as connection:
        await connection.execute(update(business_unit).values(dnc_group_id=1))
        values = {"bucket": 3, "dnc_group_id": 1, "phone": 12125552671, "source": "person", "created_at": NOW}
        await connection.execute(insert(dnc_entry).values(values))

    found = await estimate_skill(store, business_unit="unit", skill="skill", calling_list="x", text="Hello", now=NOW)

    assert (found.messages, found.skipped) == (1, {"dnc": 1})


async def test_who_is_known_already_is_not_texted_either(do: DoDryRun, store: Store, tmp_path: Path) -> None:
    """What the dry run foresees of a file is what is estimated of its list."""
    rows = "".join(f"{n},Ann{n},+1202555{100 + n:04}\n" for n in range(20)) + "x,,+12025550200\ny,Ann,+12025550201\n"
    now = SystemClock().now()
    async with store.reading() as connection:
        unit = await units.only(connection, None)
    phones = [12025550100 + n for n in range(20)]
    group, digest = {"bucket": unit.bucket, "dnc_group_id": 1}, KeyFile(tmp_path).make()
    store.hot.use_key(digest.hashed)
    async with store.writing() as connection:
        await connection.execute(update(business_unit).values(dnc_group_id=1, cap="1 in 2 days"))
        consent = {"consent": int(Kind.EXPRESS), "consent_purpose": "", "consent_programme": ""}
        wanted = 'not (FirstName = "Ann3" or @external_id = "4" or @zone starts with "Asia")'
        await connection.execute(update(skill).values(filter=wanted, **consent))
        await connection.execute(insert(dnc_entry).values(**group, phone=phones[0], source="person", created_at=now))
        own = {"bucket": unit.bucket, "business_unit_id": unit.id}
        erased = {**own, "dnc_group_id": 1, "digest": digest.hashed(phones[1]), "created_at": now}
        await connection.execute(insert(erased_number).values(**erased, until=now + 48 * HOUR))
        use = {**own, "phone": phones[2], "message_id": 1 << 60, "at": now - 1, "skill_id": 9, "list_id": 9}
        await connection.execute(insert(cap_use).values(**use, transport_code_id=9))
        for whom in (Whom(phones[5]), Whom(external_id="6")):
            await suppressions.add(connection, unit, [whom], reason="", who="", now=now, hours=48)
    given = [Record(phone, Act.GIVEN, Kind.EXPRESS, now - 1) for phone in (*phones[:7], *phones[8:], 12025550200)]
    await writing.add(store, unit, given, now)

    found = (await do("id,First name,Mobile\n" + rows, skill="skill", now=now)).estimate

    path = tmp_path / "agents.csv"
    await import_list(store, business_unit="unit", name="x", path=path, rejects_dir=tmp_path / "r", now=now)
    assert found is not None
    assert found == await estimate_skill(store, business_unit="unit", skill="skill", calling_list="x", now=now)
    assert found.skipped == {
        "filtered": 2,
        "no_consent": 2,
        "suppressed": 2,
        **dict.fromkeys(("dnc", "erased", "cap", "missing_field"), 1),
    }
    assert found.messages == 12


async def test_hours_of_a_phone_type_count(do: DoDryRun, store: Store, tmp_path: Path) -> None:
    rows = "id,Home phone,Work phone\n1,+12125550101,\n2,,+12125550102\n3,,+12125550103\n"
    async with store.writing() as connection:  # NOW is a Sunday
        hours = {"Work phone": "mon-fri 09:00-17:00"}
        await connection.execute(update(skill).values(phone_hours=hours))

    found = (await do(rows, skill="skill", text="Hello", now=NOW)).estimate

    await import_list(
        store, business_unit="unit", name="x", path=tmp_path / "agents.csv", rejects_dir=tmp_path / "r", now=NOW
    )
    of_list = await estimate_skill(store, business_unit="unit", skill="skill", calling_list="x", text="Hello", now=NOW)
    assert found is not None
    assert found == of_list
    assert (found.messages, found.waiting) == (3, {"window": 2})


async def test_a_filter_that_names_no_column_of_the_file_is_refused(do: DoDryRun, store: Store) -> None:
    async with store.writing() as connection:
        await connection.execute(update(skill).values(filter='Town = "Miami"'))

    with pytest.raises(Invalid, match="no field 'Town'"):
        await do(skill="skill")


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"skill": "skil"}, NotFound, "no skill 'skil'"),
        ({"text": "{Nobody}"}, Invalid, "no field for {Nobody}"),
        ({"text": " "}, Invalid, "The text is empty"),
        ({"saved_mapping": "x"}, NotFound, "no saved mapping 'x'"),
        ({"reading": Reading(region="Japan")}, Invalid, "not a region"),
        ({"reading": Reading(required=("x",))}, Invalid, "no field 'x'"),
        ({"business_unit": "x"}, NotFound, "no business unit"),
    ],
)
async def test_what_cannot_be_judged(
    do: DoDryRun, tmp_path: Path, options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        await do(**options)
    assert not (tmp_path / "rejected").exists()


async def test_what_fails_or_is_cancelled_leaves_no_file(do: DoDryRun, tmp_path: Path) -> None:
    text = "id,Mobile\n" + "1,12345\n" * 60_000
    reached = asyncio.Event()
    task = asyncio.ensure_future(do(text, progress=lambda _: reached.set()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not (tmp_path / "rejected").exists() or not list((tmp_path / "rejected").iterdir())
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Unavailable, match="rejected rows cannot be written"):
        await do(rejects_dir=tmp_path / "file")
