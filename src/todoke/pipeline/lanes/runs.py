"""A run as a lane sees it: the frozen text compiled, the calling window by zone set, the cursors as far as we moved
them.
"""

from __future__ import annotations

from todoke.compliance import windows
from todoke.model import ids
from todoke.model.calling_window import Window
from todoke.model.clock import SECOND, Micros
from todoke.model.run import RunState
from todoke.providers.base import Sender
from todoke.sms.rendering import Renderer
from todoke.sms.templates import parse
from todoke.store.hot.base import Cursor, CursorAsk, OpenRun
from todoke.store.hot.singles import expiry

MIXED = -1  # a range whose contacts differ in their zones


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
        "renderer",
        "sender",
        "served",
        "zones",
    )

    def __init__(self, data: OpenRun, sender: Sender) -> None:
        self.data = data
        self.sender = sender
        self.renderer: Renderer = parse(data.body).compile(data.fields)
        self.base_id = ids.base(data.bucket, data.id)
        self.groups = data.scrub_groups
        self.zones = [tuple(zones) for zones in data.zone_sets]
        self.served = 0.0  # positions taken, divided by weight: who has had least of its stream goes next
        self.composing = 0  # positions and due rows taken and not composed yet
        self._positions: dict[int, int] = {}
        self._gates: dict[int, tuple[Micros, Micros, Micros | None]] = {}

    @property
    def key(self) -> tuple[int, int]:
        return self.data.bucket, self.data.id

    @property
    def running(self) -> bool:
        return self.data.state is RunState.RUNNING

    @property
    def stopping(self) -> bool:
        return self.data.state in (RunState.STOPPING, RunState.STOPPED)

    def refresh(self, data: OpenRun) -> None:
        """The store's word of now."""
        if data.window != self.data.window:
            self._gates.clear()
        if len(data.zone_sets) != len(self.zones):  # an update of its list brought new ones; those that were there stay
            self.zones = [tuple(zones) for zones in data.zone_sets]
        self.data = data
        self.groups = data.scrub_groups

    def stricter(self, data: OpenRun) -> bool:
        """Whether there are DNC groups, suppressions or caps that what is reserved was not held against."""
        return data.guard not in (None, self.data.guard) or not set(self.groups) >= set(data.scrub_groups)

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
        """When a contact of this zone set may be texted: now, a later moment, or None for never (no zone known).

        Cached until the answer changes, so that it costs a dictionary look-up a contact.
        """
        if zone_set >= len(self.zones):
            return now + SECOND  # newer than what we know, of a standing run or an updated list: it is looked at again
        gate = self._gates.get(zone_set)
        if gate is None or not gate[0] <= now < gate[1]:
            gate = self._gate(zone_set, now)
            self._gates[zone_set] = gate
        opens = gate[2]
        return now if opens == 0 else opens

    def _gate(self, zone_set: int, now: Micros) -> tuple[Micros, Micros, Micros | None]:
        """(valid from, valid until, 0 for open or the moment it opens or None). Asked for moments ahead too: what is
        true then need not be true now.
        """
        window = Window(*self.data.window)
        zones = self.zones[zone_set]
        if windows.is_open(window, zones, now):
            closes = windows.closes_at(window, zones, now)
            return now, (closes if closes is not None else 1 << 62), 0
        opens = windows.opens_at(window, zones, now)
        return now, (opens if opens is not None else now + 3_600_000_000), opens

    def open_cursors(self, now: Micros) -> list[Cursor]:
        """Cursors with contacts left whose window is open now (or whose contacts must be looked at one by one)."""
        found: list[Cursor] = []
        for cursor in self.data.cursors:
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
