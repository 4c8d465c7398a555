"""What can lie by bucket does: tables, keys, and every hot statement carry the bucket, so that what belongs together
can lie together.

PostgreSQL itself reads the statements: a scan of a table that lies by bucket must have the bucket in its condition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum

import pytest
from sqlalchemy import Index, Table
from tests.factories import seed, seed_run
from tests.store.test_plans import nodes, statements

from todoke.store.address import parse_address
from todoke.store.hot import postgres as on_postgres
from todoke.store.hot.postgres.results import COLUMNS
from todoke.store.hot.postgres.session import PINNED
from todoke.store.postgres import connect
from todoke.store.schema import metadata
from todoke.store.schema.distribution import INDEXES_WITHOUT_BUCKET, KEYS_WITHOUT_BUCKET, PLACEMENTS, Placement
from todoke.store.store import migrate, open_store

BY_BUCKET = {name for name, placement in PLACEMENTS.items() if placement is Placement.BUCKET}
DECLARE = "src/todoke/store/schema/distribution.py"

# Statements that look into every bucket: seldom, and each for a reason. None of them is in a flush that goes well.
IN_ALL_BUCKETS = {
    ("controlling", "AT_END"): "once a second an engine looks which runs are at their end",
    ("controlling", "EXPIRED"): "once a second an engine looks which runs are past their expiry",
    ("controlling", "LEFT"): "once a second an engine looks which runs are stopping",
    ("doubts", "NUMBERED"): "`orphan` has no bucket yet: asked only while there are doubts",
    ("doubts", "PAIRS"): "every few seconds, by provider, whose doubts are of one bucket",
    ("doubts", "RECENT"): "once for a process and a provider: which doubts there are",
    ("engines", "FREE"): "an engine goes, or is dead",
    ("engines", "GROUPS"): "once a second an engine looks which accounts there are",
    ("engines", "MINE"): "an engine looks for lanes",
    ("engines", "TAKEABLE"): "an engine looks for lanes",
    ("inbound", "MEANING"): "a number from a sequence: once a text from a phone",
    ("leases", "TAKEN_DUE"): "a flush whose commit was not answered is applied again",
    ("receipts", "KEYS"): "every five seconds an engine reads which receipts wait",
    ("receipts", "TAKE"): "the key of `orphan` has no bucket yet: a receipt that came before its answer",
    ("recovery", "BLOCKS"): "what a dead engine left",
    ("recovery", "INTENTS"): "what a dead engine left",
    ("resolving", "RIPE_RUNS"): "every few seconds an engine looks which doubts are for their policy to decide",
    ("selecting", "MAKING"): "every half second an engine looks which selections are to be made",
    ("starting", "OPEN"): "several times a second an engine reads the open runs of its codes",
}


class Bound(Enum):
    """How a statement is tied to buckets."""

    ONE = "one"  # by a parameter: any node can be asked for it
    ROWS = "rows"  # by rows that it was given, each with its bucket
    NONE = "none"  # it looks into all of them


def bound(conditions: str) -> Bound:
    """`conditions` as EXPLAIN writes them."""
    if re.search(r"\bbucket = \(?\$\d+", conditions):
        return Bound.ONE
    return Bound.ROWS if re.search(r"\bbucket = \w+\.bucket", conditions) else Bound.NONE


def scans(plan: dict[str, object]) -> list[Bound]:
    """How each scan of a table that lies by bucket is bound."""
    found: list[Bound] = []
    for node in nodes(plan):
        table = str(node.get("Relation Name", ""))
        if "Scan" not in str(node["Node Type"]):
            continue
        if re.match(r"event_b\d+_r\d+$", table) and "provider_message_id" in str(node.get("Index Cond")):
            found.append(Bound.ONE)  # the partition's name says which bucket
        elif table in BY_BUCKET or table.startswith("event_b"):
            found.append(bound(" ".join(str(node.get(key, "")) for key in ("Index Cond", "Recheck Cond", "Filter"))))
    return found


def uniques(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Name and columns of every key of the table."""
    for constraint in [table.primary_key, *table.constraints]:
        if hasattr(constraint, "columns") and type(constraint).__name__ in ("PrimaryKeyConstraint", "UniqueConstraint"):
            yield str(constraint.name or f"pk_{table.name}"), [column.name for column in constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield str(index.name), columns(index)


def columns(index: Index) -> list[str]:
    return [column.name for column in index.columns]


def distributed() -> list[Table]:
    return [metadata.tables[name] for name in sorted(BY_BUCKET)]


# ------------------------------------------------------------------ tables and keys


def test_every_table_says_where_it_lies() -> None:
    for name in metadata.tables.keys() - PLACEMENTS.keys():
        pytest.fail(
            f"The table {name!r} is new: say in {DECLARE} where it lies. BUCKET if an engine or a business unit writes "
            f"rows of it while it sends: then it has a column `bucket`, and its key and indexes begin with it. "
            f"EVERYWHERE if a person declares it. ONE_PLACE if it is neither."
        )
    assert not PLACEMENTS.keys() - metadata.tables.keys(), f"{DECLARE} names tables that are gone"


@pytest.mark.parametrize("table", distributed(), ids=lambda table: table.name)
def test_what_lies_by_bucket_has_one(table: Table) -> None:
    if table.name == "orphan":
        assert "pk_orphan" in KEYS_WITHOUT_BUCKET
        return
    assert "bucket" in table.columns, f"{table.name} lies by bucket and has no column `bucket`"
    assert not table.columns["bucket"].nullable


@pytest.mark.parametrize("table", distributed(), ids=lambda table: table.name)
def test_every_key_begins_with_the_bucket(table: Table) -> None:
    found = list(uniques(table))
    assert found, f"{table.name} has no key: a row of it cannot be found on one node"
    for name, names in found:
        assert names[0] == "bucket" or name in KEYS_WITHOUT_BUCKET, (
            f"The key {name} ({', '.join(names)}) does not begin with `bucket`: let it, or give the reason in "
            f"KEYS_WITHOUT_BUCKET of {DECLARE}."
        )


@pytest.mark.parametrize("table", distributed(), ids=lambda table: table.name)
def test_every_index_begins_with_the_bucket(table: Table) -> None:
    for index in table.indexes:
        assert columns(index)[0] == "bucket" or index.name in INDEXES_WITHOUT_BUCKET, (
            f"The index {index.name} ({', '.join(columns(index))}) does not begin with `bucket`: let it, or give the "
            f"reason in INDEXES_WITHOUT_BUCKET of {DECLARE}."
        )


def test_every_exception_is_one() -> None:
    keys = {name for table in distributed() for name, names in uniques(table) if names[0] != "bucket"}
    assert keys == KEYS_WITHOUT_BUCKET.keys()
    indexes = {str(index.name) for table in distributed() for index in table.indexes if columns(index)[0] != "bucket"}
    assert indexes == INDEXES_WITHOUT_BUCKET.keys()


def test_rows_point_only_at_what_is_on_their_node() -> None:
    for table in metadata.tables.values():
        if table.name not in PLACEMENTS:
            continue  # the first test tells
        here = PLACEMENTS[table.name]
        for key in table.foreign_keys:
            there = PLACEMENTS[key.column.table.name]
            assert there is Placement.EVERYWHERE or there is here is Placement.ONE_PLACE, (
                f"{table.name}.{key.parent.name} ({here.value}) points at {key.column.table.name} ({there.value}): "
                f"a node cannot check a row that another one has. Leave the foreign key out, or place them anew."
            )


# ------------------------------------------------------------------ statements


Scans = dict[tuple[str, str], list[Bound]]


@pytest.fixture
async def hot_scans(postgres_server: object) -> Scans:
    """Of every hot statement, by module and name."""
    # A database of its own: in one that many tests have filled and emptied the size of an index decides.
    url = await postgres_server.create()  # type: ignore[attr-defined]
    await migrate(url)
    async with await open_store(url) as store:
        await seed_run(store, await seed(store))
    connection = await connect(parse_address(url), PINNED)
    found: Scans = {}
    for module, name, sql in statements(on_postgres):
        statement = sql.format("event_b3_r0") if "FROM {}" in sql else sql
        parameters = len(set(re.findall(r"\$\d+", statement)))
        await connection.execute(f"PREPARE look AS {statement}")
        given = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE look{given}"))[0]["Plan"]
        await connection.execute("DEALLOCATE look")
        found[(module, name)] = scans(plan)
    await connection.close()
    await postgres_server.drop(url)  # type: ignore[attr-defined]
    return found


async def test_every_hot_statement_carries_the_bucket(hot_scans: Scans) -> None:
    everywhere = {key for key, found in hot_scans.items() if Bound.NONE in found}
    for module, name in sorted(everywhere - IN_ALL_BUCKETS.keys()):
        pytest.fail(
            f"store/hot/postgres/{module}.py {name} reads a table that lies by bucket without `bucket = ...`: it would "
            f"ask every node. Give it the bucket, or, if it is seldom, name it with its reason in IN_ALL_BUCKETS."
        )
    assert IN_ALL_BUCKETS.keys() == everywhere, "IN_ALL_BUCKETS names statements that carry their bucket by now"
    assert sum(bool(found) for found in hot_scans.values()) > 30


async def test_no_join_is_across_buckets(hot_scans: Scans) -> None:
    # Of two tables of a join one may be read in all buckets; the other then goes by the bucket of its row.
    across = {key for key, found in hot_scans.items() if found.count(Bound.NONE) > 1}
    assert across == {("engines", "TAKEABLE")}  # two lanes of one provider: they have its bucket both


def test_what_a_flush_does_when_all_goes_well_never_looks_into_all_buckets() -> None:
    flush = {"blocks", "checks", "dnc", "fence", "lanes", "reserves", "results"}
    assert not {module for module, _ in IN_ALL_BUCKETS} & flush


def test_every_row_that_is_inserted_says_its_bucket() -> None:
    inserts = 0
    for module, name, sql in statements(on_postgres):
        for table, names in re.findall(r"INSERT INTO (\w+) \(([^)]*)\)", sql):
            if table in BY_BUCKET and table != "orphan":
                inserts += 1
                assert names.split(",")[0].strip() == "bucket", f"{module}.{name} inserts into {table} without `bucket`"
    assert inserts > 8
    assert COLUMNS[0] == "bucket"


# ------------------------------------------------------------------ the lint itself can fail


@pytest.mark.parametrize(
    ("conditions", "how"),
    [
        ("((bucket = $1) AND (list_id = $2))", Bound.ONE),
        ("((d.bucket = $1) AND (d.phone = k.phone))", Bound.ONE),
        ("((bucket = a.bucket) AND (run_id = a.run_id))", Bound.ROWS),
        ("(engine_id = $1)", Bound.NONE),
        ("(bucket > $1)", Bound.NONE),
        ("", Bound.NONE),
    ],
)
def test_how_a_condition_is_bound(conditions: str, how: Bound) -> None:
    assert bound(conditions) is how


def test_every_scan_of_a_plan_is_seen() -> None:
    strong: dict[str, object] = {"Node Type": "Index Scan", "Relation Name": "block", "Index Cond": "(bucket = $1)"}
    weak = {"Node Type": "Index Scan", "Relation Name": "skill_run", "Index Cond": "(state = $2)"}
    copied: dict[str, object] = {"Node Type": "Seq Scan", "Relation Name": "skill"}
    assert scans({"Node Type": "Nested Loop", "Plans": [strong, weak, copied]}) == [Bound.ONE, Bound.NONE]
    assert scans(copied) == []
