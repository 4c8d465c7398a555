"""One connection of the faithful SMSC: octets to PDUs, the states of a bind, and the mail on its way to the client."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from enum import Enum
from functools import partial
from typing import cast

from todoke.providers.simulator.behaviour import Behaviour, Fate
from todoke.providers.simulator.inbound import Mail
from todoke.providers.simulator.responses import Judged, submit_response
from todoke.providers.simulator.smsc import Account, Smsc
from todoke.providers.simulator.submission import Submission, submissions
from todoke.providers.simulator.window import InboundWindow
from todoke.smpp import status
from todoke.smpp.errors import FramingError, SmppError, UnknownCommandError
from todoke.smpp.pdu import (
    HEADER,
    HEADER_SIZE,
    RESPONSE,
    Bind,
    BindReceiver,
    BindResp,
    BindTransmitter,
    CancelSm,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
    Unbind,
    decode_body,
    encode,
    read_header,
)
from todoke.smpp.pdu.codec import KINDS

SYSTEM_ID = "todoke"
_BIND_WITHIN = 30.0
_EARLY_RECEIPT_LEAD = 0.05


class State(Enum):
    """SMPP 3.4, 2.2: what the client may do."""

    OPEN = "open"
    RECEIVER = "receiver"
    TRANSMITTER = "transmitter"
    TRANSCEIVER = "transceiver"
    CLOSED = "closed"


class Connection(asyncio.Protocol):
    """One client. What it sends is judged by the `Smsc`; answers are joined and written when that settles."""

    def __init__(self, smsc: Smsc) -> None:
        smsc.opened += 1
        self.number = smsc.opened
        self.submits = 0
        self._smsc = smsc
        self._state = State.OPEN
        self._account: Account | None = None
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._out: list[bytes] = []
        self._sequence = 0
        self._window = InboundWindow(smsc.settings.inbound_window)
        self._sweeping = False
        self._writable = True
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        smsc = self._smsc
        if len(smsc.peers) >= smsc.settings.connection_limit:
            self._transport.abort()
            return
        smsc.peers[self.number] = self
        smsc.stats.connections += 1
        smsc.later.after(_BIND_WITHIN, self._expect_bind)
        self.heed(smsc.behaviour)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """The mail that was on its way is repeated on another connection."""
        smsc, account = self._smsc, self._account
        self._state, self._transport = State.CLOSED, None
        self._out.clear()
        if smsc.peers.pop(self.number, None) is not None:
            smsc.stats.connections -= 1
        if account is not None:
            smsc.stats.bound -= 1
            if self in account.outbox.receivers:
                account.outbox.receivers.remove(self)
            account.outbox.give_back(self._window.clear())
            smsc.settle()

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it, so that what it is owed stays bounded."""
        self._writable = False
        self._set_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable = True
        self._set_reading()
        self._send_mail()
        self._smsc.settle()

    def data_received(self, data: bytes) -> None:
        """One read: every whole PDU in it, then one settlement."""
        data, at = (self._rest + data if self._rest else data), 0
        self._rest = b""
        try:
            while (
                not self._closing and (header := read_header(data, at)) is not None and at + header.length <= len(data)
            ):
                end = at + header.length
                self._take(header.command, header.status, header.sequence, data, at + HEADER_SIZE, end)
                at = end
        except FramingError as error:
            self._send(GenericNack(status=error.status))
            self._closing = True
        if not self._closing:
            self._rest = data[at:]
        self._smsc.ready(self)
        self._smsc.settle()

    def deliver(self, waiting: deque[Mail]) -> None:
        """Take from `waiting` what the window has room for."""
        if self._held or self._closing:
            return
        pdus = self._window.fill(waiting, self._smsc.clock())
        self._smsc.stats.inbound_sent += len(pdus)
        self._out += pdus
        self._smsc.ready(self)
        self._sweep_later()

    def flush(self) -> None:
        """Write what is ready, with one write; close when it was the last."""
        if self._transport is None or self._smsc.behaviour.half_open:
            return
        if self._out:
            out, self._out = self._out, []
            self._transport.write(b"".join(out))
        if self._closing:
            self._transport.close()

    def drop(self) -> None:
        """Cut the connection; what is ready is lost."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def heed(self, behaviour: Behaviour) -> None:
        """Stop or start reading, as `half_open` says."""
        self._set_reading()
        if not behaviour.half_open:
            self._smsc.ready(self)

    @property
    def _held(self) -> bool:
        return self._smsc.behaviour.half_open or not self._writable

    def _set_reading(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _take(self, command: int, command_status: int, sequence: int, data: bytes, at: int, end: int) -> None:
        try:
            pdu = decode_body(command, command_status, sequence, data, at, end)
        except UnknownCommandError as error:
            if not command & RESPONSE:
                self._send(GenericNack(status=error.status, sequence=sequence))
            return
        except SmppError as error:
            if not command & RESPONSE:
                self._answer(command, error.status, sequence)
            return
        self._handle(pdu)

    def _handle(self, pdu: Pdu) -> None:
        match pdu:
            case SubmitSm() | DataSm() | SubmitMulti():
                self._submit(pdu)
            case DeliverSmResp() | DataSmResp():
                self._acknowledged(pdu.sequence, pdu.status)
            case GenericNack():
                self._acknowledged(pdu.sequence, pdu.status or status.RSYSERR)
            case EnquireLink():
                self._answer(pdu.command, 0, pdu.sequence)
            case Bind():
                self._bind(pdu)
            case Unbind():
                self._answer(pdu.command, 0, pdu.sequence)
                self._closing = True
            case QuerySm():
                self._query(pdu)
            case CancelSm():
                self._answer(pdu.command, self._unless_bound(status.RCANCELFAIL), pdu.sequence)
            case ReplaceSm():
                self._answer(pdu.command, self._unless_bound(status.RREPLACEFAIL), pdu.sequence)
            case _:
                if not pdu.command & RESPONSE:
                    self._answer(pdu.command, status.RINVCMDID, pdu.sequence)

    def _bind(self, pdu: Bind) -> None:
        smsc = self._smsc
        password = smsc.settings.accounts.get(pdu.system_id)
        if self._state is not State.OPEN:
            refusal = status.RALYBND
        elif smsc.behaviour.bind_status:
            refusal = smsc.behaviour.bind_status
        elif password is None:
            refusal = status.RINVSYSID
        elif not hmac.compare_digest(password.encode(), pdu.password.encode()):
            refusal = status.RINVPASWD
        else:
            refusal = 0
        kind = KINDS[pdu.command | RESPONSE]
        assert issubclass(kind, BindResp)
        if refusal:
            smsc.stats.binds_refused += 1
            self._send(kind(status=refusal, sequence=pdu.sequence))
            return
        self._send(kind(sequence=pdu.sequence, system_id=SYSTEM_ID))
        smsc.stats.bound += 1
        self._account = smsc.accounts[pdu.system_id]
        if isinstance(pdu, BindTransmitter):
            self._state = State.TRANSMITTER
            return
        self._state = State.RECEIVER if isinstance(pdu, BindReceiver) else State.TRANSCEIVER
        self._account.outbox.receivers.append(self)
        self._account.outbox.send()

    def _submit(self, pdu: SubmitSm | DataSm | SubmitMulti) -> None:
        account = self._account
        if account is None or self._state not in (State.TRANSMITTER, State.TRANSCEIVER):
            self._answer(pdu.command, status.RINVBNDSTS, pdu.sequence)
            return
        self.submits += 1
        judged: list[Judged] = [
            (one, self._smsc.take(self, account, one)) if isinstance(one, Submission) else one
            for one in submissions(pdu)
        ]
        response, fate = submit_response(pdu, judged)
        self._respond(encode(response), fate)

    def _respond(self, response: bytes, fate: Fate) -> None:
        behaviour, smsc = self._smsc.behaviour, self._smsc
        if fate is Fate.LOST:
            return
        if fate is Fate.DROPPED:
            smsc.stats.dropped += 1
            self._closing = True
            return
        delay = behaviour.round_trip
        if behaviour.round_trip_jitter:
            delay += behaviour.round_trip_jitter * smsc.rng.random()
        if fate is Fate.LATE:
            delay += behaviour.late_response_delay
        elif fate is Fate.AFTER_RECEIPT:
            delay += _EARLY_RECEIPT_LEAD
        octets = response * 2 if fate is Fate.TWICE else response
        if delay:
            smsc.later.after(delay, partial(self._write_later, octets))
        else:
            self._out.append(octets)

    def _write_later(self, octets: bytes) -> None:
        if self._transport is not None and not self._closing:
            self._out.append(octets)
            self._smsc.ready(self)

    def _query(self, pdu: QuerySm) -> None:
        found = self._smsc.query(pdu.message_id, pdu.source_addr) if self._account is not None else None
        if found is None:
            self._answer(pdu.command, self._unless_bound(status.RINVMSGID), pdu.sequence)
            return
        error = int(found.error) & 0xFF if found.error.isdigit() else 0xFF
        self._send(
            QuerySmResp(sequence=pdu.sequence, message_id=pdu.message_id, message_state=found.state, error_code=error)
        )

    def _unless_bound(self, otherwise: int) -> int:
        return status.RINVBNDSTS if self._account is None else otherwise

    def _acknowledged(self, sequence: int, command_status: int) -> None:
        """Only a status of 0 ends the repeats; what was refused comes again after its time-out."""
        if command_status == 0 and self._account is not None and self._window.acknowledge(sequence):
            self._account.outbox.acknowledged()
            self._send_mail()

    def _send_mail(self) -> None:
        if self._account is not None and self._state is not State.TRANSMITTER:
            self._account.outbox.send()

    def _sweep(self) -> None:
        """Repeat what was not acknowledged in time."""
        self._sweeping = False
        if self._account is None or self._transport is None:
            return
        mail = self._window.overdue(self._smsc.behaviour.acknowledge_timeout, self._smsc.clock())
        if mail:
            self._account.outbox.give_back(mail)
        self._sweep_later()

    def _sweep_later(self) -> None:
        oldest = self._window.oldest()
        if oldest is not None and not self._sweeping:
            self._sweeping = True
            due = oldest + self._smsc.behaviour.acknowledge_timeout
            self._smsc.later.after(max(0.0, due - self._smsc.clock()), self._sweep)

    def _expect_bind(self) -> None:
        if self._state is State.OPEN:
            self.drop()

    def _answer(self, command: int, command_status: int, sequence: int) -> None:
        """A response of nothing but a header."""
        if KINDS.get(command | RESPONSE) is None:
            command = GenericNack.command
        self._out.append(HEADER.pack(HEADER_SIZE, command | RESPONSE, command_status, sequence))

    def _send(self, pdu: Pdu) -> None:
        self._out.append(encode(pdu))
