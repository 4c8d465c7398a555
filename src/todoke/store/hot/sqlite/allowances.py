"""What is used of limits that lanes share: read and moved by the flush that reserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from todoke.model.allowance import Allowance
from todoke.model.limit import LimitKey
from todoke.store.hot import allotting

# A row for a limit that has none.
MAKE = """
    INSERT INTO allowance (bucket, kind, subject_id, first_cell, counts, day, used) VALUES (?, ?, ?, 0, '', 0, 0)
    ON CONFLICT DO NOTHING
"""

READ = """
    SELECT bucket, kind, subject_id, first_cell, counts, day, used FROM allowance
    WHERE bucket = ? AND kind = ? AND subject_id = ?
"""

MOVE = """
    UPDATE allowance SET first_cell = ?, counts = ?, day = ?, used = ? WHERE bucket = ? AND kind = ? AND subject_id = ?
"""


def make(db: Connection, keys: Sequence[LimitKey]) -> None:
    """Rows for these limits, where there are none yet."""
    db.executemany(MAKE, keys)


def hold(db: Connection, keys: Sequence[LimitKey]) -> dict[LimitKey, Allowance]:
    """The allowances; nobody else writes meanwhile."""
    return allotting.read(row for key in keys for row in db.execute(READ, key))


def move(db: Connection, allowances: Mapping[LimitKey, Allowance]) -> None:
    """Store what has become of them."""
    db.executemany(MOVE, ((*row[3:], *row[:3]) for row in allotting.write(allowances)))
