from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.factories import NOW

from todoke.model.clock import SystemClock
from todoke.model.event import Event, Kind
from todoke.model.ids import message_id, public_id
from todoke.store.hot.base import Flush
from todoke.store.store import open_store

Command = Callable[..., Awaitable[Any]]
IDS = [public_id(message_id(0, 1, n)) for n in range(3)]


@pytest.fixture
async def doubtful(agents: Command, database_url: str) -> Command:
    """A run of three messages, all in doubt."""
    assert (await agents("skill", "start", "bonus-shift", "--list", "Agents")).status == 0
    async with await open_store(database_url) as store:
        now = SystemClock().now()
        engine = await store.hot.register_engine("host", "boot", 1, "/tmp/journal", now, now + 10**7)
        events = [
            Event(message_id(0, 1, n), 1, 0, Kind.IN_DOUBT, NOW + n, 1, None, None, "link_dropped") for n in range(3)
        ]
        await store.hot.flush(Flush(engine, 1, now, events=events))
    return agents


async def counts(todoke: Command) -> dict[str, int]:
    shown = (await todoke("run", "show", "1", "--json")).json
    return {state: shown[state] for state in ("in_doubt", "delivered", "failed") if shown[state]}


async def test_doubts_are_listed_with_why_and_what_awaits_them(doubtful: Command) -> None:
    rows = (await doubtful("doubt", "list", "--json")).json
    assert [row["message"] for row in rows] == IDS[::-1]
    assert rows[2] == {
        "message": IDS[0],
        "segment": 1,
        "segments": 1,
        "attempt": 0,
        "run": 1,
        "skill": "bonus-shift",
        "transport_code": rows[2]["transport_code"],
        "number": "…143",
        "reason": "link_dropped",
        "at": "2025-06-15T15:06:40.000Z",
        "retry_at": None,
    }
    text = (await doubtful("doubt", "list", "--run", "1", "--limit", "2")).out
    assert IDS[2] in text
    assert "the link dropped before the provider answered" in text
    assert "stays, unless its receipt comes" in text
    assert text.endswith("2 of 3 segments; more with --limit.\n")
    assert "5550143" not in text
    assert "in doubt" in (await doubtful("run", "list")).out.splitlines()[0]
    assert [row["in_doubt"] for row in (await doubtful("run", "list", "--json")).json] == [3]


async def test_nothing_is_in_doubt(agents: Command) -> None:
    assert (await agents("doubt", "list")).out == "Nothing is in doubt.\n"
    assert (await agents("doubt", "list", "--json")).json == []
    assert (await agents("doubt", "list", "--run", "7")).err.startswith("There is no run 7.")


async def test_a_person_decides(doubtful: Command) -> None:
    assert (await doubtful("doubt", "resolve", IDS[0], "--as", "delivered")).out == "1 message: delivered\n"
    said = await doubtful("doubt", "resolve", IDS[1], IDS[0], "--as", "failed", "--reason", "not in the  log")
    assert said.out == "1 message: failed\n1 not in doubt any more, or on its way.\n"
    assert await counts(doubtful) == {"in_doubt": 1, "delivered": 1, "failed": 1}
    report = (await doubtful("report", "1", "--json")).json
    (failed,) = [outcome for outcome in report["outcomes"] if outcome["state"] == "failed"]
    assert failed["reasons"] == [
        {"reason": "person:not in the log", "sentence": "a person decided so: not in the log", "count": 1}
    ]
    assert (await doubtful("doubt", "resolve", IDS[2], "--as", "resend")).out == "1 message: sent again\n"
    assert await counts(doubtful) == {"in_doubt": 1, "delivered": 1, "failed": 1}


async def test_nothing_to_decide_is_said(doubtful: Command) -> None:
    assert (await doubtful("doubt", "resolve", IDS[0], "--as", "failed")).status == 0
    again = await doubtful("doubt", "resolve", IDS[0], "--as", "delivered")
    assert (again.status, again.out) == (0, "Nothing was in doubt: nothing was changed.\n")
    assert (await doubtful("doubt", "resolve", "--run", "1", "--as", "failed")).out == "2 messages: failed\n"
    none = await doubtful("doubt", "resolve", "--run", "1", "--as", "resend")
    assert (none.status, none.out) == (0, "Nothing was in doubt: nothing was changed.\n")
    assert await counts(doubtful) == {"failed": 3}


async def test_attempts_are_counted_alike(doubtful: Command) -> None:
    (attempt,) = {row["attempt"] for row in (await doubtful("doubt", "list", "--json")).json}
    row = (await doubtful("doubt", "list", "--limit", "1")).out.splitlines()[2]
    assert row.split()[:5] == [IDS[2], "1", "of", "1", str(attempt)]


async def test_sending_many_again_is_asked_for(doubtful: Command) -> None:
    refused = await doubtful("doubt", "resolve", "--run", "1", "--as", "resend")
    assert refused.status == 1
    assert "Send 3 messages again?" in refused.out + refused.err
    done = await doubtful("doubt", "resolve", "--run", "1", "--as", "resend", "--yes")
    assert (done.status, done.out) == (0, "3 messages: sent again\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Say which: messages, or a run with --run. See them with todoke doubt list.\n"),
        ((IDS[0], "--run", "1"), "Name messages or a run, not both. See them with todoke doubt list.\n"),
        (("m1",), "'m1' is not a message id: m and 13 letters or digits. See the ids with todoke doubt list.\n"),
        (("--run", "7"), "There is no run 7. See the runs with todoke run list.\n"),
        ((public_id(message_id(0, 7, 0)),), "There is no run 7. See the runs with todoke run list.\n"),
        ((public_id(message_id(9, 1, 0)),), f"There is no message {public_id(message_id(9, 1, 0))}.\n"),
    ],
)
async def test_what_cannot_be_decided(doubtful: Command, arguments: tuple[str, ...], sentence: str) -> None:
    result = await doubtful("doubt", "resolve", *arguments, "--as", "delivered")
    assert (result.status, result.err) == (1, sentence)


async def test_another_business_unit_sees_and_decides_nothing(doubtful: Command, folder: Path) -> None:
    (folder / "besto.toml").write_text('[[business_unit]]\nname = "Besto"\ndefault_region = "JP"\n', encoding="utf-8")
    assert (await doubtful("apply", "besto.toml")).status == 0
    other = ("--business-unit", "Besto")
    assert (await doubtful("doubt", "list", *other)).out == "Nothing is in doubt.\n"
    for which in ((IDS[0],), ("--run", "1")):
        assert (await doubtful("doubt", "resolve", *which, "--as", "failed", *other)).err.startswith(
            "There is no run 1."
        )
    assert len((await doubtful("doubt", "list", "--json", "-b", "Acme")).json) == 3
