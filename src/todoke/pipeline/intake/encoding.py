"""In which encoding a text file is written: what is certain first, then what is likely; a person may override it.

The cascade: byte order mark, the NUL pattern of UTF-16, the escapes of ISO-2022-JP, strict UTF-8, UTF-8 with a few bad
bytes, Japanese (CP932 or EUC-JP, strictly decodable and made of everyday characters), Western Europe, then a guess.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

from todoke.model.errors import Invalid

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SUPERSETS = {"shift_jis": "cp932", "iso8859-1": "cp1252", "ascii": "utf-8", "utf-8-sig": "utf-8", "gb2312": "gb18030"}
_GUESSED_FROM = 64 << 10  # bytes: the guess is slow
_MIN_NUL_SHARE = 0.04  # of the bytes of UTF-16: even Japanese lists hold digits, commas and line ends
_MIN_JAPANESE = 0.6
_SIGNS = "€£§°–—‘’“”„…©®´«»¡"
# By code page: the letters of the languages that use it. The first that explains every character is it.
_LATIN = {
    "cp1252": frozenset("äöüßÄÖÜéèêëàâáãíîïìóôòõúùûñçåæøÉÈÊËÀÂÁÃÍÎÓÔÕÚÛÑÇÅØÆ" + _SIGNS),
    "cp1250": frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽľĺŕôäöüőűÄÖÜŐŰßăâîșțđĐ" + _SIGNS),
    "cp1254": frozenset("çğıöşüÇĞİÖŞÜâîûÂÎÛ" + _SIGNS),
}
_SIGN_IN_WORD = re.compile("[A-Za-z][£œ³¹¿]|£[A-Za-z]")
_CODE_PAGES = (
    "cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 cp949 big5 gb18030 koi8_r mac_roman cp850"
)
_JAPANESE_CHARACTER = re.compile(r"(?P<beside>[A-Za-z]?)(?P<run>[^\x00-\x7f]+)(?P<after>[A-Za-z]?)")


class Encoding(NamedTuple):
    """`name` is Python's name of the codec; `mark` the length of the byte order mark; `certain` whether it was given
    or follows from the bytes."""

    name: str
    mark: int = 0
    certain: bool = True

    @property
    def ascii_superset(self) -> bool:
        """Whether bytes below 0x20 are control characters and nothing else."""
        return not self.name.startswith(("utf-16", "utf-32", "iso2022", "utf-7", "utf_7", "hz"))


def detect(sample: bytes) -> Encoding:
    """The encoding of a file that begins with `sample` (or of which `sample` is a piece that tells more)."""
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding(name, len(mark))
    if wide := _wide(sample):
        return Encoding(wide)
    if sample.isascii():
        if b"\x1b$B" in sample or b"\x1b$@" in sample or b"\x1b(J" in sample:
            return Encoding("iso2022_jp")
        return Encoding("utf-8")
    if _decodes(sample, "utf-8") is not None:
        return Encoding("utf-8")
    if _nearly_utf8(sample):
        return Encoding("utf-8", certain=False)
    if japanese := _japanese(sample):
        return Encoding(japanese, certain=False)
    return Encoding(_guess(sample), certain=False)


def given(name: str, sample: bytes) -> Encoding:
    """The encoding that a person names; its byte order mark is skipped where there is one. Raises `Invalid`."""
    try:
        info = codecs.lookup(name)
        "".encode(name)  # refuses codecs that are no text encodings: rot13, base64
    except (LookupError, UnicodeError) as error:
        raise Invalid(
            f"{name!r} is not a text encoding.",
            where="encoding",
            fix="Common ones are utf-8, utf-16, cp932 (Shift JIS), euc-jp, cp1252 (Western Europe).",
        ) from error
    codec = _SUPERSETS.get(info.name, info.name)
    for mark, marked in _MARKS:
        if sample.startswith(mark) and marked.startswith(codec):
            return Encoding(marked, len(mark))
    if codec in ("utf-16", "utf-32"):
        return Encoding(_wide(sample) or f"{codec}-le")
    return Encoding(codec)


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a mark: the digits, commas and line ends have a NUL each, always on the same side."""
    head = sample[: 64 << 10]
    if len(head) < 4 or head.count(0) < _MIN_NUL_SHARE * len(head):
        return None
    first, second = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-le" if second > first else "utf-16-be"
    if min(first, second) * 20 > max(first, second):
        return None
    text = _decodes(head, name)
    return name if text is not None and ("\n" in text or "\r" in text) else None


def _decodes(sample: bytes, name: str) -> str | None:
    """The text, a character cut off at the end aside; None where it is not that encoding."""
    try:
        return codecs.getincrementaldecoder(name)("strict").decode(sample, final=False)
    except UnicodeError:
        return None


def _nearly_utf8(sample: bytes) -> bool:
    """A few bad bytes among many good characters: rows are refused for them, not the file."""
    text = sample.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text))
    good = sum(1 for character in text if character > "\x7f") - bad
    return good > 4 * bad


def _japanese(sample: bytes) -> str | None:
    readings = {name: text for name in ("cp932", "euc_jp") if (text := _decodes(sample, name)) is not None}
    scores = {name: _everyday(text) for name, text in readings.items()}
    if not scores or max(scores.values()) < _MIN_JAPANESE:
        return None
    # What is EUC-JP reads as half-width katakana in CP932; half-width names seldom read as EUC-JP, whose characters
    # are pairs of bytes.
    if scores.get("euc_jp", 0.0) >= _MIN_JAPANESE:
        return "cp949" if _is_korean(sample, readings["euc_jp"]) else "euc_jp"
    return max(scores, key=scores.__getitem__)


def _is_korean(sample: bytes, as_japanese: str) -> bool:
    """Korean uses the bytes of EUC-JP: no kana in one reading, and nothing but hangul in the other."""
    korean = re.findall(r"[^\x00-\x7f]", _decodes(sample, "cp949") or "")
    return (
        bool(korean)
        and not re.search("[\u3040-\u30ff]", as_japanese)
        and all("\uac00" <= character <= "\ud7a3" for character in korean)
    )


def _everyday(text: str) -> float:
    """The share of kana and everyday kanji (level 1 of JIS X 0208) among all characters beyond ASCII.

    Next to a Latin letter none counts: that is what accented letters of Europe look like when read as Japanese.
    """
    total = 0
    good = 0.0
    for match in _JAPANESE_CHARACTER.finditer(text):
        run = match["run"]
        total += len(run)
        good += sum(map(_weight, run))
        good -= _weight(run[0]) * bool(match["beside"])
        if match["after"] and (len(run) > 1 or not match["beside"]):
            good -= _weight(run[-1])
    return good / total if total else 0.0


def _weight(character: str) -> float:
    if "\u3000" <= character <= "\u30ff" or "\uff01" <= character <= "\uff5e":  # kana, punctuation, full-width
        return 1.0
    if "\uff61" <= character <= "\uff9f":  # half-width katakana
        return 0.7
    try:
        lead = character.encode("cp932")[0]
    except UnicodeEncodeError:
        return 0.0
    if 0x88 <= lead <= 0x97:
        return 1.0
    return 0.4 if 0x81 <= lead <= 0xEA else 0.0


def _guess(sample: bytes) -> str:
    for name, letters in _LATIN.items():
        text = _decodes(sample, name)
        if text is None or (name == "cp1252" and _SIGN_IN_WORD.search(text)):
            continue
        runs = re.findall(r"[^\x00-\x7f]+", text)
        # Accented letters stand among plain ones; a script of its own does not.
        if sum(map(len, runs)) < 2 * len(runs) and letters.issuperset("".join(runs)):
            return name
    best = from_bytes(_around_first_beyond_ascii(sample), cp_isolation=list[str](_CODE_PAGES.split())).best()
    if best is None:
        return "cp1252"
    return _SUPERSETS.get(codecs.lookup(best.encoding).name, best.encoding)


def _around_first_beyond_ascii(sample: bytes) -> bytes:
    found = re.search(rb"[\x80-\xff]", sample)
    start = max(0, found.start() - 1024) if found else 0
    return sample[start : start + _GUESSED_FROM]
