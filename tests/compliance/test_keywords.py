"""Keywords: the data of the languages, what a registration changes of them, the form for comparison."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.compliance.keywords import Keywords, Settings, builtin, language, language_of
from todoke.compliance.normalising import normalise, own_lines
from todoke.compliance.reading import read
from todoke.model.language import LANGUAGES
from todoke.model.meaning import Meaning
from todoke.sms.templates import parse

STOP_WORDS = sorted(builtin().exact[Meaning.STOP].known)
MARKS = st.text(st.sampled_from(" .!?,;:\"'…。！🛑🙏❤️\t\n"), max_size=4)


@given(
    st.sampled_from(STOP_WORDS),
    st.sampled_from([str.upper, str.title, str.lower, lambda t: unicodedata.normalize("NFD", t)]),
    MARKS,
    MARKS,
)
def test_a_stop_word_is_one_in_any_case_and_with_any_marks_around_it(word, change, before, after) -> None:
    assert read(before + change(word) + after).meaning is Meaning.STOP


@given(st.text(max_size=40))
def test_any_text_can_be_read_and_reading_its_form_changes_nothing(text: str) -> None:
    assert read(text).meaning is not Meaning.PART
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_ascii_has_a_short_way_to_the_same_form(text: str) -> None:
    # With a letter of another script in it the text goes the long way.
    assert normalise(text + " ж").removesuffix("ж").strip() == normalise(text)


@given(st.text(st.sampled_from("stop leh.>\n-"), max_size=30))
def test_a_text_with_words_has_lines_of_its_own(text: str) -> None:
    assert bool(own_lines(text)) == bool(normalise(text))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_is_whole(code: str) -> None:
    data = language(code)
    assert data.version >= 1
    assert data.stop
    assert data.start
    assert data.help
    assert set(data.answers) == {"stop", "start", "help"}
    for text in data.answers.values():
        assert parse(text).fields == ("BusinessUnit",)
    for kind in (data.stop, data.start, data.help, data.lifting, data.likely, data.inside, data.courtesy):
        assert all(normalise(word) for word in kind)
        assert len(set(kind)) == len(kind)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_words_of_a_language_mean_what_they_should_by_themselves(code: str) -> None:
    alone = Keywords(Settings(languages=[code]))
    data = language(code)
    assert all(read(word, alone).meaning is Meaning.STOP for word in data.stop)
    assert all(read(word, alone).meaning is Meaning.START for word in (*data.start, *data.lifting))
    assert all(read(word, alone).meaning is Meaning.HELP for word in data.help)
    assert all(read(word, alone).meaning in (Meaning.REVIEW, Meaning.STOP) for word in (*data.likely, *data.inside))
    assert all(code in read(word).languages for word in data.stop)


def test_no_word_has_two_meanings() -> None:
    kinds = [set(words.known) for words in (*builtin().exact.values(), builtin().lifting)]
    assert sum(map(len, kinds)) == len(set().union(*kinds))


def test_the_words_of_the_law_are_certain() -> None:
    for word in ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"):
        assert read(word).meaning is Meaning.STOP


def test_a_registration_has_words_of_its_own() -> None:
    own = Keywords(Settings(stop=["Nein, danke!"], start=["Ja klar"], help=["Wie?"]))
    assert read("nein danke", own).meaning is Meaning.STOP
    assert read("JA KLAR", own).meaning is Meaning.START
    assert read("wie", own).meaning is Meaning.HELP
    assert read("nein danke", own).languages == ()
    assert read("nein danke").meaning is Meaning.REPLY


def test_a_registration_takes_words_out_but_never_stop() -> None:
    own = Keywords(Settings(remove=["END", "cancel", "stop"]))
    assert read("end", own).meaning is Meaning.REPLY
    assert read("cancel", own).meaning is Meaning.REPLY
    assert read("quit", own).meaning is Meaning.STOP
    assert read("Stop!", own).meaning is Meaning.STOP
    assert read("can you stop by?", own).meaning is Meaning.REVIEW


def test_a_registration_chooses_languages() -> None:
    own = Keywords(Settings(stop=["nada"], languages=["ja"]))
    assert read("停止", own).meaning is Meaning.STOP
    assert read("nada", own).meaning is Meaning.STOP
    assert read("baja", own).meaning is Meaning.REPLY
    assert read("unsubscribe", own).meaning is Meaning.REPLY
    none = Keywords(Settings(languages=[]))
    assert read("stop", none).meaning is Meaning.STOP
    assert read("停止", none).meaning is Meaning.REPLY


def test_stop_beats_what_a_registration_says() -> None:
    assert read("stop", Keywords(Settings(start=["stop"], help=["stop"]))).meaning is Meaning.STOP


def test_a_word_of_marks_only_matches_nothing() -> None:
    own = Keywords(Settings(stop=["🛑", "!"]))
    assert read("👍", own).meaning is Meaning.REPLY
    assert read("", own).meaning is Meaning.REPLY


def test_indian_words_keep_their_vowel_signs() -> None:
    own = Keywords(Settings(stop=["रोको"], languages=[]))
    assert read("रोको", own).meaning is Meaning.STOP
    assert read("रुक", own).meaning is Meaning.REPLY


def test_the_language_of_a_country() -> None:
    assert [language_of(region) for region in ("US", "JP", "MX", "DE", "NO")] == ["en", "ja", "es", "de", "en"]
