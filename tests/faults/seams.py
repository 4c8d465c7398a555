"""The named points of the hand-over, and the seams of the engine at which they are wrapped from outside.

Production code has no branch for any of this: only `python -m tests.faults.engine` calls `install`. A seam that was
renamed or is gone makes `install` fail, and a test holds that every point is passed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from tests.faults import tap
from tests.faults.failpoints import Failpoints

from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.owner import Owner
from todoke.providers.smpp.provider import SmppProvider
from todoke.store.hot.base import Flush
from todoke.store.hot.postgres import flushing as postgres_flushing
from todoke.store.hot.postgres.hot import PostgresHot
from todoke.store.hot.sqlite import flushing as sqlite_flushing
from todoke.store.hot.sqlite.hot import SqliteHot

POINTS = {
    "after_registration": "the engine has its row, nothing else",
    "in_take_over": "lanes are taken in the database, the engine does not know yet",
    "before_flush": "a flush is put together, nothing of it is sent to the database",
    "in_flush": "within the flush's transaction, between its facts and what it takes",
    "before_commit": "within the flush's transaction, all is done and its lanes are held",
    "after_commit": "a flush is committed, its answer is not used yet",
    "after_lease_commit": "the same of a flush that brought positions or due rows",
    "after_reserve_commit": "the same of a flush that reserved: the hand-over point is passed, nothing is written",
    "in_composing": "contacts are read, their messages are not composed",
    "before_journal": "segments have their slots, nothing is noted",
    "in_journal": "half of what is to be noted is in the file, the last entry is torn",
    "before_wire": "segments are noted, nothing is written",
    "in_wire": "the first half of what is noted is written to the socket",
    "after_wire": "everything noted is written",
    "before_receipts_stored": "receipts are in a flush that is not sent to the database",
    "after_receipts_stored": "receipts are committed and not acknowledged",
    "before_acknowledgement": "what the provider said is stored, its acknowledgement is not written",
    "after_acknowledgement": "its acknowledgement is written",
    "after_reply_stored": "a reply is stored and not read for keywords",
    "after_opt_out": "an opt-out and its confirmation are committed, lanes have not heard, nothing is acknowledged",
    "before_renewal": "the lease is about to be extended",
    "after_engine_marked": "an engine's state was changed: alive to gone, or gone to recovered",
    "before_block_recovered": "a dead engine's block was judged, nothing is written",
    "after_block_recovered": "one block of a dead engine is recovered, others are not",
    "before_intent_recovered": "the same of a due row that the dead engine had taken",
    "after_finish": "a clean stop has begun: nothing more is written",
    "before_release": "a clean stop has stored the last answers, the lanes are still its own",
    "after_release": "a clean stop has given up its lanes, what it had left is not recovered",
}


def install(points: Failpoints, tapped: Path | None) -> None:
    """Wrap the seams of this process, once, before an engine is made."""
    if tapped is not None:
        _install_tap(tapped)
    for hot in (SqliteHot, PostgresHot):
        _around(hot, "register_engine", points, None, "after_registration")
        _around(hot, "take_lanes", points, None, "in_take_over")
        _around(hot, "read_contacts", points, None, "in_composing")
        _around(hot, "read_contacts_at", points, None, "in_composing")
        _around(hot, "renew_engine", points, "before_renewal", None)
        _around(hot, "store_inbound", points, None, "after_reply_stored")
        _around(hot, "mark_engine", points, None, "after_engine_marked")
        _around(hot, "recover_block", points, "before_block_recovered", "after_block_recovered")
        _around(hot, "recover_intent", points, "before_intent_recovered", None)
        _around(hot, "release_lanes", points, "before_release", "after_release")
        _replace(hot, "flush", lambda flush: _flush(flush, points))
        _replace(hot, "apply_replies", lambda apply: _replies(apply, points))
    for flushing in (sqlite_flushing, postgres_flushing):
        _before(flushing, "take", points, "in_flush")
    _after(sqlite_flushing, "take", points, "before_commit")
    _around(postgres_flushing, "take", points, None, "before_commit")
    _before(Journal, "submit", points, "before_journal")
    _replace(Journal, "_write", lambda write: _journal(write, points))
    _replace(SmppProvider, "submit", lambda submit: _wire(submit, points))
    _before(SmppProvider, "acknowledge", points, "before_acknowledgement")
    _after(SmppProvider, "acknowledge", points, "after_acknowledgement")
    _after(Owner, "finish", points, "after_finish")


def _replace(place: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = getattr(place, name)  # AttributeError: the seam is gone
    setattr(place, name, wraps(original)(make(original)))


def _around(place: Any, name: str, points: Failpoints, before: str | None, after: str | None) -> None:
    """Of a coroutine function."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        async def wrapped(*args: Any, **named: Any) -> Any:
            if before is not None:
                points.passing(before)
            result = await original(*args, **named)
            if after is not None:
                points.passing(after)
            return result

        return wrapped

    _replace(place, name, make)


def _before(place: Any, name: str, points: Failpoints, point: str) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            points.passing(point)
            return original(*args, **named)

        return wrapped

    _replace(place, name, make)


def _after(place: Any, name: str, points: Failpoints, point: str) -> None:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            result = original(*args, **named)
            points.passing(point)
            return result

        return wrapped

    _replace(place, name, make)


def _flush(original: Callable[..., Any], points: Failpoints) -> Callable[..., Any]:
    async def wrapped(hot: Any, flush: Flush) -> Any:
        points.passing("before_flush")
        if flush.receipts:
            points.passing("before_receipts_stored")
        flushed = await original(hot, flush)
        points.passing("after_commit")
        if flush.receipts:
            points.passing("after_receipts_stored")
        if flushed.blocks or flushed.due:
            points.passing("after_lease_commit")
        if flush.reserves:
            points.passing("after_reserve_commit")
        return flushed

    return wrapped


def _replies(original: Callable[..., Any], points: Failpoints) -> Callable[..., Any]:
    async def wrapped(hot: Any, replies: Sequence[object]) -> Any:
        done = await original(hot, replies)
        if any(one.numbers for one in done):
            points.passing("after_opt_out")
        return done

    return wrapped


def _journal(original: Callable[..., Any], points: Failpoints) -> Callable[..., Any]:
    def wrapped(journal: Any, data: bytes) -> None:
        rule = points.strikes("in_journal") if len(data) <= _MOST_TORN and journal.size else None
        if rule is not None:
            os.write(journal._fd, data[: len(data) // 2])
            points.strike(rule)
            os.ftruncate(journal._fd, journal.size)  # it was frozen or late: go on as if nothing had been written
        original(journal, data)

    return wrapped


_MOST_TORN = 1 << 20


def _wire(original: Callable[..., Any], points: Failpoints) -> Callable[..., Any]:
    def wrapped(provider: Any, batch: Sequence[tuple[bytes, object]]) -> None:
        points.passing("before_wire")
        rule = points.strikes("in_wire")
        if rule is not None:
            half = (len(batch) + 1) // 2
            original(provider, batch[:half])
            points.strike(rule)
            batch = batch[half:]
        if batch:
            original(provider, batch)
        points.passing("after_wire")

    return wrapped


def _install_tap(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    pid = os.getpid()

    def noting(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(journal: Any, entries: Any) -> None:
            entries, now = list(entries), time.monotonic_ns()
            os.write(descriptor, b"".join(tap.pack(tap.NOTED, now, e[0], e[2], e[4], 0, 0, pid) for e in entries))
            original(journal, entries)

        return wrapped

    def writing(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(provider: Any, batch: Sequence[tuple[bytes, Any]]) -> None:
            now = time.monotonic_ns()
            rows = [
                tap.pack(tap.WRITTEN, now, m.id, number, m.attempt, m.destination, m.run.data.transport_code_id, pid)
                for _, (m, number, _) in batch
            ]
            os.write(descriptor, b"".join(rows))
            original(provider, batch)

        return wrapped

    _replace(Journal, "submit", noting)
    _replace(SmppProvider, "submit", writing)
