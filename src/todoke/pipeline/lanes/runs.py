"""A run as a lane sees it: the frozen text compiled, the calling window by zone set, the cursors as far as we moved
them.
"""

from __future__ import annotations

from typing import NamedTuple

from todoke.compliance import windows
from todoke.compliance.hours import Hours, hours_of
from todoke.compliance.rulebook import Rulebook, standard
from todoke.model import ids
from todoke.model.calling_window import Window
from todoke.model.clock import HOUR, SECOND, Micros
from todoke.model.run import RunState
from todoke.model.stream import Stream
from todoke.providers.base import Sender
from todoke.sms.rendering import Renderer
from todoke.sms.templates import parse
from todoke.store.hot.base import Cursor, CursorAsk, OpenRun
from todoke.store.hot.singles import expiry

MIXED = -1  # a range whose contacts differ in their zones
LONGEST_VALIDITY: Micros = 72 * HOUR
"""A later end is not told to the carrier: by itself it tries for one to three days, and many refuse a longer wish."""
_LOOK_AGAIN: Micros = HOUR
_NEVER_ENDS: Micros = 1 << 62
_ANY_TIME = Hours()  # who writes to us is awake: an answer to a keyword has minutes, and the law wants it


class Gate(NamedTuple):
    """What holds from `since` until `until`: `opens` is 0 for open, else when it opens, None for never. `valid_until`:
    when the carrier must have given up, 0 where we do not say.
    """

    since: Micros
    until: Micros
    opens: Micros | None
    valid_until: Micros = 0


class LaneRun:
    """Live: `refresh` takes over what changed in the store. Raises TemplateError or UnknownField if the frozen text is
    broken.
    """

    __slots__ = (
        "_gates",
        "_positions",
        "base_id",
        "composing",
        "data",
        "groups",
        "hours",
        "keyless",
        "renderer",
        "sender",
        "served",
        "zones",
    )

    def __init__(self, data: OpenRun, sender: Sender, rulebook: Rulebook | None = None) -> None:
        """`rulebook` None: the built-in rules of places."""
        self.data = data
        self.hours: Hours = _hours(data, rulebook)
        self.keyless = False  # nobody can tell whom not to text: nothing is taken from its cursors until somebody can
        self.sender = sender
        self.renderer: Renderer = parse(data.body).compile(data.fields)
        self.base_id = ids.base(data.bucket, data.id)
        self.groups = data.scrub_groups
        self.zones = [tuple(zones) for zones in data.zone_sets]
        self.served = 0.0  # positions taken, divided by weight: who has had least of its stream goes next
        self.composing = 0  # positions and due rows taken and not composed yet
        self._positions: dict[int, int] = {}
        self._gates: dict[int, Gate] = {}

    @property
    def key(self) -> tuple[int, int]:
        return self.data.bucket, self.data.id

    @property
    def running(self) -> bool:
        return self.data.state is RunState.RUNNING

    @property
    def stopping(self) -> bool:
        return self.data.state in (RunState.STOPPING, RunState.STOPPED)

    def rescheduled(self, data: OpenRun, rulebook: Rulebook | None = None) -> bool:
        """Whether its hours are others now."""
        return _hours(data, rulebook) != self.hours

    def loosened(self, before: OpenRun) -> bool:
        """Whether a cap of it lets go earlier than it did before."""
        old, new = before.guard, self.data.guard
        if old is None or not old.caps:
            return False
        now = (None, None, None) if new is None else (new.unit_cap, new.skill_cap, new.list_cap)
        return any(
            was is not None and (cap is None or cap.most > was.most or cap.within < was.within)
            for was, cap in zip((old.unit_cap, old.skill_cap, old.list_cap), now, strict=True)
        )

    def refresh(self, data: OpenRun, rulebook: Rulebook | None = None) -> None:
        """The store's word of now, and the rules of now. A copy that was made before keeps what it knows."""
        hours = _hours(data, rulebook)
        if hours is not self.hours or data.expires_at != self.data.expires_at:
            self._gates = {}
        if len(data.zone_sets) != len(self.zones):  # an update of its list brought new ones; those that were there stay
            self.zones = [tuple(zones) for zones in data.zone_sets]
        self.data, self.hours = data, hours
        self.groups = data.scrub_groups

    def stricter(self, data: OpenRun) -> bool:
        """Whether there are DNC groups, suppressions, caps, consents or erasures that what is reserved was not held
        against.
        """
        more = data.guard not in (None, self.data.guard) or data.check not in (None, self.data.check)
        return more or not set(self.groups) >= set(data.scrub_groups)

    def wanted(self, now: Micros) -> bool:
        """Whether more of it may be there to take. A standing run is asked only when something of its stream is due, so
        that one that waits costs nothing.
        """
        data = self.data
        return not data.standing or (data.due_at is not None and data.due_at <= now)

    def expires_at(self, fields: list[str]) -> Micros | None:
        """From when on the message with these fields is not to be sent; None where only its run expires."""
        return expiry(fields) if self.data.standing else None

    def opens_at(self, zone_set: int, now: Micros) -> Micros | None:
        """When a contact of these candidate places may be texted: now, a later moment, or None for not in sight (no
        place known, or places that are never open together).

        Cached until the answer changes, so that it costs a dictionary look-up a contact.
        """
        opens = self.gate(zone_set, now).opens
        return now if opens == 0 else opens

    def held_until(self, zone_set: int, now: Micros) -> Micros:
        """When a contact who may not be texted now is looked at again: when its window opens; where it opens in none of
        the days that are looked ahead, after these, or at the run's expiry.
        """
        opens = self.opens_at(zone_set, now)
        unseen = now + windows.LOOK_AHEAD_DAYS * 24 * HOUR
        return min(self.data.expires_at, unseen) if opens is None else opens

    def valid_until(self, zone_set: int, now: Micros) -> Micros:
        """When the carrier must have given up on what is handed over now: at the end of the window, and of the run. 0
        where that is later than it would try anyway.
        """
        return self.gate(zone_set, now).valid_until

    def gate(self, zone_set: int, now: Micros) -> Gate:
        """Both of these at once. Asked for moments ahead too: what is true then need not be true now."""
        # Newer than what we know, of a standing run or of a list that was updated: it is looked at again.
        if zone_set >= len(self.zones):
            return Gate(now, now + SECOND, now + SECOND)
        gate = self._gates.get(zone_set)
        if gate is None or not gate.since <= now < gate.until:
            gate = self._gates[zone_set] = self._look(zone_set, now)
        return gate

    def _look(self, zone_set: int, now: Micros) -> Gate:
        found = windows.opening(self.hours, self.zones[zone_set], now)
        if found is None:
            return Gate(now, now + _LOOK_AGAIN, None)
        if found.opens > now:
            return Gate(now, found.opens, found.opens)
        until = _NEVER_ENDS if found.closes is None else found.closes - windows.MARGIN
        ends = self.data.expires_at if found.closes is None else min(found.closes, self.data.expires_at)
        if ends - now > LONGEST_VALIDITY:
            return Gate(now, min(until, ends - LONGEST_VALIDITY), 0)
        return Gate(now, until, 0, ends)

    def open_cursors(self, now: Micros) -> list[Cursor]:
        """Cursors with contacts left whose window is open now (or whose contacts must be looked at one by one)."""
        found: list[Cursor] = []
        for cursor in () if self.keyless else self.data.cursors:
            position = max(cursor.next_position, self._positions.get(cursor.number, 0))
            if position <= cursor.last_position and (
                cursor.zone_set == MIXED or self.opens_at(cursor.zone_set, now) == now
            ):
                found.append(cursor._replace(next_position=position))
        return found

    def ask(self, cursor: Cursor, limit: int) -> CursorAsk:
        """Ask for the next positions at the cursor."""
        return CursorAsk(self.data.id, cursor.number, cursor.next_position, limit)

    def moved(self, cursor: int, next_position: int) -> None:
        """We hold everything before `next_position` of this cursor."""
        self._positions[cursor] = max(next_position, self._positions.get(cursor, 0))


def _hours(data: OpenRun, rulebook: Rulebook | None) -> Hours:
    if data.standing and data.stream is Stream.ANSWER:
        return _ANY_TIME
    return hours_of(data.hours, Window(*data.window), standard() if rulebook is None else rulebook)
