"""A list file, opened and mapped as a person says and as a saved mapping says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from todoke.model.errors import Invalid
from todoke.model.list_mapping import Reading, SavedMapping, combined
from todoke.model.plain_name import plain
from todoke.pipeline.intake.mapping import Layout, is_ours, map_headers, tidied
from todoke.pipeline.intake.reading import Source, open_read_as


class OpenList(NamedTuple):
    """`reading` is what was given and what was saved, together. `where` is the place of the header."""

    source: Source
    layout: Layout
    reading: Reading
    where: str


def open_list(path: Path, given: Reading, saved: SavedMapping | None = None) -> OpenList:
    """Raises `NotFound` or `Invalid`, saying what to do; so where the file lacks columns of the saved mapping."""
    reading = given if saved is None else combined(given, saved.reading)
    source = open_read_as(path, reading)
    where = f"{path}, line {source.header_line}"
    if saved is not None:
        _require_columns(saved, source.header, where)
    layout = map_headers(
        source.header,
        given.fields,
        saved=None if saved is None else saved.reading.fields,
        required=reading.required,
        where=where,
    )
    return OpenList(source, layout, reading, where)


def to_save(name: str, opened: OpenList) -> SavedMapping:
    """What makes a file of the same header be read the same, whatever other names of fields come to be known."""
    header = tuple(column.header for column in opened.layout.columns)
    required = tuple(column.name for column in opened.layout.required)
    reading = structs.replace(opened.reading, fields=opened.layout.mapping, required=required)
    return SavedMapping(name, header, reading)


def suggested(layout: Layout, saved: Sequence[SavedMapping]) -> list[str]:
    """The names of the mappings that were saved for exactly this header."""
    header = [column.header for column in layout.columns]
    return [mapping.name for mapping in saved if mapping.fits(header)]


def _require_columns(saved: SavedMapping, header: Sequence[str], where: str) -> None:
    there = {plain(name) for name in tidied(header, where) if not is_ours(name)}
    missing = [name for name in saved.reading.fields if plain(name) not in there]
    if missing:
        names = ", ".join(map(repr, missing))
        raise Invalid(
            f"The saved mapping {saved.name!r} is for a list with {_columns(missing)} {names}, which this one lacks.",
            where=where,
            fix="Rename the columns of the file, or map it without the saved mapping and save that anew.",
        )


def _columns(names: Sequence[str]) -> str:
    return "the column" if len(names) == 1 else "the columns"
