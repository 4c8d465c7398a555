"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

BusinessUnit: TypeAlias = Annotated[
    str | None, typer.Option("--business-unit", "-b", metavar="NAME", help="Needed where there are several.")
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunId: TypeAlias = Annotated[int, typer.Argument(metavar="RUN", help="The run's number; see todoke run list.")]
Watch: TypeAlias = Annotated[bool, typer.Option("--watch", help="Show its progress until it ends.")]

# How a file is read; what is not given is found out.
Encoding: TypeAlias = Annotated[str | None, typer.Option(help="Such as utf-8 or cp932; else it is found out.")]
Delimiter: TypeAlias = Annotated[str | None, typer.Option(help="Such as , ; or tab; else it is found out.")]
Quote: TypeAlias = Annotated[
    str | None, typer.Option(help="What encloses fields: \", ' or none; else it is found out.")
]
Sheet: TypeAlias = Annotated[str | None, typer.Option(help="Which sheet of a workbook; else the first.")]
Preview: TypeAlias = Annotated[bool, typer.Option("--preview", help="Only show how the file would be read.")]
