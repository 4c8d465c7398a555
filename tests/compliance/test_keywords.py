"""What replies mean."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.compliance.keywords import HELP_WORDS, START_WORDS, STOP_WORDS, Meaning, normalise, read

STOP = ["STOP", "stop", " Stop. ", "STOP!!!", "s.t.o.p", "STOP 🛑", "stop\ufe0f❤️", "“Stop”", "ＳＴＯＰ", "Stop\u200b"]
STOP += ["STOPALL", "Stop all", "stop-all", "STOP_ALL", "Unsubscribe", "CANCEL", "end", "Quit.", "REVOKE", "opt out"]
STOP += [
    "Opt-Out",
    "OPTOUT",
    "ARRET",
    "arrêt",
    "ARRÊTE",
    "Arrett",
    "ALTO",
    "¡Alto!",
    "parar",
    "BAJA",
    "停止",
    "配信停止。",
]
STOP += [
    "解除",
    "ストップ",
    "ｽﾄｯﾌﾟ",
    "ストップ！",
    "stop please",
    "Stop texting me",
    "unsubscribe me",
    "STOP\nThanks, Ann",
]
START = ["START", "yes", "Yes!", "UNSTOP", "再開", "Start."]
HELP = ["HELP", "info", "Help?", "ヘルプ", "ﾍﾙﾌﾟ"]
REPLY = ["", "   ", "🙂", "!!!", "ok", "Please stop", "the end of it", "I will cancel my order", "yes please", "ends"]
REPLY += [
    "stop by the shop at five or six",
    "bajar",
    "アストップ",
    "ストッフ",
    "helpful",
    "nonstop",
    "停",
    "end game now",
]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [(t, m) for texts, m in zip([STOP, START, HELP, REPLY], list(Meaning)[:4], strict=True) for t in texts],
)
def test_meaning(text: str, meaning: Meaning) -> None:
    assert read(text) is meaning


@given(
    st.sampled_from(sorted(STOP_WORDS)),
    st.sampled_from([str.upper, str.title, str.lower, lambda t: unicodedata.normalize("NFD", t)]),
    st.text(st.sampled_from(" .!?,;:\"'…。！🛑🙏❤️\t\n"), max_size=4),
    st.text(st.sampled_from(" .!?,;:\"'…。！🛑🙏❤️\t\n"), max_size=4),
)
def test_a_stop_word_is_one_in_any_case_and_with_any_marks_around_it(word, change, before, after) -> None:
    assert read(before + change(word) + after) is Meaning.STOP


@pytest.mark.parametrize("word", sorted(STOP_WORDS | START_WORDS | HELP_WORDS))
def test_the_tables_are_in_the_form_that_texts_are_compared_in(word: str) -> None:
    assert normalise(word) == word


def test_no_word_has_two_meanings() -> None:
    assert not STOP_WORDS & START_WORDS
    assert not STOP_WORDS & HELP_WORDS
    assert not START_WORDS & HELP_WORDS


def test_a_registration_has_words_of_its_own() -> None:
    more = {"stop": ["Nein, danke!"], "start": ["Ja"], "help": ["Wie?"]}
    assert read("nein danke", more) is Meaning.STOP
    assert read("JA", more) is Meaning.START
    assert read("wie", more) is Meaning.HELP
    assert read("nein danke") is Meaning.REPLY


def test_stop_beats_what_a_registration_says() -> None:
    assert read("stop", {"start": ["stop"]}) is Meaning.STOP


def test_a_word_of_marks_only_matches_nothing() -> None:
    assert read("👍", {"stop": ["🛑"]}) is Meaning.REPLY
    assert read("", {"stop": ["!"]}) is Meaning.REPLY


def test_indian_words_keep_their_vowel_signs() -> None:
    assert read("रोको", {"stop": ["रोको"]}) is Meaning.STOP
    assert read("रुक", {"stop": ["रोको"]}) is Meaning.REPLY


@given(st.text(max_size=40))
def test_any_text_can_be_read_and_reading_its_form_changes_nothing(text: str) -> None:
    assert read(text) in (Meaning.STOP, Meaning.START, Meaning.HELP, Meaning.REPLY)
    assert normalise(normalise(text)) == normalise(text)
