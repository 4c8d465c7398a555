"""What the owner of a session sends: binds, messages, other requests, and its answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final

from ..errors import FieldError, SmppError, StateError, WindowFullError
from ..pdu import HEADER, HEADER_SIZE, KINDS, RESPONSE, VERSION, Bind, BindResp, Command, Pdu, encode
from ..tlv import SC_INTERFACE_VERSION, Tlv
from .base import Base
from .state import ALLOWED, BIND_MOVES, Move

_pack = HEADER.pack
_pack_delivered: Final = Struct(">IIIIx").pack  # the body is one empty, unused message_id (SMPP 3.4, 4.6.2)
NO_ANSWER: Final = frozenset({Command.ALERT_NOTIFICATION, Command.OUTBIND})
MAX_ID: Final = 64  # message_id is 65 octets with its terminator (SMPP 3.4, 5.2.23)


class Sender(Base):
    """The half of a session that its owner drives."""

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
        encode(pdu)  # what does not fit must not move the state
        self._move(BIND_MOVES[pdu.command])
        sequence = self._window.next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
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
        if pdu.command not in NO_ANSWER and self._window.free <= 0:
            raise WindowFullError
        sequence = self._window.next_sequence()
        self._out.append(encode(pdu, sequence=sequence))
        if pdu.command not in NO_ANSWER:
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
        if len(octets) > MAX_ID or 0 in octets:
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
        self._out.append(_pack_delivered(HEADER_SIZE + 1, command | RESPONSE, status, sequence))
        return True

    def respond_delivers(self, answers: Iterable[tuple[int, int]]) -> int:
        """`respond_deliver` for each (sequence, status); returns how many still waited."""
        take, append, before = self._unanswered.pop, self._out.append, len(self._unanswered)
        for sequence, status in answers:
            command = take(sequence, None)
            if command is not None:
                append(_pack_delivered(HEADER_SIZE + 1, command | RESPONSE, status, sequence))
        return before - len(self._unanswered)

    def respond(self, pdu: Pdu) -> bool:
        """Answer a `Requested` with its response, which carries the request's sequence. False as above."""
        if self._unanswered.get(pdu.sequence) != pdu.command & ~RESPONSE:
            return False
        self._out.append(encode(pdu))
        del self._unanswered[pdu.sequence]
        return True

    # Inside

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
        for body, token in batch:  # a plain loop: quicker than the same by slices and zip
            append(_pack(HEADER_SIZE + len(body), command, 0, sequence))
            append(body)
            sent[sequence] = (token, now)
            sequence += 1

    def _refusal(self, count: int) -> SmppError:
        if not self._may_send:
            return StateError(f"An {self.role.name} that is {self.state.value} cannot send messages")
        return WindowFullError(f"The window takes {self.free} more requests, not {count}")
