"""Which rows of a part may become contacts, with what numbers and zones; and why the others may not.

A pure function of the rows: it sees no other part, so duplicates are found elsewhere (`dedupe`). Every rule is said
once, over columns; what is decided by a value is decided once for each different value.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import polars as pl

from todoke.model import expiry
from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.parts import Part, name
from todoke.pipeline.intake.places import TOLD, Places
from todoke.pipeline.intake.reasons import PHONE_REASONS, Reason
from todoke.pipeline.intake.rules import Channel, Rules
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.verdicts import ACCEPTED, BLANK, verdict
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms.phone import Kind
from todoke.sms.phone_columns import ColumnParser, Outcome
from todoke.sms.phone_type import places_of
from todoke.sms.places import read_place
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists.key_hash import external_keys

MAX_EXTERNAL_ID = 255

# `row` counts the part's whole rows. `phone` is the number by which a contact is unique: where it can be texted that
# is `destination`. `external` and `check` together stand for the external id.
ACCEPTED_SCHEMA = pl.Schema(
    {
        "row": pl.UInt32(),
        "line": pl.UInt32(),
        "destination": pl.Int64(),
        "phone": pl.Int64(),
        "zone_set": pl.UInt16(),
        "external": pl.Int64(),
        "check": pl.UInt32(),
        "phones": pl.String(),
        "expires_at": pl.Int64(),
    }
)
REJECTED_SCHEMA = pl.Schema({"row": pl.UInt32(), "line": pl.UInt32(), "code": pl.UInt16()})


@dataclass(slots=True)
class Judged:
    """`accepted` and `rejected` have the rows of the part, in order; blank ones are rejected as BLANK, and what was
    refused before is not there. `unusable`: values that are no numbers beside one that is, by column.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    unusable: Counter[int] = field(default_factory=Counter[int])


class Judge:
    """Judges the parts of one list; numbers the zone sets as they come."""

    def __init__(self, layout: Layout, phones: ColumnParser, zone_sets: ZoneSets, rules: Rules) -> None:
        self._layout = layout
        self._parser = phones
        self._zone_sets = zone_sets
        self._rules = rules
        self._places = Places(layout, rules, zone_sets)
        self._external_id = _index(layout, SystemField.EXTERNAL_ID)
        self._expiry = _index(layout, SystemField.EXPIRATION_DATE)
        self._sms = _index(layout, SystemField.SMS_PHONE_NUMBER)
        self._required = [column.index for column in layout.required]
        self._phones = [column.index for column in layout.phones]
        self._others = [index for index in self._phones if index != self._sms]
        self._types = {index: layout.phone_type(index) for index in self._phones}
        chosen = {*self._required, *self._phones, *self._places.columns, self._external_id, self._expiry}
        self._columns = sorted(index for index in chosen if index is not None)
        self._outcomes = _Outcomes(phones.outcomes)

    def judge(self, part: Part) -> Judged:
        """The verdict on every row that has one yet to get."""
        frame = part.columns(self._columns).select(pl.all().str.strip_chars())
        frame = frame.with_columns(part.lines.alias("line")).with_row_index("row")
        frame = frame.with_columns(self._ids()).with_columns(self._filled())
        frame, told = self._read_phones(frame)
        frame = frame.with_columns(pl.when(pl.col("code") == ACCEPTED).then("why").otherwise("code").alias("code"))
        frame = self._expired(self._placed(frame, list(told)))
        rejected = frame.filter(pl.col("code") != ACCEPTED)
        accepted = frame if rejected.is_empty() else frame.filter(pl.col("code") == ACCEPTED)
        unusable = self._unusable(accepted, told)
        if not rejected.is_empty():
            rejected = self._forgive_blank(part, rejected)
        key = external_keys(accepted["id"])
        return Judged(
            accepted.with_columns(
                key.alias("external"), pl.col("id").hash(1).cast(pl.UInt32, wrap_numerical=True).alias("check")
            ).select([pl.col(column).cast(dtype) for column, dtype in ACCEPTED_SCHEMA.items()]),
            rejected.select([pl.col(column).cast(dtype) for column, dtype in REJECTED_SCHEMA.items()]),
            unusable,
        )

    def column_of_number(self, row: Sequence[str], phone: int) -> int | None:
        """The column with the number by which that row would be a contact."""
        for column in self._phones if self._sms is None else (self._sms, *self._others):
            answer = self._parser.parse_many([row[column]])[0]
            if not isinstance(answer, Exception) and answer.e164 == phone:
                return column
        return None

    def _ids(self) -> list[pl.Expr]:
        """`id`, and the `code` of a row that has none."""
        generated = generated_id(pl.col("line"))
        if self._external_id is None:
            return [generated.alias("id"), pl.lit(ACCEPTED, pl.UInt16).alias("code")]
        at = self._external_id
        given = pl.col(name(at))
        missing = given == ""
        long = given.str.len_chars() > MAX_EXTERNAL_ID
        code = pl.when(long).then(_code(Reason.TOO_LONG, at)).otherwise(_code())
        if self._rules.generate_ids:
            return [pl.when(missing).then(generated).otherwise(given).alias("id"), code.alias("code")]
        code = pl.when(missing).then(_code(Reason.MISSING_EXTERNAL_ID, at)).otherwise(code)
        return [given.alias("id"), code.alias("code")]

    def _filled(self) -> pl.Expr:
        """The `code` of a row that lacks a value that is required, before all else."""
        missing = [
            pl.when(pl.col(name(at)) == "").then(_code(Reason.MISSING_REQUIRED_VALUE, at)) for at in self._required
        ]
        return _first(missing, pl.col("code")).alias("code")

    def _read_phones(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
        """Adds `destination`, `phone`, the `outcome` of the number that tells the zones, `phones`, and `why` a row has
        no number that will do; the column that is `texted`, where several are told of.

        SMSPhoneNumber decides where it has a value: a wrong one is the row's fault, not a reason to text another
        number. Else it is the first number of the other columns that can be texted.
        """
        read: list[pl.Series] = []
        told: dict[int, str] = {}  # by column: what its answers' names begin with
        for at in self._phones:
            texts = frame[name(at)]
            if not (texts != "").any():
                continue
            answers = self._parser.read(texts)
            prefix = told[at] = f"phone{at}."
            facts = self._outcomes.of(answers["outcome"], at)
            read += [answers["e164"].alias(f"{prefix}e164"), answers["outcome"].alias(f"{prefix}outcome")]
            read += [fact.alias(f"{prefix}{fact.name}") for fact in facts]
        frame = frame.with_columns(read)
        missing = _code(Reason.MISSING_PHONE, self._phones[0])
        others = [told[at] for at in self._others if at in told]
        number = _first([_textable(prefix, "e164") for prefix in others], pl.lit(None, pl.Int64))
        outcome = _first([_textable(prefix, "outcome") for prefix in others], pl.lit(None, pl.UInt32))
        texted = _first([_texted(told[at], at) for at in self._others if at in told], _column(self._phones[0]))
        # The first number that is there tells why.
        why = _first([_given(told[at], name(at)) for at in self._others if at in told], missing)
        if self._sms in told:
            prefix, given = told[self._sms], pl.col(name(self._sms)) != ""
            number = pl.when(given).then(_textable(prefix, "e164")).otherwise(number)
            outcome = pl.when(given).then(_textable(prefix, "outcome")).otherwise(outcome)
            texted = pl.when(given).then(_column(self._sms)).otherwise(texted)
            why = pl.when(given).then(pl.col(f"{prefix}why")).otherwise(why)
        frame = frame.with_columns(number.alias("number"), outcome.alias("outcome"), why.alias("why"))
        if len(told) > 1:
            frame = frame.with_columns(texted.alias("texted"))
        ordered = [told[at] for at in self._phones if at in told]
        phone = pl.col("number")
        if self._rules.channel is Channel.ANY:
            phone = pl.coalesce("number", *(f"{prefix}e164" for prefix in ordered))
            valid = [pl.when(pl.col(f"{prefix}e164").is_not_null()).then(f"{prefix}outcome") for prefix in ordered]
            outcome = pl.when(pl.col("number").is_null()).then(_first(valid, pl.col("outcome"))).otherwise("outcome")
        frame = frame.with_columns(
            phone.alias("phone"),
            outcome.alias("outcome") if self._rules.channel is Channel.ANY else pl.col("outcome"),
            pl.when(phone.is_null()).then("why").otherwise(_code()).alias("why"),
            pl.col("number").fill_null(0).alias("destination"),
            self._further(told).alias("phones"),
        )
        return frame, told

    def _further(self, told: dict[int, str]) -> pl.Expr:
        """The row's other numbers, one place for each of the list's phone types."""
        none = pl.lit(None, pl.String)
        if phone_types(self._layout, self._rules) is None or not told:
            return none
        places: list[pl.Expr] = []
        for at in self._phones:
            if at in told:
                number = pl.col(f"{told[at]}e164")
                other = number.is_not_null() & number.ne_missing(pl.col("number"))
                places.append(pl.when(other).then(number.cast(pl.String)).otherwise(pl.lit("")))
            else:
                places.append(pl.lit(""))
        packed = pl.concat_str(places, separator=SEPARATOR)
        return pl.when(packed.str.len_bytes() >= len(places)).then(packed).otherwise(none)

    def _placed(self, frame: pl.DataFrame, told: Sequence[int]) -> pl.DataFrame:
        """Adds `zone_set`; asked once for each combination of what decides it. `told`: the columns with numbers."""
        frame = frame.with_columns(self._places.told(pl.col("phone")))
        by = ["outcome", *TOLD, *map(name, self._places.columns)]
        if len(told) > 1:
            by.append("texted")
        still = pl.col("code") == ACCEPTED
        distinct = frame.filter(still).select(by).unique(maintain_order=True)
        outcomes = self._parser.outcomes
        found: list[tuple[int, int]] = []
        for outcome, area, *values in distinct.iter_rows():
            texted = values.pop() if len(told) > 1 else told[0]
            region, zones = outcomes[outcome].region, outcomes[outcome].zones
            found.append(self._places.find(values, area, region, zones, self._types[texted]))
        sets = pl.Series("zone_set", [number for number, _ in found], pl.UInt16)
        codes = pl.Series("placed", [code for _, code in found], pl.UInt16)
        if distinct.height == 1:
            frame = frame.with_columns(pl.lit(sets[0]).alias("zone_set"), pl.lit(codes[0]).alias("placed"))
        else:
            frame = frame.join(distinct.with_columns(sets, codes), on=by, how="left", maintain_order="left")
        return frame.with_columns(pl.when(still).then("placed").otherwise("code").alias("code"))

    def _expired(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Adds `expires_at`, and a `code` where that is no date, or past."""
        if self._expiry is None or not (frame[name(self._expiry)] != "").any():
            return frame.with_columns(pl.lit(None, pl.Int64).alias("expires_at"))
        text = name(self._expiry)
        still = pl.col("code") == ACCEPTED
        distinct = frame.filter(still & (pl.col(text) != "")).select(text, "zone_set").unique()
        zones = {
            zone_set: [ZoneInfo(read_place(place).zone) for place in places_of(self._zone_sets.sets[zone_set])]
            for zone_set in distinct["zone_set"].unique().to_list()
        }
        moments = [expiry.moment(value, zones[zone_set]) for value, zone_set in distinct.iter_rows()]
        known = distinct.with_columns(
            pl.Series("expires_at", moments, pl.Int64),
            pl.Series("late", [self._late(moment) for moment in moments], pl.UInt16),
        )
        frame = frame.join(known, on=[text, "zone_set"], how="left", maintain_order="left")
        late = pl.when(still & pl.col("late").is_not_null()).then("late").otherwise("code")
        return frame.with_columns(late.alias("code"))

    def _late(self, moment: int | None) -> int:
        if moment is None:
            return verdict(Reason.INVALID_EXPIRATION, self._expiry)
        return verdict(Reason.EXPIRED, self._expiry) if moment <= self._rules.now else ACCEPTED

    def _unusable(self, accepted: pl.DataFrame, told: dict[int, str]) -> Counter[int]:
        """Values of accepted rows that are no numbers."""
        if len(told) < 2 and self._rules.channel is Channel.SMS:
            return Counter()
        wrong = [((pl.col(name(at)) != "") & pl.col(f"{told[at]}e164").is_null()).sum().alias(name(at)) for at in told]
        counts = accepted.select(wrong).row(0)
        return Counter({at: count for at, count in zip(told, counts, strict=True) if count})

    def _forgive_blank(self, part: Part, rejected: pl.DataFrame) -> pl.DataFrame:
        """A row of nothing but separators is an empty line."""
        seen = [name(at) for at in self._columns]
        blank = rejected.filter(pl.all_horizontal(pl.col(seen) == "") if seen else pl.lit(True))
        if blank.is_empty():
            return rejected
        whole = part.columns(range(self._layout.width))[blank["row"]]
        empty = whole.select(pl.all_horizontal(pl.all().str.strip_chars() == "")).to_series()
        rows = blank["row"].filter(empty)
        forgiven = pl.when(pl.col("row").is_in(rows.implode())).then(pl.lit(BLANK, pl.UInt16)).otherwise("code")
        return rejected.with_columns(forgiven.alias("code"))


class _Outcomes:
    """What an outcome means for a row, by its number."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self._outcomes = outcomes
        self._textable = pl.Series("textable", [], pl.Boolean)
        self._why = pl.Series("why", [], pl.UInt16)

    def of(self, numbers: pl.Series, column: int) -> list[pl.Series]:
        """`textable`, and `why` a number in that column will not do."""
        if len(self._textable) < len(self._outcomes):
            self._textable = pl.Series(
                "textable", [one.reason is None and one.kind.may_text for one in self._outcomes], pl.Boolean
            )
            self._why = pl.Series("why", [verdict(_why_not(one), 0) for one in self._outcomes], pl.UInt16)
        return [self._textable.gather(numbers), (self._why + column).cast(pl.UInt16).gather(numbers)]


def phone_types(layout: Layout, rules: Rules) -> list[str] | None:
    """The phone types of a list: the fields whose numbers `contact.phones` holds, in its order; None where one number
    is all that a contact has."""
    if len(layout.phones) < 2 and rules.channel is Channel.SMS:
        return None
    return [column.name for column in layout.phones]


def phone_names(layout: Layout) -> dict[str, list[str]]:
    """The phone types of a list by field, each with what else the file calls it."""
    return {column.name: list(layout.phone_type(column.index)[1:]) for column in layout.phones}


def generated_id(line: pl.Expr) -> pl.Expr:
    """The external id of a row that has none, if the import was asked to make them: `line-7`."""
    return pl.concat_str(pl.lit("line-"), line.cast(pl.String))


def _index(layout: Layout, field: SystemField) -> int | None:
    column = layout.find(field)
    return column.index if column else None


def _code(reason: Reason | None = None, column: int | None = None) -> pl.Expr:
    return pl.lit(ACCEPTED if reason is None else verdict(reason, column), pl.UInt16)


def _first(choices: Sequence[pl.Expr], otherwise: pl.Expr) -> pl.Expr:
    return pl.coalesce(*choices, otherwise) if choices else otherwise


def _textable(prefix: str, what: str) -> pl.Expr:
    return pl.when(pl.col(f"{prefix}textable")).then(f"{prefix}{what}")


def _column(index: int) -> pl.Expr:
    return pl.lit(index, pl.UInt16)


def _texted(prefix: str, index: int) -> pl.Expr:
    return pl.when(pl.col(f"{prefix}textable")).then(_column(index))


def _given(prefix: str, column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(f"{prefix}why")


def _why_not(outcome: Outcome) -> Reason:
    if outcome.reason is not None:
        return PHONE_REASONS[outcome.reason]
    return Reason.LANDLINE if outcome.kind is Kind.FIXED_LINE else Reason.NOT_A_MOBILE
