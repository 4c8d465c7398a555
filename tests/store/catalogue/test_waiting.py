"""What of a run waits for a moment that is known."""

from __future__ import annotations

import pytest
from sqlalchemy import insert
from tests.factories import NOW, phone_of, seed, seed_run

from todoke.model.clock import HOUR
from todoke.model.ids import SELECTED, message_id
from todoke.store import schema
from todoke.store.catalogue import runs, units, waiting
from todoke.store.store import Store


async def test_rows_whose_time_is_to_come_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await seed(store)
    run, other = await seed_run(store, scene), await seed_run(store, scene)

    def row(of: int, ordinal: int, not_before: int, state: str = "ready") -> dict[str, object]:
        return {
            "bucket": scene.bucket,
            "message_id": message_id(scene.bucket, of, ordinal),
            "attempt": 0,
            "run_id": of,
            "transport_code_id": scene.code,
            "state": state,
            "not_before": not_before,
            "segments": "",
        }

    rows = [row(run, 3, NOW + HOUR), row(run, 5, NOW + 3 * HOUR), row(run, 4, NOW), row(run, 6, NOW + HOUR, "parked")]
    async with store.writing() as connection:
        await connection.execute(insert(schema.due), [*rows, row(other, SELECTED + 1, NOW + HOUR)])
    async with store.reading() as connection:
        unit = await units.find(connection, "unit")
        one, two = await runs.find(connection, unit, run), await runs.find(connection, unit, other)
        told = await waiting.waiting(connection, one, NOW)
        assert told == waiting.Waiting(2, NOW + HOUR, NOW + 3 * HOUR, more=False, phone=phone_of(3))
        assert await waiting.waiting(connection, one, NOW + 3 * HOUR) is None
        selected = await waiting.waiting(connection, two, NOW)
        assert selected == waiting.Waiting(1, NOW + HOUR, NOW + HOUR, more=False, phone=None)
        monkeypatch.setattr(waiting, "LOOKED_AT", 1)
        bounded = await waiting.waiting(connection, one, NOW)
        assert bounded is not None
        assert (bounded.messages, bounded.more) == (1, True)
