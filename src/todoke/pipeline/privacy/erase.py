"""One person erased, step by step; each may be repeated, so an erasure that broke off is simply done again.

1. The number is on every DNC group of the business unit, in the open, so that what engines hold in memory, reserve or
   have reserved does not go to it. Beside it stands its keyed hash: for good on the groups that it was on, else for as
   long as a run that is under way could text it.
2. Contacts are blanked, their lists forget where they were. What engines read from now on has no number.
3. Replies, opt-outs, consents, doubts and orphans lose the number and the words.
4. When every engine has seen that there are hashes to look up, the number goes from the DNC groups.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from todoke.model.clock import Clock
from todoke.model.errors import Conflict, NotFound
from todoke.pipeline.privacy.files import mentions
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import OptOut
from todoke.store.privacy import erasing, finding, personal, reading
from todoke.store.privacy.key import Key, KeyFile
from todoke.store.store import Store

SETTLE = 3.0
"""Seconds: engines look at their runs every second, and so learn that there are hashes to look up."""


class Erased(NamedTuple):
    """`counts`: rows by table. `files`: files of rejected rows and kept uploads in which the number still stands, to be
    removed.
    """

    counts: dict[str, int]
    files: list[Path]


async def the_key(store: Store, file: KeyFile) -> Key:
    """The installation's key, made where nobody was erased yet. Conflict where people were erased with another one."""
    async with store.reading() as connection:
        check = await reading.key_check(connection)
    try:
        key = file.load()
    except NotFound:
        if check is not None:
            raise _wrong(file) from None
        key = file.make()
    if check is not None and key.check != check:
        raise _wrong(file)
    return key


async def require_key(store: Store, file: KeyFile) -> Key | None:
    """None where nobody was erased. Conflict where people were and the key by which to recognise their numbers is not
    here.
    """
    async with store.reading() as connection:
        check = await reading.key_check(connection)
    return None if check is None else await the_key(store, file)


def _wrong(file: KeyFile) -> Conflict:
    return Conflict(
        "People were erased here with a key that this machine has not, so their numbers would not be recognised.",
        where=str(file.path),
        fix="Copy erasure.key from the data folder of the machine where they were erased.",
    )


async def erase(
    store: Store,
    unit: Unit,
    phone: int,
    external_id: str | None,
    *,
    key: Key,
    requested_by: str,
    clock: Clock,
    rejected: Sequence[Path] = (),
    settle: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Erased:
    """Erase the person from the business unit. What is imported or comes in meanwhile is not seen: repeat it then."""
    digest = key.hashed(phone)
    async with store.writing() as connection:
        erasure, groups = await erasing.begin(connection, unit, phone, digest, key.check, requested_by, clock.now())
    # In the ledger too, for a moment: so the engines of other processes hear it at once.
    out = [OptOut(unit.bucket, unit.id, group, phone, "out", erasing.SOURCE, "", None, clock.now()) for group in groups]
    await store.hot.apply_opt_outs(out, [])
    counts = {"contact": 0}
    ids: set[str] = {external_id} if external_id else set()
    for place in await finding.contacts(store, unit, phone, external_id):
        ids |= {place.external_id} - {""}
        async with store.writing() as connection:
            await erasing.blank(connection, unit, place)
        counts["contact"] += 1
    async with store.writing() as connection:
        counts["inbound"] = await erasing.replies(connection, unit, phone, digest)
        counts["consent"] = await erasing.consents(connection, unit, phone, digest)
        counts["doubt"] = await erasing.doubts(connection, unit, phone)
        counts["orphan"] = await erasing.orphans(connection, unit, phone)
    if await store.hot.engines("alive"):
        await settle(SETTLE)
    async with store.writing() as connection:
        await erasing.unsay(connection, unit, phone)
        for one in personal.PERSONAL:
            counts[one.table.name] = await personal.erase(connection, unit, one, phone, digest, ids)
        await erasing.finish(connection, unit, erasure, phone, counts, clock.now())
    return Erased(counts, mentions(rejected, phone))
