"""`todoke send`: text a list, or one number, at once, without a stored template."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json, Watch
from todoke.cli.started import tell, tell_one
from todoke.model.declared_hours import RULE_PACK
from todoke.model.errors import Invalid


def register(app: typer.Typer) -> None:
    app.command("send")(send)


def send(
    context: typer.Context,
    text: Annotated[str, typer.Option(help="The text; {FirstName} and other fields of a list are filled in.")],
    calling_list: Annotated[
        str | None, typer.Option("--list", metavar="LIST", help="The list whose contacts get it.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="NUMBER", help="Or the one number that gets it.")] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="The transport code; needed where there are several.")
    ] = None,
    window: Annotated[
        str, typer.Option(metavar="HH:MM-HH:MM", help="Calling window in the contact's own time.")
    ] = "08:00-21:00",
    rule_pack: Annotated[
        str | None, typer.Option(metavar="auto|none|US-TX", help="Rules of places; else the business unit's.")
    ] = None,
    phone_type: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the one number, where hours are declared by phone type.")
    ] = None,
    watch: Watch = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Text every contact of a list, or one number, at once."""
    from todoke.model import calling_window
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner.single import send_text
    from todoke.pipeline.planner.start import start_text
    from todoke.service.rules import load

    if (calling_list is None) == (to is None):
        raise Invalid("Say who gets it: a list or a number.", fix="Give --list or --to, and not both.")
    if watch and to is not None:
        raise Invalid("One text is not watched.", fix="Leave out --watch, or look with todoke run show.")
    if phone_type is not None and to is None:
        raise Invalid("A list says itself of which phone types its numbers are.", fix="Leave out --phone-type.")
    hours = calling_window.parse(window)
    if rule_pack is not None and not re.fullmatch(RULE_PACK, rule_pack):
        raise Invalid(f"{rule_pack!r} is no rule pack.", fix="Use auto, none, or a jurisdiction such as US-TX.")

    async def work() -> None:
        async with session.of(context).store() as store:
            if to is not None:
                posted = await send_text(
                    store,
                    business_unit=business_unit,
                    code=code,
                    to=to,
                    text=text,
                    window=hours,
                    now=SystemClock().now(),
                    rule_pack=rule_pack,
                    rulebook=load(session.of(context).settings.rules_dir),
                    phone_type=phone_type,
                )
                tell_one(posted, json=json)
                return
            assert calling_list is not None
            started = await start_text(
                store,
                business_unit=business_unit,
                code=code,
                calling_list=calling_list,
                text=text,
                window=hours,
                now=SystemClock().now(),
                rule_pack=rule_pack,
                rulebook=load(session.of(context).settings.rules_dir),
            )
            await tell(store, started, business_unit, watch=watch, json=json)

    session.run(work())
