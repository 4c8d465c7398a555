"""What is committed together lies together: every flush for the lanes of one provider account is of one bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sqlalchemy import update
from tests.factories import seed_code, seed_run, seed_skill
from tests.pipeline.lanes.test_owner import Open, desk  # pyright: ignore[reportUnusedImport]  # noqa: F401

from todoke.model.ids import MAX_ORDINAL, address
from todoke.model.run import RunState
from todoke.providers.base import Decision
from todoke.store import schema
from todoke.store.hot.base import Flush, Flushed


def buckets(flush: Flush) -> Iterator[tuple[str, int]]:
    """(kind of row, its bucket) of everything in the flush. A receipt has none: its provider does."""
    for group in flush.fresh:
        yield "fresh", group.bucket
        yield from (("fresh", address(message).bucket) for message in group.message_ids)
    yield from (("event", address(event.message_id).bucket) for event in flush.events)
    yield from (("block", key.bucket) for key in flush.closed)
    yield from (("intent", key.bucket) for key in flush.settled)
    for row in flush.due:
        yield from (("due", bucket) for bucket in (row.bucket, address(row.message_id).bucket))
    for reserve in flush.reserves:
        yield "reserve", reserve.bucket
        yield from (("reserved block", key.bucket) for key, _ in reserve.blocks)
        yield from (("reserved intent", key.bucket) for key in reserve.intents)
        yield from (("scrub", scrub.bucket) for scrub in reserve.scrubs)
    yield from (("lease", lease.bucket) for lease in flush.leases)


async def test_every_flush_for_one_provider_account_is_of_one_bucket(
    desk: Open,  # noqa: F811
) -> None:
    d = await desk(n=120)
    scene = d.scene
    code = await seed_code(d.store, scene.unit, scene.provider, code="15551230002", rate=2_000.0)
    skill = await seed_skill(d.store, scene.unit, code, name="other")
    refused: Counter[int] = Counter()

    def verdict(submission: tuple[object, ...]) -> Decision | None:  # every third is refused once: it goes through due
        message_id = submission[0].id  # type: ignore[attr-defined]
        refused[message_id] += (message_id & MAX_ORDINAL) % 3 == 0
        return Decision.RETRYABLE if refused[message_id] == 1 else None

    d.wire.verdict = verdict  # type: ignore[assignment]
    runs = [await d.run(), await seed_run(d.store, scene._replace(code=code, skill=skill), started_at=d.clock.now())]
    engine = await d.engine()
    seen: Counter[tuple[str, int]] = Counter()
    committing = engine.flush

    async def flush(flush: Flush) -> Flushed:
        seen.update(buckets(flush))
        return await committing(flush)

    engine.flush = flush  # type: ignore[method-assign]
    ended: dict[int, RunState] = {}

    async def all_ended() -> bool:
        async with d.store.writing() as connection:
            await connection.execute(update(schema.due).values(not_before=0))  # a retry's time has come
        ended.update({run: state for _, run, state in await d.store.hot.settle_runs(d.clock.now())})
        return len(ended) == len(runs)

    await d.until(all_ended)
    assert ended == dict.fromkeys(runs, RunState.FINISHED)
    assert {bucket for _, bucket in seen} == {scene.bucket}
    assert {kind for kind, _ in seen} >= {"fresh", "event", "block", "intent", "due", "reserve", "lease"}
