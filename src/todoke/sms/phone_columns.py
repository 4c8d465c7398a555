"""Columns of phone numbers, read as `Parser` reads one, by looking up what their first digits and their length decide.

A number in a usual form is a sign and some digits. For each beginning that is new the reference library is asked once,
and `DecidingDigits` has proved that its answer holds for every number that begins so. What is written in any other
way, and what more digits decide, is read one by one. Now and then the reference reads a number as well; the first
difference ends the trust, as in `crosscheck`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import phonenumbers
import polars as pl

from todoke.sms.crosscheck import Mismatch, describe
from todoke.sms.deciding_digits import DecidingDigits
from todoke.sms.numbers import Kind, Phone, PhoneError, Reason
from todoke.sms.phone import Parser
from todoke.sms.reading import Library, Reader
from todoke.sms.zones import Zones

Answer = Phone | PhoneError

# What `dialled.tidy` leaves as it is: only the plus and the digits of such a text count.
_USUAL = (
    r"\A(?:\+?[0-9](?:[ -]?[0-9])+|\([0-9]+\) ?[0-9](?:[ -]?[0-9])+"
    r"|\+[0-9]{1,3} ?\([1-9][0-9]*\) ?[0-9](?:[ -]?[0-9])+|[0-9]{3}\.[0-9]{3}\.[0-9]{4})\z"
)
_SIGNS = list(" -().+")
_LEAST, _MOST = 7, 17  # digits; others are read one by one

_BEGINNING = 5  # digits that decide nearly all numbers; a table of every such beginning
_LONGER = (7, 9)
_FORMS = 2 * (_MOST + 1)  # with a plus or without, by length
_UNKNOWN, _UNDECIDED = 0, 1  # in the table: nobody asked yet; more digits decide


class Outcome(NamedTuple):
    """What is said of a number apart from its digits; `reason` is None for a valid one."""

    reason: Reason | None
    kind: Kind
    region: str
    zones: tuple[str, ...]


class _Entry(NamedTuple):
    """For numbers that begin alike: E.164 is `base` + the rest by `modulus`; `base` None for what is no number."""

    base: int | None
    modulus: int
    outcome: int


class ColumnParser:
    """Reads the columns of one list. `default_region` as in `Parser`, and raises ValueError like it.

    `outcomes` has what `read` answers by number; it grows. `mismatch` as in `Parser`.
    """

    def __init__(
        self,
        default_region: str | None,
        *,
        check_every: int = 1000,
        on_mismatch: Callable[[Mismatch], None] | None = None,
        fast: bool = True,
    ) -> None:
        self._parser = Parser(default_region, on_mismatch=on_mismatch, fast=fast)
        self._reference = Reader(cast(Library, phonenumbers), default_region, Zones())
        self._on_mismatch = on_mismatch
        self._check_every = check_every
        self._unchecked = 0
        self.mismatch: Mismatch | None = None
        self.outcomes: list[Outcome] = []
        self._numbers: dict[Outcome, int] = {}
        self._table = _Table(default_region, self._reference, self._outcome)
        self._empty = self._outcome(PhoneError("empty"))

    def parse_many(self, raws: Sequence[str]) -> list[Answer]:
        """The same for a few, one by one; errors are values."""
        return self._parser.parse_many(raws)

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """A row a text, without nulls: `e164` (Int64, null where it is no number) and `outcome`, an index."""
        frame = pl.DataFrame({"text": texts.str.strip_chars()}).with_row_index("row")
        if self.mismatch is None:
            usual = pl.col("text").str.contains(_USUAL)
            digits = pl.col("text").str.replace_many(_SIGNS, [""] * len(_SIGNS))
            frame = frame.with_columns(digits.alias("digits"), usual.alias("usual")).with_columns(
                pl.col("digits").str.len_bytes().alias("length")
            )
            told = self._look_up(frame)
            if self._agrees(frame, told):
                return told
        return self._each(frame).sort("row").select("e164", "outcome")

    def _look_up(self, frame: pl.DataFrame) -> pl.DataFrame:
        numeric = pl.col("usual") & pl.col("length").is_between(_LEAST, _MOST)
        looked = frame.with_columns(
            pl.when(numeric).then(pl.col("digits")).otherwise(pl.lit("0" * _LEAST)).alias("digits"),
            pl.when(numeric).then(pl.col("length")).otherwise(_LEAST).cast(pl.Int64).alias("length"),
            pl.col("text").str.starts_with("+").alias("plus"),
        ).with_columns(pl.col("digits").cast(pl.Int64).alias("number"))
        entry = self._table.first(looked)
        told = _applied(looked, entry, self._table.entries)
        settled = told["entry"] > _UNDECIDED
        left = ~(settled & frame.select(numeric).to_series())
        if not left.any():
            return told.select("e164", "outcome")
        parts = [told.filter(~left).select("row", "e164", "outcome")]
        rest = looked.filter(left)
        is_numeric = frame.filter(left).select(numeric).to_series()
        others, rest = rest.filter(~is_numeric), rest.filter(is_numeric)
        empty = others.filter(pl.col("text") == "")
        parts.append(
            empty.select(
                "row",
                pl.lit(None, pl.Int64).alias("e164"),
                pl.lit(self._empty, pl.UInt32).alias("outcome"),
            )
        )
        for known in _LONGER:
            if rest.is_empty():
                break
            entry = self._table.longer(rest, known)
            told = _applied(rest, entry, self._table.entries)
            settled = told["entry"] > _UNDECIDED
            parts.append(told.filter(settled).select("row", "e164", "outcome"))
            rest = rest.filter(~settled)
        one_by_one = pl.concat([others.filter(pl.col("text") != ""), rest])
        parts.append(self._each(one_by_one))
        return pl.concat(parts).sort("row").select("e164", "outcome")

    def _each(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Each different text once, by itself."""
        distinct = frame.select(pl.col("text").unique())
        raws: list[str] = distinct["text"].to_list()
        if self.mismatch is None:
            answers = self._parser.parse_many(raws)
        else:
            answers = list(map(self._reference.read, raws))
        told = distinct.with_columns(
            pl.Series("e164", [answer.e164 if isinstance(answer, Phone) else None for answer in answers], pl.Int64),
            pl.Series("outcome", [self._outcome(answer) for answer in answers], pl.UInt32),
        )
        return frame.select("row", "text").join(told, on="text", how="left").select("row", "e164", "outcome")

    def _agrees(self, frame: pl.DataFrame, told: pl.DataFrame) -> bool:
        """Whether the reference says the same of the numbers whose turn it is."""
        start, self._unchecked = self._unchecked, (self._unchecked - frame.height) % self._check_every
        rows = list(range(start, frame.height, self._check_every))
        for row in rows:
            answer = self._reference.read(frame["text"][row])
            e164, outcome = told["e164"][row], self.outcomes[told["outcome"][row]]
            wrong = e164 is not None if isinstance(answer, PhoneError) else _phone(e164, outcome) != answer
            if wrong:
                ours: Answer = PhoneError(outcome.reason) if outcome.reason else cast(Phone, _phone(e164, outcome))
                self.mismatch = Mismatch(describe(ours), describe(answer))
                if self._on_mismatch:
                    self._on_mismatch(self.mismatch)
                return False
        return True

    def _outcome(self, answer: Answer) -> int:
        if isinstance(answer, PhoneError):
            outcome = Outcome(answer.reason, Kind.OTHER, "", ())
        else:
            outcome = Outcome(None, answer.kind, answer.region, answer.zones)
        number = self._numbers.get(outcome)
        if number is None:
            number = self._numbers[outcome] = len(self.outcomes)
            self.outcomes.append(outcome)
        return number


class _Table:
    """What beginnings decide, filled as they come."""

    def __init__(self, region: str | None, reference: Reader, outcome: Callable[[Answer], int]) -> None:
        self._deciding = DecidingDigits(region)
        self._reference = reference
        self._outcome = outcome
        self._entries: list[_Entry] = [_Entry(None, 1, 0), _Entry(None, 1, 0)]
        self._numbers: dict[_Entry, int] = {}
        self._frame = _framed(self._entries)
        self._beginnings = pl.zeros(_FORMS * 10**_BEGINNING, pl.UInt32, eager=True)
        self._longer = {known: pl.DataFrame(schema={"key": pl.Int64, "entry": pl.UInt32}, data=[]) for known in _LONGER}

    @property
    def entries(self) -> pl.DataFrame:
        """`base`, `modulus` and `outcome` by entry."""
        if self._frame.height < len(self._entries):
            self._frame = _framed(self._entries)
        return self._frame

    def first(self, numbers: pl.DataFrame) -> pl.Series:
        """The entry of each, by its first few digits."""
        keys = numbers.select(_key(_BEGINNING)).to_series()
        found = self._beginnings.gather(keys)
        if (found == _UNKNOWN).any():
            new = self._ask(numbers.with_columns(keys).filter(found == _UNKNOWN), _BEGINNING)
            self._beginnings.scatter(new["key"], new["entry"])
            found = self._beginnings.gather(keys)
        return found

    def longer(self, numbers: pl.DataFrame, known: int) -> pl.Series:
        """The entry of each, by `known` digits."""
        keyed = numbers.with_columns(_key(known))
        there = self._longer[known]
        unknown = keyed.join(there, on="key", how="anti")
        if not unknown.is_empty():
            there = self._longer[known] = pl.concat([there, self._ask(unknown, known)])
        return keyed.select("key").join(there, on="key", how="left", maintain_order="left")["entry"]

    def _ask(self, numbers: pl.DataFrame, known: int) -> pl.DataFrame:
        """Keys that nobody asked for, with what one number of each tells about all of them."""
        each = numbers.select("key", "plus", "digits").unique("key")
        entries = [self._learn(plus, digits, known) for _, plus, digits in each.iter_rows()]
        return each.select("key", pl.Series("entry", entries, pl.UInt32))

    def _learn(self, plus: bool, digits: str, known: int) -> int:
        if not self._deciding.decide(plus, digits, known):
            return _UNDECIDED
        answer = self._reference.read(f"+{digits}" if plus else digits)
        if isinstance(answer, PhoneError):
            return self._entry(_Entry(None, 1, self._outcome(answer)))
        whole = str(answer.e164)
        for kept in range(min(len(whole) - 1, len(digits)), 0, -1):
            code = whole[: len(whole) - kept]
            if len(code) <= 3 and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
                if whole.endswith(digits[len(digits) - kept :]):
                    return self._entry(_Entry(int(code) * 10**kept, 10**kept, self._outcome(answer)))
                break
        return _UNDECIDED  # the library has changed more than the beginning

    def _entry(self, entry: _Entry) -> int:
        number = self._numbers.get(entry)
        if number is None:
            number = self._numbers[entry] = len(self._entries)
            self._entries.append(entry)
        return number


def _key(known: int) -> pl.Expr:
    form = pl.col("plus").cast(pl.Int64) * (_MOST + 1) + pl.col("length")
    return (form * 10**known + pl.col("digits").str.head(known).cast(pl.Int64)).alias("key")


def _framed(entries: list[_Entry]) -> pl.DataFrame:
    return pl.DataFrame(entries, schema={"base": pl.Int64, "modulus": pl.Int64, "outcome": pl.UInt32}, orient="row")


def _applied(numbers: pl.DataFrame, entry: pl.Series, entries: pl.DataFrame) -> pl.DataFrame:
    found = entries.select(pl.all().gather(entry))
    return found.select(
        numbers["row"],
        (pl.col("base") + numbers["number"] % pl.col("modulus")).alias("e164"),
        "outcome",
        entry.alias("entry"),
    )


def _phone(e164: int | None, outcome: Outcome) -> Phone | None:
    return None if e164 is None else Phone(e164, outcome.region, outcome.kind, outcome.zones)
