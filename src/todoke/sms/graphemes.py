"""Where a text may be cut without tearing what a reader sees as one character.

The rules of Unicode Standard Annex #29 that matter in short texts, in their careful form: where this file is less exact
than the annex it forbids a cut that the annex allows, which costs a few units of a segment and never a torn character.
"""

from __future__ import annotations

import re
import unicodedata

# Joins what stands before it although it is no mark: zero-width (non-)joiner, conjoining Hangul vowels and finals,
# half-width kana voicing marks, emoji skin tones, tag characters.
_JOINS_PREVIOUS = re.compile(
    "[\u200c\u200d\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_HANGUL_LEAD = re.compile("[\u1100-\u115f\ua960-\ua97c]")
_HANGUL = re.compile("[\u1100-\u11ff\ua960-\ua97c\uac00-\ud7ff]")
_VIRAMA = 9  # canonical combining class of the sign that joins two Indic consonants
_ZERO_WIDTH_JOINER = "\u200d"


def may_cut(text: str, index: int) -> bool:
    """Whether a cut before `text[index]` (0 < index < len(text)) falls between two graphemes."""
    before, after = text[index - 1], text[index]
    if before.isascii() and after.isascii():
        return before != "\r" or after != "\n"
    if _is_plain_cjk(before) and _is_plain_cjk(after):
        return True
    if _JOINS_PREVIOUS.match(after) or unicodedata.category(after)[0] == "M":
        return False
    if before == _ZERO_WIDTH_JOINER or unicodedata.combining(before) == _VIRAMA:
        return False
    if _HANGUL_LEAD.match(before) and _HANGUL.match(after):
        return False
    return not (_is_regional(after) and _regionals_before(text, index) % 2)


def _is_plain_cjk(character: str) -> bool:
    """Kana, Han and their signs, where the usual Japanese or Chinese cut falls: no joiner but the two voicing marks."""
    return "\u3030" <= character <= "\u9fff" and character not in "\u3099\u309a"


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _regionals_before(text: str, index: int) -> int:
    """Regional indicators directly before `index`: two make a flag, so an odd count stands inside one."""
    start = index
    while start and _is_regional(text[start - 1]):
        start -= 1
    return index - start
