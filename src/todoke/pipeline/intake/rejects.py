"""The file of rejected rows: as they came, with line, field, reason and a sentence, to be corrected and imported again.

It is CSV in UTF-8 with a byte order mark, so that spreadsheets read it. The original cells stand as they were, also
those that begin with `=`: they are the person's own, and a corrected file must import again. Our four columns never
begin with a character that a spreadsheet takes for a formula. Fields beyond the header follow our columns.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from todoke.model.errors import Unavailable
from todoke.pipeline.intake.mapping import OWN_COLUMNS, is_ours

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectsFile:
    """Writes `path` under another name until `keep`; without a rejected row there is no file.

    `Unavailable` where the disk does not take it.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        self._header = list(header)
        # A list that is itself a corrected file has our columns already.
        self._columns = [index for index, name in enumerate(header) if not is_ours(name.strip())]
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.kept = False

    def write(self, row: Sequence[str], line: int, field: str, reason: str, detail: str) -> None:
        """One rejected row."""
        own = (str(line), _inert(field), reason, _inert(detail))
        cells = [*row, *[""] * (len(self._header) - len(row))]
        original = [cells[index] for index in self._columns]
        try:
            if self._file is None:
                self._open()
            self._writer.writerow([*original, *own, *cells[len(self._header) :]])
        except OSError as error:
            raise self._unavailable(error) from error

    def keep(self) -> None:
        """Close it and give it its name; nothing happens where nothing was rejected."""
        if self._file is None:
            return
        try:
            self._file.close()
            self._part.replace(self.path)
        except OSError as error:
            raise self._unavailable(error) from error
        self.kept = True

    def discard(self) -> None:
        """Close and remove it, under either name."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                pass  # the disk is full: what could not be written is not wanted any more
            self._part.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def _open(self) -> None:
        self._part.parent.mkdir(parents=True, exist_ok=True)
        self._part.touch(mode=0o600)  # it holds people's numbers
        # Bytes that were no characters are written as they were.
        self._file = self._part.open("w", encoding="utf-8-sig", newline="", errors="surrogateescape")
        self._writer = csv.writer(self._file)
        self._writer.writerow([*(self._header[index] for index in self._columns), *OWN_COLUMNS])

    def _unavailable(self, error: OSError) -> Unavailable:
        reason = error.strerror or str(error)
        return Unavailable(
            f"The file of rejected rows cannot be written: {reason}.",
            where=str(self.path),
            fix="Free some space, or name another folder for it.",
        )


def _inert(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text
