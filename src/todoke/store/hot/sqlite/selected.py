"""Which contacts a run's selection has at which ordinals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection

from todoke.model.ids import base
from todoke.store.hot.positions import WIDTH, by_run, of_range

# The rows that hold consecutive ordinals.
BETWEEN = """
    SELECT first_ordinal, positions FROM selection
    WHERE bucket = ?1 AND run_id = ?2 AND first_ordinal <= ?4
      AND first_ordinal >= (SELECT max(first_ordinal) FROM selection
                            WHERE bucket = ?1 AND run_id = ?2 AND first_ordinal <= ?3)
    ORDER BY first_ordinal
"""

# Just these ordinals, as a JSON array of [ordinal, position in hexadecimal digits].
AT = f"""
    SELECT json_group_array(json_array(k.value, hex(substr(s.positions, (k.value - s.first_ordinal) * {WIDTH} + 1,
                                                           {WIDTH}))))
    FROM json_each(?3) AS k
    CROSS JOIN selection s ON s.bucket = ?1 AND s.run_id = ?2 AND s.last_ordinal >= k.value
      AND s.first_ordinal = (SELECT max(b.first_ordinal) FROM selection b
                             WHERE b.bucket = ?1 AND b.run_id = ?2 AND b.first_ordinal <= k.value)
"""


def between(db: Connection, bucket: int, run_id: int, first: int, last: int) -> dict[int, int]:
    return of_range(db.execute(BETWEEN, (bucket, run_id, first, last)).fetchall(), first, last)


def of_messages(db: Connection, message_ids: Iterable[int]) -> dict[int, int]:
    """The position of each of these messages' contacts, by message id."""
    found: dict[int, int] = {}
    for (bucket, run_id), ordinals in by_run(message_ids, found).items():
        start = base(bucket, run_id)
        places = at(db, bucket, run_id, ordinals)
        found.update((start + ordinal, position) for ordinal, position in places.items())
    return found


def at(db: Connection, bucket: int, run_id: int, ordinals: Sequence[int]) -> dict[int, int]:
    found = json.loads(db.execute(AT, (bucket, run_id, json.dumps(list(ordinals)))).fetchone()[0])
    return {ordinal: int(digits, 16) for ordinal, digits in found}
