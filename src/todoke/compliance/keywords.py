"""What a reply means before any person reads it: stop, start, help, or a reply.

A text is compared after NFKC, casefolding and without punctuation or emoji. A keyword alone counts; so does a short
text that begins with a word that hardly means anything else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum


class Meaning(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    REPLY = "reply"
    PART = "part"  # of a text whose other parts have not come yet


STOP_WORDS = frozenset(
    (
        *("stop", "stop all", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"),
        *("arret", "arrete", "arrett"),
        *("alto", "parar", "baja"),
        *("停止", "配信停止", "解除", "ストップ"),
    )
)
START_WORDS = frozenset({"start", "yes", "unstop", "再開"})
HELP_WORDS = frozenset({"help", "info", "ヘルプ"})

# A short text that begins with one of these is an opt-out too: "stop please", "unsubscribe me".
_LEADING = frozenset({"stop", "stopall", "unsubscribe", "optout", "revoke", "arret", "arrete"})
_LEADING_WORDS = 5


def normalise(text: str) -> str:
    """The text for comparison: NFKC, casefolded, accents, punctuation and symbols away, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = unicodedata.normalize("NFC", _without_accents(folded))
    kept = "".join(c if _says_something(c) else _gap(c) for c in plain)
    return " ".join(kept.split())


def _without_accents(text: str) -> str:
    """Latin letters lose their accents (arrêt is arret); kana keep their voicing marks."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")


def _says_something(character: str) -> bool:
    """Letters, digits, and the vowel signs without which an Indian word would be another; no emoji's variant marks."""
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return False
    return unicodedata.category(character) in _WORDLY


_WORDLY = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Mn", "Mc"})


def _gap(character: str) -> str:
    # "o.p.t-out" and "opt-out": a dash or white space parts words, other marks vanish.
    return " " if character.isspace() or unicodedata.category(character) in ("Pd", "Cc", "Zs", "Pc") else ""


def read(text: str, more: Mapping[str, Sequence[str]] | None = None) -> Meaning:
    """What the reply means. `more`: a registration's own words, {"stop": [...], "start": [...], "help": [...]}."""
    words = normalise(text)
    if not words:
        return Meaning.REPLY  # nothing but emoji or marks: no keyword, not even one that is nothing else itself
    own = {kind: {normalise(word) for word in listed} for kind, listed in (more or {}).items()}
    if words in STOP_WORDS or words in own.get("stop", ()):
        return Meaning.STOP
    if words in START_WORDS or words in own.get("start", ()):
        return Meaning.START
    if words in HELP_WORDS or words in own.get("help", ()):
        return Meaning.HELP
    split = words.split()
    if split and split[0] in _LEADING and len(split) <= _LEADING_WORDS:
        return Meaning.STOP
    return Meaning.REPLY
