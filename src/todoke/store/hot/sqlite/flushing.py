"""One flush, step by step, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection

from todoke.model.clock import hour_of
from todoke.model.event import Event, State
from todoke.store.hot import allotting, lanes
from todoke.store.hot.base import Flush, Flushed
from todoke.store.hot.doubts import details
from todoke.store.hot.due import place
from todoke.store.hot.matching import Matching, count_quick
from todoke.store.hot.orphans import Orphans
from todoke.store.hot.sqlite import allowances as limiting
from todoke.store.hot.sqlite import blocks, checks, doubts, guards, leases, receipts, reserves, results
from todoke.store.hot.tallies import Tallies


def record(
    db: Connection, flush: Flush, matching: Matching, orphans: Orphans, *, careful: bool
) -> tuple[list[Event], int]:
    """Facts: results, receipts, closed blocks, settled intents, due rows, and the tallies of them all.

    Returns the events, old and new, of messages with more than an acceptance, and how many orphans were kept.
    """
    early = _match(db, flush, matching, orphans)
    tallies = Tallies()
    if not careful:
        results.append_fresh(db, flush.fresh)
        for group in flush.fresh:
            n = len(group.message_ids)
            tallies.add(group.bucket, group.run_id, State.SENT, "", hour_of(group.at), n, n)
    if matching.quick:
        results.append_quick(db, matching.quick)
        count_quick(matching.quick, tallies)
    states = results.run_states(db, {(row.bucket, row.run_id) for row in flush.due})
    placed, stopped = place(flush.due, states, flush.now)
    facts = matching.facts() + stopped  # after the quick ones: they see each other as stored
    touched = results.append_exactly(db, facts, tallies, details(flush.doubts)) if facts else []
    results.count(db, tallies.rows())
    blocks.close_blocks(db, flush.engine_id, flush.closed)
    blocks.settle_intents(db, flush.engine_id, flush.settled)
    blocks.insert_due(db, placed)
    guards.take_back(db, flush.unused)
    return touched, early


def take(db: Connection, flush: Flush, hashed: Callable[[int], int]) -> Flushed:
    """Reserve, then lease, on the lanes that are still this engine's."""
    held = reserves.hold_lanes(db, flush.engine_id, lanes.wanted(flush))
    flushed = Flushed(lost=lanes.lost(flush, held))
    granted = lanes.granted(flush, held)
    limits = allotting.keys(flush, granted)
    if limits:
        allowances = limiting.hold(db, limits)
        granted, flushed.granted = allotting.allot(flush, granted, allowances)
        limiting.move(db, allowances)
    reserves.grant(db, flush.engine_id, granted, flushed)
    checks.look(db, granted, flushed, flush.now, hashed)
    guards.hold(db, granted, flushed, flush.now)
    leased = lanes.leased(flush, held)
    flushed.blocks = leases.take_positions(db, flush, leased)
    flushed.due = leases.take_due(db, flush, leased)
    return flushed


def read_again(db: Connection, flush: Flush, hashed: Callable[[int], int]) -> Flushed:
    """What a flush brought that took place before: its answer was lost."""
    held = reserves.hold_lanes(db, flush.engine_id, lanes.wanted(flush))
    flushed = Flushed(lost=lanes.lost(flush, held))
    granted = lanes.granted(flush, held)
    reserves.look(db, granted, flushed)
    checks.look(db, granted, flushed, flush.now, hashed)
    guards.hold(db, granted, flushed, flush.now, again=True)
    flushed.blocks, flushed.due = leases.taken_before(db, flush)
    return flushed


def _match(db: Connection, flush: Flush, matching: Matching, orphans: Orphans) -> int:
    """Find what every receipt answers; keep those that answer nothing, and count them."""
    news = bool(flush.receipts or flush.fresh or flush.events)
    if not (news or flush.orphans):
        return 0
    receipts.refresh(db, orphans, flush.now)
    waiting = matching.orphaned(orphans)
    strangers = orphans.unchecked(idle=not news)
    if strangers:
        waiting += receipts.find_accepted(db, strangers)
    if waiting:
        matching.offer(receipts.take_orphans(db, waiting))
    matching.offer(flush.receipts)
    if not matching.unknown:
        return 0
    keys = {(r.provider_id, r.provider_message_id) for r in matching.unknown}
    early = matching.resolve(receipts.find_accepted(db, keys))
    early = matching.doubted(early, doubts.echoed(db, early))
    for receipt in early:
        orphans.add(receipt.provider_id, receipt.provider_message_id)
    receipts.keep_orphans(db, early)
    return len(early)
