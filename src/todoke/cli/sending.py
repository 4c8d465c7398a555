"""`todoke send`: text a list at once, without a stored template."""

from __future__ import annotations

from typing import Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json, Watch
from todoke.cli.started import tell


def register(app: typer.Typer) -> None:
    app.command("send")(send)


def send(
    context: typer.Context,
    calling_list: Annotated[str, typer.Option("--list", metavar="LIST", help="The list whose contacts get it.")],
    text: Annotated[str, typer.Option(help="The text; {FirstName} and other fields of the list are filled in.")],
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="The transport code; needed where there are several.")
    ] = None,
    window: Annotated[
        str, typer.Option(metavar="HH:MM-HH:MM", help="Calling window in the contact's own time.")
    ] = "08:00-21:00",
    watch: Watch = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Text every contact of a list at once."""
    from todoke.model import calling_window
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner.start import start_text

    hours = calling_window.parse(window)

    async def work() -> None:
        async with session.of(context).store() as store:
            started = await start_text(
                store,
                business_unit=business_unit,
                code=code,
                calling_list=calling_list,
                text=text,
                window=hours,
                now=SystemClock().now(),
            )
            await tell(store, started, business_unit, watch=watch, json=json)

    session.run(work())
