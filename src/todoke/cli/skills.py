"""`todoke skill`: what can be started, and starting it."""

from __future__ import annotations

from typing import Annotated

import typer

from todoke.cli import session
from todoke.cli.filtering import Filter, Order, filter_skill, keys, preview_skill
from todoke.cli.options import BusinessUnit, Json, Watch
from todoke.cli.output import print_json, print_table, say
from todoke.cli.started import tell

app = typer.Typer(help="Skills: what is started over a calling list.", no_args_is_help=True)
app.command("filter")(filter_skill)
app.command("preview")(preview_skill)


@app.command("list")
def every(context: typer.Context, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """The skills of a business unit."""
    from todoke.store.catalogue import skills, units
    from todoke.store.catalogue.skills import SkillRow

    async def work() -> list[SkillRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            return await skills.every(connection, await units.only(connection, business_unit))

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    print_table(
        ["skill", "campaign", "code", "template", "window"],
        [(row.name, row.campaign, row.transport_code, row.template, row.schedule) for row in rows],
        empty="There is no skill yet. Declare one under [[skill]] and run todoke apply.",
    )


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL")],
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """A skill with its text."""
    from todoke.store.catalogue import skills, templates, units
    from todoke.store.catalogue.skills import SkillRow
    from todoke.store.catalogue.templates import TemplateRow

    async def work() -> tuple[SkillRow, TemplateRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            skill = await skills.find(connection, unit, name)
            return skill, await templates.find(connection, unit, skill.template)

    skill, template = session.run(work())
    facts = {**_as_json(skill), "template_version": template.version, "text": template.body}
    if json:
        print_json(facts)
        return
    for key, value in facts.items():
        say(f"{key.replace('_', ' ')}: {'as the business unit' if value is None else value}")


@app.command("start")
def start(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL")],
    calling_list: Annotated[str, typer.Option("--list", metavar="LIST", help="The list whose contacts get it.")],
    text: Annotated[str | None, typer.Option(help="Send this text in place of the skill's template.")] = None,
    wanted: Filter = None,
    order: Order = None,
    watch: Watch = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Start a skill over a calling list: a new run, which the engine begins at once."""
    from todoke.model.clock import SystemClock
    from todoke.pipeline.planner.start import start_skill
    from todoke.service.rules import load

    async def work() -> None:
        async with session.of(context).store() as store:
            started = await start_skill(
                store,
                business_unit=business_unit,
                skill=name,
                calling_list=calling_list,
                text=text,
                wanted=wanted,
                order=keys(order),
                now=SystemClock().now(),
                rulebook=load(session.of(context).settings.rules_dir),
            )
            await tell(store, started, business_unit, watch=watch, json=json)

    session.run(work())


@app.command("estimate")
def estimate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SKILL")],
    calling_list: Annotated[str, typer.Option("--list", metavar="LIST", help="The list whose contacts would get it.")],
    text: Annotated[str | None, typer.Option(help="Measure this text in place of the skill's template.")] = None,
    wanted: Filter = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """What a skill would do with a calling list: who is texted, segments, cost and time. Nothing is sent."""
    from todoke.cli import estimates
    from todoke.model.clock import SystemClock
    from todoke.model.estimate import Estimate
    from todoke.pipeline.planner.estimating import estimate_skill
    from todoke.service.rules import load

    async def work() -> Estimate:
        async with session.of(context).store() as store:
            with estimates.counting() as progress:
                return await estimate_skill(
                    store,
                    business_unit=business_unit,
                    skill=name,
                    calling_list=calling_list,
                    text=text,
                    wanted=wanted,
                    now=SystemClock().now(),
                    rulebook=load(session.of(context).settings.rules_dir),
                    progress=progress,
                )

    found = session.run(work())
    if json:
        print_json(estimates.as_json(found))
        return
    estimates.show(found)


def _as_json(row: object) -> dict[str, object]:
    from todoke.store.catalogue.skills import SkillRow

    assert isinstance(row, SkillRow)
    hidden = ("id", "transport_code_id", "template_id", "window_start", "window_end", "hours", "ordering")
    facts = {key: value for key, value in row._asdict().items() if key not in hidden}
    return {**facts, "window": row.schedule, "order": list(row.order)}
