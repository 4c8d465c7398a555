"""The simulator as a process: `python -m todoke.providers.simulator --port 2775 --ledger FILE`.

When it takes connections it prints one JSON line: {"smpp_port": ..., "control_port": ...}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from todoke.model.errors import TodokeError
from todoke.providers.simulator.behaviour import Behaviour, PhoneState
from todoke.providers.simulator.server import run
from todoke.providers.simulator.settings import Settings

try:
    from uvloop import new_event_loop
except ImportError:  # not on every platform
    from asyncio import new_event_loop


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:VALUE")
    return name, value


def _behaviour(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(given, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return given  # pyright: ignore[reportUnknownVariableType] - checked field by field when it is converted


def parser() -> argparse.ArgumentParser:
    """The options of the process."""
    options = argparse.ArgumentParser(prog="todoke simulate", description="Run the SMSC simulator.")
    options.add_argument("--host", default="127.0.0.1", help="address of the SMPP port")
    options.add_argument("--port", type=int, default=2775, help="SMPP port; 0 takes a free one")
    options.add_argument("--control-port", type=int, default=0, help="HTTP port on loopback; 0 takes a free one")
    options.add_argument("--account", type=_pair, action="append", metavar="SYSTEM_ID:PASSWORD", default=[])
    options.add_argument("--code", type=_pair, action="append", metavar="CODE:SYSTEM_ID", default=[])
    options.add_argument(
        "--phone", type=_pair, action="append", metavar="NUMBER:STATE", default=[], help="off, unknown"
    )
    options.add_argument("--ledger", type=Path, help="the file that every submit is written to")
    options.add_argument("--receipt-delay", type=float, metavar="SECONDS")
    options.add_argument("--no-receipts", action="store_true")
    options.add_argument("--behaviour", type=_behaviour, default={}, metavar="JSON", help="any field of Behaviour")
    options.add_argument(
        "--inbound-window", type=int, default=100, help="receipts and replies on the way to one connection at a time"
    )
    options.add_argument("--seed", type=int, default=1, help="of everything random")
    options.add_argument("--fast", action="store_true", help="only count, answer and keep the ledger")
    return options


def settings(given: argparse.Namespace) -> Settings:
    """The settings that the options say. Raises ValueError."""
    fields = dict(given.behaviour)
    if given.receipt_delay is not None:
        fields["receipt_delay"] = given.receipt_delay
    if given.no_receipts:
        fields["receipts"] = False
    named: dict[str, Any] = {"accounts": dict(given.account)} if given.account else {}
    return Settings(
        host=given.host,
        port=given.port,
        control_port=given.control_port,
        codes=dict(given.code),
        phones=msgspec.convert(dict(given.phone), dict[str, PhoneState]),
        ledger=given.ledger,
        behaviour=msgspec.convert(fields, Behaviour),
        fast=given.fast,
        inbound_window=given.inbound_window,
        seed=given.seed,
        **named,
    )


def main() -> int:
    """Run; the exit status is 0 after a signal, 1 when it could not start, 2 for wrong options."""
    options = parser()
    try:
        chosen = settings(options.parse_args())
    except ValueError as error:
        options.error(str(error))
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run(chosen))
    except TodokeError as error:
        sys.stderr.write(f"todoke simulate: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
