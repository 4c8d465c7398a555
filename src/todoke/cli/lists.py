"""`todoke list`: the calling lists that were imported."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from todoke.cli import session
from todoke.cli.filtering import count_list
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import answer, iso, local, print_json, print_table, say
from todoke.model.errors import Invalid, sentence_of

if TYPE_CHECKING:
    from todoke.model.clock import Micros
    from todoke.store.catalogue.lists import ListRow
    from todoke.store.catalogue.units import Unit
    from todoke.store.store import Store

T = TypeVar("T")

app = typer.Typer(help="Calling lists: the contacts that were imported.", no_args_is_help=True)
app.command("count")(count_list)
Name = Annotated[str, typer.Argument(metavar="LIST")]


@app.command("list")
def every(
    context: typer.Context,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted and can be restored.")] = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """The lists of a business unit, the newest first."""
    from todoke.store.catalogue import lists, units

    async def work() -> list[ListRow]:
        async with session.of(context).store() as store, store.reading() as connection:
            return await lists.every(connection, await units.only(connection, business_unit), deleted=deleted)

    rows = session.run(work())
    if json:
        print_json([_as_json(row) for row in rows])
        return
    table = [(row.name, _state(row), row.contacts, row.rejected, row.source, local(row.created_at)) for row in rows]
    headers = ["list", "state", "contacts", "rejected", "source", "created"]
    print_table(headers, table, empty="There is no list. Import one with todoke import FILE --list NAME.")


@app.command("show")
def show(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """A list: its merge fields, its contacts, its rejected rows by reason."""
    from todoke.store.catalogue import list_counts, lists, units
    from todoke.store.catalogue.list_counts import ListCounts

    async def work() -> tuple[ListRow, dict[str, int], ListCounts]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            row = await lists.find(connection, unit, name)
            counts = await list_counts.count(connection, unit, row)
            return row, await lists.rejections(connection, unit, row.id), counts

    row, rejections, counts = session.run(work())
    if json:
        print_json({**_as_json(row), "rejections": rejections, "counts": counts})
        return
    say(f"{row.name}: {row.contacts:,} contacts from {row.source}, {_state(row)}")
    say(f"merge fields: {', '.join(f'{{{field}}}' for field in row.fields) or 'none'}")
    say(f"phone types: {_phone_types(row)}")
    said = f"{counts.total:,} rows: {counts.valid:,} valid, {counts.invalid:,} invalid"
    say(f"{said}; {row.appended:,} appended later; {counts.finalized:,} finalized")
    if row.expires_at is not None:
        say(f"expires {local(row.expires_at)}")
    if counts.skills:
        table = [
            (one.skill, one.run, one.fresh, f"{one.retried:,}{'+' if one.at_least else ''}", one.finalized)
            for one in counts.skills
        ]
        print_table(["skill", "run", "fresh", "retried", "finalized"], table, empty="")
    _reasons(row, rejections)


@app.command("add")
def add(
    context: typer.Context,
    name: Name,
    fields: Annotated[
        list[str], typer.Option("--field", metavar="NAME=VALUE", help="A field of the contact; as often as needed.")
    ],
    region: Annotated[
        str | None, typer.Option(metavar="JP", help="Country of numbers without a country code; else the list's.")
    ] = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Append a contact to a list. Runs that are under way do not see it; the next ones do."""
    from todoke.service.list_updates import add as append

    record: dict[str, str] = {}
    for pair in fields:
        field, separator, value = pair.partition("=")
        if not separator or not field:
            raise Invalid(f"{pair!r} does not give a field a value.", where="--field", fix="Write NAME=VALUE.")
        record[field] = value
    (done,) = _do(
        context,
        business_unit,
        lambda store, unit: append(store, unit, name, [record], now=_now(), default_region=region),
    )
    if done.position is None:
        refused = sentence_of(f"the contact was refused ({done.reason}): {done.detail}")
        raise Invalid(refused, where=f"list {name!r}")
    sentence = f"{name}: added at position {done.position:,}"
    answer({"list": name, "position": done.position}, sentence, json=json)


@app.command("activate")
def activate(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """Skills can be started over it, and its paused runs can be resumed."""
    from todoke.store.lists import life

    _do(context, business_unit, lambda store, unit: life.activate(store, unit, name))
    sentence = f"{name}: active; its paused runs wait for todoke run resume"
    answer({"list": name, "active": True}, sentence, json=json)


@app.command("deactivate")
def deactivate(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """Nobody on it is texted: its runs are paused, and none can be started or resumed."""
    from todoke.store.lists import life

    paused = _do(context, business_unit, lambda store, unit: life.deactivate(store, unit, name, _now()))
    sentence = f"{name}: inactive" + "".join(f"; run {run} is paused" for run in paused)
    answer({"list": name, "active": False, "paused": paused}, sentence, json=json)


@app.command("expire")
def expire(
    context: typer.Context,
    name: Name,
    days: Annotated[int | None, typer.Option("--days", min=0, max=36_500, help="So many days from now.")] = None,
    never: Annotated[bool, typer.Option("--never", help="It does not expire.")] = False,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Give a list another end: no skill can be started over it from then on."""
    from todoke.model.clock import HOUR
    from todoke.store.lists import life

    if (days is None) != never:
        raise Invalid("When does it expire?", where="--days", fix="Give --days N, or --never.")
    at = None if days is None else _now() + days * 24 * HOUR
    _do(context, business_unit, lambda store, unit: life.expire(store, unit, name, at))
    sentence = f"{name}: {'does not expire' if at is None else f'expires {local(at)}'}"
    answer({"list": name, "expires_at": iso(at)}, sentence, json=json)


@app.command("delete")
def delete(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """Delete a list. It can be restored for ten days; then its contacts are gone. Reports of its runs stay."""
    from todoke.store.lists import life

    now = _now()
    _do(context, business_unit, lambda store, unit: life.delete(store, unit, name, now))
    sentence = f"{name}: deleted; for ten days todoke list restore brings it back"
    answer({"list": name, "restorable_until": iso(now + life.KEPT)}, sentence, json=json)


@app.command("restore")
def restore(
    context: typer.Context,
    name: Name,
    as_name: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Another name, if it is taken.")] = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Bring back the list of that name that was deleted last."""
    from todoke.store.lists import life

    row = _do(context, business_unit, lambda store, unit: life.restore(store, unit, name, _now(), as_name=as_name))
    answer(_as_json(row), f"{row.name}: {row.contacts:,} contacts, {_state(row)}", json=json)


@app.command("rejected")
def rejected(context: typer.Context, name: Name, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """How many rows of the file did not become contacts, why, and where they are kept."""
    from todoke.cli.files import REJECTED

    row, rejections = _find(context, name, business_unit)
    folder = session.of(context).settings.data_dir / REJECTED
    files = sorted(folder.glob(f"*-{row.id}-rejected.*"))
    kept = next((file for file in files if ".part" not in file.suffixes), None)
    if json:
        print_json({"rejected": row.rejected, "rejections": rejections, "rejects_path": kept})
        return
    _reasons(row, rejections)
    if kept is not None:
        say(f"rejected rows, to be corrected and imported again: {kept}")


@app.command("cap")
def cap(
    context: typer.Context,
    name: Name,
    cap: Annotated[
        str | None, typer.Argument(metavar="CAP", help='Such as "2 in 30 days"; without it: lift it.')
    ] = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Cap the texts to one number of a list, by all skills. Runs that are on their way keep to it at once."""
    from todoke.store.catalogue import caps, lists, units

    async def work() -> str | None:
        async with session.of(context).store() as store, store.writing() as connection:
            unit = await units.only(connection, business_unit)
            row = await lists.find(connection, unit, name)
            return await caps.set_list(connection, unit, row.id, cap)

    said = session.run(work())
    sentence = f"{name}: no frequency cap" if said is None else f"{name}: at most {said} to one number"
    answer({"list": name, "cap": said}, sentence, json=json)


def _do(context: typer.Context, business_unit: str | None, work: Callable[[Store, Unit], Coroutine[Any, Any, T]]) -> T:
    """Do something to a list of the business unit."""
    from todoke.store.catalogue import units

    async def do() -> T:
        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            return await work(store, unit)

    return session.run(do())


def _now() -> Micros:
    from todoke.model.clock import SystemClock

    return SystemClock().now()


def _phone_types(row: ListRow) -> str:
    """The names by which hours may be declared for them."""
    if row.phone_names is None:
        return "not known: it was imported before they were kept"
    return ", ".join(f"{field} ({', '.join(names)})" if names else field for field, names in row.phone_names.items())


def _state(row: ListRow) -> str:
    return row.state if row.active else f"{row.state}, inactive"


def _find(context: typer.Context, name: str, business_unit: str | None) -> tuple[ListRow, dict[str, int]]:
    from todoke.store.catalogue import lists, units

    async def work() -> tuple[ListRow, dict[str, int]]:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            row = await lists.find(connection, unit, name)
            return row, await lists.rejections(connection, unit, row.id)

    return session.run(work())


def _reasons(row: ListRow, rejections: dict[str, int]) -> None:
    from todoke.cli.reporting import rejection

    table = [(count, rejection(code), code) for code, count in rejections.items()]
    print_table(["rejected", "because", "code"], table, empty=f"No row of {row.source} was rejected.")


def _as_json(row: ListRow) -> dict[str, Any]:
    facts = {key: value for key, value in row._asdict().items() if key != "id"}
    return {
        **facts,
        "created_at": iso(row.created_at),
        **{key: iso(facts[key]) for key in ("imported_at", "expires_at", "deleted_at")},
    }
