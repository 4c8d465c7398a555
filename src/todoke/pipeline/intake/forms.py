"""In which form a list file is written: all that is needed to write another one like it."""

from __future__ import annotations

from dataclasses import dataclass

from todoke.pipeline.intake.compression import Compression
from todoke.pipeline.intake.encoding import Encoding

_TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")


@dataclass(frozen=True, slots=True)
class TextForm:
    """Delimited text. `quote` is None where nothing encloses a field; `announced`: the first line says `sep=`."""

    encoding: Encoding
    delimiter: str = ","
    quote: str | None = '"'
    line_end: str = "\r\n"
    compression: Compression = Compression.NONE
    announced: bool = False
    named: str = ".csv"  # what the list's own name ends in

    @property
    def suffix(self) -> str:
        """What the name of such a file ends in."""
        return (self.named if self.named in _TEXT_SUFFIXES else ".csv") + self.compression.suffix


@dataclass(frozen=True, slots=True)
class WorkbookForm:
    """An Excel workbook with the list on a sheet of that name."""

    sheet: str
    suffix: str = ".xlsx"


@dataclass(frozen=True, slots=True)
class ParquetForm:
    """A Parquet file, all of whose columns are text."""

    suffix: str = ".parquet"


Form = TextForm | WorkbookForm | ParquetForm
