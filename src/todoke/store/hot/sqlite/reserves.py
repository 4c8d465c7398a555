"""Reserving: what may be sent from now on, and a last look at what may not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from todoke.model.ids import address
from todoke.model.run import RunState
from todoke.store.hot.base import Flushed, Reserve, RunWord
from todoke.store.hot.lanes import Held
from todoke.store.hot.sqlite.dnc import on_lists

# Whether the lane is still this engine's under the epoch it knows.
HOLD = "SELECT 1 FROM lane WHERE bucket = ? AND transport_code_id = ? AND epoch = ? AND engine_id = ?"

# Where the next segment of the lane may go.
MOVE = "UPDATE lane SET next_slot_at = ? WHERE bucket = ? AND transport_code_id = ? AND engine_id = ?"

# Positions up to this one may have been sent: what is beyond was certainly not.
GRANT_BLOCK = """
    UPDATE block SET reserved_to = max(reserved_to, ?)
    WHERE bucket = ? AND run_id = ? AND first_position = ? AND engine_id = ? AND state = 'open'
"""

# A due row taken earlier that may have been sent.
GRANT_INTENT = """
    UPDATE intent SET reserved = 1 WHERE bucket = ? AND message_id = ? AND attempt = ? AND engine_id = ?
"""

# Whether the run may still send.
RUN = "SELECT state, force FROM skill_run WHERE bucket = ? AND id = ?"


def hold_lanes(db: Connection, engine_id: int, keys: Iterable[tuple[int, int, int]]) -> Held:
    """The (transport code, epoch) of those that are this engine's."""
    return {key[1:] for key in keys if db.execute(HOLD, (*key, engine_id)).fetchone()}


def grant(db: Connection, engine_id: int, reserves: Sequence[Reserve], flushed: Flushed) -> None:
    """Reserve for lanes that are held, then look at lists and runs."""
    for reserve in reserves:
        if not reserve.next_slot_at:
            continue  # no limit granted anything
        db.execute(MOVE, (reserve.next_slot_at, reserve.bucket, reserve.transport_code_id, engine_id))
        db.executemany(GRANT_BLOCK, ((last, *key, engine_id) for key, last in reserve.blocks))
        db.executemany(GRANT_INTENT, ((*key, engine_id) for key in reserve.intents))
    look(db, reserves, flushed)


def look(db: Connection, reserves: Sequence[Reserve], flushed: Flushed) -> None:
    """Fill `flushed` with the numbers that are on a list, and with the states of the runs."""
    runs: set[tuple[int, int]] = set()
    for reserve in reserves:
        found = flushed.blocked.setdefault(reserve.transport_code_id, [])
        for scrub in reserve.scrubs:
            found.append(on_lists(db, scrub.bucket, scrub.groups, scrub.phones))
        runs.update((key.bucket, key.run_id) for key, _ in reserve.blocks)
        runs.update(address(key.message_id)[:2] for key in reserve.intents)
    for run in runs:
        row = db.execute(RUN, run).fetchone()
        if row is not None:
            flushed.runs[run] = RunWord(RunState(row[0]), bool(row[1]))
