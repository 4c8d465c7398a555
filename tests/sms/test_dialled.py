from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.dialled import international, tidy
from todoke.sms.numbers import PhoneError


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("09012345678", "09012345678"),
        ("+81 90-1234-5678", "+81 90-1234-5678"),
        ("(212) 555-0123", "(212) 555-0123"),
        ("  090 1234 5678\t", "090 1234 5678"),
        ("'09012345678", "09012345678"),
        ("’090", "090"),
        ('="09012345678"', "09012345678"),
        ("09012345678.0", "09012345678"),
        ("+819012345678.00", "+819012345678"),
        ("212.555.0123", "212.555.0123"),
        ("＋８１ ９０ー１２３４", "+81 90ー1234"),
        ("٠٩٠", "090"),
        ("\u202a+81 90\u202c", "+81 90"),  # what a copy from a contacts app leaves around a number
        ("tel:+81-90", "+81-90"),
        ("Mobile: 090", "090"),
        ("電話番号：０３", "03"),
        ("03-1234 ext. 12", "03-1234"),
        ("03-1234x12", "03-1234"),
        ("03-1234 (内線 12)", "03-1234"),
        ("03-1234;ext=12", "03-1234"),
        ("212-555-0123 #4", "212-555-0123"),
        ("+44 (0)20 7946", "+44 20 7946"),
        ("0044 (0)20", "0044 20"),
        ("+39 (0)6 6982", "+39 (0)6 6982"),
        ("+39 (0)347 123", "+39 347 123"),
        ("(03) 1234", "(03) 1234"),
    ],
)
def test_tidied(raw: str, text: str):
    assert tidy(raw) == text


@pytest.mark.parametrize("raw", ["", "  ", "'", '=""', "\u3000", "\u200b"])
def test_empty(raw: str):
    with pytest.raises(PhoneError) as refused:
        tidy(raw)
    assert refused.value.reason == "empty"


@pytest.mark.parametrize("raw", ["abc", "n/a", "-", "1-800-FLOWERS", "taro@example.com", "090 or 080", "#N/A", "+"])
def test_not_a_number(raw: str):
    with pytest.raises(PhoneError) as refused:
        tidy(raw)
    assert refused.value.reason == "not_a_number"


@pytest.mark.parametrize("raw", ["8.19012E+11", "8,19012E+11", "8E11", "9.012345678e9"])
def test_a_shortened_number_is_told_apart(raw: str):
    with pytest.raises(PhoneError, match="format the column as text") as refused:
        tidy(raw)
    assert refused.value.reason == "not_a_number"


@pytest.mark.parametrize(
    ("text", "abroad"),
    [
        ("0081 90", "+8190"),
        ("011-81-90", "+8190"),
        ("(00)81 90", "+8190"),
        ("090", None),
        ("+81", None),
        ("8190", None),
        ("1 00 81", None),
    ],
)
def test_prefixes_for_calls_abroad(text: str, abroad: str | None):
    assert international(text) == abroad


@given(st.text() | st.text(st.sampled_from("0123456789+-() x#.eE'\"=٣３内線")))
def test_any_text_is_tidied_or_refused(raw: str):
    try:
        text = tidy(raw)
    except PhoneError as error:
        assert error.reason in ("empty", "not_a_number")
    else:
        assert any(character.isdigit() for character in text)
        assert text == text.strip()
