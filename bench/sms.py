"""Text and numbers: what composing one message costs, beside the plain way to write the same thing.

Every figure is the median of several runs that alternate with the reference's in one process, in items a second of CPU
time: other work on the machine then weighs on both alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

from todoke.sms import gsm7
from todoke.sms.compose import compose
from todoke.sms.phone import Parser
from todoke.sms.segments import split
from todoke.sms.templates import parse

T = TypeVar("T")
Work: TypeAlias = Callable[[Sequence[T]], object]

ROUNDS = 5

_ENGLISH = "Hello {}, your order {} is ready at {} today. Open 9-18, bring your ID & this text. Reply STOP to opt out."
_EURO = "Hello {}, your order {} is ready at {} today. It comes to 12.50 € [VAT included]. Reply STOP to opt out."
_JAPANESE = (
    "{}様、ご注文{}の品が{}店に届きました。本日は9時から18時まで営業しております。"
    "お受け取りの際は本メールをご提示ください。配信停止は「停止」と返信。"
)
_ROWS = [
    [f"0901234{number:04}", f"Taro{number}", "Yamada", f"A-{number}", f"Tokyo {number % 7}"] for number in range(10_000)
]
_COLUMNS = ["PhoneNumber", "FirstName", "LastName", "Order", "Store"]
_SEPTETS = {character: bytes([code]) for code, character in enumerate(gsm7.BASIC) if code != gsm7.ESCAPE} | {
    character: bytes([gsm7.ESCAPE, gsm7.BASIC.index(twin)]) for character, twin in gsm7.EXTENSION.items()
}


def cases() -> Iterator[dict[str, object]]:
    """One record a figure: name, value, unit, reference (the same unit) and ratio."""
    english, euro, japanese = (
        [text.format(row[1], row[3], row[4]) for row in _ROWS] for text in (_ENGLISH, _EURO, _JAPANESE)
    )
    yield _case("sms.encode", "messages/s", english, _each(gsm7.encode), _each(_loop_encode))
    yield _case("sms.encode.extension", "messages/s", euro, _each(gsm7.encode), _each(_loop_encode))
    yield _case("sms.split", "messages/s", english, _each(split), _each(_loop_split))
    yield _case("sms.split.ucs2", "messages/s", japanese, _each(split), _each(_loop_split))
    body = _ENGLISH.format("{FirstName}", "{Order}", "{Store}")
    renderer = parse(body).compile(_COLUMNS)
    yield _case("sms.render", "messages/s", _ROWS, _each(renderer.render), _each(lambda row: _format(body, row)))
    yield _case(
        "sms.compose",
        "messages/s",
        _ROWS,
        _each(lambda row: compose(renderer, row)),
        _each(lambda row: _loop_split(_format(body, row))),
    )
    for region, written in (("JP", "090-12{:02}-{:04}"), ("US", "(212) 5{:02}-{:04}")):
        numbers = [written.format(number % 90 + 10, number * 7 % 10_000) for number in range(3_000)]
        parser = Parser(region)
        yield _case(
            f"sms.phone.{region}", "numbers/s", numbers, parser.parse_many, _each(partial(_read, region=region))
        )


def _case(name: str, unit: str, items: Sequence[T], ours: Work[T], plain: Work[T]) -> dict[str, object]:
    rates = [(_rate(ours, items), _rate(plain, items)) for _ in range(ROUNDS)]
    value, reference = (statistics.median(side) for side in zip(*rates, strict=True))
    return {
        "name": name,
        "value": round(value),
        "unit": unit,
        "reference": round(reference),
        "ratio": round(value / reference, 2),
    }


def _rate(work: Work[T], items: Sequence[T]) -> float:
    start = time.process_time()
    work(items)
    return len(items) / (time.process_time() - start)


def _each(function: Callable[[T], object]) -> Work[T]:
    def work(items: Sequence[T]) -> None:
        for item in items:
            function(item)

    return work


def _loop_encode(text: str) -> bytes:
    """A dictionary look-up a character."""
    septets = bytearray()
    for character in text:
        septets += _SEPTETS[character]
    return bytes(septets)


def _loop_split(text: str) -> list[bytes]:
    """The loop, then slices; UTF-16 where it fails."""
    try:
        octets, alone, joined = _loop_encode(text), 160, 153
    except KeyError:
        octets, alone, joined = text.encode("utf-16-be"), 140, 134
    if len(octets) <= alone:
        return [octets]
    return [octets[start : start + joined] for start in range(0, len(octets), joined)]


def _format(body: str, row: Sequence[str]) -> str:
    """The format method over a dictionary of the row, as most would write it."""
    return body.format_map(dict(zip(_COLUMNS, row, strict=True)))


def _read(raw: str, region: str) -> object:
    """What one number takes with phonenumbers: parse, validity, E.164, region, type, zones."""
    number = phonenumbers.parse(raw, region)
    if not phonenumbers.is_valid_number(number):
        return None
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.region_code_for_number(number),
        phonenumbers.number_type(number),
        time_zones_for_number(number),
    )
