"""Files that commands read: from a path or standard input, with a bar while it lasts, and where rejected rows go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from todoke.pipeline.intake.progress import Progress

REJECTED = "rejected"  # the folder of rejected rows, in the data folder
STANDARD_INPUT = "-"


@contextmanager
def incoming(file: Path, data_dir: Path) -> Generator[Path]:
    """The file, or what comes on standard input, for as long as it is looked at."""
    from todoke.service.spool import FOLDER, spooled

    if str(file) != STANDARD_INPUT:
        yield file
        return
    with spooled(sys.stdin.buffer, data_dir / FOLDER) as path:
        yield path


@contextmanager
def progress_shown() -> Generator[Callable[[Progress], None]]:
    """A bar on a terminal; nothing elsewhere."""
    with bar_shown() as tell:
        yield lambda progress: tell(progress.rows, progress.fraction, progress.stage.value)


@contextmanager
def bar_shown() -> Generator[Callable[..., None]]:
    """The same; it is told the row, the share of the work that is done and, where there are several, the stage."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=1.0)

        def tell(row: int, share: float, stage: str = "") -> None:
            bar.update(task, completed=share, description=f"{stage} row {row:,}".lstrip())

        yield tell
