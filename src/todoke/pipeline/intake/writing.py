"""The second reading of a list: accepted rows as contacts, the others into the file of rejected rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from todoke.model.errors import Conflict
from todoke.pipeline.intake import checking
from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.packing import Packer
from todoke.pipeline.intake.progress import Progress, Stage
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.reasons import PHONE_REASONS, SENTENCES, Reason
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.validation import Judge, ParseMany
from todoke.pipeline.intake.verdicts import ACCEPTED, BLANK, read_verdict
from todoke.sms.phone import PhoneError
from todoke.store.lists.base import NewContact, OpenImport

_DUPLICATES = (Reason.DUPLICATE_EXTERNAL_ID, Reason.DUPLICATE_PHONE)
_OF_PHONES = frozenset(PHONE_REASONS.values())


_PIECE = 8000  # contacts


class Piece(NamedTuple):
    """Some contacts, and how far it is."""

    contacts: list[NewContact]
    progress: Progress


class Sorting:
    """Sorts the rows of a checked file into contacts and rejects."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        checked: Checked,
        judge: Judge,
        opened: OpenImport,
        rejects: RejectsFile,
        parse_many: ParseMany,
    ) -> None:
        self._source = source
        self._checked = checked
        self._judge = judge
        self._packer = Packer(opened, layout)
        self._rejects = rejects
        self._parse_many = parse_many
        self._names = {column.index: column.name for column in layout.columns}
        self._width = layout.width
        external_id = layout.find(SystemField.EXTERNAL_ID)
        self._external_id = external_id.index if external_id else None
        self._repeats: Iterator[int] = iter(())
        self.contacts = 0
        self.rejected = 0

    def pieces(self) -> Iterator[Piece]:
        """Do it, some thousand contacts a piece. `Conflict` where the file does not hold what it held before."""
        accepted = self._checked.accepted
        self._repeats = iter(accepted.repeats)
        self._packer.begin(self._checked.starts)
        rows = 0
        contacts: list[NewContact] = []
        for batch in self._source.batches():
            verdicts = accepted.verdicts[rows : rows + len(batch)]
            if len(verdicts) < len(batch):
                raise self._changed()
            rows += len(batch)
            kept = [index for index, code in enumerate(verdicts) if code == ACCEPTED]
            for index, code in enumerate(verdicts) if len(kept) < len(batch) else ():
                if code > BLANK:
                    self._reject(batch, index, code)
            destinations, zone_sets = accepted.slice(self.contacts, len(kept))
            self.contacts += len(kept)
            contacts += self._packer.pack(
                [batch.rows[index] for index in kept],
                [batch.lines[index] for index in kept],
                destinations,
                zone_sets,
            )
            if len(contacts) >= _PIECE:
                yield self._piece(contacts, rows, batch.consumed)
                contacts = []
        if rows != len(accepted.verdicts):
            raise self._changed()
        yield self._piece(contacts, rows, self._source.size)

    def _piece(self, contacts: list[NewContact], rows: int, consumed: int) -> Piece:
        fraction = checking.SHARE + (1 - checking.SHARE) * consumed / max(1, self._source.size)
        return Piece(contacts, Progress(Stage.WRITING, fraction, rows, self.rejected))

    def _reject(self, batch: Batch, index: int, code: int) -> None:
        reason, column = read_verdict(code)
        row = batch.rows[index]
        if column is None:
            column = self._repeated_column(reason, row)
        name = "" if column is None else self._names.get(column, "")
        self._rejects.write(row, batch.lines[index], name, reason.value, self._detail(reason, column, row))
        self.rejected += 1

    def _detail(self, reason: Reason, column: int | None, row: list[str]) -> str:
        sentence = SENTENCES[reason]
        if reason in _DUPLICATES:
            return f"{sentence}: the one in line {next(self._repeats)}, which is kept"
        if reason in (Reason.TOO_FEW_FIELDS, Reason.TOO_MANY_FIELDS):
            return f"{sentence} ({len(row)} instead of {self._width})"
        if reason in _OF_PHONES and column is not None:
            answer = self._parse_many([row[column]])[0]
            return str(answer) if isinstance(answer, PhoneError) else sentence
        return sentence

    def _repeated_column(self, reason: Reason, row: list[str]) -> int | None:
        """Where the value stands that another row has."""
        if reason is Reason.DUPLICATE_EXTERNAL_ID:
            return self._external_id
        if reason is Reason.DUPLICATE_PHONE:
            return self._judge.column_of_number(row)
        return None

    def _changed(self) -> Conflict:
        return Conflict("The file changed while it was read.", where=str(self._source.path), fix="Import it again.")
