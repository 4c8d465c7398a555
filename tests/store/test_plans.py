"""Plans are part of the design: no hot statement reads a hot table from end to end, however full it is.

Looked at on empty tables, where statistics mislead most.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from tests.factories import seed, seed_run

from todoke.store import writer
from todoke.store.address import parse_address
from todoke.store.hot import postgres as on_postgres
from todoke.store.hot import sqlite as on_sqlite
from todoke.store.hot.postgres.session import PINNED
from todoke.store.postgres import connect
from todoke.store.store import migrate, open_store

HOT = (
    "allowance|answer|block|consent|contact|dnc_entry|doubt|due|erased_number|event|event_b3_r0|inbound|intent|opt_out"
    "|orphan|review|run_cursor"
    "|run_selection|selection|skill_run|tally"
)

# What the condition of an index must hold for a table to be read by a key: a prefix such as the bucket or the engine
# alone reads a share of it that grows.
KEYS = {
    "allowance": r"\bsubject_id = ",
    "answer": r"\bphone = ",
    "block": r"\bfirst_position (=|>) |^\(\(bucket = \$1\) AND \(run_id = \$2\)\)$|^\(engine_id = \$1\)$",
    "consent": r"\bphone = ",
    "contact": r"\bposition\W+(=|>=)",
    "dnc_entry": r"\bphone = ",
    "doubt": r"\b(message_id|run_id|destination) = |\bat > ",
    "due": r"\b(message_id|run_id) = |\bnot_before <= ",
    "erased_number": r"\bdigest = |\bbusiness_unit_id = (\$2|r\.business_unit_id)\)\)$",
    "event": r"\b(message_id = |provider_message_id = |message_id >= )",
    "inbound": r"\b(source|id) = ",
    "intent": r"\b(message_id|run_id) = |^\(engine_id = \$1\)$",
    "opt_out": r"\bphone = ",
    "orphan": r"\bprovider_message_id = |\bnumber (=|>) ",
    "review": r"\b(phone|id) = ",
    "run_cursor": r"\brun_id = ",
    "run_selection": r"\brun_id = ",
    "selection": r"\bfirst_ordinal (=|<=|>=) ",
    "skill_run": r"\b(id|skill_id|start_key) = |\bstate = ANY|\bstate = 'stopping'",
}

# Read as a whole on purpose: what is open is few, and found through what is open.
# SQLite would look for runs of a new list only where rows wait for their parent, which none does.
WHOLE = {("receipts", "KEYS"), ("selecting", "MAKING"), ("starting", "OWN_LIST")}


def statements(package: ModuleType) -> Iterator[tuple[str, str, str]]:
    """(module, name, SQL) of every statement of the package."""
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        for name, value in vars(module).items():
            starts = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
            if (
                name.isupper()
                and not name.startswith("_")
                and isinstance(value, str)
                and value.strip().startswith(starts)
            ):
                yield found.name, name, value


def cases(package: ModuleType) -> list[object]:
    return [pytest.param(m, n, sql, id=f"{m}.{n}") for m, n, sql in statements(package)]


def nodes(plan: dict[str, object]) -> Iterator[dict[str, object]]:
    yield plan
    for child in plan.get("Plans", []):  # type: ignore[attr-defined]
        yield from nodes(child)


async def test_postgresql_goes_by_keys(postgres_server: object) -> None:
    # A database of its own: in one that many tests have filled and emptied the size of an index decides.
    url = await postgres_server.create()  # type: ignore[attr-defined]
    await migrate(url)
    async with await open_store(url) as store:
        await seed_run(store, await seed(store))
    connection = await connect(parse_address(url), PINNED)
    bad: list[str] = []
    looked_at = 0
    for module, name, sql in statements(on_postgres):
        statement = sql.format("event_b3_r0") if "FROM {}" in sql else sql
        parameters = len(set(re.findall(r"\$\d+", statement)))
        await connection.execute(f"PREPARE look AS {statement}")
        given = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE look{given}"))[0]["Plan"]
        await connection.execute("DEALLOCATE look")
        looked_at += 1
        if (module, name) in WHOLE:
            continue
        for node in nodes(plan):
            table = str(node.get("Relation Name", ""))
            key = KEYS.get("event" if table.startswith("event_b") else table)
            if "Scan" in str(node["Node Type"]) and key and not re.search(key, str(node.get("Index Cond", ""))):
                bad.append(f"{module}.{name} on {table}: {node['Node Type']} {node.get('Index Cond')}")
    await connection.close()
    await postgres_server.drop(url)  # type: ignore[attr-defined]
    assert not bad, "\n".join(bad)
    assert looked_at > 40


@pytest.mark.parametrize(("module", "name", "sql"), cases(on_sqlite))
def test_sqlite_goes_by_keys(sqlite_template: Path, module: str, name: str, sql: str) -> None:
    if (module, name) in WHOLE:
        return
    connection = writer.connect(sqlite_template)
    named = dict.fromkeys(re.findall(r"(?<!:):(\w+)", sql))
    numbered = re.findall(r"\?(\d+)", sql)
    parameters = named or [None] * (max(map(int, numbered)) if numbered else sql.count("?"))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    connection.close()
    aliases = {alias: table for table, alias in re.findall(rf"\b({HOT}) (?:AS )?([a-z])\b", sql)}
    for step in plan:
        found = re.match(r"SCAN (\w+)", step)
        if found:
            assert not re.fullmatch(HOT, aliases.get(found[1], found[1])), f"{step} in {sql}"
