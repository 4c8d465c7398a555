"""A skill gets another filter or order, and its runs that are on their way may get it, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from todoke.model.clock import Micros
from todoke.model.errors import Invalid
from todoke.model.filter import check_fields, check_order, read, read_order
from todoke.pipeline.planner.choosing import today
from todoke.store.catalogue import runs, skills, units
from todoke.store.hot.base import Selecting
from todoke.store.hot.selecting import Apply
from todoke.store.store import Store


class Refiltered(NamedTuple):
    """`runs`: those whose rest is selected anew now. `paused`: those of them that go on only when that is done."""

    filter: str | None
    order: tuple[str, ...]
    runs: tuple[int, ...]
    paused: bool


async def filter_skill(
    store: Store,
    *,
    business_unit: str | None,
    skill: str,
    wanted: str | None,
    order: Sequence[str] | None,
    apply: Apply,
    now: Micros,
) -> Refiltered:
    """None keeps the filter or the order that the skill has, an empty one takes it away.

    NotFound; Invalid where it is none, or where a run that it is for has no such field: then nothing is changed.
    May be called again after a crash.
    """
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await skills.find(connection, unit, skill)
        found = await runs.of_skill(connection, unit, row.id) if apply is not Apply.NONE else []
    text = row.filter if wanted is None else (wanted.strip() or None)
    keys = tuple(row.order if order is None else order)
    expression = read(text) if text is not None else None
    sequence = read_order(keys)
    for run_id, fields in found:
        try:
            if expression is not None:
                check_fields(expression, fields)
            check_order(sequence, fields)
        except Invalid as error:
            raise Invalid(error.sentence, where=f"run {run_id}: {error.where}", fix=error.fix) from None
    async with store.writing() as connection:
        await skills.set_selection(connection, unit, row.id, text, keys)
    selecting = Selecting(text, keys, today(now).isoformat())
    begun = [run_id for run_id, _ in found if await store.hot.select_anew(unit.bucket, run_id, selecting, apply, now)]
    return Refiltered(text, keys, tuple(begun), apply in (Apply.STOP, Apply.FLUSH))
