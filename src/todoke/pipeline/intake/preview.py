"""What a file would be read as, before anything is imported; each of it can be overridden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from todoke.model.errors import Invalid
from todoke.model.list_mapping import Reading, SavedMapping
from todoke.pipeline.intake import quoting, workbook
from todoke.pipeline.intake.file_kind import FileKind
from todoke.pipeline.intake.forms import ParquetForm, TextForm, WorkbookForm
from todoke.pipeline.intake.mapping import Layout, require
from todoke.pipeline.intake.opening import open_list, suggested
from todoke.pipeline.intake.preview_warnings import find_warnings
from todoke.pipeline.intake.reading import Source

_ROWS = 10


class Written(NamedTuple):
    """The form of a file. `certain`: the encoding follows from the bytes or was given. `quote`: the quotation mark, or
    `none`. `compression`: gzip, zstd or none. `sheets`: all of a workbook.
    """

    kind: FileKind
    compression: str | None
    encoding: str | None
    certain: bool
    delimiter: str | None
    quote: str | None
    sheet: str | None
    sheets: list[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """`rows` are the first ones as they stand, `lines` where they start. Each column of `layout` says how its field was
    found.

    `suggested`: the saved mappings that were made for this header.
    `warnings` are sentences; `problem` says what keeps the file from being imported, if anything.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    layout: Layout
    written: Written
    suggested: list[str]
    warnings: list[str]
    problem: Invalid | None


def preview(
    path: Path,
    reading: Reading | None = None,
    *,
    saved: SavedMapping | None = None,
    known: Sequence[SavedMapping] = (),
    rows: int = _ROWS,
) -> Preview:
    """Read the head of a list file, as `reading` and a saved mapping say; `known` are the mappings that there are.

    Raises `NotFound` or `Invalid` where it cannot be read at all.
    """
    opened = open_list(path, reading or Reading(), saved)
    source, layout = opened.source, opened.layout
    problem = None
    try:
        require(layout, generate_external_ids=opened.reading.generate_external_ids, where=opened.where)
    except Invalid as error:
        problem = error
    following = ((line, row) for batch in source.batches() for line, row in zip(batch.lines, batch.rows, strict=True))
    first = list(islice(following, rows))
    return Preview(
        source.header,
        [row for _, row in first],
        [line for line, _ in first],
        layout,
        written(source),
        [] if saved is not None else suggested(layout, known),
        find_warnings(source, layout, first),
        problem,
    )


def written(source: Source) -> Written:
    """How an opened file is written."""
    text = source.form if isinstance(source.form, TextForm) else None
    return Written(
        {TextForm: FileKind.TEXT, WorkbookForm: FileKind.WORKBOOK, ParquetForm: FileKind.PARQUET}[type(source.form)],
        text.compression.value if text else None,
        text.encoding.name if text else None,
        text.encoding.certain if text else True,
        text.delimiter if text else None,
        quoting.shown(text.quote) if text else None,
        source.sheet,
        workbook.sheet_names(source.path) if source.sheet is not None else [],
    )
