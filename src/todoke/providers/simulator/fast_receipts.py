"""The receipts of fast mode: bodies from a template, and the account that they wait in."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from todoke.providers.simulator.stats import Stats
from todoke.providers.simulator.styles import FIRST_NUMBER, STYLES, Final, receipt_text

_ID_TLV = b"\x00\x1e\x00\x0b"
_STATE_TLV = b"\x00\x04\x27\x00\x01\x02"  # ends the id's string, then message_state DELIVERED
_ID_IN_TEXT = slice(3, 13)  # `id:` and ten digits


class FastReceiver(Protocol):
    """A connection that is bound to receive."""

    def deliver(self, backlog: deque[bytes]) -> None:
        """Take from the left what there is room for."""
        ...


class FastAccount:
    """The receipts of one account and the connections that may take them."""

    def __init__(self, stats: Stats, window: int) -> None:
        self.backlog: deque[bytes] = deque()
        self.receivers: list[FastReceiver] = []
        self.window = window
        self._stats = stats

    def offer(self, receipts: list[bytes]) -> None:
        """Take receipts (deliver_sm bodies) and send what the connections have room for."""
        self._stats.waiting += len(receipts)
        self.backlog.extend(receipts)
        self.send()

    def give_back(self, receipts: list[bytes]) -> None:
        """Receipts that were not acknowledged come first again, in their order."""
        self._stats.inbound_repeated += len(receipts)
        self.backlog.extendleft(reversed(receipts))
        self.send()

    def send(self) -> None:
        """Send from the backlog while a connection has room."""
        for receiver in self.receivers:
            if not self.backlog:
                return
            receiver.deliver(self.backlog)


class ReceiptTemplate:
    """A receipt's octets around its id, made anew every second because the dates are in them."""

    def __init__(self) -> None:
        self._second = 0
        self._front = self._back = b""

    def bodies(self, first: int, submits: list[int], data: bytes, second: int) -> list[bytes]:
        """The deliver_sm bodies for the submit_sm PDUs that begin at `submits` in `data`, numbered from `first`.

        Only for those that want one. Raises ValueError when a PDU has too few fields to the end of `data`.
        """
        if second != self._second:
            self._make(second)
        front, back, find = self._front, self._back, data.index
        bodies: list[bytes] = []
        for number, at in enumerate(submits, first):
            source = find(0, at + 16) + 1
            destination = find(0, source + 2) + 1
            esm_class = find(0, destination + 2) + 1
            if not data[find(0, find(0, esm_class + 3) + 1) + 1]:
                continue  # registered_delivery 0: no receipt is wanted
            digits = b"%010d" % number
            addresses = data[destination:esm_class], data[source:destination]
            bodies.append(b"".join((b"\0", *addresses, front, digits, back, digits, _STATE_TLV)))
        return bodies

    def _make(self, second: int) -> None:
        text = receipt_text(STYLES["standard"], Final(FIRST_NUMBER, "DELIVRD", "000", second, second, "")).encode()
        # esm_class 4 (a receipt), then protocol_id to sm_default_msg_id: eight octets of 0; sm_length
        self._front = b"\x04\0\0\0\0\0\0\0\0" + bytes((len(text),)) + text[: _ID_IN_TEXT.start]
        self._back = text[_ID_IN_TEXT.stop :] + _ID_TLV
        self._second = second
