"""What a session is made of, and what its owner looks at."""

from __future__ import annotations

from ..pdu import HEADER_SIZE, Command
from .settings import Role, Settings
from .state import ALLOWED, BINDING, BOUND, Move, State, move
from .window import Window


class Base:
    """State, window, buffers and timers of one end of a connection."""

    def __init__(self, role: Role, settings: Settings | None = None, *, now: float = 0.0, epoch: int = 0) -> None:
        self.role = role
        self.settings = settings or Settings()
        self.epoch = epoch
        """Which connection of its owner this is; every `Incoming` carries it."""
        self.state = State.OPEN
        self._esme = role is Role.ESME
        self._hot_out = Command.SUBMIT_SM if self._esme else Command.DELIVER_SM
        self._hot_in = Command.DELIVER_SM if self._esme else Command.SUBMIT_SM
        self._window = Window(self.settings.window, self._hot_out, self.settings.remember_late)
        self._may_send = False
        self._may_take = False
        self._out: list[bytes] = []
        self._partial = bytearray()
        self._needed = HEADER_SIZE
        self._broken = False
        self._unanswered: dict[int, int] = {}  # sequence -> command of inbound requests that wait for our answer
        self._control: tuple[int, int, float] | None = None  # our bind or unbind under way: sequence, command, since
        self._enquiry: tuple[int, float] | None = None  # our enquire_link under way: sequence, since
        self._opened = now
        self._heard = now
        self._reading_since = now

    @property
    def free(self) -> int:
        """Messages that may be sent now: 0 unless the state allows them."""
        return self._window.free if self._may_send else 0

    @property
    def deliver_window(self) -> int:
        """The same by the name that an SMSC thinks of."""
        return self.free

    @property
    def outstanding(self) -> int:
        """Requests whose response is awaited, those of keeping the session aside."""
        return len(self._window.sent) + len(self._window.others)

    @property
    def unanswered(self) -> int:
        """Inbound requests that wait for our answer."""
        return len(self._unanswered)

    @property
    def paused_reading(self) -> bool:
        """Whether the connection should not be read until some inbound requests are answered."""
        return len(self._unanswered) >= self.settings.max_unanswered

    @property
    def bound(self) -> bool:
        return self.state in BOUND

    @property
    def closed(self) -> bool:
        """Whether there is nothing left to do but to write what is outgoing and close the connection."""
        return self.state is State.CLOSED

    @property
    def next_tick(self) -> float:
        """When `tick` has something to do, at the earliest."""
        if self.closed:
            return float("inf")
        due = self._keeping_due()
        oldest = self._window.oldest()
        if oldest is not None and not self.paused_reading:
            due = min(due, max(oldest, self._reading_since) + self.settings.response_timeout)
        return due

    def _keeping_due(self) -> float:
        """When something is due that keeps the session, or ends it."""
        settings = self.settings
        if self._control is not None:
            return self._control[2] + (settings.bind_timeout if self.state in BINDING else settings.response_timeout)
        if not self.bound:
            return self._opened + settings.bind_timeout
        if self._enquiry is not None:
            return self._enquiry[1] + settings.response_timeout
        return self._heard + settings.enquire_link

    def _move(self, by: Move) -> None:
        self._set(move(self.state, by))

    def _set(self, state: State) -> None:
        self.state = state
        self._control = None
        other = Role.SMSC if self._esme else Role.ESME
        self._may_send = state in ALLOWED[self.role][self._hot_out]
        self._may_take = state in ALLOWED[other][self._hot_in]
