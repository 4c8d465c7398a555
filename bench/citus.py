"""What a Citus cluster says of our schema and of our hot statements.

    python -m bench.citus postgresql://postgres@coordinator/empty_database

The database must be empty, with the extension and its nodes. It gets our schema, distributed as
`todoke.store.schema.distribution` says, and every hot statement is explained there: does it go to one node, to all of
them, or is it refused? Nothing else of Todoke runs on Citus yet; docs/scale.md says what is missing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator

import asyncpg
from tests.store.test_plans import statements

from todoke.model.ids import BUCKET_SHIFT, RUN_SHIFT
from todoke.store.hot import postgres as on_postgres
from todoke.store.hot.postgres.partitions import RUNS
from todoke.store.schema import metadata
from todoke.store.schema.distribution import KEYS_WITHOUT_BUCKET, PLACEMENTS, Placement
from todoke.store.store import migrate

SHARDS = 32
_VALUES = {"text": "running", "bool": "false", "json": "[]"}


def distributing() -> Iterator[str]:
    """The statements that distribute a migrated database: copies first, for what lies by bucket points at them."""
    for table in metadata.sorted_tables:
        if PLACEMENTS[table.name] is Placement.EVERYWHERE:
            yield f"SELECT create_reference_table('{table.name}')"
    first: str | None = None
    for table in metadata.sorted_tables:
        if PLACEMENTS[table.name] is not Placement.BUCKET:
            continue
        key = f"pk_{table.name}"
        if key in KEYS_WITHOUT_BUCKET:
            if "bucket" not in table.columns:
                yield f"ALTER TABLE {table.name} ADD COLUMN bucket smallint NOT NULL DEFAULT 0"
            names = ", ".join(["bucket", *(column.name for column in table.primary_key.columns)])
            yield f"ALTER TABLE {table.name} DROP CONSTRAINT {key}, ADD CONSTRAINT {key} PRIMARY KEY ({names})"
        where = f"colocate_with => '{first}'" if first else f"shard_count => {SHARDS}"
        yield f"SELECT create_distributed_table('{table.name}', 'bucket', {where})"
        first = first or table.name


def filled_in(sql: str, types: list[tuple[str, bool]]) -> str:
    """The statement with a value for each parameter, of its type; `True` for an array."""
    for number in range(len(types), 0, -1):
        name, array = types[number - 1]
        name = name.strip("_[]")
        value = _VALUES.get(name, "3")
        sql = re.sub(rf"\${number}(?!\d)", f"'{{{value}}}'::{name}[]" if array else f"'{value}'::{name}", sql)
    return sql


async def _explain(connection: asyncpg.Connection, sql: str) -> str:
    """`one node`, `all nodes` or `refused: ...`."""
    try:
        parameters = (await connection.prepare(sql)).get_parameters()
        types = [(type_.name, type_.kind == "array") for type_ in parameters]
        rows = await connection.fetch("EXPLAIN (COSTS OFF) " + filled_in(sql, types))
    except asyncpg.PostgresError as error:
        return f"refused: {str(error).splitlines()[0]}"
    tasks = [int(n) for row in rows for n in re.findall(r"Task Count: (\d+)", row[0])]
    return "all nodes" if max(tasks, default=1) > 1 else "one node"


async def main(url: str) -> None:
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        for statement in distributing():
            await connection.execute(statement)
        first = 3 << BUCKET_SHIFT
        await connection.execute(
            f"CREATE TABLE event_b3_r0 PARTITION OF event FOR VALUES FROM ({first}) TO ({first + (RUNS << RUN_SHIFT)})"
        )
        for module, name, sql in statements(on_postgres):
            statement = sql.format("event_b3_r0") if "FROM {}" in sql else sql
            said = await _explain(connection, statement)
            sys.stdout.write(json.dumps({"statement": f"{module}.{name}", "citus": said}) + "\n")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
