"""Phones: what their owners read, and what they answer."""

from random import Random
from typing import Any

import pytest

from todoke.providers.simulator import Settings
from todoke.providers.simulator.entry import udh_concatenation
from todoke.providers.simulator.phones import Phones, segment_text
from todoke.providers.simulator.submission import Address, Submission
from todoke.smpp.pdu import DeliverSm, SubmitSmResp
from todoke.sms import segments

CODE, NUMBER = "12025550100", "819012345678"
LONG = "Grüße 😀 from the parcel desk, [one] {two} and so on. " * 8


def _segments(text: str, reference: int = 7) -> list[Submission]:
    split = segments.split(text)
    total = len(split.parts)
    made: list[Submission] = []
    for number, octets in enumerate(split.parts, 1):
        payload = segments.header(reference, total, number) + octets if total > 1 else octets
        esm_class = 0x40 if total > 1 else 0
        made.append(
            Submission(
                sequence=number,
                source=Address(1, 1, CODE),
                destination=Address(1, 1, NUMBER),
                esm_class=esm_class,
                registered_delivery=0,
                data_coding=split.encoding.data_coding,
                payload=payload,
                long=False,
                concatenation=udh_concatenation(esm_class, payload),
                user_message_reference=None,
                mark=None,
            )
        )
    return made


@pytest.mark.parametrize("text", ["hello", "[€] " * 100, LONG, "届け" * 200, "👍" * 100])
@pytest.mark.parametrize("seed", range(3))
def test_segments_in_any_order_become_the_text(text: str, seed: int) -> None:
    phone = Phones({}, 10, 10).phone(NUMBER)
    parts = _segments(text)
    Random(seed).shuffle(parts)
    for part in parts[:-1]:
        phone.receive(part, 1.0)
        assert not phone.inbox
    phone.receive(parts[-1], 2.0)
    assert [(one.source, one.text, one.segments, one.at) for one in phone.inbox] == [(CODE, text, len(parts), 2.0)]
    assert not phone.unfinished


def test_a_segment_that_comes_twice_does_not_finish_a_message() -> None:
    phone = Phones({}, 10, 10).phone(NUMBER)
    first, *rest = _segments(LONG)
    for _ in range(len(rest) + 1):
        phone.receive(first, 1.0)
    assert not phone.inbox


def test_a_cut_escape_pair_shows() -> None:
    halves = [segment_text(0, 0, b"a\x1b"), segment_text(0, 0, b"\x65b")]
    assert "€" not in "".join(halves)


def test_memory_of_a_phone_is_bounded() -> None:
    phones = Phones({}, limit=3, inbox_limit=2)
    for number in range(10):
        phone = phones.phone(str(number))
        for reference in range(100):
            phone.receive(_segments(LONG, reference)[0], 1.0)
            phone.receive(_segments("hello")[0], 1.0)
        assert len(phone.inbox) == 2
        assert len(phone.unfinished) == 16
    assert len(phones) == 3


def test_a_state_outlives_the_phone() -> None:
    phones = Phones({"+1": "off"}, limit=1, inbox_limit=2)
    assert phones.phone("1").state == "off"
    phones.phone("2")
    assert phones.phone("+1").state == "off"
    phones.set_state("1", "on")
    phones.phone("2")
    assert phones.phone("1").state == "on"


@pytest.mark.parametrize(
    ("data_coding", "payload", "expected"),
    [
        (0x00, b"\x00\x1b\x65", "@€"),
        (0xF1, b"\x00", "@"),
        (0x01, b"plain", "plain"),
        (0x03, b"caf\xe9", "café"),
        (0x04, b"\x01\xff", "01 ff"),
        (0x05, "カナ".encode("shift_jis"), "カナ"),
        (0x08, "届け😀".encode("utf-16-be"), "届け😀"),
        (0x08, b"\xd8", "�"),
        (0x0A, "届け".encode("iso2022_jp"), "届け"),
    ],
)
def test_data_codings(data_coding: int, payload: bytes, expected: str) -> None:
    assert segment_text(0, data_coding, payload) == expected


async def test_the_inbox_over_the_control_port(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    for one in reversed(_segments(LONG)):
        client.submit(one.payload, esm_class=one.esm_class, data_coding=one.data_coding)
        assert (await client.read(SubmitSmResp)).status == 0
    status, phone = await here.http("GET", f"/phones/%2B{NUMBER}")
    assert status == 200
    assert (phone["number"], phone["state"], phone["unfinished"]) == (NUMBER, "on", 0)
    [received] = phone["inbox"]
    assert (received["from"], received["text"]) == (CODE, LONG)
    assert received["segments"] == len(_segments(LONG))


async def _reply(here: Any, text: str, to: str = CODE) -> tuple[int, Any]:
    return await here.http("POST", f"/phones/{NUMBER}/reply", {"to": to, "text": text})


async def test_a_reply_reaches_the_account(lab: Any) -> None:
    here = await lab()
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    assert await _reply(here, "STOP") == (202, {"account": "todoke", "segments": 1})
    reply = await receiver.receive()
    assert (reply.source_addr, reply.destination_addr, reply.esm_class) == (NUMBER, CODE, 0)
    assert (reply.data_coding, reply.short_message) == (0, b"STOP")
    assert await transmitter.silent()
    assert here.simulator.stats.waiting == 0


@pytest.mark.parametrize("text", [LONG, "はい、お願いします。" * 20, "yes " * 100])
async def test_a_long_reply_comes_in_segments(lab: Any, text: str) -> None:
    here = await lab()
    receiver = await here.bound("receiver")
    _, answer = await _reply(here, text)
    assert answer["segments"] > 1
    phone = Phones({}, 10, 10).phone(CODE)
    for _ in range(answer["segments"]):
        part = await receiver.receive()
        phone.receive(
            Submission(
                sequence=1,
                source=Address(1, 1, part.source_addr),
                destination=Address(1, 1, part.destination_addr),
                esm_class=part.esm_class,
                registered_delivery=0,
                data_coding=part.data_coding,
                payload=part.short_message,
                long=False,
                concatenation=udh_concatenation(part.esm_class, part.short_message),
                user_message_reference=None,
                mark=None,
            ),
            1.0,
        )
    assert [one.text for one in phone.inbox] == [text]


async def test_a_reply_waits_for_a_bind_and_is_repeated(lab: Any) -> None:
    here = await lab(acknowledge_timeout=0.05)
    await _reply(here, "YES")
    receiver = await here.bound("receiver")
    first = await receiver.read(DeliverSm)
    assert (await receiver.receive()).short_message == first.short_message == b"YES"


async def test_a_reply_goes_to_the_owner_of_the_code(lab: Any) -> None:
    two = Settings(accounts={"one": "a", "two": "b"}, codes={"500": "one"})
    here = await lab(settings=two)
    one = await here.bound("receiver", system_id="one", password="a")
    both = await here.bound("transceiver", system_id="two", password="b")
    assert (await _reply(here, "hello", to="500"))[1]["account"] == "one"
    assert (await one.receive()).destination_addr == "500"
    status, problem = await _reply(here, "hello", to="600")
    assert (status, problem["field"]) == (404, "to")
    both.submit(source_addr="600", registered_delivery=0)
    await both.read(SubmitSmResp)
    assert (await _reply(here, "hello", to="600"))[1]["account"] == "two"
    assert (await both.receive()).destination_addr == "600"
    both.submit(source_addr="500", registered_delivery=0)
    await both.read(SubmitSmResp)
    assert (await _reply(here, "hello", to="500"))[1]["account"] == "one", "what was named stays"
