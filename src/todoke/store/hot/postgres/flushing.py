"""One flush, step by step, inside its transaction."""

from __future__ import annotations

from collections.abc import Callable

from todoke.model.clock import hour_of
from todoke.model.event import Event, State
from todoke.store.hot import allotting, lanes
from todoke.store.hot.base import Flush, Flushed
from todoke.store.hot.doubts import details
from todoke.store.hot.due import place
from todoke.store.hot.matching import Matching, count_quick
from todoke.store.hot.orphans import Orphans
from todoke.store.hot.postgres import allowances as limiting
from todoke.store.hot.postgres import blocks, checks, doubts, guards, leases, receipts, reserves, results
from todoke.store.hot.postgres.fence import alone
from todoke.store.hot.postgres.lanes import hold_lanes
from todoke.store.hot.postgres.receipts import Providers
from todoke.store.hot.tallies import Tallies
from todoke.store.postgres import Connection


async def record(
    connection: Connection,
    flush: Flush,
    matching: Matching,
    orphans: Orphans,
    providers: Providers,
    *,
    careful: bool,
    by_heart: bool,
) -> tuple[list[Event], int]:
    """Facts: results, receipts, closed blocks, settled intents, due rows, and the tallies of them all.

    What is known `by_heart` is looked at once more unless this engine is still alone. Returns the events, old and
    new, of messages with more than an acceptance, and how many orphans were kept.
    """
    early = await _match(connection, flush, matching, orphans, providers)
    states = await results.lock_runs(connection, matching.runs())
    placed, stopped = place(flush.due, states, flush.now)
    tallies = Tallies()
    if not careful:
        await results.append_fresh(connection, flush.fresh)
        for group in flush.fresh:
            n = len(group.message_ids)
            tallies.add(group.bucket, group.run_id, State.SENT, "", hour_of(group.at), n, n)
    if matching.quick:
        if not (by_heart and await alone(connection, flush.engine_id)):
            matching.distrust(await results.with_others(connection, [q[0] for q in matching.quick]))
        await results.append_quick(connection, matching.quick)
        count_quick(matching.quick, tallies)
    facts = matching.facts() + stopped  # after the quick ones: they see each other as stored
    touched = await results.append_exactly(connection, facts, tallies, details(flush.doubts)) if facts else []
    await results.count(connection, tallies.rows())
    await blocks.close_blocks(connection, flush.engine_id, flush.closed)
    await blocks.settle_intents(connection, flush.engine_id, flush.settled)
    await blocks.insert_due(connection, placed)
    await guards.take_back(connection, flush.unused)
    return touched, early


async def take(connection: Connection, flush: Flush, hashed: Callable[[int], int]) -> Flushed:
    """Reserve, then lease, on the lanes that are still this engine's."""
    held = await hold_lanes(connection, flush.engine_id, lanes.wanted(flush))
    flushed = Flushed(lost=lanes.lost(flush, held))
    granted = lanes.granted(flush, held)
    limits = allotting.keys(flush, granted)
    if limits:
        allowances = await limiting.hold(connection, limits)
        granted, flushed.granted = allotting.allot(flush, granted, allowances)
        await limiting.move(connection, allowances)
    if granted:
        await reserves.grant(connection, flush.engine_id, granted, flushed)
        await checks.look(connection, granted, flushed, flush.now, hashed)
        await guards.hold(connection, granted, flushed, flush.now)
    leased = lanes.leased(flush, held)
    flushed.blocks = await leases.take_positions(connection, flush, leased)
    flushed.due = await leases.take_due(connection, flush, leased)
    return flushed


async def read_again(connection: Connection, flush: Flush, hashed: Callable[[int], int]) -> Flushed:
    """What a flush brought that took place before: its answer was lost with the connection."""
    held = await hold_lanes(connection, flush.engine_id, lanes.wanted(flush))
    flushed = Flushed(lost=lanes.lost(flush, held))
    granted = lanes.granted(flush, held)
    await reserves.look(connection, granted, flushed)
    await checks.look(connection, granted, flushed, flush.now, hashed)
    await guards.hold(connection, granted, flushed, flush.now, again=True)
    flushed.blocks, flushed.due = await leases.taken_before(connection, flush)
    return flushed


async def _match(
    connection: Connection, flush: Flush, matching: Matching, orphans: Orphans, providers: Providers
) -> int:
    """Find what every receipt answers; keep those that answer nothing, and count them."""
    news = bool(flush.receipts or flush.fresh or flush.events)
    if not (news or flush.orphans):
        return 0
    await receipts.refresh(connection, orphans, flush.now)
    waiting = matching.orphaned(orphans)
    strangers = orphans.unchecked(idle=not news)
    if strangers:
        waiting += await receipts.find_accepted(connection, providers, strangers)
    if waiting:
        matching.offer(await receipts.take_orphans(connection, waiting))
    matching.offer(flush.receipts)
    if not matching.unknown:
        return 0
    keys = {(r.provider_id, r.provider_message_id) for r in matching.unknown}
    early = matching.resolve(await receipts.find_accepted(connection, providers, keys))
    early = matching.doubted(early, await doubts.echoed(connection, providers, early))
    for receipt in early:
        orphans.add(receipt.provider_id, receipt.provider_message_id)
    if early:
        await receipts.keep_orphans(connection, early)
    return len(early)
