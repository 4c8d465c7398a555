"""Single messages: appended to standing runs."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.ids import message_id
from todoke.model.run import RunState
from todoke.store.hot.singles import MOST, Single, ended, zone_set
from todoke.store.postgres import Connection

# The next position of a standing run that takes messages; holds the run. (`standing::int`: found by its key.)
NEXT = """
    UPDATE skill_run SET contacts = contacts + 1
    WHERE bucket = $1 AND id = $2 AND standing::int = 1 AND state IN ('running', 'paused') AND contacts <= $3
    RETURNING contacts - 1, list_id, transport_code_id, state, stream, zone_sets
"""

GROW_ZONES = "UPDATE skill_run SET zone_sets = $3 WHERE bucket = $1 AND id = $2"

GROW_LIST = "UPDATE calling_list SET contacts = contacts + 1 WHERE id = $1"

INSERT_CONTACT = """
    INSERT INTO contact (bucket, list_id, position, destination, zone_set, external_id, fields)
    VALUES ($1, $2, $3, $4, $5, '', $6)
"""

INSERT_DUE = """
    INSERT INTO due (bucket, message_id, attempt, run_id, transport_code_id, state, not_before, segments, text_crc,
                     stream)
    VALUES ($1, $2, 0, $3, $4, $5, $6, '', NULL, $7)
"""


async def post(connection: Connection, singles: Sequence[Single]) -> list[int]:
    """Their message ids; RunEnded. Runs are held in the order of the messages: sort them where there are several."""
    return [await _post(connection, single) for single in singles]


async def _post(connection: Connection, single: Single) -> int:
    row = await connection.fetchrow(NEXT, single.bucket, single.run_id, MOST)
    if row is None:
        raise ended(single.run_id)
    position, list_id, code, state, stream, zone_sets = row
    number, grown = zone_set(zone_sets, single.zones)
    if grown is not None:
        await connection.execute(GROW_ZONES, single.bucket, single.run_id, grown)
    await connection.execute(GROW_LIST, list_id)
    await connection.execute(INSERT_CONTACT, single.bucket, list_id, position, single.phone, number, single.fields)
    message = message_id(single.bucket, single.run_id, position)
    ready = "ready" if state == RunState.RUNNING else "parked"
    await connection.execute(INSERT_DUE, single.bucket, message, single.run_id, code, ready, single.not_before, stream)
    return message
