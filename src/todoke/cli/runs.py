"""`todoke run`: see runs, pause and stop them."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json, RunId
from todoke.cli.output import iso, local, print_json, print_table, say
from todoke.model.run import OPEN, RunEvent

if TYPE_CHECKING:
    from todoke.store.catalogue.runs import RunRow, Selected
    from todoke.store.catalogue.waiting import Waiting

app = typer.Typer(help="Runs: a skill on its way through a list.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(metavar="WORDS", help="Kept with the run's history.")]


@app.command("list")
def every(
    context: typer.Context,
    only_open: Annotated[bool, typer.Option("--open", help="Only runs that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most, the newest first.")] = 50,
    standing: Annotated[
        bool, typer.Option("--standing", help="Those that carry single messages: confirmations, answers, texts.")
    ] = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """The runs of a business unit, the newest first."""
    from todoke.model.event import State
    from todoke.store.catalogue import runs, units
    from todoke.store.catalogue.runs import Progress

    async def work() -> list[tuple[RunRow, Progress]]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            rows = await runs.every(
                connection, unit, states=OPEN if only_open else None, limit=limit, standing=standing
            )
            return [(row, await runs.progress(connection, unit, row.id)) for row in rows]

    found = session.run(work())
    if json:
        print_json([_as_json(row, progress) for row, progress in found])
        return
    print_table(
        ["run", "skill", "list", "state", "contacts", "handed over", "in doubt", "waiting", "started"],
        [
            (
                row.id,
                row.skill,
                row.calling_list,
                row.state.value,
                row.contacts,
                progress.handed_over,
                progress.messages(State.IN_DOUBT),
                progress.waiting,
                local(row.started_at),
            )
            for row, progress in found
        ],
        empty="There is no run. Start one with todoke skill start.",
    )


@app.command("show")
def show(context: typer.Context, run: RunId, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """A run, how far it is, and what happened to it."""
    from todoke.model.clock import SystemClock
    from todoke.store.catalogue import allowances, runs, units
    from todoke.store.catalogue.allowances import UsedUp
    from todoke.store.catalogue.runs import Progress, Transition
    from todoke.store.catalogue.waiting import waiting

    async def work() -> tuple[RunRow, Progress, list[Transition], list[UsedUp], Waiting | None, Selected | None]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            row = await runs.find(connection, unit, run)
            progress = await runs.progress(connection, unit, run)
            waits, now = row.state in OPEN and progress.waiting, SystemClock().now()
            caps = await allowances.used_up(connection, unit, run, now) if waits else []
            later = await waiting(connection, row, now) if waits else None
            selected = await runs.selection_of(connection, row)
            return row, progress, await runs.transitions(connection, unit, run), caps, later, selected

    row, progress, history, caps, later, selected = session.run(work())
    if json:
        steps = [{**step._asdict(), "at": iso(step.at)} for step in history]
        used_up = [{**cap._asdict(), "until": iso(cap.until)} for cap in caps]
        wait = later and {
            **later._asdict(),
            "first": iso(later.first),
            "last": iso(later.last),
            "phone": _number(later),
        }
        facts = {"text": row.body, "history": steps, "caps_used_up": used_up, "later": wait, "selection": selected}
        print_json({**_as_json(row, progress), **facts})
        return
    say(f"run {row.id}: {row.skill} over {row.calling_list}, {row.state.value}")
    say(f"text: {row.body}")
    say(f"from {row.transport_code}, {row.rate:g} segments a second at most")
    if selected is not None:
        _tell(selected)
    counts = {state: count for state, count in _counts(progress).items() if count}
    print_table(["contacts", *counts], [(progress.contacts, *counts.values())], empty="")
    for cap in caps:
        whose = f"{cap.kind.value.replace('_', ' ')} {cap.name}"
        say(f"it waits: {whose} has had its {cap.cap:,} segments of the day; the next begins {local(cap.until)}")
    if later is not None:
        _tell_later(row, later)
    for step in history:
        was = f"{step.old} -> " if step.old else ""
        say(f"{local(step.at)}  {was}{step.new}{f' ({step.reason})' if step.reason else ''}")


@app.command("pause")
def pause(context: typer.Context, run: RunId, reason: Reason = "", business_unit: BusinessUnit = None) -> None:
    """Hand over nothing more until it is resumed."""
    _control(context, run, RunEvent.PAUSE, reason, business_unit)


@app.command("resume")
def resume(context: typer.Context, run: RunId, reason: Reason = "", business_unit: BusinessUnit = None) -> None:
    """Go on with a paused run."""
    _control(context, run, RunEvent.RESUME, reason, business_unit)


@app.command("stop")
def stop(
    context: typer.Context,
    run: RunId,
    force: Annotated[bool, typer.Option("--force", help="Withdraw also what is about to be sent.")] = False,
    reason: Reason = "",
    business_unit: BusinessUnit = None,
) -> None:
    """End a run: what was not handed over is never sent."""
    _control(context, run, RunEvent.FORCE_STOP if force else RunEvent.STOP, reason, business_unit)


@app.command("watch")
def watch(context: typer.Context, run: RunId, business_unit: BusinessUnit = None) -> None:
    """Show a run's progress until it ends."""
    from todoke.cli.watching import watch_run
    from todoke.store.catalogue import units

    async def work() -> None:
        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            await watch_run(store, unit, run)

    session.run(work())


def _tell(selected: Selected) -> None:
    if selected.filter is not None:
        say(f"filter: {selected.filter}")
    if selected.order:
        say(f"order: {', '.join(selected.order)}")
    if selected.state == "making":
        say(f"its contacts are being selected: {selected.read:.0%} of the list is looked at")


def _tell_later(row: RunRow, later: Waiting) -> None:
    more = "more than " if later.more else ""
    until = local(later.first) if later.first == later.last else f"{local(later.first)} to {local(later.last)}"
    wait = "message waits" if later.messages == 1 else "messages wait"
    say(f"{more}{later.messages:,} {wait} until {until}: calling window, cap, suppression or next attempt")
    number = _number(later) or "NUMBER"
    say(f"why, of one of them: todoke why {number} --skill {quote(row.skill)} --list {quote(row.calling_list)}")


def _number(later: Waiting) -> str | None:
    return None if later.phone is None else f"+{later.phone}"


def _control(context: typer.Context, run: int, event: RunEvent, reason: str, business_unit: str | None) -> None:
    from todoke.model.clock import SystemClock
    from todoke.model.run import RunState
    from todoke.store.catalogue import runs, units

    async def work() -> RunState:
        async with session.of(context).store() as store:
            async with store.reading() as connection:
                found = await runs.find(connection, await units.only(connection, business_unit), run)
            return await store.hot.control_run(found.bucket, found.id, event, reason, SystemClock().now())

    say(f"run {run}: {session.run(work()).value}")


def _counts(progress: Any) -> dict[str, int]:
    from todoke.model.event import State

    return {
        **{state.value: progress.messages(state) for state in State if state is not State.WAITING},
        "waiting": progress.waiting,
    }


def _as_json(row: Any, progress: Any) -> dict[str, Any]:
    return {
        "run": row.id,
        "skill": row.skill,
        "campaign": row.campaign,
        "calling_list": row.calling_list,
        "transport_code": row.transport_code,
        "state": row.state.value,
        "standing": row.standing,
        "contacts": row.contacts,
        **_counts(progress),
        "segments": progress.segments,
        "started_at": iso(row.started_at),
        "expires_at": iso(row.expires_at),
        "ended_at": iso(row.ended_at),
    }
