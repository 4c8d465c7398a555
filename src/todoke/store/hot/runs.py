"""What both databases check and read alike when a run starts."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from todoke.model.declared_hours import DeclaredHours
from todoke.model.errors import Conflict
from todoke.model.ids import MAX_RUN
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.store.hot.base import Cursor, NewRun, OpenRun


def check_list(name: str, state: str, bucket: int, run: NewRun) -> None:
    """Conflict where the list cannot be run."""
    if state != "ready":
        raise Conflict(
            f"The list {name!r} is {state}, not ready.",
            fix="Wait for its import to end." if state == "importing" else "Import it again.",
        )
    if bucket != run.bucket:
        raise Conflict(f"The list {name!r} is in bucket {bucket}, its business unit in {run.bucket}.")


def check_provider(name: str, bucket: int, run: NewRun) -> None:
    """Conflict where the provider's receipts would be looked for in another shard."""
    if bucket != run.bucket:
        raise Conflict(
            f"The provider {name!r} is in bucket {bucket}, the business unit in {run.bucket}.",
            fix="A provider that units share, and those units, must have one bucket.",
        )


def check_number(run_id: int) -> None:
    """Conflict where the bucket has no run id left."""
    if run_id > MAX_RUN:
        raise Conflict("The bucket has no run number left.", fix="Give the business unit another bucket.")


_decoded = lru_cache(4_096)(json.loads)  # the frozen columns of hundreds of runs, several times a second


def read_run(row: tuple[Any, ...], cursors: list[Cursor]) -> OpenRun:
    """A run from the columns of the statement that lists open runs."""
    (bucket, run_id, unit, list_id, code, state, force, body, fields, zone_sets, groups, expires_at) = row[:12]
    (window_start, window_end, policy, max_attempts, smart_encoding, weight, stream) = row[12:19]
    unit_hours, holidays, unit_rules, skill_hours, skill_rules = row[19:]
    days = () if holidays is None else tuple(_decoded(holidays) or ())
    return OpenRun(
        bucket,
        run_id,
        unit,
        list_id,
        code,
        RunState(state),
        bool(force),
        body,
        _decoded(fields),
        _decoded(zone_sets),
        tuple(_decoded(groups)),
        expires_at,
        (window_start, window_end),
        policy,
        max_attempts,
        bool(smart_encoding),
        weight,
        Stream(stream),
        cursors,
        DeclaredHours(unit_hours, days, unit_rules, skill_hours, skill_rules),
    )
