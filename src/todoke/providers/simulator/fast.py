"""Fast mode: a simulator that never hides the limit of what it measures.

It walks the headers of a read, writes the raw read to the ledger as one record, and answers all submits with one write.
What it does not do: phones, replies, faults, throttling. Receipts come in one style, all delivered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from struct import Struct
from typing import cast

from todoke.providers.simulator.fast_receipts import FastAccount, ReceiptTemplate
from todoke.providers.simulator.ledger import Ledger, LedgerError
from todoke.providers.simulator.stats import Stats
from todoke.providers.simulator.styles import FIRST_NUMBER

BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, GENERIC_NACK = 0x04, 0x05, 0x06, 0x15, 0x80000000
RESPONSE = 0x80000000

_log = logging.getLogger(__name__)
_HEAD = Struct(">II")
_HEADER = Struct(">IIII")
_MAX_PDU = 65_536
_ANSWER = Struct(">III").pack(27, SUBMIT_SM | RESPONSE, 0)  # then the sequence number, ten digits and a NUL
_THOUSANDS = 10_000
_ENDINGS = [b"%04d\0" % number for number in range(_THOUSANDS)]


class FastServer:
    """What the connections of fast mode share. `loop` is the running one."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        accounts: Mapping[str, str],
        ledger: Ledger | None,
        stats: Stats,
        receipt_delay: float | None,
        window: int,
    ) -> None:
        self.loop = loop
        self.passwords = accounts
        self.accounts = {name: FastAccount(stats, window) for name in accounts}
        self.ledger = ledger
        self.stats = stats
        self.receipt_delay = receipt_delay
        self.number = FIRST_NUMBER + (ledger.count if ledger else 0)
        self.connections: set[FastConnection] = set()
        self.opened = 0
        self.template = ReceiptTemplate()

    def connection(self) -> FastConnection:
        """The protocol of a new connection."""
        self.opened += 1
        return FastConnection(self, self.opened)

    def drop_all(self) -> int:
        """Cut every connection; how many there were."""
        connections = list(self.connections)
        for connection in connections:
            self.stats.dropped += 1
            connection.drop()
        return len(connections)

    def repeat_unacknowledged(self) -> None:
        """Send again what was not acknowledged since the last call."""
        for connection in self.connections:
            connection.repeat()


class FastConnection(asyncio.Protocol):
    """One connection of fast mode."""

    def __init__(self, server: FastServer, number: int) -> None:
        self._server = server
        self._number = number
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._account: FastAccount | None = None
        self._account_name = b""
        self._writable = True
        self._sequence = 0
        self._repeat_up_to = 0
        self._unacknowledged: dict[bytes, bytes] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._server.connections.add(self)
        self._server.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """What was not acknowledged goes back to the account, in front."""
        server, account = self._server, self._account
        server.connections.discard(self)
        server.stats.connections -= 1
        if account is not None:
            server.stats.bound -= 1
            if self in account.receivers:
                account.receivers.remove(self)
            receipts, self._unacknowledged = list(self._unacknowledged.values()), {}
            account.give_back(receipts)

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it, so that what it is owed stays bounded."""
        self._writable = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        if self._account is not None:
            self._account.send()

    def drop(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """One read: walk it, write it to the ledger, answer it."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        head = _HEAD.unpack_from
        at, size = 0, len(data)
        last = size - 16
        sequences: list[bytes] = []
        submits: list[int] = []
        acknowledged: list[bytes] = []
        answers: list[bytes] = []
        want_receipts = self._server.receipt_delay is not None
        while at <= last:
            length, command = head(data, at)
            end = at + length
            if end > size:
                break
            if length < 16:
                self.drop()
                return
            if command == SUBMIT_SM:
                sequences.append(data[at + 12 : at + 16])
                if want_receipts:
                    submits.append(at)
            elif command == DELIVER_SM | RESPONSE:
                acknowledged.append(data[at + 12 : at + 16])
            else:
                answers.append(self._other(command, data[at:end]))
            at = end
        if at < size:
            if size - at >= 4 and int.from_bytes(data[at : at + 4], "big") > _MAX_PDU:
                self.drop()
                return
            self._rest = data[at:]
        if sequences:
            if self._account is None:
                self.drop()
                return
            try:
                first = self._record(len(sequences), data[:at])
                if want_receipts:
                    self._make_receipts(first, submits, data)
            except LedgerError as error:
                _log.error("the simulator drops a connection: %s", error, extra={"action": "simulator.ledger"})
                self.drop()
                return
            except (ValueError, IndexError):  # a submit with too few fields
                self.drop()
                return
            answers.append(_answers(first, sequences))
        if answers and self._transport is not None:
            self._transport.write(b"".join(answers))
        if acknowledged:
            self._acknowledge(acknowledged)

    def deliver(self, backlog: deque[bytes]) -> None:
        """Send from `backlog` what the window has room for."""
        assert self._account is not None
        room = self._account.window - len(self._unacknowledged)
        if room <= 0 or not self._writable or self._transport is None:
            return
        pack, sequence, pieces = _HEADER.pack, self._sequence, list[bytes]()
        for body in islice(iter(backlog.popleft, None), min(room, len(backlog))):
            sequence += 1
            header = pack(16 + len(body), DELIVER_SM, 0, sequence)
            self._unacknowledged[header[12:]] = body
            pieces += (header, body)
        self._server.stats.inbound_sent += sequence - self._sequence
        self._sequence = sequence
        self._transport.write(b"".join(pieces))

    def repeat(self) -> None:
        """Send again what was already unacknowledged at the last call."""
        overdue = [key for key in self._unacknowledged if int.from_bytes(key, "big") <= self._repeat_up_to]
        self._repeat_up_to = self._sequence
        if overdue and self._account is not None:
            self._account.give_back([self._unacknowledged.pop(key) for key in overdue])

    def _acknowledge(self, sequences: list[bytes]) -> None:
        if self._account is None:
            return
        before = len(self._unacknowledged)
        for sequence in sequences:
            self._unacknowledged.pop(sequence, None)
        count = before - len(self._unacknowledged)
        self._server.stats.waiting -= count
        self._server.stats.inbound_acknowledged += count
        if self._account.backlog:
            self._account.send()

    def _record(self, count: int, raw: bytes) -> int:
        server = self._server
        first = server.number
        server.number += count
        server.stats.submits += count
        server.stats.accepted += count
        if server.ledger is not None:
            at, monotonic = time.time_ns() // 1000, time.monotonic_ns() // 1000
            server.ledger.add_batch(at, monotonic, self._number, self._account_name, first, count, raw)
        return first

    def _make_receipts(self, first: int, submits: list[int], data: bytes) -> None:
        server, account = self._server, self._account
        assert account is not None
        receipts = server.template.bodies(first, submits, data, int(time.time()))
        if receipts and server.receipt_delay:
            server.loop.call_later(server.receipt_delay, account.offer, receipts)
        elif receipts:
            server.loop.call_soon(account.offer, receipts)

    def _other(self, command: int, pdu: bytes) -> bytes:
        sequence = int.from_bytes(pdu[12:16], "big")
        if command in (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER):
            return self._bind(command, pdu, sequence)
        if command == ENQUIRE_LINK:
            return _HEADER.pack(16, ENQUIRE_LINK | RESPONSE, 0, sequence)
        if command == UNBIND:
            if self._transport is not None:
                self._server.loop.call_soon(self._transport.close)
            return _HEADER.pack(16, UNBIND | RESPONSE, 0, sequence)
        if command & RESPONSE:
            return b""
        return _HEADER.pack(16, GENERIC_NACK, 0x03, sequence)

    def _bind(self, command: int, pdu: bytes, sequence: int) -> bytes:
        name, password = [*(word.decode("latin-1") for word in pdu[16:].split(b"\0", 2)), "", ""][:2]
        expected = self._server.passwords.get(name)
        status = 0x05 if self._account else 0x0F if expected is None else 0x0E if expected != password else 0
        if status:
            self._server.stats.binds_refused += 1
            return _HEADER.pack(16, command | RESPONSE, status, sequence)
        self._account, self._account_name = self._server.accounts[name], name.encode()
        self._server.stats.bound += 1
        if command != BIND_TRANSMITTER:
            self._account.receivers.append(self)
            self._server.loop.call_soon(self._account.send)
        return _HEADER.pack(23, command | RESPONSE, 0, sequence) + b"todoke\0"


def _answers(first: int, sequences: list[bytes]) -> bytes:
    """The submit_sm_resp of every sequence number, with ids from `first` on."""
    pieces: list[bytes] = []
    while sequences:
        begin = first % _THOUSANDS
        now = sequences[: _THOUSANDS - begin]
        count = len(now)
        run = [_ANSWER] * (4 * count)
        run[1::4] = now
        run[2::4] = [b"%06d" % (first // _THOUSANDS)] * count
        run[3::4] = _ENDINGS[begin : begin + count]
        pieces += run
        sequences = sequences[count:]
        first += count
    return b"".join(pieces)


def repeat_every(server: FastServer, seconds: float) -> Callable[[], None]:
    """Start the repeats of unacknowledged receipts; call the result to end them."""
    timer: list[asyncio.TimerHandle] = []

    def again() -> None:
        server.repeat_unacknowledged()
        timer[0] = server.loop.call_later(seconds, again)

    timer.append(server.loop.call_later(seconds, again))
    return partial(_cancel, timer)


def _cancel(timer: list[asyncio.TimerHandle]) -> None:
    timer[0].cancel()
