"""`todoke why`: why a number may or may not be texted, and when it may next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import iso, print_json, say
from todoke.model.clock import Micros, SystemClock, from_datetime, to_datetime
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.service.why.explain import Explanation


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Such as +13055550123.")],
    skill: Annotated[str, typer.Option("--skill", metavar="NAME", help="The skill that would text it.")],
    calling_list: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="The list that it is on: it knows more of its place.")
    ] = None,
    at: Annotated[str | None, typer.Option(metavar="MOMENT", help="Such as 2026-07-04T19:30-04:00; else now.")] = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Why a number may or may not be texted, and when it may next. Status 0 where it may, 1 where it may not."""
    from todoke.service.rules import load
    from todoke.service.why.explain import explain

    moment = SystemClock().now() if at is None else _moment(at)

    from todoke.store.privacy.key import KeyFile

    async def work() -> Explanation:
        async with session.of(context).store() as store:
            return await explain(
                store,
                load(session.of(context).settings.rules_dir),
                business_unit=business_unit,
                text=number,
                skill=skill,
                at=moment,
                calling_list=calling_list,
                hashed=KeyFile(session.of(context).settings.data_dir).hashed,
            )

    told = session.run(work())
    if json:
        print_json(
            {
                **told._asdict(),
                "at": iso(told.at),
                "next_at": iso(told.next_at),
                "verdicts": [{**verdict._asdict(), "until": iso(verdict.until)} for verdict in told.verdicts],
            }
        )
    else:
        _show(told)
    raise typer.Exit(0 if told.may else 1)


def _show(told: Explanation) -> None:
    for verdict in told.verdicts:
        until = "" if verdict.until is None else f" Until {_utc(verdict.until)}."
        say(f"{'yes' if verdict.allowed else 'no':<3}  {verdict.rule}: {verdict.sentence}{until}")
        say(f"     from {verdict.source}")
    answer = "may be texted" if told.may else "may not be texted"
    say(f"{told.number} {answer} by {told.skill} at {_utc(told.at)}.")
    if not told.may and told.next_at is not None:
        say(f"It may be from {_utc(told.next_at)} on.")
    elif not told.may:
        say("It may not be until something else than the time changes.")


def _utc(moment: Micros) -> str:
    return f"{to_datetime(moment):%Y-%m-%d %H:%M:%S} UTC"


def _moment(text: str) -> Micros:
    fix = "Write it as 2026-07-04T19:30-04:00, or with Z for UTC."
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no moment.", where="--at", fix=fix) from None
    if read.tzinfo is None:
        raise Invalid(f"{text!r} does not say of which time zone.", where="--at", fix=fix)
    return from_datetime(read)
