"""`todoke suppress`: contacts that are skipped for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, iso, local, print_json, print_table
from todoke.cli.phones import phone_of, user
from todoke.model.errors import Invalid

if TYPE_CHECKING:
    from todoke.model.clock import Micros
    from todoke.store.catalogue.suppressions import Suppression, Whom
    from todoke.store.catalogue.units import Unit

app = typer.Typer(help="Suppressions: contacts that are skipped for a while.", no_args_is_help=True)

Numbers = Annotated[list[str] | None, typer.Argument(metavar="NUMBER...", help="Such as +15551234567.")]
ExternalIds = Annotated[
    list[str] | None,
    typer.Option("--external-id", metavar="ID", help="A contact by its external id; may be given several times."),
]
SkillName = Annotated[str | None, typer.Option("--skill", metavar="NAME", help="For this skill; else for all.")]


@app.command("add")
def add(
    context: typer.Context,
    numbers: Numbers = None,
    external_id: ExternalIds = None,
    duration: Annotated[str, typer.Option("--for", metavar="SPAN", help="Such as 24h or 7d; 90d at most.")] = "24h",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the record.")] = "",
    skill: SkillName = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Skip these contacts until the span is over; then they are texted, if their runs still go."""
    from todoke.model import expiry
    from todoke.model.clock import HOUR, SystemClock
    from todoke.store.catalogue import skills, suppressions, units

    span = expiry.span(duration)
    if span is None:
        raise Invalid(f"{duration!r} is no span of time.", where="--for", fix="Write it as 24h or 7d.")

    async def work() -> tuple[int, Micros]:
        async with session.of(context).store() as store:
            async with store.writing() as connection:
                unit = await units.only(connection, business_unit)
                whom = _whom(unit, numbers, external_id)
                of_skill = (await skills.find(connection, unit, skill)).id if skill is not None else None
                until = await suppressions.add(
                    connection,
                    unit,
                    whom,
                    reason=reason,
                    who=user(),
                    now=SystemClock().now(),
                    hours=span / HOUR,
                    skill_id=of_skill,
                )
            return len(whom), until

    count, until = session.run(work())
    document = {"suppressed": count, "expires_at": iso(until)}
    answer(document, f"{count:,} suppressed until {local(until)}", json=json)


@app.command("list")
def every(
    context: typer.Context,
    ended: Annotated[bool, typer.Option("--all", help="Those that are over, too, the newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 1000,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Who is suppressed, until when, by whom and why."""
    from todoke.model.clock import SystemClock
    from todoke.store.catalogue import suppressions, units

    async def work() -> list[Suppression]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            return await suppressions.every(connection, unit, SystemClock().now(), ended=ended, limit=limit)

    rows = session.run(work())
    if json:
        print_json(
            [
                {
                    **{key: value for key, value in row._asdict().items() if key != "id"},
                    "phone": None if row.phone is None else f"+{row.phone}",
                    **{key: iso(getattr(row, key)) for key in ("created_at", "expires_at", "ended_at")},
                }
                for row in rows
            ]
        )
        return
    table = [
        (
            f"+{row.phone}" if row.phone is not None else row.external_id,
            *(row.skill or "all", local(row.expires_at), row.who, row.reason),
            f"{local(row.ended_at)} by {row.ended_by}" if row.ended_at is not None else "",
        )
        for row in rows
    ]
    print_table(["contact", "skill", "until", "who", "why", "ended"], table, empty="Nobody is suppressed.")


@app.command("remove")
def remove(
    context: typer.Context,
    numbers: Numbers = None,
    external_id: ExternalIds = None,
    skill: SkillName = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """End suppressions before their time."""
    from todoke.model.clock import SystemClock
    from todoke.store.catalogue import skills, suppressions, units

    async def work() -> int:
        async with session.of(context).store() as store, store.writing() as connection:
            unit = await units.only(connection, business_unit)
            of_skill = (await skills.find(connection, unit, skill)).id if skill is not None else None
            now = SystemClock().now()
            return sum(
                [
                    await suppressions.end(connection, unit, one, who=user(), now=now, skill_id=of_skill)
                    for one in _whom(unit, numbers, external_id)
                ]
            )

    ended = session.run(work())
    answer({"ended": ended}, f"{ended:,} ended", json=json)


def _whom(unit: Unit, numbers: list[str] | None, external_ids: list[str] | None) -> list[Whom]:
    from todoke.store.catalogue.suppressions import Whom

    by_phone = [Whom(phone=phone_of(number, unit.default_region, number)) for number in numbers or []]
    found = [*by_phone, *(Whom(external_id=id_) for id_ in external_ids or [])]
    if not found:
        raise Invalid("There is nobody.", fix="Give numbers, or external ids with --external-id.")
    return found
