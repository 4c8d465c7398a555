"""Texts in the form in which they are compared: what is written, not how."""

from __future__ import annotations

import re
import unicodedata


def normalise(text: str) -> str:
    """The text for comparison: NFKC, casefolded, accents, punctuation and symbols away, single spaces."""
    if text.isascii():  # the same, at a tenth of the cost
        return " ".join(text.lower().translate(_ASCII).split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = unicodedata.normalize("NFC", _without_accents(folded))
    kept = "".join(c if _says_something(c) else _gap(c) for c in plain)
    return " ".join(kept.split())


def spelled(words: str) -> str:
    """Words that are spelled out, "s t o p", as the word; drawn out letters, "stoooop", as one. Else as they are."""
    letters = words.split(" ")
    if len(letters) > 2 and all(len(letter) == 1 for letter in letters):
        return "".join(letters)
    return _DRAWN.sub(r"\1", words)


_DRAWN = re.compile(r"([a-z])\1{2,}")


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


_ASCII = {
    number: None if not chr(number).isalnum() and not _gap(chr(number)) else _gap(chr(number)) or chr(number)
    for number in range(128)
}

# ------------------------------------------------------------------ what the phone's owner wrote

_QUOTE = re.compile(r"\s*[>|》]")
_FOOT = re.compile(
    r"\s*(--\s*$|-{2,}\s*\w.*-{2,}\s*$|_{4,}|(from|von|de|差出人):\s"
    r"|on .{4,120} wrote:\s*$|am .{4,120} schrieb .{0,80}:\s*$|le .{4,120} a écrit\s*:\s*$|el .{4,120} escribió:\s*$"
    r"|sent from (my|yahoo|mail)|get outlook for|envoyé de mon|von meinem .* gesendet"
    r"|enviado desde mi|enviado do meu|inviato da|iphoneから送信|.*から送信\s*$)",
    re.IGNORECASE,
)


def own_lines(text: str) -> list[str]:
    """The lines without the message that is quoted, and without what a phone adds at the end. All of them where nothing
    else is there.
    """
    lines = text.splitlines()
    own: list[str] = []
    for line in lines:
        if _FOOT.match(line):
            break
        if not _QUOTE.match(line):
            own.append(line)
    kept = [line for line in own if normalise(line)]
    return kept or [line for line in lines if normalise(line)]
