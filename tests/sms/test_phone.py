from __future__ import annotations

import importlib.util

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.phone import Kind, Parser, Phone, PhoneError, format_e164, parse

needs_compiled = pytest.mark.skipif(
    importlib.util.find_spec("rphonenumbers") is None, reason="needs the package rphonenumbers"
)
TOKYO = ("Asia/Tokyo",)
MOBILE = Phone(819012345678, "JP", Kind.MOBILE, TOKYO)


@pytest.fixture(params=["reference", pytest.param("compiled", marks=needs_compiled)])
def fast(request: pytest.FixtureRequest) -> bool:
    return request.param == "compiled"


@pytest.mark.parametrize(
    ("raw", "region", "phone"),
    [
        ("090-1234-5678", "JP", MOBILE),
        ("090 (1234) 5678", "JP", MOBILE),
        ("+81 90 1234 5678", None, MOBILE),
        ("819012345678", "JP", MOBILE),
        ("9012345678", "JP", MOBILE),  # a spreadsheet ate the zero
        ("9012345678.0", "JP", MOBILE),
        ("'09012345678", "JP", MOBILE),
        ("０９０ー１２３４ー５６７８", "JP", MOBILE),
        ("+81 (0)90-1234-5678", None, MOBILE),
        ("0081 90 1234 5678", "JP", MOBILE),
        ("0081 90 1234 5678", "GB", MOBILE),
        ("00819012345678", None, MOBILE),
        ("011 81 90 1234 5678", "US", MOBILE),
        ("010 81 90 1234 5678", "JP", MOBILE),
        ("03-1234-5678 内線 12", "JP", Phone(81312345678, "JP", Kind.FIXED_LINE, TOKYO)),
        ("011-211-1234", "JP", Phone(81112111234, "JP", Kind.FIXED_LINE, TOKYO)),  # Sapporo, not a call abroad
        ("0120-123-456", "JP", Phone(81120123456, "JP", Kind.TOLL_FREE, TOKYO)),
        ("050-1234-5678", "JP", Phone(815012345678, "JP", Kind.VOIP, TOKYO)),
        ("(212) 555-0123", "US", Phone(12125550123, "US", Kind.FIXED_LINE_OR_MOBILE, ("America/New_York",))),
        ("+1 876 210 1234", None, Phone(18762101234, "JM", Kind.MOBILE, ("America/Jamaica",))),
        ("07400 123456", "GB", Phone(447400123456, "GB", Kind.MOBILE, ())),
        ("+39 02 3661 8300", None, Phone(390236618300, "IT", Kind.FIXED_LINE, ("Europe/Rome",))),
        ("+800 1234 5678", None, Phone(80012345678, "001", Kind.TOLL_FREE, ())),
    ],
)
def test_numbers(raw: str, region: str | None, phone: Phone, fast: bool):
    answer = Parser(region, fast=fast).parse(raw)
    if phone.region == "GB":
        assert "Europe/London" in answer.zones
        answer = answer._replace(zones=())
    assert answer == phone


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("", "JP", "empty"),
        ("n/a", "JP", "not_a_number"),
        ("8.19E+11", "JP", "not_a_number"),
        ("2125550123", None, "invalid_country"),
        ("+999 123 4567", "JP", "invalid_country"),
        ("110", "JP", "too_short"),
        ("5550123", "US", "too_short"),
        ("00815", None, "too_short"),
        ("090-1234-5678 / 03-1111-2222", "JP", "too_long"),
        ("09012345678", "US", "too_long"),
        ("+1 555 555 0123", None, "not_valid"),
        ("1" * 300, "US", "too_long"),
    ],
)
def test_what_is_no_number(raw: str, region: str | None, reason: str, fast: bool):
    with pytest.raises(PhoneError) as refused:
        Parser(region, fast=fast).parse(raw)
    assert refused.value.reason == reason


def test_one_number_by_itself():
    assert parse("090-1234-5678", "JP") == MOBILE
    with pytest.raises(PhoneError):
        parse("0", "JP")


def test_many_at_once_give_errors_as_values(fast: bool):
    one, empty, short = Parser("JP", fast=fast).parse_many(["090-1234-5678", "", "110"])
    assert one == MOBILE
    assert isinstance(empty, PhoneError)
    assert isinstance(short, PhoneError)
    assert (empty.reason, short.reason) == ("empty", "too_short")


@pytest.mark.parametrize("region", ["UK", "jp", "", "JPN"])
def test_a_region_that_is_none(region: str):
    with pytest.raises(ValueError, match="is not a region"):
        Parser(region)


def examples() -> list[tuple[str, str]]:
    """Numbers of every region and kind as they are written there, spoiled variants too."""
    numbers: list[tuple[str, str]] = []
    styles = (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number_type in phonenumbers.PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(region, number_type)
            if number is None:
                continue
            for style in styles:
                written = phonenumbers.format_number(number, style)
                numbers += [(region, written), (region, written + "9"), (region, written[:-1]), (region, written[1:])]
    return numbers


def accepted(answer: Phone | PhoneError) -> Phone | None:
    return None if isinstance(answer, PhoneError) else answer


@needs_compiled
def test_both_libraries_agree_on_every_region_and_kind():
    numbers = examples()
    assert len(numbers) > 8000
    differences: list[tuple[str, str, object, object]] = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        raws = [raw for of, raw in numbers if of == region]
        compiled = Parser(region, check_every=10**9).parse_many(raws)
        reference = Parser(region, fast=False).parse_many(raws)
        for raw, one, other in zip(raws, compiled, reference, strict=True):
            if accepted(one) != accepted(other):
                differences.append((region, raw, accepted(one), accepted(other)))
    assert differences == []


def test_a_number_is_valid_when_the_library_says_so():
    for region, raw in examples()[::7]:
        answer = Parser(region, fast=False).parse_many([raw])[0]
        if isinstance(answer, Phone):
            number = phonenumbers.parse(format_e164(answer.e164), None)
            assert phonenumbers.is_valid_number(number)
            assert phonenumbers.region_code_for_number(number) == answer.region


@given(
    st.text() | st.text(st.sampled_from("0123456789+-() x#.eE;='٣３内線/"), max_size=30),
    st.sampled_from([None, "JP", "US", "GB", "IT", "BR"]),
)
def test_any_text_is_read_alike_or_refused_alike(raw: str, region: str | None):
    parser = Parser(region, check_every=1)
    answer = parser.parse_many([raw])[0]
    assert parser.mismatch is None
    if isinstance(answer, Phone):
        assert Parser(None, fast=False).parse(format_e164(answer.e164)) == answer
