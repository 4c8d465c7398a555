"""Which encoding a file is in: every case that lists come in, and what a person may say instead."""

from __future__ import annotations

import codecs

import pytest

from todoke.model.errors import Invalid
from todoke.pipeline.intake.encoding import Encoding, detect, given

JAPANESE = "社員番号,氏名,携帯電話\r\nE001,山田　太郎,090-1234-5678\r\nE002,さくら,０９０１２３４５６７８\r\n"
KANJI_ONLY = "番号,氏名,電話\n1,山田太郎,09012345678\n2,高橋健一,08012345678\n3,渡辺直樹,07012345678\n"
HALF_WIDTH = "ID,ﾅﾏｴ,TEL\n1,ﾔﾏﾀﾞ ﾀﾛｳ,09012345678\n2,ｽｽﾞｷ ﾊﾅｺ,08012345678\n3,ﾄﾞｲ,09011112222\n"
GERMAN = "Kennung;Vorname;Straße\n1;Jürgen;Köln\n2;Käthe;Düsseldorf\n3;Jörg;Weiß\n"
FRENCH = "id,prénom\n1,Élodie\n2,Hélène\n3,François\n4,Zoë\n"
TURKISH = "no;ad;şehir\n1;Gülşen Yıldız;İstanbul\n2;Çağrı Öztürk;Eskişehir\n"
GREEK = "αρ;όνομα;πόλη\n1;Γιώργος Παπαδόπουλος;Αθήνα\n" * 5
KOREAN = "번호,이름,전화\n1,김철수,010\n2,박영희,011\n"
RUSSIAN = "номер;имя;примечание\n1;Алексей Иванов;сотрудник ночной смены\n2;Мария Петрова;не звонить по выходным\n" * 5
POLISH = "numer;imię;miasto\n1;Małgorzata Wiśniewska;Łódź\n2;Grzegorz Wójcik;Kraków, pierwsza zmiana w święta\n" * 5
ENGLISH = "id,name,phone\n1,Ann,2125550100\n"


@pytest.mark.parametrize(
    ("text", "written", "found", "mark", "certain"),
    [
        (ENGLISH, "ascii", "utf-8", 0, True),
        (JAPANESE, "utf-8", "utf-8", 0, True),
        (JAPANESE, "utf-8-sig", "utf-8", 3, True),
        (JAPANESE, "utf-16", "utf-16-le", 2, True),
        (ENGLISH, "utf-32", "utf-32-le", 4, True),
        (ENGLISH, "utf-16-le", "utf-16-le", 0, True),
        (ENGLISH, "utf-16-be", "utf-16-be", 0, True),
        (JAPANESE, "utf-16-le", "utf-16-le", 0, True),
        (JAPANESE, "utf-16-be", "utf-16-be", 0, True),
        (JAPANESE, "cp932", "cp932", 0, False),
        (JAPANESE, "euc_jp", "euc_jp", 0, False),
        (KANJI_ONLY, "cp932", "cp932", 0, False),
        (KANJI_ONLY, "euc_jp", "euc_jp", 0, False),
        (HALF_WIDTH, "cp932", "cp932", 0, False),
        (JAPANESE, "iso2022_jp", "iso2022_jp", 0, True),
        (GERMAN, "cp1252", "cp1252", 0, False),
        (FRENCH, "latin-1", "cp1252", 0, False),
    ],
)
def test_an_encoding_is_found_and_reads_the_text(text: str, written: str, found: str, mark: int, certain: bool) -> None:
    raw = text.encode(written)

    encoding = detect(raw)

    assert encoding == Encoding(found, mark, certain)
    assert raw[mark:].decode(found) == text


def test_a_big_endian_mark_counts() -> None:
    assert detect(codecs.BOM_UTF16_BE + ENGLISH.encode("utf-16-be")) == Encoding("utf-16-be", 2)


@pytest.mark.parametrize(
    ("text", "written"),
    [(POLISH, "cp1250"), (TURKISH, "cp1254"), (RUSSIAN, "cp1251"), (GREEK, "cp1253"), (KOREAN, "cp949")],
)
def test_other_encodings_are_guessed(text: str, written: str) -> None:
    encoding = detect(text.encode(written))

    assert not encoding.certain
    assert text.encode(written).decode(encoding.name) == text


def test_a_character_cut_at_the_end_of_the_sample_does_not_matter() -> None:
    raw = (JAPANESE * 50).encode()

    assert detect(raw[: raw.index("さ".encode()) + 1]) == Encoding("utf-8")


def test_few_bad_bytes_do_not_turn_utf8_into_something_else() -> None:
    raw = (JAPANESE * 5).encode() + b"E9,\xff\xfe,1\n"

    assert detect(raw) == Encoding("utf-8", certain=False)


def test_a_stray_nul_is_not_utf16() -> None:
    assert detect((ENGLISH * 20).encode() + b"2,B\x00b,3\n").name == "utf-8"


@pytest.mark.parametrize(
    ("name", "sample", "expected"),
    [
        ("Shift_JIS", JAPANESE.encode("cp932"), Encoding("cp932")),
        ("latin1", b"", Encoding("cp1252")),
        ("utf-8", codecs.BOM_UTF8 + b"id", Encoding("utf-8", 3)),
        ("utf-16", ENGLISH.encode("utf-16"), Encoding("utf-16-le", 2)),
        ("utf-16", ENGLISH.encode("utf-16-be"), Encoding("utf-16-be")),
        ("euc-jp", b"", Encoding("euc_jp")),
    ],
)
def test_what_a_person_says_counts(name: str, sample: bytes, expected: Encoding) -> None:
    assert given(name, sample) == expected


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64", ""])
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="not a text encoding"):
        given(name, b"")
