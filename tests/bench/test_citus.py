"""What is told to Citus is what the schema's placements say."""

from __future__ import annotations

import re

from bench.citus import distributing, filled_in

from todoke.store.schema.distribution import PLACEMENTS, Placement


def test_every_table_that_is_to_be_distributed_is() -> None:
    said = list(distributing())
    by_bucket = [m[1] for s in said if (m := re.search(r"create_distributed_table\('(\w+)', 'bucket'", s))]
    copied = [m[1] for s in said if (m := re.search(r"create_reference_table\('(\w+)'\)", s))]
    assert sorted(by_bucket) == sorted(t for t, where in PLACEMENTS.items() if where is Placement.BUCKET)
    assert sorted(copied) == sorted(t for t, where in PLACEMENTS.items() if where is Placement.EVERYWHERE)
    assert max(said.index(s) for s in said if "reference" in s) < min(said.index(s) for s in said if "distributed" in s)


def test_keys_without_the_bucket_get_it_first() -> None:
    said = list(distributing())
    key = "ALTER TABLE opt_out DROP CONSTRAINT pk_opt_out, ADD CONSTRAINT pk_opt_out PRIMARY KEY (bucket, id)"
    assert said.index(key) < next(n for n, s in enumerate(said) if "table('opt_out'" in s)


def test_parameters_are_filled_in_by_their_types() -> None:
    sql = "SELECT $1, $10, $2::bigint[]"
    types = [("text", False), ("int8", True), *[("int4", False)] * 8]
    assert filled_in(sql, types) == "SELECT 'running'::text, '3'::int4, '{3}'::int8[]::bigint[]"
