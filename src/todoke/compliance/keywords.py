"""Keywords: which words mean stop, start or help, in which language, for a registration.

The built-in ones are data, a file a language in `languages/`. A registration chooses languages, adds words, and takes
words out; "stop" itself always holds. `reading.py` reads replies by them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from todoke.compliance.normalising import normalise
from todoke.model.language import ENGLISH, LANGUAGES
from todoke.model.meaning import Meaning

ALWAYS = "stop"
OWN = ""
"""The language of a registration's own words."""


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of `languages/`. `lifting` words mean START only to a number that has opted out. `phrases` may hold
    `{this|that}` and `[perhaps]`.

    `stop` and `phrases` are certain when they are the whole reply, `leading` when a short one begins so. `likely` is
    the whole of a reply that may mean stop, `inside` stands somewhere in it, `first` at its beginning; `harmless` does
    not count as such. `courtesy` words may stand around any of them. `joined`: written without spaces.
    """

    version: int
    name: str
    stop: list[str]
    start: list[str]
    lifting: list[str]
    help: list[str]
    answers: dict[str, str]
    regions: list[str] = []
    phrases: list[str] = []
    leading: list[str] = []
    likely: list[str] = []
    inside: list[str] = []
    first: list[str] = []
    harmless: list[str] = []
    courtesy: list[str] = []
    joined: bool = False


@cache
def language(code: str) -> Language:
    """The built-in words of a language."""
    text = (files("todoke.compliance") / "languages" / f"{code}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Language)


@cache
def language_of(region: str) -> str:
    """The usual language of a country; English where none is known."""
    return next((code for code in LANGUAGES if region in language(code).regions), ENGLISH)


class Settings(msgspec.Struct, frozen=True):
    """What a registration says about its keywords. `languages`: whose built-in words count; None for all of them."""

    stop: list[str] = []
    start: list[str] = []
    help: list[str] = []
    remove: list[str] = []
    languages: list[str] | None = None


@dataclass(slots=True)
class Words:
    """One kind of word, by its form for comparison: the languages it belongs to."""

    known: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def add(self, words: Iterable[str], code: str) -> None:
        for word in words:
            form = normalise(word)
            if form and code not in self.known.get(form, ()):
                self.known[form] = (*self.known.get(form, ()), code)

    def drop(self, words: Iterable[str]) -> None:
        for word in words:
            self.known.pop(word, None)


class Keywords:
    """What holds for a registration. Cheap to make: what is dear of a language is made once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.exact: dict[Meaning, Words] = {kind: Words() for kind in (Meaning.STOP, Meaning.START, Meaning.HELP)}
        self.lifting, self.leading, self.likely, self.first = Words(), Words(), Words(), Words()
        self.inside, self.harmless, self.courtesy = Words(), Words(), Words()
        self.languages = LANGUAGES if settings.languages is None else tuple(settings.languages)
        for code in self.languages:
            data = language(code)
            for words, listed in (
                (self.exact[Meaning.STOP], data.stop),
                (self.exact[Meaning.START], data.start),
                (self.exact[Meaning.HELP], data.help),
                (self.lifting, data.lifting),
                (self.leading, data.leading),
                (self.likely, data.likely),
                (self.first, data.first),
                (self.inside, data.inside),
                (self.harmless, data.harmless),
                (self.courtesy, data.courtesy),
            ):
                words.add(listed, code)
        removed = {normalise(word) for word in settings.remove} - {ALWAYS}
        for words in (*self.exact.values(), self.lifting, self.leading, self.likely, self.first, self.inside):
            words.drop(removed)
        for kind, own in (
            (Meaning.STOP, settings.stop),
            (Meaning.START, settings.start),
            (Meaning.HELP, settings.help),
        ):
            self.exact[kind].add(own, OWN)
        self.exact[Meaning.STOP].known.setdefault(ALWAYS, (ENGLISH,))
        self.inside.known.setdefault(ALWAYS, (ENGLISH,))
        self._searches = Search(self.inside.known, self.harmless.known)

    def phrase(self, words: str) -> str | None:
        """The language in which the text as a whole says stop in other words."""
        joined = squashed(words)
        for code in self.languages:
            pattern = phrases(code)
            if language(code).joined and words.isascii():
                continue
            if pattern is not None and pattern.fullmatch(joined if language(code).joined else f"{words} "):
                return code
        return None

    def found_inside(self, words: str) -> str | None:
        """The first word or phrase in the text that may mean stop."""
        return self._searches.first(words)


def settings_of(stored: Mapping[str, Any]) -> Settings:
    """From what a registration's row holds."""
    return msgspec.convert(stored, Settings)


@cache
def _default() -> Keywords:
    return Keywords(Settings())


def builtin() -> Keywords:
    """The built-in words of every language."""
    return _default()


# ------------------------------------------------------------------ phrases

_PART = re.compile(r"\{([^}]*)\}|\[([^\]]*)\]|([^{}\[\]]+)")


@cache
def phrases(code: str) -> re.Pattern[str] | None:
    """Matches what the phrases of a language stand for: `{a|b}` is one of them, `[a|b]` one of them or nothing. A text
    is matched with a space at its end, or in a joined language without any.
    """
    data = language(code)
    patterns = [_phrase(phrase, data.joined) for phrase in data.phrases]
    return re.compile("|".join(patterns)) if patterns else None


def _phrase(phrase: str, joined: bool) -> str:
    pattern = ""
    for one, perhaps, plain in _PART.findall(phrase):
        forms = [normalise(choice) for choice in (one or perhaps or plain).split("|")]
        texts = [squashed(form) if joined else f"{form} " for form in forms if form]
        if texts:
            pattern += f"(?:{'|'.join(map(re.escape, texts))})" + ("?" if perhaps else "")
    return pattern


def squashed(words: str) -> str:
    """Without spaces: how a language that has none is compared."""
    return words.replace(" ", "")


# ------------------------------------------------------------------ somewhere in a text

_WIDE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # scripts that are written without spaces, or join their particles
_HAS_WIDE = re.compile(f"[{_WIDE}]")
_BETWEEN = re.compile(f"(?<=[{_WIDE}])(?=[^{_WIDE} ])|(?<=[^{_WIDE} ])(?=[{_WIDE}])")
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]+")


class Search:
    """Finds any of some words and phrases in a text: whole words where the script has such."""

    def __init__(self, wanted: Iterable[str], harmless: Iterable[str]) -> None:
        self._spaced: dict[str, list[tuple[list[str], str | None]]] = {}
        for phrase in harmless:
            self._add(phrase, None)
        for phrase in wanted:
            self._add(phrase, phrase)
        for found in self._spaced.values():
            found.sort(key=lambda entry: -len(entry[0]))
        self._wide = _wide(wanted)
        self._harmless = _wide(harmless)

    def _add(self, phrase: str, meant: str | None) -> None:
        split = phrase.split(" ")
        if not _HAS_WIDE.search(phrase):
            self._spaced.setdefault(split[0], []).append((split, meant))

    def first(self, words: str) -> str | None:
        """The first of the wanted that is there and not a part of something harmless."""
        wide = _HAS_WIDE.search(words) is not None
        if wide:
            left = self._harmless.sub(" ", words) if self._harmless else words
            if self._wide and (found := self._wide.search(left) or self._wide.search(squashed(left))):
                return found[0]
            words = _BETWEEN.sub(" ", words)
        split = words.split(" ")
        place = 0
        while place < len(split):
            step = 1
            for phrase, meant in self._spaced.get(split[place], ()):
                if split[place : place + len(phrase)] == phrase:
                    if meant is not None:
                        return meant
                    step = len(phrase)
                    break
            place += step
        return None


def _wide(words: Iterable[str]) -> re.Pattern[str] | None:
    parts = [_bounded(word) for word in sorted(words, key=len, reverse=True) if _HAS_WIDE.search(word)]
    return re.compile("|".join(parts)) if parts else None


def _bounded(word: str) -> str:
    """A word in katakana ends where its letters do."""
    body = re.escape(word)
    return f"(?<![\u30a1-\u30fa\u30fc]){body}(?![\u30a1-\u30fa\u30fc])" if _KATAKANA.fullmatch(word) else body
