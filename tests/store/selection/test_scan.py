"""What the databases find is what a filter means, for any contacts and any filter."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from tests.factories import phone_of, seed_list, seed_unit
from tests.store.selection.strategies import FIELDS, ZONES, contacts, expressions

from todoke.model.filter import Expression, Record, matches, read, read_order, resolved
from todoke.model.filter.order import Order, rank
from todoke.store import schema
from todoke.store.hot.base import SEPARATOR
from todoke.store.selection.scan import PAGE, Scan, Source
from todoke.store.store import Store

TODAY = date(2026, 11, 27)
Contact = tuple[list[str], str, int]


@pytest.fixture
async def source(store: Store) -> Source:
    """An empty list."""
    unit = await seed_unit(store)
    list_id = await seed_list(store, unit, n=0, fields=FIELDS, zones=ZONES)
    return Source(3, list_id, FIELDS, ZONES, 0)


async def filled(store: Store, source: Source, rows: list[Contact]) -> list[Record]:
    """The list has these contacts, and no other; number 0 is a contact without one."""
    c = schema.contact
    values = [
        {
            "bucket": source.bucket,
            "list_id": source.list_id,
            "position": position,
            "destination": phone_of(position) if position else 0,
            "zone_set": zone_set,
            "external_id": external_id,
            "fields": SEPARATOR.join(fields),
        }
        for position, (fields, external_id, zone_set) in enumerate(rows)
    ]
    async with store.writing() as connection:
        await connection.execute(c.delete())
        await connection.execute(insert(c), values)
    return [
        Record(
            dict(zip(FIELDS, fields, strict=False)),
            str(phone_of(position)) if position else "",
            external_id,
            ZONES[zone_set],
        )
        for position, (fields, external_id, zone_set) in enumerate(rows)
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))  # type: ignore[arg-type]
@given(rows=st.lists(contacts, min_size=1, max_size=30), filters=st.lists(expressions, min_size=1, max_size=12))
async def test_the_databases_agree_with_the_meaning(
    store: Store, source: Source, rows: list[Contact], filters: list[Expression]
) -> None:
    records = await filled(store, source, rows)
    for expression in filters:
        wanted = resolved(expression, TODAY)
        scan = Scan(store, source, wanted)
        meant = [position for position, record in enumerate(records) if matches(wanted, record)]
        assert await scan.positions(0, len(rows)) == meant
        assert await scan.among(range(0, len(rows), 2)) == [position for position in meant if position % 2 == 0]


KEYS = st.sampled_from(["Name", "Score desc", "{Due date} as text", "Tag as text desc", "@number desc", "@external_id"])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))  # type: ignore[arg-type]
@given(rows=st.lists(contacts, min_size=1, max_size=30), keys=st.lists(KEYS, min_size=1, max_size=3))
async def test_what_an_order_compares_is_the_same_everywhere(
    store: Store, source: Source, rows: list[Contact], keys: list[str]
) -> None:
    records = await filled(store, source, rows)
    order = read_order(keys)
    found = json.loads(await Scan(store, source, None, order).ranked(0, len(rows)))
    assert found == [[position, *ranks(order, record)] for position, record in enumerate(records)]


def ranks(order: Order, record: Record) -> list[object]:
    values = {"number": record.number, "external_id": record.external_id}
    return [part for key in order for part in rank(key, values.get(key.name) or record.fields.get(key.name, ""))]


async def test_a_list_is_read_by_pages(store: Store, source: Source) -> None:
    await filled(store, source, [([str(number)], "", 0) for number in range(50)])
    scan = Scan(store, source, read("Name >= 40"))
    pages = [page async for page in scan.pages(0, PAGE + 5)]
    assert pages == [(PAGE - 1, list(range(40, 50))), (PAGE + 5, [])]


async def test_another_list_is_not_looked_at(store: Store, source: Source) -> None:
    await filled(store, source, [(["x"], "", 0)])
    other = source._replace(list_id=source.list_id + 1)
    assert await Scan(store, other, read('Name = "x"')).positions(0, 9) == []


async def test_a_page_is_read_by_its_key(store: Store, source: Source) -> None:
    scan = Scan(store, source, read('Name = "x" and Score > 5'))
    sql, given = scan._page.sql, (3, 1, 0, 9, *scan._page.parameters)
    if store.dialect == "sqlite":
        rows = await store.reader.run(lambda db: db.execute(f"EXPLAIN QUERY PLAN {sql}", given).fetchall())
        steps = [row[3] for row in rows if "contact" in row[3]]
        assert len(steps) == 1
        assert "position>? AND position<?" in steps[0]
        return
    async with store.pool.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {sql}", *given))
        await connection.execute("RESET enable_seqscan")
    assert "position" in plan.partition("Index Cond: ")[2]
