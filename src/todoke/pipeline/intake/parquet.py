"""A Parquet file as rows of text; the header counts as line 1, as it would in the same list as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import polars as pl

from todoke.model.errors import Invalid
from todoke.pipeline.intake.parts import Part, Refused, columns_part
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.verdicts import verdict

_PIECE = 65_536  # rows that are unpacked at once, whatever the size of a row group
_CELLS = 1_000_000  # and no more cells than these
_BATCH = 8192  # rows
_WHOLE = r"^(-?[0-9]+)\.0+$"
_NO_FRACTION = r"\.0+($|[+-])"

T = TypeVar("T")


class ParquetTable:
    """An opened Parquet file. `Invalid` where it cannot be read or has columns of columns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._frame: Any = pl.scan_parquet(path, glob=False, hive_partitioning=False, missing_columns="raise")
        schema = cast("dict[str, Any]", dict(self._asked(self._frame.collect_schema)))
        self.header = list(schema)
        if not schema:
            raise Invalid("The Parquet file has no columns.", where=str(path), fix="Export the list again.")
        for name, kind in schema.items():
            if kind.is_nested() or kind == pl.Object:
                raise Invalid(
                    f"The column {name!r} is nested ({kind}): it holds no single value.",
                    where=str(path),
                    fix="Leave it out, or write its parts as columns of their own.",
                )
        self.rows = cast(int, self._asked(self._frame.select(pl.len()).collect).item())
        self._columns = [_as_text(name, kind) for name, kind in schema.items()]
        self._binary = [name for name, kind in schema.items() if kind == pl.Binary]

    def batches(self) -> Iterator[Batch]:
        """The rows as text: dates as 2026-04-01, whole numbers without `.0`, nothing as an empty value."""
        for frame, start, flawed in self._pieces():
            for first in range(0, frame.height, _BATCH):
                yield self._batch(frame.slice(first, _BATCH), start + first, [index - first for index in flawed])

    def parts(self) -> Iterator[Part]:
        """The same as columns."""
        for frame, start, flawed in self._pieces():
            lines = pl.int_range(start + 2, start + frame.height + 2, dtype=pl.UInt32, eager=True)
            wrong = pl.int_range(frame.height, eager=True).is_in(flawed)
            refused = [
                Refused(start + 2 + index, list(frame.row(index)), verdict(Reason.UNDECODABLE))
                for index in sorted(set(flawed))
            ]
            yield columns_part(frame.filter(~wrong), lines.filter(~wrong), start + frame.height, refused)

    def _pieces(self) -> Iterator[tuple[Any, int, list[int]]]:
        """Frames of text, the rows before each, and the indexes of those that are none."""
        piece = max(1, min(_PIECE, _CELLS // len(self.header)))
        for start in range(0, self.rows, piece):
            raw = self._asked(self._frame.slice(start, piece).collect)
            flawed: list[int] = []
            for name in self._binary:
                decoded, wrong = _decoded(raw[name])
                raw = raw.with_columns(decoded)
                flawed += wrong
            yield raw.select(self._columns), start, flawed

    def _batch(self, part: Any, before: int, flawed: list[int]) -> Batch:
        longest = max((part.select(pl.all().str.len_chars().max()).row(0)), default=0) or 0
        return Batch(
            list(map(list, part.iter_rows())),
            range(before + 2, before + part.height + 2),
            before + part.height,
            longest,
            False,
            {index: Reason.UNDECODABLE for index in flawed if 0 <= index < part.height},
        )

    def _asked(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0][:200]
            raise Invalid(
                f"The Parquet file is damaged, not complete or of a kind that cannot be read ({reason}).",
                where=str(self._path),
                fix="Copy it again, or write it again as Parquet or CSV.",
            ) from error


def _as_text(name: str, kind: Any) -> Any:
    """An expression: the column as a person would write it."""
    column = pl.col(name)
    match kind:
        case pl.Float32() | pl.Float64():
            text = _float(column)
        case pl.Datetime():
            text = _moment(column, kind.time_zone is not None)
        case pl.Time():
            text = column.dt.to_string("%H:%M:%S%.f").str.replace(_NO_FRACTION, "$1")
        case pl.Duration():
            text = column.dt.to_string("iso")
        case _:  # text, whole numbers, true and false, dates, nothing at all
            text = column.cast(pl.String)
    if isinstance(kind, (pl.String, pl.Categorical, pl.Enum, pl.Binary)):
        # As text files are read: see `lines`.
        text = text.str.replace_all(r"[\x0b\x0c]", " ").str.replace_all(r"[\x00-\x08\x0e-\x1f\x7f]", "")
    return text.fill_null("").alias(name)


def _float(column: Any) -> Any:
    """Numbers that came through a spreadsheet or pandas: 81901234567.0 is a phone number, NaN is nothing."""
    whole = column.is_finite() & (column == column.floor()) & (column.abs() < 2**63)
    when = cast(Any, pl.when)
    number = when(whole).then(column).otherwise(0).cast(pl.Int64).cast(pl.String)
    return when(column.is_nan()).then(pl.lit("")).when(whole).then(number).otherwise(column.cast(pl.String))


def _moment(column: Any, zoned: bool) -> Any:
    return column.dt.to_string("%Y-%m-%d %H:%M:%S%.f" + ("%:z" if zoned else "")).str.replace(_NO_FRACTION, "$1")


def _decoded(column: Any) -> tuple[Any, list[int]]:
    """Text of old writers, which do not say that it is text; and the indexes of what is none."""
    values: list[str | None] = []
    wrong: list[int] = []
    for index, value in enumerate(cast("list[bytes | None]", column.to_list())):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            wrong.append(index)
            values.append(cast(bytes, value).decode(errors="replace"))
    return pl.Series(column.name, values, dtype=pl.String), wrong
