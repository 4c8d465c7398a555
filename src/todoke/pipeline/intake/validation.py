"""Which rows of a batch may become contacts, with what number and zones; and why the others may not.

A pure function of the rows: it sees no other batch, so duplicates are found elsewhere (`dedupe`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from todoke.model import schedule
from todoke.pipeline.intake.mapping import Column, Layout
from todoke.pipeline.intake.reasons import PHONE_REASONS, Reason
from todoke.pipeline.intake.rows import Batch
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.verdicts import ACCEPTED, BLANK, verdict
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms import places
from todoke.sms.phone import Kind, Phone, PhoneError

MAX_VALUE = 10_000  # characters of a field
MAX_EXTERNAL_ID = 255

_TEXTABLE = frozenset(kind for kind in Kind if kind.may_text)

_PLACE_FIELDS = (
    SystemField.TIME_ZONE,
    SystemField.ZIP,
    SystemField.STATE,
    SystemField.CITY,
    SystemField.CALLING_WINDOW,
)

ParseMany = Callable[[Sequence[str]], list[Phone | PhoneError]]


@dataclass(slots=True)
class Judged:
    """`verdicts` has one entry a row of the batch. The other lists run in parallel and have one entry an accepted
    row: its index in the batch, number (E.164 digits), zone set number and external id.
    """

    verdicts: array[int]
    indexes: list[int] = field(default_factory=list[int])
    destinations: list[int] = field(default_factory=list[int])
    zone_sets: list[int] = field(default_factory=list[int])
    external_ids: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Unreadable:
    reason: Reason
    column: Column | None

    @property
    def verdict(self) -> int:
        assert self.column is not None
        return verdict(self.reason, self.column.index)


class Judge:
    """Judges the batches of one list. `parse_many` reads numbers (`Parser.parse_many`)."""

    def __init__(self, layout: Layout, parse_many: ParseMany, zone_sets: ZoneSets, *, generate_ids: bool) -> None:
        self._layout = layout
        self._parse_many = parse_many
        self._zone_sets = zone_sets
        self._generate_ids = generate_ids
        self._required = [column.index for column in layout.required]
        self._external_id = layout.find(SystemField.EXTERNAL_ID)
        self._place_columns = [layout.find(field) for field in _PLACE_FIELDS]
        sms = layout.find(SystemField.SMS_PHONE_NUMBER)
        self._sms = sms.index if sms else None
        self._others = [column.index for column in layout.phones if column is not sms]

    def judge(self, batch: Batch) -> Judged:
        """The verdict on every row. Rows that are too wide only by empty fields are cut to the header's width."""
        judged = Judged(array("H", bytes(2 * len(batch))))
        whole = self._filled(batch.rows, self._whole_rows(batch, judged.verdicts), judged.verdicts)
        ids = self._ids(batch, whole, judged.verdicts)
        phones = self._phones(batch.rows, list(ids), judged.verdicts)
        find_zones = self._zone_set
        for (index, external_id), phone in zip(ids.items(), phones, strict=True):
            if phone is None:
                continue
            zone_set = find_zones(batch.rows[index], phone)
            if not isinstance(zone_set, int):
                judged.verdicts[index] = zone_set.verdict
                continue
            judged.indexes.append(index)
            judged.destinations.append(phone.e164)
            judged.zone_sets.append(zone_set)
            judged.external_ids.append(external_id)
        if len(judged.indexes) < len(batch):
            self._forgive_blank(batch.rows, judged.verdicts)
        return judged

    def column_of_number(self, row: list[str]) -> int | None:
        """The column with the number that is texted, of a row that may be a contact."""
        for column in self._others if self._sms is None else (self._sms, *self._others):
            answer = self._parse_many([row[column]])[0]
            if isinstance(answer, Phone) and answer.kind in _TEXTABLE:
                return column
        return None

    def _whole_rows(self, batch: Batch, verdicts: array[int]) -> Sequence[int]:
        """Indexes of the rows that have a value for every column, none of them too long."""
        width, rows = self._layout.width, batch.rows
        if not batch.flaws and batch.longest <= MAX_VALUE and set(map(len, rows)) <= {width}:
            return range(len(rows))
        for index, row in enumerate(rows):
            if index in batch.flaws:
                verdicts[index] = verdict(batch.flaws[index])
            elif len(row) < width:
                verdicts[index] = verdict(Reason.TOO_FEW_FIELDS)
            elif len(row) > width and any(value.strip() for value in row[width:]):
                verdicts[index] = verdict(Reason.TOO_MANY_FIELDS)
            else:
                del row[width:]
                if batch.longest > MAX_VALUE:
                    long = next((at for at, value in enumerate(row) if len(value) > MAX_VALUE), None)
                    if long is not None:
                        verdicts[index] = verdict(Reason.TOO_LONG, long)
        return [index for index, code in enumerate(verdicts) if code == ACCEPTED]

    def _filled(self, rows: list[list[str]], indexes: Sequence[int], verdicts: array[int]) -> Sequence[int]:
        """Indexes of the rows, of these, that have a value in every column that must have one."""
        for at in self._required:
            for index in indexes:
                if not rows[index][at].strip():
                    verdicts[index] = verdict(Reason.MISSING_REQUIRED_VALUE, at)
            indexes = [index for index in indexes if verdicts[index] == ACCEPTED]
        return indexes

    def _ids(self, batch: Batch, indexes: Sequence[int], verdicts: array[int]) -> dict[int, str]:
        """The external id of each of these rows that has one."""
        if self._external_id is None:
            return {index: generated_id(batch.lines[index]) for index in indexes}
        at, rows = self._external_id.index, batch.rows
        ids = {index: rows[index][at].strip() for index in indexes}
        if "" in ids.values():
            for index in [index for index, external_id in ids.items() if not external_id]:
                if self._generate_ids:
                    ids[index] = generated_id(batch.lines[index])
                else:
                    verdicts[index] = verdict(Reason.MISSING_EXTERNAL_ID, at)
                    del ids[index]
        if batch.longest > MAX_EXTERNAL_ID:
            for index in [index for index, external_id in ids.items() if len(external_id) > MAX_EXTERNAL_ID]:
                verdicts[index] = verdict(Reason.TOO_LONG, at)
                del ids[index]
        return ids

    def _phones(self, rows: list[list[str]], indexes: list[int], verdicts: array[int]) -> list[Phone | None]:
        """The number to text of each of these rows.

        SMSPhoneNumber decides where it has a value: a wrong one is the row's fault, not a reason to text another
        number. Else it is the first number of the other columns that can be texted.
        """
        found: list[Phone | None] = [None] * len(indexes)
        places: Sequence[int] = range(len(indexes))
        if self._sms is not None:
            raws = [rows[index][self._sms] for index in indexes]
            places = [place for place, raw in enumerate(raws) if not raw or raw.isspace()]
            answers = self._parse_many([raw for raw in raws if raw and not raw.isspace()] if places else raws)
            empty = set(places)
            given = [place for place in range(len(indexes)) if place not in empty] if places else range(len(indexes))
            for place, answer in zip(given, answers, strict=True):
                if isinstance(answer, Phone) and answer.kind in _TEXTABLE:
                    found[place] = answer
                else:
                    verdicts[indexes[place]] = verdict(_why_not(answer), self._sms)
        self._look_elsewhere(rows, indexes, places, found, verdicts)
        return found

    def _look_elsewhere(
        self,
        rows: list[list[str]],
        indexes: list[int],
        places: Sequence[int],
        found: list[Phone | None],
        verdicts: array[int],
    ) -> None:
        missing = verdict(Reason.MISSING_PHONE, self._layout.phones[0].index)
        for column in self._others:
            if not places:
                return
            answers = self._parse_many([rows[indexes[place]][column] for place in places])
            for place, answer in zip(places, answers, strict=True):
                if isinstance(answer, Phone) and answer.kind in _TEXTABLE:
                    found[place] = answer
                    verdicts[indexes[place]] = ACCEPTED
                elif verdicts[indexes[place]] in (ACCEPTED, missing):  # the first number that is there tells why
                    why = _why_not(answer)
                    verdicts[indexes[place]] = missing if why is Reason.MISSING_PHONE else verdict(why, column)
            places = [place for place in places if found[place] is None]
        for place in places:
            if verdicts[indexes[place]] == ACCEPTED:
                verdicts[indexes[place]] = missing

    def _zone_set(self, row: list[str], phone: Phone) -> int | _Unreadable:
        """The number of the contact's candidate places; what cannot be read where a column holds something else."""
        columns = self._place_columns
        time_zone, zip, state, city, own = ("" if column is None else row[column.index].strip() for column in columns)
        window = schedule.kept(own)
        if window is None:
            return _Unreadable(Reason.INVALID_CALLING_WINDOW, columns[-1])
        number_places = places.of_number(phone.e164, phone.region, phone.zones)
        found = places.candidates(time_zone, zip, state, city, phone.region, number_places, window)
        return _Unreadable(Reason.INVALID_TIME_ZONE, columns[0]) if found is None else self._zone_sets.number(found)

    def _forgive_blank(self, rows: list[list[str]], verdicts: array[int]) -> None:
        """A row of nothing but separators is an empty line."""
        for index, code in enumerate(verdicts):
            if code != ACCEPTED and not any(value and not value.isspace() for value in rows[index]):
                verdicts[index] = BLANK


def generated_id(line: int) -> str:
    """The external id of a row that has none, if the import was asked to make them."""
    return f"line-{line}"


def _why_not(answer: Phone | PhoneError) -> Reason:
    if isinstance(answer, PhoneError):
        return PHONE_REASONS[answer.reason]
    return Reason.LANDLINE if answer.kind is Kind.FIXED_LINE else Reason.NOT_A_MOBILE
