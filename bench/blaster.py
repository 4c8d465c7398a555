"""The raw pre-encoded blaster: the most that a client could possibly send, the reference of the end-to-end figures.

It encodes every submit before the clock starts, keeps a window by two counters, and looks at as little of what comes
back as it can: without receipts it only counts the responses. It speaks to any SMSC, on its own process and connection.

    python -m bench.blaster --port 2775 --count 500000 [--receipts]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import Any, cast

import uvloop

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, ENQUIRE_LINK, RESPONSE = 0x09, 0x04, 0x05, 0x15, 0x80000000
_HEADER = Struct(">IIII")
_HEAD = Struct(">II")
_ACCEPTED = Struct(">II").pack(SUBMIT_SM | RESPONSE, 0)
_ACKNOWLEDGE = Struct(">III").pack(17, DELIVER_SM | RESPONSE, 0)
_MARK = Struct(">HHQBH")
_TEXT = b"Hello, your parcel arrives today between 10 and 12. Reply STOP to opt out."
_TARGET = 200_000


class BlastError(Exception):
    """The SMSC refused, or went away."""


def encode(count: int, receipts: bool) -> tuple[bytes, int]:
    """`count` submit_sm PDUs of one size, marked for the ledger, and that size in octets."""
    front = b"\0\x01\x0112025550100\0\x01\x01"
    middle = b"\0\0\0\0\0" + (b"\x01" if receipts else b"\0") + b"\0\0\0" + bytes((len(_TEXT),)) + _TEXT
    size = 16 + len(front) + 12 + len(middle) + _MARK.size
    header, mark = _HEADER.pack, _MARK.pack
    pieces = [
        header(size, SUBMIT_SM, 0, number + 1)
        + front
        + b"%011d\0" % (12_025_550_000 + number % 100_000_000)
        + middle
        + mark(0x1500, 11, number, 1, 1)
        for number in range(count)
    ]
    return b"".join(pieces), size


class _Blaster(asyncio.Protocol):
    """Window by counters: `_sent` and `_answered`; whatever a read frees is written at once."""

    def __init__(self, pdus: bytes, size: int, count: int, window: int, receipts: bool) -> None:
        self._pdus, self._size, self._count, self._window, self._receipts = (
            memoryview(pdus),
            size,
            count,
            window,
            receipts,
        )
        self._sent = self._answered = self._received = 0
        self._rest = b""
        self._bound = False
        self.started = 0.0
        self.finished: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def bind(self, account: str, password: str) -> None:
        body = f"{account}\0{password}\0\0".encode() + b"\x34\0\0\0"
        self._transport.write(_HEADER.pack(16 + len(body), BIND_TRANSCEIVER, 0, 0x7FFFFFFF) + body)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        if not self.finished.done():
            self.finished.set_exception(BlastError("the SMSC closed the connection"))

    def data_received(self, data: bytes) -> None:
        if not self._bound:
            self._bound = True
            if data[4:12] != _HEAD.pack(BIND_TRANSCEIVER | RESPONSE, 0):
                self.finished.set_exception(BlastError(f"the SMSC refused the bind: {data[:16].hex()}"))
                return
            self.started = time.perf_counter()
        elif self._receipts:
            self._walk(data)
        else:
            # Counting the eight octets of an accepted submit_sm_resp is the cheapest exact count there is.
            data = self._rest + data
            self._answered += data.count(_ACCEPTED)
            self._rest = data[-7:] if data[-8:] != _ACCEPTED else b""
        self._fill()

    def _walk(self, data: bytes) -> None:
        data = self._rest + data
        head, acknowledgements = _HEAD.unpack_from, list[bytes]()
        at, last = 0, len(data) - 16
        while at <= last:
            length, command = head(data, at)
            if at + length > len(data):
                break
            if command == SUBMIT_SM | RESPONSE:
                self._answered += 1
            elif command == DELIVER_SM:
                acknowledgements += (_ACKNOWLEDGE, data[at + 12 : at + 16], b"\0")
            at += length
        self._rest = data[at:]
        if acknowledgements:
            self._received += len(acknowledgements) // 3
            self._transport.write(b"".join(acknowledgements))

    def _fill(self) -> None:
        now = min(self._answered + self._window, self._count) - self._sent
        if now > 0:
            at = self._sent * self._size
            self._sent += now
            self._transport.write(self._pdus[at : at + now * self._size])
        complete = self._answered >= self._count and (not self._receipts or self._received >= self._count)
        if complete and not self.finished.done():
            self.finished.set_result(time.perf_counter() - self.started)


async def _blast(host: str, port: int, count: int, window: int, receipts: bool, account: str, password: str) -> float:
    pdus, size = encode(count, receipts)
    loop = asyncio.get_running_loop()
    transport, blaster = await loop.create_connection(lambda: _Blaster(pdus, size, count, window, receipts), host, port)
    try:
        blaster.bind(account, password)
        return count / await asyncio.wait_for(blaster.finished, 300)
    finally:
        transport.close()


def blast(
    host: str,
    port: int,
    count: int,
    window: int = 100,
    receipts: bool = False,
    account: str = "todoke",
    password: str = "secret",
) -> float:
    """Submits a second over `count` submits; with `receipts` until every receipt came and was acknowledged.

    Raises BlastError. A refused submit is never counted: an SMSC that throttles makes this time out.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_blast(host, port, count, window, receipts, account, password))


@contextmanager
def simulator(*arguments: str) -> Iterator[dict[str, int]]:
    """A simulator in fast mode as a process of its own; yields its ports, and its `pid`."""
    command = [sys.executable, "-m", "todoke.providers.simulator", "--port", "0", "--control-port", "0", "--fast"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield {**json.loads(process.stdout.readline()), "pid": process.pid}
    finally:
        process.terminate()
        process.wait(10)


def blast_in_process(port: int, count: int, receipts: bool) -> float:
    """`blast` at the default window as a process of its own, so that the caller's loop costs it nothing."""
    command = [sys.executable, "-m", "bench.blaster", "--port", str(port), "--count", str(count)]
    output = subprocess.run(
        [*command, *(["--receipts"] if receipts else [])], check=True, capture_output=True, text=True
    )
    return float(json.loads(output.stdout)["value"])


def cases(count: int = 300_000, runs: int = 3) -> Iterator[dict[str, Any]]:
    """The blaster against fast mode, each as its own process with the ledger on: medians of `runs`."""
    for name, receipts, reference in (
        ("simulator_fast_submits", False, _TARGET),
        ("simulator_fast_submits_with_receipts", True, None),
    ):
        rates: list[float] = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                arguments = ["--ledger", str(Path(folder) / "ledger"), "--receipt-delay", "0"]
                with simulator(*arguments, *([] if receipts else ["--no-receipts"])) as ports:
                    rates.append(blast_in_process(ports["smpp_port"], count, receipts))
        value = statistics.median(rates)
        yield {
            "name": name,
            "value": round(value),
            "unit": "submits/s",
            "reference": reference,
            "ratio": round(value / reference, 3) if reference else None,
        }


def main() -> None:
    """Blast once and print one JSON line."""
    parser = argparse.ArgumentParser(description="Blast pre-encoded submits at an SMSC and print the rate.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--receipts", action="store_true")
    given = parser.parse_args()
    rate = blast(given.host, given.port, given.count, given.window, given.receipts)
    print(json.dumps({"name": "blaster", "value": round(rate), "unit": "submits/s"}))


if __name__ == "__main__":
    main()
