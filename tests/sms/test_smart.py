from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms import gsm7
from todoke.sms.smart import Replacement, Smart, plain


def test_look_alikes_are_swapped_and_reported():
    assert plain("“It’s” – it’s…") == Smart(
        "\"It's\" - it's...",
        (
            Replacement("“", '"', 1),
            Replacement("’", "'", 2),
            Replacement("”", '"', 1),
            Replacement("–", "-", 1),
            Replacement("…", "...", 1),
        ),
    )


@pytest.mark.parametrize(
    ("text", "plainer"),
    [
        ("10\u00a0000\u202fF", "10 000 F"),
        ("a\u200bb\ufeff", "ab"),
        ("ＳＡＬＥ！", "SALE!"),
        ("１２：３０", "12:30"),
        ("cafe\u0301 à", "café à"),  # a letter and its accent apart, as some systems write it
        ("o\ufb03ce", "office"),
        ("tab\tend", "tab end"),
        ("\u2028", "\n"),
        ("`“’", "'\"'"),
    ],
)
def test_plainer(text: str, plainer: str):
    assert plain(text).text == plainer
    assert plain(text).replacements


@pytest.mark.parametrize("text", ["“Hi” 語", "’ç", "“naïve” e\u0306", "😀…", "\u0301"])
def test_all_or_nothing(text: str):
    assert plain(text) == Smart(text, ())


@pytest.mark.parametrize("text", ["", "Plain {text} €5", "é"])
def test_gsm7_stays_as_it_is(text: str):
    assert plain(text) == Smart(text, ())


look_alikes = st.text(st.sampled_from("ab c'\"“”‘’–—… \u00a0\u200bＡé語e\u0301"))


@given(st.one_of(st.text(), look_alikes))
def test_either_gsm7_with_a_report_or_the_original(text: str):
    result = plain(text)
    if result.text == text:
        assert result.replacements == ()
    else:
        assert not gsm7.fits(text)
        assert gsm7.fits(result.text)
        assert result.replacements
        assert all(text.count(original) >= times > 0 for original, _, times in result.replacements)
    assert plain(result.text) == Smart(result.text, ())
