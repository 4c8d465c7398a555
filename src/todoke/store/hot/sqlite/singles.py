"""Single messages: appended to standing runs."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from todoke.model.ids import message_id
from todoke.model.run import RunState
from todoke.store.hot.singles import MOST, Single, ended, zone_set

# The next position of a standing run that takes messages.
NEXT = """
    UPDATE skill_run SET contacts = contacts + 1
    WHERE bucket = ? AND id = ? AND standing AND state IN ('running', 'paused') AND contacts <= ?
    RETURNING contacts - 1, list_id, transport_code_id, state, stream, zone_sets
"""

GROW_ZONES = "UPDATE skill_run SET zone_sets = ? WHERE bucket = ? AND id = ?"

GROW_LIST = "UPDATE calling_list SET contacts = contacts + 1 WHERE id = ?"

INSERT_CONTACT = """
    INSERT INTO contact (bucket, list_id, position, destination, zone_set, external_id, fields)
    VALUES (?, ?, ?, ?, ?, '', ?)
"""

INSERT_DUE = """
    INSERT INTO due (bucket, message_id, attempt, run_id, transport_code_id, state, not_before, segments, text_crc,
                     stream)
    VALUES (?, ?, 0, ?, ?, ?, ?, '', NULL, ?)
"""


def post(db: Connection, singles: Sequence[Single]) -> list[int]:
    """Their message ids; RunEnded."""
    return [_post(db, single) for single in singles]


def _post(db: Connection, single: Single) -> int:
    rows = db.execute(NEXT, (single.bucket, single.run_id, MOST)).fetchall()
    if not rows:
        raise ended(single.run_id)
    position, list_id, code, state, stream, zone_sets = rows[0]
    number, grown = zone_set(zone_sets, single.zones)
    if grown is not None:
        db.execute(GROW_ZONES, (grown, single.bucket, single.run_id))
    db.execute(GROW_LIST, (list_id,))
    db.execute(INSERT_CONTACT, (single.bucket, list_id, position, single.phone, number, single.fields))
    message = message_id(single.bucket, single.run_id, position)
    ready = "ready" if state == RunState.RUNNING else "parked"
    db.execute(INSERT_DUE, (single.bucket, message, single.run_id, code, ready, single.not_before, stream))
    return message
