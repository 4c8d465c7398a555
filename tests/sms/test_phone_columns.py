"""Columns of numbers are read exactly as the reference reads each of them."""

from __future__ import annotations

import random
from typing import Any

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.sms import phone_columns
from todoke.sms.numbers import Phone, PhoneError
from todoke.sms.phone import Mismatch, Parser
from todoke.sms.phone_columns import ColumnParser
from todoke.sms.reading import Reader

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EVERYDAY = ["US", "JP", "GB", "DE", "FR", "IT", "AR", "BR", "MX", "CN", "IN", "AU", "RU", "KZ", "CA", "AG", "PR", "NZ"]
PREFIXES = (
    "+{c}{n}",
    "{c}{n}",
    "{n}",
    "0{n}",
    "1{n}",
    "8{n}",
    "00{c}{n}",
    "011{c}{n}",
    "+{c}0{n}",
    "{c}0{n}",
    "010{c}{n}",
)
SIGNS = (" ", "-", "", "", "", "")


def written(chance: random.Random, region: str) -> str:
    """A number of that region or another, perhaps with wrong digits, in some form."""
    number = None
    while number is None:
        of = region if chance.random() < 0.6 else chance.choice(REGIONS)
        number = phonenumbers.example_number_for_type(of, chance.randrange(11))
    digits = list(phonenumbers.national_significant_number(number))
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        digits[chance.randrange(len(digits))] = chance.choice("0123456789")
    if chance.random() < 0.1:
        digits = digits[: chance.randrange(3, len(digits) + 1)]
    if chance.random() < 0.1:
        digits.append(chance.choice("0123456789"))
    text = chance.choice(PREFIXES).format(c=number.country_code, n="".join(digits))
    return "".join(digit + chance.choice(SIGNS) for digit in text).strip(" -") if chance.random() < 0.3 else text


def answers(parser: ColumnParser, texts: list[str]) -> list[Phone | str]:
    """A number as `Parser` has it, or the reason why it is none."""
    told = parser.read(pl.Series(texts, dtype=pl.String))
    found: list[Phone | str] = []
    for e164, number in told.iter_rows():
        outcome = parser.outcomes[number]
        assert (e164 is None) == (outcome.reason is not None)
        found.append(outcome.reason or Phone(e164, outcome.region, outcome.kind, outcome.zones))
    return found


def expected(region: str | None, texts: list[str]) -> list[Phone | str]:
    parser = Parser(region, fast=False)
    return [answer.reason if isinstance(answer, PhoneError) else answer for answer in parser.parse_many(texts)]


@settings(deadline=None)
@given(st.sampled_from(EVERYDAY + REGIONS), st.integers(0, 1 << 30))
def test_every_region_reads_as_the_reference(region: str, seed: int) -> None:
    chance = random.Random(seed)
    texts = [written(chance, region) for _ in range(40)]

    assert answers(ColumnParser(region, fast=False), texts) == expected(region, texts)


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from("+0123456789 -().x/ー　０９\t'e"), max_size=16), max_size=20))
def test_whatever_is_written_reads_as_the_reference(texts: list[str]) -> None:
    for region in ("US", "JP", None):
        assert answers(ColumnParser(region, fast=False), texts) == expected(region, texts)


def test_numbers_that_begin_alike_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = Reader.read
    monkeypatch.setattr(Reader, "read", lambda self, raw: asked.append(raw) or read(self, raw))
    parser = ColumnParser("US", check_every=1 << 30)

    told = parser.read(pl.Series([f"+1 212 {200 + number} {number:04}" for number in range(700)]))

    assert told["e164"].to_list() == [12120000000 + (200 + number) * 10_000 + number for number in range(700)]
    assert len(asked) <= 8  # the digit after the area code decides; and one is checked


def test_a_difference_ends_the_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Mismatch] = []
    parser = ColumnParser("US", check_every=10, on_mismatch=told.append)
    applied: Any = phone_columns._applied
    monkeypatch.setattr(phone_columns, "_applied", lambda *given: applied(*given).with_columns(pl.col("e164") + 1))
    texts = [f"212555{number:04}" for number in range(30)]

    first, again = answers(parser, texts), answers(parser, texts)

    assert first == again == expected("US", texts)
    assert [mismatch] == told if (mismatch := parser.mismatch) else False
    assert "2125" not in str(told[0])


def test_every_so_manyth_number_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = ColumnParser("US", check_every=10)
    texts = [f"212555{number:04}" for number in range(25)]
    answers(parser, texts)
    checked: list[str] = []
    read = Reader.read
    monkeypatch.setattr(Reader, "read", lambda self, raw: checked.append(raw) or read(self, raw))

    answers(parser, texts)

    assert checked == [texts[5], texts[15]]


def test_a_region_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="'XX' is not a region"):
        ColumnParser("XX")
