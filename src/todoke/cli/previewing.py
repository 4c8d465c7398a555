"""`todoke import --preview`: how a file would be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from todoke.cli import session
from todoke.cli.output import print_json, print_table, say, warn
from todoke.model.errors import TodokeError

if TYPE_CHECKING:
    from todoke.model.list_mapping import Reading, SavedMapping
    from todoke.pipeline.intake.preview import Preview, Written

_EXAMPLES = 3  # rows


def show_preview(
    context: typer.Context,
    file: Path,
    reading: Reading,
    saved_mapping: str | None,
    unit: str | None,
    *,
    json: bool,
    name: str | None = None,
) -> None:
    """Raises what keeps the file from being imported, when all is shown. `name`: what it is called, if not by
    its path.
    """
    from todoke.pipeline.intake.preview import preview

    known = session.run(_known(context, unit, needed=saved_mapping is not None))
    saved = None
    if saved_mapping is not None:
        from todoke.store.catalogue.naming import pick

        saved = pick(saved_mapping, known, "saved mapping", "There is none yet.")
    found = preview(file, reading, saved=saved, known=known)
    if json:
        _print_json(found)
    else:
        _print(name or str(file), found)
    if found.problem is not None:
        raise found.problem


async def _known(context: typer.Context, unit_name: str | None, *, needed: bool) -> list[SavedMapping]:
    """The unit's mappings. A preview needs no database, unless one of them is asked for."""
    from todoke.store.catalogue import mappings, units

    try:
        async with session.of(context).store() as store, store.reading() as connection:
            return await mappings.every(connection, await units.only(connection, unit_name))
    except TodokeError:
        if needed or unit_name is not None:
            raise
        return []


def _print_json(found: Preview) -> None:
    print_json(
        {
            **found.written._asdict(),
            "header": found.header,
            "mapping": found.layout.mapping,
            "columns": [
                {
                    "header": column.header,
                    "field": column.name,
                    "how": column.how.value,
                    "phone": column.phone,
                    "required": column.required,
                }
                for column in found.layout.columns
            ],
            "rows": found.rows,
            "lines": found.lines,
            "suggested": found.suggested,
            "warnings": found.warnings,
            "problem": None if found.problem is None else str(found.problem),
        }
    )


def _print(name: str, found: Preview) -> None:
    say(f"{name}: {facts(found.written)}")
    table = [
        (
            column.header,
            column.name + (" (required)" if column.required else ""),
            column.how.value,
            *(row[column.index] if column.index < len(row) else "" for row in found.rows[:_EXAMPLES]),
        )
        for column in found.layout.columns
    ]
    examples = [f"line {line}" for line in found.lines[:_EXAMPLES]]
    print_table(["column", "field", "how", *examples], table, empty="The file has no columns.")
    for name in found.suggested:
        say(f"saved for this header: use it with --mapping {name!r}")
    for sentence in found.warnings:
        warn(f"note: {sentence}")


def facts(found: Written) -> str:
    """How a file is written, for people."""
    told = [found.kind.value]
    if found.compression not in (None, "none"):
        told.append(f"packed with {found.compression}")
    if found.encoding is not None:
        told.append(f"encoding {found.encoding!r} ({'certain' if found.certain else 'a guess'})")
        told.append(f"delimiter {found.delimiter!r}, quotes {found.quote}")
    if found.sheet is not None:
        others = [sheet for sheet in found.sheets if sheet != found.sheet]
        told.append(f"sheet {found.sheet!r}" + (f" (there is also {', '.join(map(repr, others))})" if others else ""))
    return ", ".join(told)
