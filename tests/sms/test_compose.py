from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms import gsm7
from todoke.sms.compose import Composed, EmptyText, MissingField, TooLong, compose, compose_short
from todoke.sms.segments import Encoding, Split, split
from todoke.sms.smart import Replacement
from todoke.sms.templates import parse

HELLO = parse("Hi {FirstName}!").compile(["FirstName"])
ANY = parse("{Text|}").compile(["Text"])


def test_a_message_of_one_segment():
    assert compose(HELLO, ["Zoë [1]"]) == Composed("Hi Zoë [1]!", split("Hi Zoë [1]!"))
    assert compose(HELLO, ["Ana"]) == Composed("Hi Ana!", Split(Encoding.GSM7, (b"Hi Ana!",), 7))


def test_smart_encoding_is_asked_for():
    assert compose(HELLO, ["“Al”"]).split.encoding is Encoding.UCS2
    smart = compose(HELLO, ["“Al”"], smart=True)
    assert smart.text == 'Hi "Al"!'
    assert smart.split.encoding is Encoding.GSM7
    assert smart.replacements == (Replacement("“", '"', 1), Replacement("”", '"', 1))


def test_the_reference_bits_reach_the_split():
    assert [len(payload) for payload in compose(ANY, ["a" * 200], reference_bits=16).split.parts] == [152, 48]


@pytest.mark.parametrize("text", ["", " ", "\n\u3000"])
def test_nothing_to_send(text: str):
    with pytest.raises(EmptyText, match="the text is empty"):
        compose(ANY, [text])


def test_what_cannot_be_sent():
    with pytest.raises(MissingField):
        compose(HELLO, [""])
    with pytest.raises(TooLong):
        compose(ANY, ["語" * 20000])


@given(st.text(st.characters()))
def test_the_text_is_what_the_segments_say(text: str):
    if not text.strip():
        return
    composed = compose(ANY, [text])
    payload = b"".join(composed.split.parts)
    on_air = gsm7.decode(payload) if composed.split.encoding is Encoding.GSM7 else payload.decode("utf-16-be")
    assert composed.text == on_air
    assert composed.text.encode()  # no lone surrogate is left


@given(st.text(st.characters(), max_size=170) | st.text(st.sampled_from("a€é漢🙂 "), max_size=170))
def test_the_short_way_says_the_same_or_nothing(text: str):
    short = compose_short(ANY, [text])
    if not text.strip():
        assert short is None
        return
    split_up = compose(ANY, [text]).split
    if short is None:
        assert len(split_up.parts) > 1 or any("\ud800" <= character <= "\udfff" for character in text)
    else:
        assert short == (split_up.parts[0], split_up.encoding.data_coding)
        assert len(split_up.parts) == 1


def test_the_short_way_leaves_a_missing_field_to_the_other():
    assert compose_short(HELLO, [" "]) is None
