"""Smart encoding: typographic look-alikes are swapped for GSM-7 characters where that saves a text from UCS-2.

All or nothing. A swap that does not bring the whole text into GSM-7 saves no segment, so the text then stays exactly as
it was written. Letters are never swapped for other letters (`ç` stays), only quotes, dashes, spaces and the like.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import NamedTuple

from todoke.sms import gsm7


class Replacement(NamedTuple):
    """One character (or letter with its combining accent) of the original, what was sent for it, and how many times."""

    original: str
    replacement: str
    times: int


class Smart(NamedTuple):
    """The text to send, and what was replaced, in order of appearance: nothing when the text is the original."""

    text: str
    replacements: tuple[Replacement, ...]


_GROUPS = {
    '"': "“”„‟«»″‶〝〞〟❝❞ˮʺ",
    "'": "‘’‚‛‹›′‵`´ʹʻʼʽˈ❛❜",
    "-": "‐‑‒–—―−﹘﹣",
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\v\u0085\u2028\u2029",
    "": "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff",
    "...": "…",
    "..": "‥",
    ".": "·․",
    "*": "•‣⁕∗",
    "/": "⁄∕",
    "x": "×",
    "|": "¦",
    "^": "ˆ",
    "~": "˜∼",
    "ff": "ﬀ",
    "fi": "ﬁ",
    "fl": "ﬂ",
    "ffi": "ﬃ",
    "ffl": "ﬄ",
}
_LOOK_ALIKES = {original: plain for plain, originals in _GROUPS.items() for original in originals} | {
    chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94) if offset != 0x60 - 0x21
}
_FOREIGN = re.compile(f"[^{re.escape(''.join(sorted(gsm7.ALPHABET)))}]")
_ACCENT = re.compile("[\u0300-\u036f]")
_ACCENTED_OR_FOREIGN = re.compile(f".?{_ACCENT.pattern}+|{_FOREIGN.pattern}", re.DOTALL)


def plain(text: str) -> Smart:
    """`text` in GSM-7 where look-alikes can bring it there, else as it is."""
    if gsm7.fits(text):
        return Smart(text, ())
    pattern = _ACCENTED_OR_FOREIGN if _ACCENT.search(text) else _FOREIGN  # the former is slow, accents apart are rare
    times = Counter(pattern.findall(text))
    swaps = {original: _look_alike(original) for original in times}
    if not all(map(gsm7.ALPHABET.issuperset, swaps.values())):
        return Smart(text, ())
    replacements = tuple(Replacement(original, swaps[original], count) for original, count in times.items())
    return Smart(pattern.sub(lambda match: swaps[match[0]], text), replacements)


def _look_alike(original: str) -> str:
    if len(original) > 1:
        return unicodedata.normalize("NFC", original)  # a letter and its accent, as some systems write it
    return _LOOK_ALIKES.get(original, original)
