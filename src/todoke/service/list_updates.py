"""Records that come to a list that is there: a file that updates it, or a few that are appended.

They go the way of every import, into a staged list, so that the very same rules hold for them; then they are merged.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from todoke.model.clock import Micros
from todoke.model.closest import suggestion
from todoke.model.errors import Conflict, Invalid, Unavailable
from todoke.pipeline.intake.importing import Imported, import_list
from todoke.pipeline.intake.mapping import OWN_COLUMNS
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.pipeline.intake.reasons import SENTENCES, Reason
from todoke.pipeline.intake.rules import HOLD, Channel
from todoke.pipeline.intake.system_fields import SystemField
from todoke.store.catalogue import lists
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists import imports, merging
from todoke.store.lists.imports import ImportRow
from todoke.store.lists.meeting import Fate, Meeting
from todoke.store.lists.merging import Ends, Merged
from todoke.store.store import Store

Tell = Callable[[Progress], None]

MOST_RECORDS = 256  # that are appended in one transaction
_SHARE = 0.6  # of an update's time until it is merged, about


class Updated(NamedTuple):
    """Rows of the file = added + updated + unchanged + rejected by the import + rejected here. `imported` is None where
    an earlier process had read the file. `rejects_path`: the rows that were rejected here, if there are any.
    `unread`: how many rows the import rejected, whichever process it was.
    """

    imported: Imported | None
    merged: Merged
    rejects_path: Path | None
    unread: int


class Appended(NamedTuple):
    """What became of a record: its position, or the reason and a sentence that names what is in the way."""

    position: int | None
    reason: str = ""
    detail: str = ""


async def update(
    store: Store, unit: Unit, row: ImportRow, path: Path, rejects_dir: Path, me: str, now: Micros, tell: Tell
) -> Updated:
    """Read the file, unless that was done, and merge it from where it stands. What is not in the file stays."""
    ends = await merging.staged_of(store, unit, row.id)
    imported: Imported | None = None
    if ends is None:
        async with store.reading() as connection:
            target = await lists.find(connection, unit, row.name)

        def tell_part(progress: Progress) -> None:
            tell(progress._replace(fraction=_SHARE * progress.fraction))

        imported = await import_list(
            store,
            business_unit=unit.name,
            name=row.name,
            path=path,
            rejects_dir=rejects_dir,
            now=now,
            progress=tell_part,
            import_id=row.id,
            into=target.id,
            **row.options,
        )
        ends = Ends(unit.bucket, target.id, imported.list_id)
    size, unread, fields = await merging.size_of(store, ends)
    so_far = row.result if imported is None else None
    merged = Merged(**so_far) if so_far else Merged()
    rejected = _NotMerged(rejects_dir / f"import-{row.id}-not-merged-rejected.csv", fields, merged.told)
    try:
        async for merged, meetings in merging.merge(store, unit, ends, row.id, me, so_far):
            merged.told = rejected.write(meetings)
            fraction = _SHARE + (1 - _SHARE) * merged.following / max(1, size)
            tell(Progress(Stage.MERGING, fraction, unread + merged.following, unread + merged.rejected))
    finally:
        rejected.close()
    kept = rejected.path if merged.rejected else None
    result = {**merged.as_json(), "rejects_path": None if kept is None else str(kept), "rejected": unread}
    counts = (unread + size, unread + merged.rejected)
    await merging.finish(store, unit, ends, row.id, me, result, counts, now)
    return Updated(imported, merged, kept, unread)


async def add(
    store: Store,
    unit: Unit,
    name: str,
    records: Sequence[Mapping[str, str]],
    *,
    now: Micros,
    default_region: str | None = None,
) -> list[Appended]:
    """Append records (value by field) to a ready list, all that can be in one transaction; what became of each, in
    order. They are read by the rules of the list's import; one whose external id or number the list has is refused.
    Runs that are under way do not see them.

    NotFound, Conflict; Invalid for a field that the list does not have.
    """
    if not 0 < len(records) <= MOST_RECORDS:
        raise Invalid(
            f"1 to {MOST_RECORDS} records can be appended at once, not {len(records):,}.",
            fix="Import more of them from a file, with --update.",
        )
    async with store.reading() as connection:
        target = await lists.find(connection, unit, name)
        manner = await imports.manner(connection, unit, target.id)
    for record in records:
        for given in record:
            if given not in target.fields:
                raise Invalid(
                    f"The list {name!r} has no field {given!r}.",
                    where=f"field {given!r}",
                    fix=suggestion(given, target.fields),
                )
    with tempfile.TemporaryDirectory(prefix="todoke-") as made:
        folder = Path(made)
        lines = _write(folder / "records.csv", target.fields, records)
        imported: Imported | None = None
        try:
            imported = await import_list(
                store,
                business_unit=unit.name,
                name=name,
                path=folder / "records.csv",
                rejects_dir=folder,
                now=now,
                default_region=default_region,
                channel=manner.channel or Channel.SMS,
                no_time_zone=manner.no_time_zone or HOLD,
                mapping={field: field for field in target.fields},
                encoding="utf-8",
                delimiter=",",
                into=target.id,
            )
        except Invalid:
            if not list(folder.glob("*-rejected.csv")):  # else each of them has its reason
                raise
        found = _refused(folder, lines)
    if imported is None:
        return [found[index] for index in range(len(records))]
    ends = Ends(unit.bucket, target.id, imported.list_id)
    try:
        meetings = await merging.append(store, unit, ends)
    finally:
        await merging.discard(store, ends)
    by_id = {_tidy(record[SystemField.EXTERNAL_ID]).strip(): n for n, record in enumerate(records) if n not in found}
    for meeting in meetings:
        refused = meeting.fate is Fate.REJECTED
        index = by_id[meeting.record.external_id]
        found[index] = Appended(None, meeting.reason, detail(meeting)) if refused else Appended(meeting.record.position)
    return [found[index] for index in range(len(records))]


def detail(meeting: Meeting) -> str:
    """A sentence for a record that was refused: who is in the way."""
    sentence = SENTENCES[Reason(meeting.reason)]
    if meeting.other is None:
        return sentence
    return f"{sentence}: {meeting.other.external_id}, at position {meeting.other.position:,} of the list"


def _write(path: Path, fields: Sequence[str], records: Sequence[Mapping[str, str]]) -> dict[int, int]:
    """The records as a file; by the line on which each begins, its place."""
    lines: dict[int, int] = {}
    line = 2
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(fields)
        for index, record in enumerate(records):
            values = [_tidy(record.get(field, "")) for field in fields]
            writer.writerow(values)
            lines[line] = index
            line += 1 + sum(value.count("\n") for value in values)
    return lines


def _tidy(value: str) -> str:
    kept = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in kept if char.isprintable() or char in "\n\t\u3000")


def _refused(folder: Path, lines: Mapping[int, int]) -> dict[int, Appended]:
    """What the import refused, by the record's place."""
    found: dict[int, Appended] = {}
    for path in folder.glob("*-rejected.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                line, _, reason, sentence = (row[column] for column in OWN_COLUMNS)
                found[lines[int(line)]] = Appended(None, reason, sentence)
    return found


class _NotMerged:
    """The file of records that met another one of the list. It goes on at `told` bytes: what is behind them does not
    count, since a process was killed before its transaction was committed.
    """

    def __init__(self, path: Path, fields: Sequence[str], told: int) -> None:
        self.path = path
        self._fields = fields
        self._told = told
        self._file: IO[str] | None = None

    def write(self, meetings: Sequence[Meeting]) -> int:
        """The rejected ones of these, on the disk when this returns; how many bytes there are."""
        rejected = [meeting for meeting in meetings if meeting.fate is Fate.REJECTED]
        try:
            if rejected:
                file = self._opened()
                writer: Any = csv.writer(file)
                for meeting in rejected:
                    values = meeting.record.fields.split(SEPARATOR)
                    writer.writerow([*values, "", "", meeting.reason, detail(meeting)])
                file.flush()
                self._told = self.path.stat().st_size
        except OSError as error:
            raise Unavailable(
                f"The file of rejected rows cannot be written: {error.strerror or error}.",
                where=str(self.path),
                fix="Free some space, and resume the import.",
            ) from error
        return self._told

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _opened(self) -> IO[str]:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # it holds people's numbers
            if self._told and self.path.stat().st_size < self._told:
                raise Conflict("The file of rejected rows was cut.", where=str(self.path), fix="Cancel the import.")
            with self.path.open("r+b") as file:
                file.truncate(self._told)
            self._file = self.path.open("a", encoding="utf-8", newline="")
            if not self._told:
                self._file.write("\ufeff")
                csv.writer(self._file).writerow([*self._fields, *OWN_COLUMNS])
        return self._file
