from __future__ import annotations

import unicodedata

import pytest

from todoke.sms.graphemes import may_cut


@pytest.mark.parametrize(
    "grapheme",
    [
        "\r\n",
        "e\u0301",  # combining acute
        "が",  # か and a combining voicing mark
        "ｶﾞ",  # half-width kana and its half-width mark
        "❤\ufe0f",  # variation selector
        "葛\U000e0100",  # ideographic variation selector
        "👩\u200d👩\u200d👧",  # joined with zero-width joiners
        "👍🏽",  # skin tone
        "🇯🇵",
        "🏴\U000e0067\U000e0062\U000e007f",  # tag sequence
        "1\ufe0f\u20e3",  # keycap
        "क्ष",  # Indic conjunct with a virama
        "नि",  # spacing vowel sign
        "\u1112\u1161\u11ab",  # Hangul letters that make one syllable
    ],
)
def test_no_cut_within(grapheme: str):
    text = f"a{grapheme}b"
    inside = range(2, 1 + len(grapheme))
    assert not any(may_cut(text, index) for index in inside)
    assert may_cut(text, 1)
    assert may_cut(text, 1 + len(grapheme))


@pytest.mark.parametrize(("text", "cuts"), [("🇯🇵🇺🇸", [2]), ("🇯🇵🇺🇸🇫🇷", [2, 4]), ("x🇯🇵y", [1, 3]), ("🇯🇵🇺", [2])])
def test_flags_are_pairs(text: str, cuts: list[int]):
    assert [index for index in range(1, len(text)) if may_cut(text, index)] == cuts


def test_the_quick_way_for_japanese_knows_every_mark():
    for point in range(0x3030, 0xA000):
        joins = unicodedata.category(chr(point))[0] == "M"
        assert may_cut("本" + chr(point), 1) is not joins, hex(point)
        assert may_cut(chr(point) + "本", 1)


@pytest.mark.parametrize("text", ["ab", "\n\r", "日本", "a語", "語a", "😀😀", "한국"])
def test_a_cut_between_two_characters(text: str):
    assert may_cut(text, 1)
