"""Saving how a file is read, for the next one like it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from todoke.model.clock import Micros
from todoke.model.list_mapping import Reading, SavedMapping
from todoke.pipeline.intake.mapping import require
from todoke.pipeline.intake.opening import open_list, to_save
from todoke.store.catalogue import mappings, units
from todoke.store.store import Store


async def save_mapping(
    store: Store,
    *,
    business_unit: str,
    name: str,
    path: Path,
    reading: Reading,
    now: Micros,
    saved_mapping: str | None = None,
) -> SavedMapping:
    """Keep under a name how the file is read: by what is given in `reading`, and by another saved mapping.

    `Invalid` or `NotFound` where the file cannot be read or imported so; `Conflict` where there is another mapping of
    that name, unless it was the one to begin with.
    """
    name = mappings.checked_name(name)
    async with store.reading() as connection:
        unit = await units.find(connection, business_unit)
        saved = await mappings.find(connection, unit, saved_mapping) if saved_mapping else None
    opened = await asyncio.to_thread(open_list, path, reading, saved)
    require(opened.layout, generate_external_ids=opened.reading.generate_external_ids, where=opened.where)
    kept = to_save(name, opened)
    async with store.writing() as connection:
        await mappings.save(connection, unit, kept, now, replace=saved_mapping == name)
    return kept
