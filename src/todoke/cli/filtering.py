"""`todoke skill filter`, `todoke skill preview`, `todoke list count`: which contacts a filter wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import print_json, say, warn
from todoke.store.hot.selecting import Apply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from todoke.pipeline.planner.choosing import Counted
    from todoke.store.store import Store

Filter: TypeAlias = Annotated[
    str | None, typer.Option("--filter", metavar="FILTER", help='Which contacts; "" for all. See docs/filters.md.')
]
Order: TypeAlias = Annotated[
    list[str] | None, typer.Option("--order", metavar="KEY", help='Such as "Score desc"; repeat it for more keys.')
]


def keys(order: list[str] | None) -> list[str] | None:
    """None where the option was not given; an empty key takes the order away."""
    return [key for key in order if key.strip()] if order else None


def filter_skill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL")],
    wanted: Filter = None,
    order: Order = None,
    apply: Annotated[
        Apply, typer.Option(help="What becomes of runs that are on their way: see docs/filters.md.")
    ] = Apply.NONE,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Give a skill another filter or order; with --apply its open runs, too."""
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner import refiltering
    from todoke.pipeline.planner.refiltering import Refiltered

    async def work() -> Refiltered:
        async with session.of(context).store() as store:
            return await refiltering.filter_skill(
                store,
                business_unit=business_unit,
                skill=name,
                wanted=wanted,
                order=keys(order),
                apply=apply,
                now=SystemClock().now(),
            )

    done = session.run(work())
    if json:
        print_json(done)
        return
    say(f"filter: {done.filter or 'none, all contacts'}")
    say(f"order: {', '.join(done.order) or 'that of the list'}")
    for run in done.runs:
        say(f"run {run}: its rest is selected anew{'; it is paused until then' if done.paused else ''}")


def preview_skill(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL")],
    calling_list: Annotated[
        str, typer.Option("--list", metavar="LIST", help="The list that it would be started over.")
    ],
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """How many contacts of a list a skill's filter wants."""
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner.choosing import count_of_skill

    now = SystemClock().now()
    _count(
        context,
        lambda store: count_of_skill(
            store, business_unit=business_unit, skill=name, calling_list=calling_list, now=now
        ),
        json=json,
    )


def count_list(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="LIST")],
    wanted: Annotated[str, typer.Option("--filter", metavar="FILTER", help="Which contacts; see docs/filters.md.")],
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """How many contacts of a list a filter wants: an estimate at once where it is long, then the exact number."""
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner.choosing import count_wanted

    now = SystemClock().now()
    _count(
        context,
        lambda store: count_wanted(store, business_unit=business_unit, calling_list=name, wanted=wanted, now=now),
        json=json,
    )


def _count(context: typer.Context, counting: Callable[[Store], AsyncIterator[Counted]], *, json: bool) -> None:
    async def work() -> Counted | None:
        last: Counted | None = None
        async with session.of(context).store() as store:
            async for counted in counting(store):
                if last is None and not counted.complete:
                    warn(f"about {counted.estimate:,} of {counted.contacts:,} contacts; they are being counted")
                last = counted
        return last

    last = session.run(work())
    assert last is not None
    if json:
        print_json({"wanted": last.wanted, "contacts": last.contacts})
        return
    say(f"{last.wanted:,} of {last.contacts:,} contacts")
