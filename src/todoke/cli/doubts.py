"""`todoke doubt`: see what is in doubt, and decide about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import iso, local, print_json, print_table, say
from todoke.model.errors import Invalid, NotFound

app = typer.Typer(help="What was perhaps handed over, and nobody knows.", no_args_is_help=True)

_AT_ONCE = 500  # messages in one transaction


class As(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    RESEND = "resend"


@app.command("list")
def every(
    context: typer.Context,
    run: Annotated[int | None, typer.Option("--run", metavar="RUN", help="Only of this run.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at the most, the newest first.")] = 100,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Every segment in doubt: why, since when, and what awaits it."""
    from todoke.model.reason import sentence
    from todoke.store.catalogue import doubts, runs, units
    from todoke.store.catalogue.doubts import DoubtRow

    async def work() -> tuple[list[DoubtRow], int]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            if run is not None:
                await runs.find(connection, unit, run)
            rows = await doubts.every(connection, unit, run_id=run, limit=limit)
            return rows, await doubts.count(connection, unit, run_id=run)

    found, count = session.run(work())
    if json:
        print_json([_as_json(row) for row in found])
        return
    print_table(
        ["message", "segment", "attempt", "run", "skill", "number", "since", "why", "then"],
        [_cells(row, sentence(row.reason)) for row in found],
        empty="Nothing is in doubt.",
    )
    if count > len(found):
        say(f"{len(found):,} of {count:,} segments; more with --limit.")


@app.command("resolve")
def resolve(
    context: typer.Context,
    what: Annotated[As, typer.Option("--as", help="What became of it, or send it again.")],
    messages: Annotated[list[str] | None, typer.Argument(metavar="MESSAGE", help="See todoke doubt list.")] = None,
    run: Annotated[int | None, typer.Option("--run", metavar="RUN", help="All that is in doubt of this run.")] = None,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Kept with the message; no name, no number.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    business_unit: BusinessUnit = None,
) -> None:
    """Decide about messages in doubt: they were delivered, they failed, or they are sent again."""
    if run is not None and messages:
        raise Invalid("Name messages or a run, not both.", fix="See them with todoke doubt list.")
    if run is None and not messages:
        raise Invalid("Say which: messages, or a run with --run.", fix="See them with todoke doubt list.")
    ids = [_id(text) for text in messages or []]

    async def find() -> dict[int, list[int]]:
        """Messages in doubt by run, all of them the unit's own."""
        from todoke.store.catalogue import doubts, runs, units

        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            if run is not None:
                await runs.find(connection, unit, run)
                return {run: await doubts.messages(connection, unit, run)}
            return await _by_run(connection, unit, ids)

    found = session.run(find())
    count = sum(map(len, found.values()))
    if not count:
        say("Nothing was in doubt: nothing was changed.")
        return
    if what is As.RESEND and count > 1 and not yes:
        typer.confirm(f"Send {count:,} messages again? Whom the first one reached gets it twice", abort=True)

    async def work() -> int:
        from todoke.model.clock import SystemClock
        from todoke.model.reason import of_person
        from todoke.store.catalogue import units
        from todoke.store.hot.base import Choice

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            done = 0
            for run_id, of_run in found.items():
                for start in range(0, len(of_run), _AT_ONCE):
                    some = of_run[start : start + _AT_ONCE]
                    now = SystemClock().now()
                    choice = Choice(what.value)
                    done += await store.hot.resolve_doubts(unit.bucket, run_id, some, choice, of_person(reason), now)
            return done

    done = session.run(work())
    if not done:
        say("Nothing was in doubt: nothing was changed.")
        return
    say(f"{done:,} message{'' if done == 1 else 's'}: {'sent again' if what is As.RESEND else what.value}")
    if done < count:
        say(f"{count - done:,} not in doubt any more, or on its way.")


async def _by_run(connection: Any, unit: Any, ids: list[int]) -> dict[int, list[int]]:
    from todoke.model.ids import address, public_id
    from todoke.store.catalogue import runs

    found: dict[int, list[int]] = {}
    for message_id in ids:
        bucket, run_id, _ = address(message_id)
        if bucket != unit.bucket:
            raise NotFound(f"There is no message {public_id(message_id)}.")
        if run_id not in found:
            await runs.find(connection, unit, run_id)
        found.setdefault(run_id, []).append(message_id)
    return found


def _id(text: str) -> int:
    from todoke.model.ids import from_public_id

    try:
        return from_public_id(text)
    except ValueError as error:
        raise Invalid(f"{error}.", fix="See the ids with todoke doubt list.") from None


def _masked(number: int | None) -> str:
    """A number of which no more than the last three digits are shown."""
    digits = "" if number is None else str(number)
    return f"…{digits[-3:]}" if digits else ""


def _cells(row: Any, why: str) -> tuple[object, ...]:
    from todoke.model.ids import public_id

    then = f"sent again after {local(row.retry_at)}" if row.retry_at is not None else "stays, unless its receipt comes"
    part = f"{row.segment} of {row.segments}"
    return (
        public_id(row.message_id),
        part,
        str(row.attempt),
        row.run_id,
        row.skill,
        _masked(row.destination),
        local(row.at),
        why,
        then,
    )


def _as_json(row: Any) -> dict[str, Any]:
    from todoke.model.ids import public_id

    return {
        "message": public_id(row.message_id),
        "segment": row.segment,
        "segments": row.segments,
        "attempt": row.attempt,
        "run": row.run_id,
        "skill": row.skill,
        "transport_code": row.code,
        "number": _masked(row.destination),
        "reason": row.reason,
        "at": iso(row.at),
        "retry_at": iso(row.retry_at),
    }
