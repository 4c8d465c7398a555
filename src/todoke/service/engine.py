"""One engine process: opens the store, recovers what dead engines left, sends, and leaves nothing open when it is
asked to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from todoke.config import Settings
from todoke.model.clock import SECOND, SystemClock
from todoke.model.errors import TodokeError
from todoke.pipeline.inbox.book import Book
from todoke.pipeline.inbox.inbox import Inbox
from todoke.pipeline.lanes.groups import Groups
from todoke.pipeline.lanes.holding import Holding
from todoke.pipeline.lanes.journal import Journal
from todoke.pipeline.lanes.owner import Owner
from todoke.pipeline.lanes.recovery import Recovery
from todoke.pipeline.lanes.relooking import lift_freed
from todoke.pipeline.lanes.stops import StopSet
from todoke.pipeline.planner.selecting import Selector
from todoke.pipeline.planner.watch import watch_runs
from todoke.pipeline.privacy.sweep import Sweep
from todoke.pipeline.receipts.doubts import Doubts
from todoke.pipeline.receipts.receipts import Receipts
from todoke.service.doctor.start import Replication
from todoke.service.erasure_key import ErasureKey
from todoke.service.fleet import Fleet, Hub
from todoke.service.lists import pause_inactive, remove_deleted
from todoke.service.machine import FileLock, boot_id, database_clock, follow_database, host
from todoke.service.rewound import Marks, look_back
from todoke.service.rules import Rules
from todoke.service.spool import FOLDER
from todoke.service.uploads import remove_old
from todoke.store.catalogue import installations
from todoke.store.dnc.reviewed import keep_held
from todoke.store.dnc.sweep import DncSweep
from todoke.store.flusher import Flusher
from todoke.store.hot.base import Hint, Rewound, StoreUnavailable
from todoke.store.privacy.key import KeyFile
from todoke.store.store import Store, open_store

_log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between looks at runs that nobody hinted at
_SOONEST = 0.05  # between two looks, whatever is hinted
_SHARE = 2.0
_CLOCK = 5.0
_RECOVERY_LOOK = 5.0
_LISTS = 5.0
_REMOVAL = 60.0
_SWEEP = 10.0
_FREED = 2.0
_SWEEP_USES = 60.0
_UPLOADS = 600.0
_REPLICATION_LOOK = 60.0
_DRAIN = 10.0  # seconds that a stop waits for the carriers' answers


class Engine:
    """`run` until `stop`, or until something breaks that only a new start can mend."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._replication = Replication(store, settings)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Ask it to come to an end."""
        self._stopped.set()

    async def run(self, ready: Callable[[], None] | None = None) -> None:
        settings, hot = self._settings, self._store.hot
        await self._replication.at_start()
        clock = await database_clock(hot)
        key = ErasureKey(self._store, KeyFile(settings.data_dir), clock)
        await key.require()
        hot.use_key(key.hashed)
        rules = Rules(settings.rules_dir, clock)  # a rule pack with mistakes: nothing is sent before it is corrected
        async with self._store.reading() as connection:
            incarnation = await installations.incarnation(connection)
        folder = settings.journals
        marks = Marks(folder, incarnation)
        await look_back(self._store, clock, folder)
        recovery = Recovery(hot, clock, boot_id(), incarnation)
        await recovery.run()

        path = folder / f"{uuid.uuid4().hex}.journal"
        journal = Journal(path, boot_id(), incarnation)
        lease = int(settings.lease_s * SECOND)
        asked = clock.monotonic()
        engine_id = await hot.register_engine(
            host(), boot_id(), os.getpid(), str(path), clock.now(), clock.now() + lease
        )
        marks.write(engine_id, 0)
        holding = Holding(hot, engine_id, clock, settings.lease_s, asked)
        stops = StopSet()
        wakes: list[Flusher] = []
        looked = Nudge()

        def wake(urgent: bool = False) -> None:
            for flusher in wakes:
                flusher.wake(urgent=urgent)

        def noted(seq: int) -> None:
            with contextlib.suppress(OSError):  # a full disk: the flush is in the database, which is what counts
                journal.flushed(seq)

        def hub(provider_id: int) -> Hub:
            return Hub(provider_id, owner, receipts, inbox)

        fleet = Fleet(self._store, clock, hub)
        owner = Owner(hot, clock, holding, journal, stops, fleet.running, wake, rules.current, key.there)
        receipts = Receipts(fleet.running, wake)
        inbox = Inbox(hot, fleet.running, Book(self._store, clock), stops, clock, looked.now)
        groups = Groups(hot, engine_id, clock, fleet, owner)
        flusher = Flusher(hot, engine_id, clock, [owner, receipts], noted, interval=settings.flush_ms / 1000)
        wakes.append(flusher)

        def heard(hint: Hint) -> None:
            """What another process changed: opt-outs at once, the rest at the next look, which is soon."""
            for group, phone, kind in hint.numbers:
                if kind == "out":
                    stops.add(group, phone, clock.now())
                else:
                    stops.lift(group, phone)
            if hint.many:
                owner.withdraw()
            if hint.work:
                looked.now()

        dnc_sweep = DncSweep(self._store)
        uploads = settings.data_dir / FOLDER

        async def swept() -> None:
            moment = clock.now()
            for group, phone in await dnc_sweep.entries():
                stops.lift(group, phone, moment)

        try:
            await keep_held(self._store, clock.now())
            await groups.look()
            await owner.look()
            _log.info("engine %d runs", engine_id, extra={"action": "engine_up", "engine": engine_id})
            if ready is not None:
                ready()
            async with asyncio.TaskGroup() as tasks:
                flushing = tasks.create_task(flusher.run())
                others = [
                    tasks.create_task(inbox.run()),
                    tasks.create_task(watch_runs(hot, clock)),
                    tasks.create_task(Selector(self._store, clock).run()),
                    tasks.create_task(Doubts(hot, fleet.running, clock, settings.lease_s).run()),
                    tasks.create_task(hot.hints(heard)),
                    tasks.create_task(Sweep(self._store, clock, settings.rejected).run()),
                    tasks.create_task(
                        _every(_UPLOADS, lambda: remove_old(self._store, uploads, settings.rejected, clock))
                    ),
                    tasks.create_task(_every(_LISTS, lambda: pause_inactive(self._store, clock))),
                    tasks.create_task(_every(_REMOVAL, lambda: remove_deleted(self._store, clock))),
                    tasks.create_task(_every(_LOOK, owner.look, looked)),
                    tasks.create_task(_every(_SHARE, groups.look)),
                    tasks.create_task(_every(_REPLICATION_LOOK, self._replication.look)),
                    tasks.create_task(_every(_SWEEP, swept)),
                    tasks.create_task(_every(_SWEEP, lambda: keep_held(self._store, clock.now()))),
                    tasks.create_task(_every(_FREED, lambda: lift_freed(hot, stops, clock))),
                    tasks.create_task(_every(_SWEEP_USES, lambda: dnc_sweep.uses(clock.now()))),
                    tasks.create_task(_every(_CLOCK, lambda: follow_database(hot, clock))),
                    tasks.create_task(_every(settings.lease_s / 3, holding.renew)),
                    tasks.create_task(_every(_RECOVERY_LOOK, lambda: recovery.run(mine=engine_id))),
                ]
                await self._stopped.wait()
                owner.finish()
                await groups.stop()
                await fleet.drain(_DRAIN)
                await asyncio.sleep(0)
                for task in others:
                    task.cancel()
                flusher.finish()
                await flushing
                while await flusher.once():
                    pass
        finally:
            await fleet.stop()
            journal.close()
        marks.write(engine_id, flusher.seq)
        # What was taken and not sent is recovered as after a crash: there is one way to come to an end.
        await hot.release_lanes(engine_id)
        await hot.mark_engine(engine_id, "alive", "gone")
        await recovery.run()
        _log.info("engine %d is down", engine_id, extra={"action": "engine_down", "engine": engine_id})


class Nudge:
    """Somebody says that there is something to look at."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def now(self) -> None:
        self._event.set()

    async def wait(self, least: float, most: float) -> None:
        """Until somebody said so since the last time, but `least` seconds at least and `most` at most."""
        await asyncio.sleep(least)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), max(0.0, most - least))
        self._event.clear()


async def _every(seconds: float, do: Callable[[], Awaitable[object]], nudge: Nudge | None = None) -> None:
    """Again and again, so many seconds apart, or sooner where a nudge asks for it."""
    while True:
        if nudge is None:
            await asyncio.sleep(seconds)
        else:
            await nudge.wait(_SOONEST, seconds)
        try:
            await do()
        except StoreUnavailable as error:
            _log.error("%s", error, extra={"action": "store_unavailable"})


def _told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of several errors at once the one that was meant for people, if all were; else the group itself."""
    ours, others = group.split(TodokeError)
    if others is None and isinstance(ours, BaseExceptionGroup):
        return next(_leaves(ours))
    return group


def _leaves(group: BaseExceptionGroup[TodokeError]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def announce() -> None:
    """Say on standard output, as one JSON line, that the engine is ready."""
    sys.stdout.write(json.dumps({"pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _calm_collector() -> None:
    """Let the cycle collector look rarely: tens of thousands of messages are alive at a time and none is in a cycle.

    With its defaults it took a third of an engine's time at full speed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


async def run_engine(settings: Settings, ready: Callable[[], None] = announce) -> None:
    """The engine process: until SIGTERM or SIGINT."""
    _calm_collector()
    async with await open_store(settings.database) as store:
        lock = FileLock(Path(store.address.path)) if store.address.path else None
        try:
            engine = Engine(settings, store)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                with contextlib.suppress(NotImplementedError):
                    loop.add_signal_handler(number, engine.stop)
            try:
                await engine.run(ready)
            except BaseExceptionGroup as group:
                rewound = group.subgroup(Rewound)
                lacks = None if rewound is None else str(next(_leaves(rewound)))
                with contextlib.suppress(StoreUnavailable):  # the next start looks again
                    await look_back(store, SystemClock(), settings.journals, lacks)
                raise _told(group) from group
        finally:
            if lock is not None:
                lock.release()
