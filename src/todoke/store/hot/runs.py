"""What both databases check and read alike when a run starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from todoke.model import cap
from todoke.model.clock import Micros
from todoke.model.declared_hours import DeclaredHours, PhoneHours, phone_hours
from todoke.model.errors import Conflict
from todoke.model.ids import MAX_RUN, SELECTED
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.store.hot.base import Cursor, Guard, NewRun, OpenRun
from todoke.store.hot.checking import check_of


def check_list(name: str, state: str, active: bool, expires_at: Micros | None, bucket: int, run: NewRun) -> None:
    """Conflict where the list cannot be run."""
    if state != ("standing" if run.standing else "ready"):
        raise Conflict(f"The list {name!r} is {state}, not ready.", fix=_FIXES.get(state, "Import it again."))
    check_active(name, state, active=active)
    if expires_at is not None and expires_at <= run.started_at:
        raise Conflict(
            f"The list {name!r} has expired.",
            fix="Give it another end with todoke list expire, or import a new one.",
        )
    if bucket != run.bucket:
        raise Conflict(f"The list {name!r} is in bucket {bucket}, its business unit in {run.bucket}.")


def check_size(name: str, contacts: int) -> None:
    """Conflict where its last positions would be taken for places in a selection."""
    if contacts > SELECTED:
        raise Conflict(f"The list {name!r} has {contacts:,} contacts; a run can have {SELECTED:,}.", fix="Split it.")


def check_active(name: str, state: str, *, active: bool) -> None:
    """Conflict where nobody on the list may be texted now: it is inactive or deleted. That of a standing run is
    neither.
    """
    if state not in ("ready", "standing"):
        raise Conflict(f"The list {name!r} is {state}.", fix=_FIXES.get(state, "Import it again."))
    if not active:
        raise Conflict(f"The list {name!r} is inactive.", fix=f"Make it active with todoke list activate {name!r}.")


_FIXES = {
    "importing": "Wait for its import to end.",
    "deleted": "Restore it with todoke list restore, or import it again.",
}


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


def _phones(declared: str | None) -> PhoneHours:
    return () if declared is None else phone_hours(_decoded(declared))


def read_run(row: tuple[Any, ...], cursors: list[Cursor]) -> OpenRun:
    """A run from the columns of the statement that lists open runs."""
    (bucket, run_id, unit, list_id, code, state, force, body, fields, zone_sets, groups, expires_at) = row[:12]
    (window_start, window_end, policy, max_attempts, smart_encoding, weight, stream) = row[12:19]
    unit_hours, holidays, unit_rules, skill_hours, skill_rules, unit_phones, skill_phones = row[26:33]
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
        DeclaredHours(
            unit_hours, days, unit_rules, skill_hours, skill_rules, _phones(unit_phones), _phones(skill_phones)
        ),
        check=check_of(unit, *row[19:23]),
        standing=bool(row[23]),
        due_at=row[24],
        recalls=row[25],
    )


def guarded_run(run: OpenRun, row: Sequence[Any]) -> None:
    """Fill in what guards the run now, from the columns of the statement that tells it. A DNC group that the run
    started with stays; one that was added since counts from now on. What is sent back on a keyword is neither held nor
    capped; and of these the confirmation of an opt-out is scrubbed against no group.
    """
    if run.standing and run.stream is Stream.ANSWER and not run.scrub_groups:
        return
    skill_id, unit_cap, skill_cap, list_cap, default_group, own_group, scrubs, tracked, phones, external_ids = row
    run.scrub_groups = tuple(sorted({*run.scrub_groups, default_group, own_group, *scrubs} - {None}))
    guard = Guard(
        run.bucket,
        run.business_unit_id,
        skill_id,
        run.list_id,
        run.transport_code_id,
        bool(phones),
        bool(external_ids),
        cap.optional(unit_cap),
        cap.optional(skill_cap),
        cap.optional(list_cap),
        bool(tracked),
    )
    run.guard = None if run.standing and run.stream is Stream.ANSWER else guard or None
