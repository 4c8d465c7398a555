"""The session: octets in, events and octets out, no clock and no socket of its own (SMPP 3.4, 2)."""

from __future__ import annotations

from typing import Final

from .. import status as st
from ..errors import SmppError, StateError, UnknownCommandError
from ..pdu import (
    HEADER,
    HEADER_SIZE,
    KINDS,
    RESPONSE,
    Bind,
    BindResp,
    Command,
    DataSm,
    MessageResp,
    Pdu,
    decode_body,
)
from ..tlv import SC_INTERFACE_VERSION
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
from .receipted import read as read_receipt
from .sending import MAX_ID, NO_ANSWER, Sender
from .settings import Role
from .state import ALLOWED, BIND_MOVES, Move, State, move

_pack = HEADER.pack
_unpack = HEADER.unpack_from

_make_submit_result: Final = maker(SubmitResult)
_make_deliver_result: Final = maker(DeliverResult)


class Session(Sender):
    """One end of one SMPP connection. Times are seconds of any monotonic clock, always the same one.

    After every call take `outgoing()` and write it; call `tick` at `next_tick` at the latest; when the connection is
    gone, `close()` hands back the tokens whose outcome nobody will ever tell.
    """

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take what came over the connection, whole PDUs or any part of them, and say what it means.

        Never raises: what cannot be read becomes `Rejected` or, when the stream is out of step, `Broken`.
        """
        events: list[Event] = []
        if self._broken:
            return events
        self._heard = now
        if self._partial:
            self._partial.extend(data)
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
        read_receipts = esme and self.settings.read_receipts
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
                if length > HEADER_SIZE + MAX_ID or "\0" in message_id or (length > HEADER_SIZE and data[stop - 1]):
                    message_id = _odd_message_id(data[start:stop])
                if entry is None:
                    append(self._window.stray(command, sequence, status, message_id))
                else:
                    append(_make_submit_result((entry[0], status, message_id)))
            elif command == hot_in and self._may_take:
                if read_receipts and (receipt := read_receipt(data, start, stop, sequence, epoch)) is not None:
                    append(receipt)
                    unanswered[sequence] = command
                    continue
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
            self._partial.extend(data[position:])
        return events

    def tick(self, now: float) -> list[Event]:
        """Do what time asks for: give up on responses, ask whether the peer is there, find it gone."""
        events: list[Event] = []
        if self.closed:
            return events
        if self._control is None and self.paused_reading:
            # Answers may lie unread before us: the peer cannot be blamed.
            self._reading_since = self._heard = now
            self._enquiry = None
            return events
        if self._reading_since + self.settings.response_timeout <= now:
            events.extend(self._window.expire(self.settings.response_timeout, now))
        if now < self._keeping_due():
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
        if not command & RESPONSE and command not in NO_ANSWER:
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
        if command in NO_ANSWER:
            events.append(Notice(pdu))
            return
        self._unanswered[sequence] = command
        if isinstance(pdu, DataSm):
            epoch = self.epoch
            events.append(of_data_sm(make_deliver, pdu, epoch) if self._esme else of_data_sm(make_submit, pdu, epoch))
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
    return octets.decode("latin-1") if len(octets) <= MAX_ID else ""
