"""Journals that were left: of another database, or set aside because the database was behind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from todoke.service.doctor.finding import Finding, count, ok, warning
from todoke.store.hot.base import EngineRow


def look(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the journals, and of those that were set aside."""
    return sorted(p.name for p in folder.glob("*.journal")), sorted(p.name for p in folder.glob("*.rewound"))


def judge(
    folder: Path, journals: Collection[str], aside: Collection[str], engines: Sequence[EngineRow]
) -> list[Finding]:
    """`engines`: those whose journals are wanted: alive, or dead and not recovered."""
    wanted = {Path(engine.journal).name for engine in engines}
    left = [name for name in journals if name not in wanted]
    found: list[Finding] = []
    if left:
        found.append(
            warning(
                "journals",
                f"{count(len(left), 'journal')} in {folder} belonging to no engine of this database: "
                f"{', '.join(left[:3])}.",
                "Give each database a data folder of its own. Keep them if the database was restored or replaced: the "
                "next engine compares.",
            )
        )
    if aside:
        found.append(
            warning(
                "journals",
                f"{count(len(aside), 'journal')} set aside in {folder}: the database was older than what had been "
                "sent, and every run was paused.",
                "Look at the paused runs, resume or stop each, then delete the .rewound files.",
            )
        )
    return found or [ok("journals", f"{count(len(journals), 'journal')}, each of an engine of this database.")]
