"""Reserving: what may be sent from now on, and a last look at what may not."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.ids import address
from todoke.model.run import RunState
from todoke.store.hot.base import Flushed, Reserve, RunWord
from todoke.store.hot.postgres.dnc import on_lists
from todoke.store.hot.postgres.lanes import move_slots
from todoke.store.postgres import Connection

# Positions up to this one may have been sent: what is beyond was certainly not.
GRANT_BLOCKS = """
    UPDATE block b SET reserved_to = greatest(b.reserved_to, k.reserved_to)
    FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[])
      AS k (bucket, run_id, first_position, reserved_to)
    WHERE b.bucket = k.bucket AND b.run_id = k.run_id AND b.first_position = k.first_position
      AND b.engine_id + 0 = $1 AND b.state = 'open'
"""

# Due rows taken earlier that may have been sent.
GRANT_INTENTS = """
    UPDATE intent i SET reserved = true
    FROM unnest($2::smallint[], $3::bigint[], $4::smallint[]) AS k (bucket, message_id, attempt)
    WHERE i.bucket = k.bucket AND i.message_id = k.message_id AND i.attempt = k.attempt AND i.engine_id + 0 = $1
"""

# Whether the runs may still send.
RUNS = """
    SELECT r.bucket, r.id, r.state, r.force
    FROM unnest($1::smallint[], $2::bigint[]) AS k (bucket, id)
    JOIN skill_run r ON r.bucket = k.bucket AND r.id = k.id
"""


async def grant(connection: Connection, engine_id: int, reserves: Sequence[Reserve], flushed: Flushed) -> None:
    """Reserve for lanes that are held, then look at lists and runs."""
    await move_slots(connection, engine_id, reserves)
    blocks = [(*key, last) for reserve in reserves for key, last in reserve.blocks]
    if blocks:
        await connection.execute(GRANT_BLOCKS, engine_id, *map(list, zip(*blocks, strict=True)))
    intents = [key for reserve in reserves for key in reserve.intents]
    if intents:
        await connection.execute(GRANT_INTENTS, engine_id, *map(list, zip(*intents, strict=True)))
    await look(connection, reserves, flushed)


async def look(connection: Connection, reserves: Sequence[Reserve], flushed: Flushed) -> None:
    """Fill `flushed` with the numbers that are on a list, and with the states of the runs."""
    phones: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    runs: set[tuple[int, int]] = set()
    for reserve in reserves:
        for scrub in reserve.scrubs:
            phones.setdefault((scrub.bucket, scrub.groups), set()).update(scrub.phones)
        runs.update((key.bucket, key.run_id) for key, _ in reserve.blocks)
        runs.update(address(key.message_id)[:2] for key in reserve.intents)
    listed = {
        (bucket, groups): await on_lists(connection, bucket, groups, list(wanted))
        for (bucket, groups), wanted in phones.items()
    }
    for reserve in reserves:
        found = flushed.blocked.setdefault(reserve.transport_code_id, [])
        for scrub in reserve.scrubs:
            found.append(listed.get((scrub.bucket, scrub.groups), set()).intersection(scrub.phones))
    if runs:
        for bucket, run_id, state, force in await connection.fetch(RUNS, *map(list, zip(*runs, strict=True))):
            flushed.runs[(bucket, run_id)] = RunWord(RunState(state), force)
