"""Whom of some contacts a run that starts now would text, and why not the others: what its engine will decide.

Pure: what is on lists, suppressed, capped or without consent is told to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from todoke.compliance import windows
from todoke.compliance.hours import Hours
from todoke.model.clock import HOUR, Micros
from todoke.model.contact import unreachable
from todoke.sms.places import Places
from todoke.store.hot.base import Held

WINDOW = "window"
_ALWAYS: Micros = 1 << 62


class Foresight:
    """Counts as it is told of contact after contact. `skipped`: who is not texted, by the reason that a report would
    give. `waiting`: who is texted but not at once, by what for.
    """

    def __init__(
        self, hours: Hours, places: Sequence[Places], now: Micros, expires_at: Micros, *, one_by_one: bool = False
    ) -> None:
        """`places` by zone set. `expires_at`: of the run. `one_by_one`: the run has an order, so that those are looked
        at, too, whose places are never open.
        """
        self._openings = _Openings(hours, places)
        self._now = now
        self._expires_at = expires_at
        self._one_by_one = one_by_one
        self.skipped: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()

    def asks_of(self, destination: int, zone_set: int) -> bool:
        """Whether it matters what is known of the contact's number."""
        return destination > 0 and not self._unseen(zone_set)

    def texts(
        self,
        destination: int,
        zone_set: int,
        expires_at: Micros | None,
        *,
        on_dnc: bool = False,
        kept: Held | str | None = None,
    ) -> str | None:
        """None where the contact is not texted, as far as its text does not decide; else what it has to wait for:
        `window`, `suppressed`, `cap`, or nothing. `expires_at`: its own. `kept`: until when it waits, or the reason for
        which it goes no further.
        """
        reason, waits = self._judged(destination, zone_set, expires_at, on_dnc, kept)
        if reason:
            self.skipped[reason] += 1
            return None
        if waits:
            self.waiting[waits] += 1
        return waits

    def _judged(
        self, destination: int, zone_set: int, expires_at: Micros | None, on_dnc: bool, kept: Held | str | None
    ) -> tuple[str, str]:
        """The reason, or what it waits for."""
        if self._unseen(zone_set):
            return "expired", ""
        reason = unreachable(destination, expires_at, self._now, on_dnc=on_dnc)
        if reason:
            return reason, ""
        at, why = self._now, WINDOW
        if isinstance(kept, Held):
            at, why = kept
            if at >= (self._expires_at if expires_at is None else expires_at):
                return why, ""
        elif kept is not None:
            return kept, ""
        opens = self._openings.at(zone_set, at)
        if opens is None or opens >= self._expires_at:
            return "expired", ""
        if expires_at is not None and opens >= expires_at:
            return "contact_expired", ""
        return "", why if opens > self._now else ""

    def _unseen(self, zone_set: int) -> bool:
        """Whether an engine comes to nobody of these places before the run expires, and so looks at nothing else."""
        if self._one_by_one:
            return False
        opens = self._openings.at(zone_set, self._now)
        return opens is None or opens >= self._expires_at


class _Openings:
    """When places are open next; each window is worked out once."""

    def __init__(self, hours: Hours, places: Sequence[Places]) -> None:
        self._hours = hours
        self._places = places
        self._known: dict[int, list[tuple[Micros, Micros, Micros | None]]] = {}

    def at(self, zone_set: int, moment: Micros) -> Micros | None:
        """The first moment from this one on at which contacts of these places may be texted; None: none in sight."""
        known = self._known.setdefault(zone_set, [])
        for since, until, opens in known:
            if since <= moment < until:
                return None if opens is None else max(opens, moment)
        # Newer than the list as it was read: a merge is at work. Whoever sends will look.
        if zone_set >= len(self._places):
            return moment
        found = windows.opening(self._hours, self._places[zone_set], moment)
        if found is None:
            known.append((moment, moment + HOUR, None))
            return None
        known.append((moment, _ALWAYS if found.closes is None else found.closes - windows.MARGIN, found.opens))
        return found.opens
