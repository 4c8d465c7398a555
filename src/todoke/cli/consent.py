"""`todoke consent`: what people agreed to, with the evidence."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from todoke.cli import session
from todoke.cli.files import REJECTED, bar_shown, incoming
from todoke.cli.options import BusinessUnit, Delimiter, Encoding, Json, Quote, Sheet
from todoke.cli.output import answer, iso, local, print_json, print_table, say
from todoke.cli.phones import Region, phone_of
from todoke.model.clock import Micros, SystemClock, from_datetime, to_datetime
from todoke.model.errors import Invalid, sentence_of

if TYPE_CHECKING:
    from todoke.store.consents.reading import Entry, ReplyRow

app = typer.Typer(help="Consent: what people agreed to, with the evidence.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Such as +15551234567.")]


class Form(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def _text(help: str) -> Any:
    return typer.Option(metavar="TEXT", help=help)


@app.command("add")
def add(
    context: typer.Context,
    number: Number,
    kind: Annotated[str, typer.Option(metavar="KIND", help="express_written, express, soft_opt_in or implied.")] = "",
    revoke: Annotated[bool, typer.Option("--revoke", help="A revocation, not a consent.")] = False,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 2026-01-31T17:30:00+09:00; now, if left out.")
    ] = None,
    zone: Annotated[str, typer.Option(metavar="ZONE", help="The zone of the times, such as Asia/Tokyo.")] = "",
    seller: Annotated[str, _text("To whom: the seller or brand.")] = "",
    programme: Annotated[str, _text("For which programme.")] = "",
    purpose: Annotated[str, _text("For which purpose, such as marketing.")] = "",
    channel: Annotated[str, _text("sms, if left out.")] = "sms",
    disclosure: Annotated[str, _text("The exact text that was shown.")] = "",
    disclosure_file: Annotated[Path | None, typer.Option(metavar="FILE", help="The same, in a file.")] = None,
    version: Annotated[str, _text("The version of that text.")] = "",
    signed: Annotated[str, _text("How: checkbox, keyword, voice, paper.")] = "",
    source: Annotated[str, _text("Where: url, form, keyword, agent, message.")] = "",
    reference: Annotated[str, _text("Which one.")] = "",
    double_opt_in: Annotated[str, _text("What confirmed it.")] = "",
    jurisdiction: Annotated[str, _text("Whose law, such as US-FL.")] = "",
    expires: Annotated[str, typer.Option(metavar="TIME", help="When it lapses.")] = "",
    method: Annotated[str, _text("How it was revoked: reply, call, letter.")] = "",
    words: Annotated[str, _text("The words of the revocation, as they came.")] = "",
    scope: Annotated[str, _text("What the revocation was meant for.")] = "",
    confirmation: Annotated[str, _text("The id of its confirmation.")] = "",
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Record one consent or revocation. The ledger is append-only: what is recorded stays."""
    if disclosure_file is not None:
        disclosure = _read(disclosure_file)
    clock = SystemClock()
    now = clock.now()
    row = {
        "number": number,
        "act": "revoked" if revoke else "given",
        "kind": kind,
        "at": at if at is not None else to_datetime(now).isoformat(),
        "zone": zone or ("" if at is not None else "UTC"),
        "seller": seller,
        "programme": programme,
        "purpose": purpose,
        "channel": channel,
        "disclosure": disclosure,
        "version": version,
        "signed": signed,
        "source": source,
        "reference": reference,
        "double_opt_in": double_opt_in,
        "jurisdiction": jurisdiction,
        "expires": expires,
        "method": method,
        "words": words,
        "scope": scope,
        "confirmation": confirmation,
    }

    async def work() -> int:
        from todoke.pipeline.intake.consents.rows import BadRow, read
        from todoke.sms.phone import Parser
        from todoke.store.catalogue import units
        from todoke.store.consents import writing

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            parser = Parser(unit.default_region)
            try:
                record = read(row, lambda raw: parser.parse(raw).e164, now)
            except BadRow as error:
                where = "NUMBER" if error.column == "number" else f"--{error.column.replace('_', '-')}"
                raise Invalid(sentence_of(str(error)), where=where) from None
            return await writing.add(store, unit, [record], now)

    added = session.run(work())
    recorded = "revocation recorded" if revoke else "consent recorded"
    document = {"added": added, "known": 1 - added}
    answer(document, recorded if added else "it is in the ledger already", json=json)


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Of any form, as lists are; - for standard input.")],
    zone: Annotated[str, typer.Option(metavar="ZONE", help="Of moments that say none.")] = "",
    region: Region = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    quote: Quote = None,
    sheet: Sheet = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """Add a file of consents; its first line names the columns. Repeating it adds nothing twice.

    Rows that are wrong are written to a file with line and reason, to be corrected and imported again.
    """
    from todoke.pipeline.intake.consents.importing import ImportedConsents, Reading, import_consents
    from todoke.store.catalogue import units

    here = session.of(context)
    reading = Reading(encoding, delimiter, quote, sheet, region, zone)

    async def work(path: Path) -> ImportedConsents:
        async with here.store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            rejects_dir = here.settings.data_dir / REJECTED
            with bar_shown() as report:
                return await import_consents(
                    store, unit, path, reading, rejects_dir=rejects_dir, now=SystemClock().now(), report=report
                )

    with incoming(file, here.settings.data_dir) as path:
        done = session.run(work(path))
    if json:
        print_json({name: getattr(done, name) for name in done.__slots__})
        return
    say(f"{done.added:,} recorded, {done.known:,} in the ledger already, {done.rejected:,} rows rejected")
    if done.reasons:
        rows = [(count, _because(code), code) for code, count in done.reasons.items()]
        print_table(["rejected", "because", "code"], rows, empty="")
    if done.rejects_path is not None:
        say(f"rejected rows, to be corrected and imported again: {done.rejects_path}")


def _because(code: str) -> str:
    from todoke.cli.reporting import rejection
    from todoke.pipeline.intake.consents.rows import FAULTS

    return FAULTS.get(code) or rejection(code)


@app.command("export")
def export(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Else standard output.")] = None,
    form: Annotated[Form, typer.Option("--format", help="csv or jsonl.")] = Form.CSV,
    number: Annotated[str | None, typer.Option("--number", metavar="NUMBER", help="Only of this number.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only from this moment on.")] = None,
    before: Annotated[str | None, typer.Option(metavar="TIME", help="Only before this moment.")] = None,
    business_unit: BusinessUnit = None,
) -> None:
    """The ledger as rows: consents, revocations, and what replies said. A CSV of it can be imported again."""

    async def work() -> int:
        from todoke.pipeline.privacy.consent_export import HEADER
        from todoke.pipeline.privacy.consent_export import export as rows
        from todoke.store.catalogue import units

        async with session.of(context).store() as store:
            async with store.reading() as connection:
                unit = await units.only(connection, business_unit)
            phone = None if number is None else phone_of(number, unit.default_region, "NUMBER")
            found = rows(store, unit, phone=phone, since=_moment(since), before=_moment(before))
            with ExitStack() as stack:
                target = stack.enter_context(_private(out)) if out is not None else sys.stdout
                return await _write(found, _writer(form, target, HEADER))

    count = session.run(work())
    if out is not None:
        say(f"{count:,} rows in {out}")


@app.command("show")
def show(context: typer.Context, number: Number, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """All that is recorded of a number, and what stands now."""

    async def work() -> tuple[list[Entry], list[ReplyRow]]:
        from todoke.store.catalogue import units
        from todoke.store.consents import reading

        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            phone = phone_of(number, unit.default_region, "NUMBER")
            return await reading.of_number(connection, unit, phone), await reading.replies_of(connection, unit, phone)

    found, replies = session.run(work())
    _show(number, found, replies, json=json)


def _show(number: str, found: list[Entry], replies: list[ReplyRow], *, json: bool) -> None:
    from todoke.model.consent import Fact, standing
    from todoke.pipeline.privacy.consent_export import of_entry, of_reply

    facts: list[Fact] = [entry.fact for entry in found]
    facts += [fact for row in replies if (fact := row.fact) is not None]
    now = SystemClock().now()
    stands = [f for f in standing(facts) if f.expires_at is None or f.expires_at > now]
    rows = sorted([*map(of_entry, found), *map(of_reply, replies)], key=lambda row: str(row["at"]))
    if json:
        standing_now = [
            {
                "kind": f.kind.label if f.kind else "",
                "programme": f.programme,
                "purpose": f.purpose,
                "since": iso(f.at),
                "until": iso(f.expires_at),
            }
            for f in stands
        ]
        print_json({"standing": standing_now, "rows": rows})
        return
    table = [
        (
            str(row["at"])[:19],
            row["act"],
            row["kind"],
            row["programme"],
            row["purpose"],
            row["source"],
            row["words"] or row["version"],
            "" if row["intact"] else "CHANGED BY HAND",
        )
        for row in rows
    ]
    headers = ["at (UTC)", "act", "kind", "programme", "purpose", "source", "words or version", ""]
    print_table(headers, table, empty=f"Nothing is recorded of {number}.")
    for f in stands:
        what = f"{f.kind.label if f.kind else ''} for {f.purpose or 'no purpose named'}"
        say(f"stands: {what}, programme {f.programme or 'none named'}, since {local(f.at)}")
    if rows and not stands:
        say("Nothing stands.")


def _writer(form: Form, target: IO[str], header: tuple[str, ...]) -> Callable[[Mapping[str, Any]], object]:
    if form is Form.JSONL:
        import msgspec

        return lambda row: target.write(msgspec.json.encode(row).decode() + "\n")
    rows = csv.DictWriter(target, header)
    rows.writeheader()
    return lambda row: rows.writerow({**row, "intact": "yes" if row["intact"] else "no"})


async def _write(rows: AsyncIterator[Mapping[str, Any]], write: Callable[[Mapping[str, Any]], object]) -> int:
    count = 0
    async for row in rows:
        write(row)
        count += 1
    return count


def _private(path: Path) -> IO[str]:
    """A new file that only its owner can read: numbers are in it."""
    import os

    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="")


def _opened(path: Path) -> IO[str]:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise Invalid("There is no such file.", where=str(path)) from None


def _read(path: Path) -> str:
    with _opened(path) as file:
        try:
            return file.read()
        except UnicodeDecodeError:
            raise Invalid("The file is not UTF-8.", where=str(path)) from None


def _moment(text: str | None) -> Micros | None:
    from datetime import datetime

    if text is None:
        return None
    try:
        return from_datetime(datetime.fromisoformat(text).astimezone())
    except ValueError:
        raise Invalid(f"{text!r} is no moment.", fix="Write it as 2026-01-31 or 2026-01-31T17:30:00+09:00.") from None
