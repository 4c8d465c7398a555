"""The session: octets in, events and octets out, no clock and no socket of its own (SMPP 3.4, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .. import status as st
from ..errors import FieldError, SmppError, StateError, UnknownCommandError, WindowFullError
from ..pdu import (
    HEADER,
    HEADER_SIZE,
    KINDS,
    RESPONSE,
    VERSION,
    Bind,
    BindResp,
    Command,
    DataSm,
    MessageResp,
    Pdu,
    decode_body,
    encode,
)
from ..tlv import SC_INTERFACE_VERSION, Tlv
from .events import (
    BindRefused,
    BindRequested,
    Bound,
    Broken,
    DeadLink,
    DeliverResult,
    Event,
    Notice,
    Rejected,
    Requested,
    RequestResult,
    SubmitResult,
    Unbound,
    maker,
)
from .incoming import make_deliver, make_submit, of_data_sm, read_message
from .settings import Role, Settings
from .state import ALLOWED, BIND_MOVES, BINDING, BOUND, Move, State, move
from .window import Window

_pack = HEADER.pack
_unpack = HEADER.unpack_from
_NO_ANSWER: Final = frozenset({Command.ALERT_NOTIFICATION, Command.OUTBIND})
_MAX_ID: Final = 64  # message_id is 65 octets with its terminator (SMPP 3.4, 5.2.23)

_make_submit_result: Final = maker(SubmitResult)
_make_deliver_result: Final = maker(DeliverResult)


class Session:
    """One end of one SMPP connection. Times are seconds of any monotonic clock, always the same one.

    After every call take `outgoing()` and write it; call `tick` at `next_tick` at the latest; when the connection is
    gone, `close()` hands back the tokens whose outcome nobody will ever tell.
    """

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

    # What the owner looks at

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
        settings = self.settings
        if self.closed:
            return float("inf")
        if self._control is not None:
            limit = settings.bind_timeout if self.state in BINDING else settings.response_timeout
            due = self._control[2] + limit
        elif self.state is State.OPEN or self.state in BINDING:
            due = self._opened + settings.bind_timeout
        elif self._enquiry is not None:
            due = self._enquiry[1] + settings.response_timeout
        else:
            due = self._heard + settings.enquire_link
        oldest = self._window.oldest()
        if oldest is not None:
            due = min(due, max(oldest, self._reading_since) + settings.response_timeout)
        return due

    # Sending

    def outgoing(self) -> bytes:
        """What is to be written, which is then forgotten here."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def bind(self, pdu: Bind, now: float) -> int:
        """Ask to bind; `Bound` or `BindRefused` follows, `DeadLink` when nothing does. Raises `StateError`."""
        if not self._esme:
            raise StateError("Only an ESME binds")
        self._check(BIND_MOVES[pdu.command])
        sequence = self._window.next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        self._move(BIND_MOVES[pdu.command])
        self._control = (sequence, pdu.command, now)
        return sequence

    def unbind(self, now: float) -> int:
        """Ask to end the session; `Unbound` follows, or `DeadLink`. Raises `StateError`."""
        self._move(Move.UNBIND)
        sequence = self._window.next_sequence()
        self._out.append(_pack(HEADER_SIZE, Command.UNBIND, 0, sequence))
        self._control = (sequence, Command.UNBIND, now)
        return sequence

    def submit(self, body: bytes, token: object, now: float) -> int:
        """Send a submit_sm whose body comes from a template; `SubmitResult`, `Timeout` or `close()` returns `token`.

        Returns the sequence number. Raises `StateError` or `WindowFullError`.
        """
        if not self._esme:
            raise StateError("Only an ESME submits")
        return self._send(body, token, now)

    def submit_many(self, batch: Sequence[tuple[bytes, object]], now: float) -> None:
        """`submit` for each (body, token): all or none."""
        if not self._esme:
            raise StateError("Only an ESME submits")
        self._send_many(batch, now)

    def deliver(self, body: bytes, token: object, now: float) -> int:
        """Send a deliver_sm; `DeliverResult`, `Timeout` or `close()` returns `token`. As `submit` otherwise."""
        if self._esme:
            raise StateError("Only an SMSC delivers")
        return self._send(body, token, now)

    def deliver_many(self, batch: Sequence[tuple[bytes, object]], now: float) -> None:
        """`deliver` for each (body, token): all or none."""
        if self._esme:
            raise StateError("Only an SMSC delivers")
        self._send_many(batch, now)

    def request(self, pdu: Pdu, token: object, now: float) -> int:
        """Send any other request; `RequestResult`, `Timeout` or `close()` returns `token`. As `submit` otherwise.

        alert_notification and outbind take no answer: their `token` is not kept.
        """
        allowed = ALLOWED[self.role].get(pdu.command)
        if allowed is None or self.state not in allowed:
            raise StateError(f"{type(pdu).__name__} cannot be sent by an {self.role.name} that is {self.state.value}")
        if pdu.command not in _NO_ANSWER and self._window.free <= 0:
            raise WindowFullError
        sequence = self._window.next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        if pdu.command not in _NO_ANSWER:
            self._window.others[sequence] = (token, now, pdu.command)
        return sequence

    # Answering

    def respond_bind(self, sequence: int, status: int = 0, system_id: str = "") -> None:
        """Answer a `BindRequested`; with status 0 the session is bound. Raises `StateError`, `FieldError`."""
        command = self._unanswered.get(sequence)
        if command not in BIND_MOVES:
            raise StateError("No bind waits for an answer")
        kind = KINDS[command | RESPONSE]
        version = (Tlv(SC_INTERFACE_VERSION, bytes((VERSION,))),)
        if status:
            response = kind(status=status)
        elif issubclass(kind, BindResp):
            response = kind(system_id=system_id, tlvs=version)
        else:  # pragma: no cover
            raise StateError("Not a bind")
        self._out.append(encode(response, sequence=sequence))
        del self._unanswered[sequence]
        self._move(Move.REFUSED if status else Move.ACCEPTED)

    def respond_submit(self, sequence: int, message_id: str, status: int = 0) -> bool:
        """Answer a `SubmitRequest`. False when it no longer waits for an answer. Raises `FieldError`."""
        octets = message_id.encode("latin-1", "replace")
        if len(octets) > _MAX_ID or 0 in octets:
            raise FieldError("A message_id takes at most 64 octets and no NUL")
        command = self._unanswered.pop(sequence, None)
        if command is None:
            return False
        if status:
            self._out.append(_pack(HEADER_SIZE, command | RESPONSE, status, sequence))
        else:
            self._out.append(_pack(HEADER_SIZE + len(octets) + 1, command | RESPONSE, 0, sequence) + octets + b"\0")
        return True

    def respond_deliver(self, sequence: int, status: int = 0) -> bool:
        """Answer a `Deliver` once it is stored. False when it no longer waits for an answer."""
        command = self._unanswered.pop(sequence, None)
        if command is None:
            return False
        # The body is one empty, unused message_id (SMPP 3.4, 4.6.2).
        self._out.append(_pack(HEADER_SIZE + 1, command | RESPONSE, status, sequence) + b"\0")
        return True

    def respond(self, pdu: Pdu) -> bool:
        """Answer a `Requested` with its response, which carries the request's sequence. False as above."""
        if self._unanswered.get(pdu.sequence) != pdu.command & ~RESPONSE:
            return False
        self._out.append(encode(pdu))
        del self._unanswered[pdu.sequence]
        return True

    # Receiving

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take what came over the connection, whole PDUs or any part of them, and say what it means.

        Never raises: what cannot be read becomes `Rejected` or, when the stream is out of step, `Broken`.
        """
        events: list[Event] = []
        if self._broken:
            return events
        self._heard = now
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed:
                return events
            data = bytes(self._partial)
            self._partial.clear()
        append = events.append
        take_sent = self._window.sent.pop
        unanswered = self._unanswered
        esme = self._esme
        hot_in = self._hot_in
        hot_response = self._hot_out | RESPONSE
        max_pdu = self.settings.max_pdu
        epoch = self.epoch
        position = 0
        end = len(data)
        while True:
            if end - position < HEADER_SIZE:
                self._needed = HEADER_SIZE
                break
            length, command, status, sequence = _unpack(data, position)
            if not HEADER_SIZE <= length <= max_pdu:
                self._break(length, events)
                return events
            stop = position + length
            if stop > end:
                self._needed = length
                break
            start = position + HEADER_SIZE
            position = stop
            if command == hot_response:
                entry = take_sent(sequence, None)
                if not esme:
                    append(
                        self._window.stray(command, sequence, status, "")
                        if entry is None
                        else _make_deliver_result((entry[0], status))
                    )
                    continue
                message_id = data[start : stop - 1].decode("latin-1")
                if length > HEADER_SIZE + _MAX_ID or "\0" in message_id or (length > HEADER_SIZE and data[stop - 1]):
                    message_id = _odd_message_id(data[start:stop])
                if entry is None:
                    append(self._window.stray(command, sequence, status, message_id))
                else:
                    append(_make_submit_result((entry[0], status, message_id)))
            elif command == hot_in and self._may_take:
                try:
                    append(
                        read_message(make_deliver, data, start, stop, sequence, epoch, command)
                        if esme
                        else read_message(make_submit, data, start, stop, sequence, epoch, command)
                    )
                    unanswered[sequence] = command
                except SmppError as error:
                    self._reject(command, sequence, error, events)
            else:
                self._take(command, status, sequence, data, start, stop, events)
        if position < end:
            self._partial += data[position:]
        return events

    def tick(self, now: float) -> list[Event]:
        """Do what time asks for: give up on responses, ask whether the peer is there, find it gone."""
        settings = self.settings
        events: list[Event] = []
        if self.closed:
            return events
        if self.paused_reading:
            # Answers may lie unread before us: the peer cannot be blamed.
            self._reading_since = self._heard = now
            if self._enquiry is not None:
                self._enquiry = (self._enquiry[0], now)
            return events
        if self._reading_since <= now - settings.response_timeout:
            events.extend(self._window.expire(now - settings.response_timeout))
        if now < self.next_tick:
            return events
        if self._control is not None:
            self._die("The peer did not answer the bind or the unbind in time", events)
        elif not self.bound:
            self._die("The peer did not bind in time", events)
        elif self._enquiry is None:
            sequence = self._window.next_sequence()
            self._enquiry = (sequence, now)
            self._out.append(_pack(HEADER_SIZE, Command.ENQUIRE_LINK, 0, sequence))
        elif self._heard > self._enquiry[1]:
            self._enquiry = None  # not answered, but the peer speaks
        else:
            self._die("The peer did not answer enquire_link in time", events)
        return events

    def close(self) -> list[object]:
        """The connection is gone: every token still waiting, each once. Nothing is awaited or answered any more."""
        self._set(move(self.state, Move.LOST))
        self._unanswered.clear()
        self._out.clear()
        return self._window.drain()

    # Inside

    def _check(self, by: Move) -> State:
        return move(self.state, by)

    def _move(self, by: Move) -> None:
        self._set(move(self.state, by))

    def _set(self, state: State) -> None:
        self.state = state
        self._control = None
        other = Role.SMSC if self._esme else Role.ESME
        self._may_send = state in ALLOWED[self.role][self._hot_out]
        self._may_take = state in ALLOWED[other][self._hot_in]

    def _send(self, body: bytes, token: object, now: float) -> int:
        if self.free <= 0:
            raise self._refusal(1)
        sequence = self._window.next_sequence()
        self._out.append(_pack(HEADER_SIZE + len(body), self._hot_out, 0, sequence))
        self._out.append(body)
        self._window.sent[sequence] = (token, now)
        return sequence

    def _send_many(self, batch: Sequence[tuple[bytes, object]], now: float) -> None:
        if len(batch) > self.free:
            raise self._refusal(len(batch))
        sequence = self._window.take_sequences(len(batch))
        if sequence is None:
            for body, token in batch:
                self._send(body, token, now)
            return
        append = self._out.append
        sent = self._window.sent
        command = self._hot_out
        for body, token in batch:
            append(_pack(HEADER_SIZE + len(body), command, 0, sequence))
            append(body)
            sent[sequence] = (token, now)
            sequence += 1

    def _refusal(self, count: int) -> SmppError:
        if not self._may_send:
            return StateError(f"An {self.role.name} that is {self.state.value} cannot send messages")
        return WindowFullError(f"The window takes {self.free} more requests, not {count}")

    def _break(self, length: int, events: list[Event]) -> None:
        self._broken = True
        self._partial.clear()
        self._out.append(_pack(HEADER_SIZE, Command.GENERIC_NACK, st.RINVCMDLEN, 0))
        self._set(move(self.state, Move.LOST))
        events.append(Broken(f"command_length {length} is not between {HEADER_SIZE} and {self.settings.max_pdu}"))

    def _die(self, reason: str, events: list[Event]) -> None:
        self._set(move(self.state, Move.LOST))
        events.append(DeadLink(reason))

    def _reject(self, command: int, sequence: int, error: SmppError, events: list[Event]) -> None:
        """Say no in the way the command asks for (SMPP 3.4, 3.3 and 4.3)."""
        if not command & RESPONSE and command not in _NO_ANSWER:
            answer = command | RESPONSE if command | RESPONSE in KINDS and command in KINDS else Command.GENERIC_NACK
            self._out.append(_pack(HEADER_SIZE, answer, error.status, sequence))
        events.append(Rejected(command, sequence, error.status, str(error)))

    def _take(
        self, command: int, status: int, sequence: int, data: bytes, start: int, stop: int, events: list[Event]
    ) -> None:
        """Everything that is not the hot path."""
        try:
            pdu = decode_body(command, status, sequence, data, start, stop)
            if command & RESPONSE:
                self._take_response(pdu, events)
            else:
                self._take_request(pdu, events)
        except UnknownCommandError as error:
            if command & RESPONSE:
                events.append(self._window.stray(command, sequence, status, ""))
            else:
                self._reject(command, sequence, error, events)
        except SmppError as error:
            self._reject(command, sequence, error, events)

    def _take_request(self, pdu: Pdu, events: list[Event]) -> None:
        command, sequence = pdu.command, pdu.sequence
        if command == Command.ENQUIRE_LINK:
            self._out.append(_pack(HEADER_SIZE, Command.ENQUIRE_LINK_RESP, 0, sequence))
            return
        if command == Command.UNBIND:
            self._move(Move.UNBOUND)
            self._out.append(_pack(HEADER_SIZE, Command.UNBIND_RESP, 0, sequence))
            events.append(Unbound(by_peer=True))
            return
        if isinstance(pdu, Bind):
            if self._esme:
                raise StateError("An ESME is not bound to")
            if self.bound:
                raise StateError("The session is bound already", status=st.RALYBND)
            self._move(BIND_MOVES[command])
            self._unanswered[sequence] = command
            events.append(BindRequested(sequence, pdu))
            return
        allowed = ALLOWED[Role.SMSC if self._esme else Role.ESME].get(command)
        if allowed is None or self.state not in allowed:
            raise StateError(f"{type(pdu).__name__} is not taken by an {self.role.name} that is {self.state.value}")
        if command in _NO_ANSWER:
            events.append(Notice(pdu))
            return
        self._unanswered[sequence] = command
        if isinstance(pdu, DataSm):
            event = (
                of_data_sm(make_deliver, pdu, self.epoch) if self._esme else of_data_sm(make_submit, pdu, self.epoch)
            )
            events.append(event)
        else:
            events.append(Requested(pdu))

    def _take_response(self, pdu: Pdu, events: list[Event]) -> None:
        command, sequence, status = pdu.command, pdu.sequence, pdu.status
        nack = command == Command.GENERIC_NACK
        if (
            self._enquiry is not None
            and sequence == self._enquiry[0]
            and (nack or command == Command.ENQUIRE_LINK_RESP)
        ):
            self._enquiry = None
            return
        control = self._control
        if control is not None and sequence == control[0] and (nack or command == control[1] | RESPONSE):
            self._take_control(pdu, events)
            return
        if nack and (entry := self._window.sent.pop(sequence, None)):
            status = status or st.RUNKNOWNERR
            events.append(SubmitResult(entry[0], status, "") if self._esme else DeliverResult(entry[0], status))
            return
        other = self._window.others.get(sequence)
        if other is not None and (nack or command == other[2] | RESPONSE):
            del self._window.others[sequence]
            events.append(RequestResult(other[0], pdu))
            return
        message_id = pdu.message_id if isinstance(pdu, MessageResp) else ""
        events.append(self._window.stray(command, sequence, status, message_id))

    def _take_control(self, pdu: Pdu, events: list[Event]) -> None:
        if self.state is State.UNBINDING:
            # Whatever the answer, the session ends here.
            self._move(Move.UNBOUND)
            events.append(Unbound(by_peer=False))
        elif isinstance(pdu, BindResp) and not pdu.status:
            self._move(Move.ACCEPTED)
            version = pdu.tlv(SC_INTERFACE_VERSION)
            events.append(Bound(pdu.system_id, version[0] if version else None))
        else:
            self._move(Move.REFUSED)
            events.append(BindRefused(pdu.status or st.RUNKNOWNERR))


def _odd_message_id(body: bytes) -> str:
    """The message_id of a body that is more, or other, than one short C-octet string.

    TLVs may follow it; some SMSCs leave out the terminator. One that is too long to be one is taken as none at all:
    the status still counts.
    """
    octets = body.partition(b"\0")[0]
    return octets.decode("latin-1") if len(octets) <= _MAX_ID else ""
