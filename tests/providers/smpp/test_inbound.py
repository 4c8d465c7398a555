"""What an SMSC delivers: receipts, and messages whole or in parts, in any coding; nothing makes reading fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.providers.base import Word
from todoke.providers.simulator.inbound import receipt as mail_of
from todoke.providers.simulator.styles import FIRST_NUMBER, STATES, STYLES, Final
from todoke.providers.simulator.submission import Address, Submission
from todoke.providers.smpp.inbound import heard, receipted, word
from todoke.smpp import tlv
from todoke.smpp.pdu import BindTransceiver, BindTransceiverResp, encode
from todoke.smpp.receipt import IdStyle
from todoke.smpp.session import Deliver, Receipted, Role, Session, Settings
from todoke.sms import gsm7
from todoke.sms.segments import header

USUAL = {"standard", "text_only", "hex_receipt", "decimal_receipt", "leading_zeros", "upper_receipt", "lower_receipt"}
USUAL |= {"long_dates", "dashes", "short_error"}  # the others have a form of their own
FINAL = {"DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "REJECTD"}
NOW = 1_750_000_000_000_000
UDH, RECEIPT = 0x40, 0x04


def deliver(
    payload: bytes, *, esm_class: int = 0, data_coding: int = 0, tlvs: dict[int, bytes] | None = None
) -> Deliver:
    return Deliver(
        1,
        1,
        5,
        "",
        1,
        1,
        "819012345678",
        1,
        1,
        "15551230001",
        esm_class,
        0,
        0,
        "",
        "",
        0,
        0,
        data_coding,
        payload,
        tlvs or {},
    )


def read(event: Deliver, alphabet: str = "gsm7") -> tuple[str, int | None, int, int]:
    message = heard(event, "session", "handle", alphabet)
    assert message is not None
    assert (message.source, message.destination) == ("819012345678", "15551230001")
    assert (message.session, message.handle) == ("session", "handle")
    return message.text, message.reference, message.total, message.number


@pytest.mark.parametrize(
    ("data_coding", "payload", "alphabet", "text"),
    [
        (0, gsm7.encode("¿Qué? {€}"), "gsm7", "¿Qué? {€}"),
        (0, "¿Qué?".encode("latin-1"), "latin1", "¿Qué?"),
        (0xF1, gsm7.encode("class 1"), "gsm7", "class 1"),
        (1, b"stop", "gsm7", "stop"),
        (3, "arrêt".encode("latin-1"), "gsm7", "arrêt"),
        (8, "停止🙂".encode("utf-16-be"), "gsm7", "停止🙂"),
        (8, b"\x50\x5c\x6b", "gsm7", "停\ufffd"),
        (10, "停止".encode("iso2022_jp"), "gsm7", "停止"),
        (13, "停止".encode("iso2022_jp_ext"), "gsm7", "停止"),
        (1, b"\xff", "gsm7", "\ufffd"),
        (0, b"", "gsm7", ""),
    ],
)
def test_codings(data_coding: int, payload: bytes, alphabet: str, text: str) -> None:
    assert read(deliver(payload, data_coding=data_coding), alphabet) == (text, None, 1, 1)


@pytest.mark.parametrize(
    ("udh", "expected"),
    [
        (header(9, 3, 2), (9, 3, 2)),
        (header(40_000, 3, 2, reference_bits=16), (40_000, 3, 2)),
        (b"\x08\x24\x01\x01\x00\x03\x09\x03\x02", (9, 3, 2)),  # behind another element
        (b"\x05\x00\x03\x09\x03\x04", (None, 1, 1)),  # part 4 of 3
        (b"\x05\x00\x03\x09\x03\x00", (None, 1, 1)),
        (b"\x02\x24\x00", (None, 1, 1)),
        (b"\x00", (None, 1, 1)),
    ],
)
def test_parts_by_user_data_header(udh: bytes, expected: tuple[int | None, int, int]) -> None:
    assert read(deliver(udh + b"hi", esm_class=UDH)) == ("hi", *expected)


def test_parts_by_tlv() -> None:
    tlvs = {
        tlv.SAR_MSG_REF_NUM: b"\x12\x34",
        tlv.SAR_TOTAL_SEGMENTS: b"\x02",
        tlv.SAR_SEGMENT_SEQNUM: b"\x01",
    }
    assert read(deliver(b"hi", tlvs=tlvs)) == ("hi", 0x1234, 2, 1)
    assert read(deliver(b"hi", tlvs=tlvs | {tlv.SAR_SEGMENT_SEQNUM: b"\x03"})) == ("hi", None, 1, 1)
    del tlvs[tlv.SAR_TOTAL_SEGMENTS]
    assert read(deliver(b"hi", tlvs=tlvs)) == ("hi", None, 1, 1)


def receipt(state: str) -> Deliver:
    text = f"id:AB12 sub:001 dlvrd:000 submit date:2506151200 done date:2506151201 stat:{state} err:017 text:hi"
    return deliver(text.encode(), esm_class=RECEIPT)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("DELIVRD", (True, "")),
        ("UNDELIV", (False, "receipt:UNDELIV:017")),
        ("EXPIRED", (False, "receipt:EXPIRED:017")),
        ("REJECTD", (False, "receipt:REJECTD:017")),
        ("DELETED", (False, "receipt:DELETED:017")),
    ],
)
def test_final_receipts_are_words(state: str, expected: tuple[bool, str]) -> None:
    said = word(receipt(state), IdStyle.CASEFOLD, NOW, "handle")
    assert said is not None
    assert (said.provider_message_id, said.at, said.handle) == ("ab12", NOW, "handle")
    assert (said.delivered, said.reason) == expected
    assert "hi" not in said.raw  # no message text is kept
    assert heard(receipt(state), "session", "handle", "gsm7") is None


@pytest.mark.parametrize(
    ("value", "reference"), [(None, None), (b"\x12\x34", 0x1234), (b"\0\0", 0), (b"", None), (b"\1", None)]
)
def test_a_receipt_says_whom_it_is_about_and_which_reference_it_echoes(
    value: bytes | None, reference: int | None
) -> None:
    tlvs = {} if value is None else {tlv.USER_MESSAGE_REFERENCE: value}
    said = word(deliver(receipt("DELIVRD").payload, esm_class=RECEIPT, tlvs=tlvs), IdStyle.EXACT, NOW, "handle")
    assert said is not None
    assert (said.phone, said.code, said.reference) == ("819012345678", "15551230001", reference)


@pytest.mark.parametrize("state", ["ACCEPTD", "ENROUTE", "UNKNOWN", "WHATEVER"])
def test_others_say_nothing(state: str) -> None:
    assert word(receipt(state), IdStyle.EXACT, NOW, "handle") is None
    assert heard(receipt(state), "session", "handle", "gsm7") is None


def test_a_text_that_looks_like_a_receipt_is_a_text() -> None:
    fake = deliver(receipt("DELIVRD").payload)
    assert word(fake, IdStyle.EXACT, NOW, "handle") is None
    assert read(fake)[0].startswith("id:AB12")


@given(
    payload=st.binary(max_size=200),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    tlvs=st.dictionaries(
        st.sampled_from([0x1E, 0x427, 0x423, tlv.SAR_MSG_REF_NUM, tlv.SAR_TOTAL_SEGMENTS, tlv.SAR_SEGMENT_SEQNUM]),
        st.binary(max_size=8),
    ),
    style=st.sampled_from(IdStyle),
    alphabet=st.sampled_from(["gsm7", "latin1"]),
)
def test_anything_can_be_read(payload, esm_class, data_coding, tlvs, style, alphabet) -> None:
    event = deliver(payload, esm_class=esm_class, data_coding=data_coding, tlvs=tlvs)
    said = word(event, style, NOW, "handle")
    message = heard(event, "session", "handle", alphabet)
    assert said is None or message is None
    if message is not None:
        assert 1 <= message.number <= message.total
        assert (message.reference is None) <= (message.total == 1)


moments = st.integers(1_700_000_000, 1_800_000_000)


@given(
    st.sampled_from(sorted(STYLES)),
    st.integers(FIRST_NUMBER, FIRST_NUMBER * 9),
    st.sampled_from(sorted(STATES)),
    st.sampled_from(["000", "001", "0AB", "12"]),
    moments,
    moments,
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    st.none() | st.integers(0, 65_535),
    st.sampled_from(list(IdStyle)),
)
def test_a_receipt_of_any_dialect_says_the_same_whichever_way_it_is_read(
    dialect: str,
    number: int,
    state: str,
    error: str,
    submitted: int,
    finished: int,
    beginning: str,
    reference: int | None,
    style: IdStyle,
) -> None:
    style_of = STYLES[dialect]
    code, phone = Address(3, 0, "72345"), Address(1, 1, "819012345678")
    submission = Submission(1, code, phone, 0, 1, 0, b"", False, None, reference, None)
    mail = mail_of(style_of, submission, Final(number, state, error, submitted, finished, beginning))
    octets = (
        (16 + len(mail.body)).to_bytes(4, "big") + mail.command.to_bytes(4, "big") + b"\0\0\0\0\0\0\0\7" + mail.body
    )
    words: list[Word | None] = []
    for brief in (True, False):
        session = Session(Role.ESME, Settings(brief=brief), epoch=2)
        session.bind(BindTransceiver(system_id="x"), 0.0)
        session.receive(encode(BindTransceiverResp(system_id="y"), sequence=1), 0.0)
        (event,) = session.receive(octets, 0.0)
        assert isinstance(event, Deliver | Receipted)
        assert (event.sequence, event.epoch) == (7, 2)
        if isinstance(event, Receipted):
            assert brief
            words.append(receipted(event, style, NOW, "handle"))
        else:
            assert not brief or dialect not in USUAL or state not in FINAL
            words.append(word(event, style, NOW, "handle"))
    assert words[0] == words[1]
    assert (words[0] is None) == (state not in FINAL)
