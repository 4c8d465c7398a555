"""Single messages: each is a contact at the next position of a standing run's list, and a row of `due`.

So they go the way of any message: slots, journal, attempts, receipts, tallies. The text is a field of the contact, and
so is the moment after which it is not to be sent.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from todoke.model.clock import Micros
from todoke.model.errors import Conflict
from todoke.model.ids import SELECTED
from todoke.store.hot.packing import SEPARATOR

BODY = "{Text}"
FIELDS = ["Text", "ExpiresAt"]
NO_ZONES: list[list[str]] = [[]]
"""The zone sets of a new standing run: the first is that of a number whose zones nobody asked for."""

MOST = SELECTED - 1
"""Contacts of one standing run; then a new one begins."""


class RunEnded(Conflict):
    """The standing run is not open any more. Ask for another one."""


class Single(NamedTuple):
    """One text to one number. `zones` are the candidate zones of the number; () where the calling window is the whole
    day. It is not sent before `not_before`, nor from `expires_at` on.
    """

    bucket: int
    run_id: int
    phone: int
    text: str
    zones: tuple[str, ...]
    not_before: Micros
    expires_at: Micros

    @property
    def fields(self) -> str:
        """As they are packed into the contact."""
        return f"{self.text.replace(SEPARATOR, ' ')}{SEPARATOR}{self.expires_at}"


def ended(run_id: int) -> RunEnded:
    return RunEnded(f"Run {run_id} takes no more messages: it was stopped, or is full.")


def zone_set(sets: str, zones: tuple[str, ...]) -> tuple[int, str | None]:
    """The number of the zones among `sets` (JSON), and the sets with it where they are new."""
    known: list[list[str]] = json.loads(sets)
    wanted = list(zones)
    if wanted in known:
        return known.index(wanted), None
    return len(known), json.dumps([*known, wanted])


def expiry(fields: list[str]) -> Micros | None:
    """The moment from which on the contact of a standing list is not to be texted."""
    return int(fields[1]) if len(fields) > 1 and fields[1].isdigit() else None
