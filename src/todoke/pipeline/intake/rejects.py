"""The file of rejected rows: as they came, with line, field, reason and a sentence, to be corrected and imported again.

It has the form of the list: a workbook for a workbook, CP932 for CP932, packed for packed. The original cells stand as
they were, also those that begin with `=`: they are the person's own, and a corrected file must import again. Our four
columns never begin with a character that a spreadsheet takes for a formula. Fields beyond the header follow them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from todoke.model.errors import Unavailable
from todoke.pipeline.intake.forms import Form
from todoke.pipeline.intake.mapping import OWN_COLUMNS, is_ours
from todoke.pipeline.intake.row_writers import RowWriter, open_writer

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectsFile:
    """Writes `path` under another name until `keep`; without a rejected row there is no file.

    `Unavailable` where the disk does not take it.
    """

    def __init__(self, path: Path, header: Sequence[str], form: Form) -> None:
        self.path = path
        self._form = form
        self._part = path.with_name(path.name + ".part")
        self._header = list(header)
        # A list that is itself a corrected file has our columns already.
        self._columns = [index for index, name in enumerate(header) if not is_ours(name.strip())]
        self._writer: RowWriter | None = None
        self.kept = False

    def write(self, row: Sequence[str], line: int, field: str, reason: str, detail: str) -> None:
        """One rejected row."""
        own = (str(line), _inert(field), reason, _inert(detail))
        cells = [*row, *[""] * (len(self._header) - len(row))]
        original = [cells[index] for index in self._columns]
        try:
            if self._writer is None:
                self._writer = self._open()
            self._writer.write([*original, *own, *cells[len(self._header) :]])
        except OSError as error:
            raise self._unavailable(error) from error

    def keep(self) -> None:
        """Close it and give it its name; nothing happens where nothing was rejected."""
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._part.replace(self.path)
        except OSError as error:
            raise self._unavailable(error) from error
        self.kept = True

    def discard(self) -> None:
        """Close and remove it, under either name."""
        if self._writer is not None:
            try:
                self._writer.discard()
            except OSError:
                pass  # the disk is full: what could not be written is not wanted any more
            self._part.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _open(self) -> RowWriter:
        self._part.parent.mkdir(parents=True, exist_ok=True)
        header = [*(self._header[index] for index in self._columns), *OWN_COLUMNS]
        return open_writer(self._part, self._form, header)

    def _unavailable(self, error: OSError) -> Unavailable:
        reason = error.strerror or str(error)
        return Unavailable(
            f"The file of rejected rows cannot be written: {reason}.",
            where=str(self.path),
            fix="Free some space, or name another folder for it.",
        )


def _inert(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text
