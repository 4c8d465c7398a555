"""What a file would be read as, before anything is imported; each of it can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from todoke.model.errors import Invalid
from todoke.pipeline.intake.mapping import Layout, map_headers, require
from todoke.pipeline.intake.reading import open_source

_ROWS = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """`rows` are the first ones as they stand, `lines` where they start. `problem` says what keeps it from being
    imported, if anything. `certain`: the encoding follows from the bytes or was given.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    layout: Layout
    encoding: str | None
    certain: bool
    delimiter: str | None
    sheet: str | None
    problem: Invalid | None


def preview(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    sheet: str | None = None,
    generate_external_ids: bool = False,
    rows: int = _ROWS,
) -> Preview:
    """Read the head of a list file. Raises `NotFound` or `Invalid` where it cannot be read at all."""
    source = open_source(path, encoding=encoding, delimiter=delimiter, quote=quote, sheet=sheet)
    where = f"{path}, line {source.header_line}"
    layout = map_headers(source.header, mapping, where=where)
    problem = None
    try:
        require(layout, generate_external_ids=generate_external_ids, where=where)
    except Invalid as error:
        problem = error
    first = list(
        islice(
            ((line, row) for batch in source.batches() for line, row in zip(batch.lines, batch.rows, strict=True)), rows
        )
    )
    return Preview(
        source.header,
        [row for _, row in first],
        [line for line, _ in first],
        layout,
        source.encoding.name if source.encoding else None,
        source.encoding.certain if source.encoding else True,
        source.delimiter,
        source.sheet,
        problem,
    )
