"""The second reading of a list: accepted rows as contacts, the others into the file of rejected rows."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from todoke.model.errors import Conflict
from todoke.pipeline.intake import checking
from todoke.pipeline.intake.ahead import ahead
from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.packing import Packer
from todoke.pipeline.intake.parts import Part
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.reasons import PHONE_REASONS, SENTENCES, Reason
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.validation import Judge
from todoke.pipeline.intake.verdicts import BLANK, read_verdict
from todoke.sms.phone import PhoneError
from todoke.sms.phone_columns import ColumnParser

_DUPLICATES = (Reason.DUPLICATE_EXTERNAL_ID, Reason.DUPLICATE_PHONE)
_OF_PHONES = frozenset(PHONE_REASONS.values())


class Piece(NamedTuple):
    """Some contacts as `Packer.pack` gives them, and how far it is."""

    contacts: pl.DataFrame
    progress: Progress


class Sorting:
    """Sorts the rows of a checked file into contacts and rejects."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        checked: Checked,
        judge: Judge,
        rejects: RejectsFile,
        phones: ColumnParser,
    ) -> None:
        self._source = source
        self._checked = checked
        self._judge = judge
        self._layout = layout
        self._rejects = rejects
        self._phones = phones
        self._names = {column.index: column.name for column in layout.columns}
        self._width = layout.width
        external_id = layout.find(SystemField.EXTERNAL_ID)
        self._external_id = external_id.index if external_id else None
        self.contacts = 0
        self.rejected = 0

    def pieces(self) -> Iterator[Piece]:
        """Do it, a part of the file a piece. `Conflict` where the file does not hold what it held before."""
        packer = Packer(self._layout, self._checked.starts)
        known = self._checked.parts()
        size = max(1, self._source.size)
        for part in ahead(self._source.parts()):
            accepted, rejected = next(known, (None, None))
            if accepted is None or rejected is None or accepted.height + rejected.height != part.height:
                raise self._changed()
            repeated = self._repeated(accepted)
            kept = accepted
            if not repeated.is_empty():
                kept = accepted.filter(~pl.col("line").is_in(repeated["line"].implode()))
            if not rejected.is_empty() or not repeated.is_empty() or part.refused:
                self._reject(part, accepted, rejected, repeated)
            self.contacts += kept.height
            fraction = checking.SHARE + (1 - checking.SHARE) * min(1.0, part.consumed / size)
            rows = self.contacts + self.rejected
            yield Piece(packer.pack(part, kept), Progress(Stage.WRITING, fraction, rows, self.rejected))
        if next(known, None) is not None:
            raise self._changed()

    def _repeated(self, accepted: pl.DataFrame) -> pl.DataFrame:
        repeated = self._checked.repeated
        if repeated.is_empty() or accepted.is_empty():
            return repeated.clear()
        lines = repeated["line"]
        first = int(lines.search_sorted(accepted["line"][0], side="left"))
        last = int(lines.search_sorted(accepted["line"][-1], side="right"))
        return repeated.slice(first, last - first)

    def _reject(self, part: Part, accepted: pl.DataFrame, rejected: pl.DataFrame, repeated: pl.DataFrame) -> None:
        """Write the rejected rows of a part, in their order."""
        again = repeated.join(accepted.select("line", "row", "phone"), on="line", how="left")
        own = rejected.filter(pl.col("code") != BLANK).with_columns(
            pl.lit(None, pl.UInt32).alias("first"), pl.lit(None, pl.Int64).alias("phone")
        )
        columns = ["line", "row", "code", "first", "phone"]
        found = pl.concat([own.select(columns), again.select(columns)])
        rows = part.columns(range(self._width))[found["row"]] if not found.is_empty() else None
        told = [
            (line, list(row), code, first, phone)
            for (line, _, code, first, phone), row in zip(
                found.iter_rows(), rows.iter_rows() if rows is not None else (), strict=True
            )
        ]
        told += [(line, row, code, None, None) for line, row, code in part.refused if code != BLANK]
        for line, row, code, first, phone in sorted(told, key=lambda entry: entry[0]):
            reason, column = read_verdict(code)
            if column is None:
                column = self._repeated_column(reason, row, phone)
            field = "" if column is None else self._names.get(column, "")
            self._rejects.write(row, line, field, reason.value, self._detail(reason, column, row, first))
            self.rejected += 1

    def _detail(self, reason: Reason, column: int | None, row: list[str], first: int | None) -> str:
        sentence = SENTENCES[reason]
        if reason in _DUPLICATES:
            return f"{sentence}: the one in line {first}, which is kept"
        if reason in (Reason.TOO_FEW_FIELDS, Reason.TOO_MANY_FIELDS):
            return f"{sentence} ({len(row)} instead of {self._width})"
        if reason in _OF_PHONES and column is not None:
            answer = self._phones.parse_many([row[column]])[0]
            return str(answer) if isinstance(answer, PhoneError) else sentence
        return sentence

    def _repeated_column(self, reason: Reason, row: list[str], phone: int | None) -> int | None:
        """Where the value stands that another row has."""
        if reason is Reason.DUPLICATE_EXTERNAL_ID:
            return self._external_id
        if reason is Reason.DUPLICATE_PHONE and phone is not None:
            return self._judge.column_of_number(row, phone)
        return None

    def _changed(self) -> Conflict:
        return Conflict("The file changed while it was read.", where=str(self._source.path), fix="Import it again.")
