"""`todoke keywords`: what means stop, start and help, and how a text would be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from todoke.cli import session
from todoke.cli.options import BusinessUnit, Json
from todoke.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from todoke.pipeline.inbox.address import Address

app = typer.Typer(help="What replies mean: stop, start, help.", no_args_is_help=True)

Code = Annotated[str | None, typer.Option(metavar="CODE", help="As its registration has it; else the built-in ones.")]


@app.command("show")
def show(context: typer.Context, code: Code = None, business_unit: BusinessUnit = None, json: Json = False) -> None:
    """The keywords that hold, and what is sent back."""
    from todoke.compliance.keywords import builtin

    found = _address(context, code, business_unit)
    keywords = found.keywords if found is not None else builtin()
    rows = [
        (kind.value, word, ", ".join(language or "own" for language in languages))
        for kind, words in keywords.exact.items()
        for word, languages in sorted(words.known.items())
    ]
    rows += [("start, if opted out", word, ", ".join(of)) for word, of in sorted(keywords.lifting.known.items())]
    answers = _answers(found)
    if json:
        listed = [{"meaning": kind, "keyword": word, "languages": of} for kind, word, of in rows]
        who = None if found is None else found.answering.who.value
        print_json({"keywords": listed, "answered_by": who, "answers": answers})
        return
    print_table(["meaning", "keyword", "language"], rows, empty="")
    say(f"languages: {', '.join(keywords.languages) or 'none'}")
    if found is not None:
        say(f"answered by: {found.answering.who.value}")
        for kind, text in answers.items():
            say(f"{kind}: {text if text is not None else 'no answer from us'}")


@app.command("try")
def attempt(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A reply.")],
    code: Code = None,
    business_unit: BusinessUnit = None,
    json: Json = False,
) -> None:
    """How a reply would be read, and why."""
    from todoke.compliance.reading import read

    found = _address(context, code, business_unit)
    reading = read(text, found.keywords if found is not None else None)
    if json:
        print_json({**reading._asdict(), "meaning": reading.meaning.value, "languages": list(reading.languages)})
    else:
        say(f"{reading.meaning.value}: {reading.why}")


def _answers(found: Address | None) -> dict[str, str | None]:
    from todoke.model.meaning import Meaning

    if found is None:
        return {}
    return {kind.value: found.answering.text(kind) for kind in (Meaning.STOP, Meaning.START, Meaning.HELP)}


def _address(context: typer.Context, code: str | None, business_unit: str | None) -> Address | None:
    """Of the code; None without one: that needs no database."""
    if code is None:
        return None

    from todoke.pipeline.inbox.book import address_of
    from todoke.store.catalogue import codes, registrations, units

    async def work() -> Address:
        async with session.of(context).store() as store, store.reading() as connection:
            unit = await units.only(connection, business_unit)
            row = await registrations.of_id(connection, unit, (await codes.find(connection, unit, code)).id)
            assert row is not None
            return address_of(row, ())

    return session.run(work())
