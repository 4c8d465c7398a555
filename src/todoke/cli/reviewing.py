"""`todoke review`: replies that may mean stop, for a person to read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, iso, local, print_json, print_table

app = typer.Typer(
    help="Replies that may mean stop. Until somebody decides, their numbers are held.", no_args_is_help=True
)


class As(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    REPLY = "reply"


@app.command("list")
def every(
    context: typer.Context,
    decided: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most, the oldest first.")] = 100,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Replies with their words, why a machine could not tell, and since when the number is held."""
    from todoke.store.catalogue import reviews, units
    from todoke.store.catalogue.reviews import ReviewRow

    async def work() -> list[ReviewRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            return await reviews.every(connection, unit, state=None if decided else "open", limit=limit)

    found = session.run(work())
    if json:
        print_json([_as_json(row) for row in found])
        return
    print_table(
        ["review", "number", "code", "text", "why", "since", "decided"],
        [
            (row.id, _number(row.source), row.code, row.text, row.reason, local(row.at), row.meaning or "")
            for row in found
        ],
        empty="Nothing waits for a person.",
    )


@app.command("resolve")
def resolve(
    context: typer.Context,
    review: Annotated[int, typer.Argument(metavar="ID", help="See todoke review list.")],
    what: Annotated[As, typer.Option("--as", help="What the reply means.")],
    note: Annotated[str, typer.Option(metavar="WORDS", help="Kept with the review; no name, no number.")] = "",
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Decide: stop puts the number on the do-not-call list, reply and help release it."""
    from todoke.model.clock import SystemClock
    from todoke.model.meaning import Meaning
    from todoke.pipeline.inbox.reviewing import decide
    from todoke.store.hot.base import Done

    async def work() -> Done:
        async with session.of(context).store() as store:
            return await decide(store, business_unit, review, Meaning(what.value), note, SystemClock().now())

    done = session.run(work())
    answered = "; it is answered" if done.message_id is not None else ""
    document = {"review": review, "meaning": done.meaning.value, "answered": done.message_id is not None}
    answer(document, f"review {review}: {done.meaning.value}{answered}", json=json)


def _number(source: str) -> str:
    """As it is written elsewhere; a sender's name as it came."""
    return f"+{source}" if source.isdecimal() and len(source) > 8 else source


def _as_json(row: Any) -> dict[str, Any]:
    hidden = ("bucket", "business_unit_id", "transport_code_id", "inbound_id", "phone")
    kept = {key: value for key, value in row._asdict().items() if key not in hidden}
    return {**kept, "at": iso(row.at), "decided_at": iso(row.decided_at)}
