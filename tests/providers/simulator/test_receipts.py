"""Receipts: in every dialect, only when wanted, and again until they are acknowledged."""

import re
from typing import Any

import pytest

from todoke.providers.simulator import STYLES, Settings
from todoke.smpp.pdu import DataSm, DeliverSm, SubmitSmResp, Unbind, UnbindResp
from todoke.smpp.tlv import MESSAGE_PAYLOAD, MESSAGE_STATE, RECEIPTED_MESSAGE_ID, USER_MESSAGE_REFERENCE, Tlv


def _same(style: str, given: str, receipted: str) -> bool:
    """Whether the two ids are one, by the rule that the dialect needs."""
    if style in ("hex_receipt",):
        return int(given) == int(receipted, 16)
    if style in ("decimal_receipt",):
        return int(given, 16) == int(receipted)
    if style in ("upper_receipt", "lower_receipt"):
        return given != receipted and given.lower() == receipted.lower()
    if style == "leading_zeros":
        return given != receipted and int(given) == int(receipted)
    return given == receipted


@pytest.mark.parametrize("style", list(STYLES))
async def test_a_style_over_the_wire(lab: Any, style: str) -> None:
    here = await lab(receipt_styles=(style,))
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit(b"Hello, your parcel arrives")
    given = (await transmitter.read(SubmitSmResp)).message_id
    receipt = await receiver.receive()
    assert receipt.esm_class == 0x04
    assert (receipt.source_addr, receipt.destination_addr) == ("819012345678", "12025550100")
    if style == "data_sm":
        assert isinstance(receipt, DataSm)
        text = receipt.tlv(MESSAGE_PAYLOAD)
    else:
        assert isinstance(receipt, DeliverSm)
        text = receipt.short_message
    assert text is not None
    found = re.search(rb"(?:id:(?P<id>\S+) )?.*stat:DELIVRD err:(?P<err>\w+) (?i:text):Hello, your parcel a$", text)
    assert found is not None, text
    named = receipt.tlv(RECEIPTED_MESSAGE_ID)
    if named is not None:
        assert named == given.encode() + b"\0"
        assert receipt.tlv(MESSAGE_STATE) == b"\x02"
    if style == "tlv_only":
        assert found["id"] is None
        assert named is not None
    else:
        assert _same(style, given, found["id"].decode())
    assert (b"sub:001 dlvrd:001" in text) == (style != "no_counts")
    assert bool(re.search(rb"done ?date:\d{12} ", text)) == (style == "long_dates")
    assert (b"submitdate:" in text and b"Text:" in text) == (style == "joined_dates")
    assert ("-" in given) == (style == "dashes")
    assert (found["err"] == b"E0") == (style == "short_error")


@pytest.mark.parametrize(
    ("registered", "state", "expected"),
    [
        (0, "on", False),
        (1, "on", True),
        (2, "on", False),
        (3, "on", True),
        (1, "off", True),
        (2, "off", True),
        (3, "off", False),
    ],
)
async def test_only_what_was_asked_for(lab: Any, registered: int, state: Any, expected: bool) -> None:
    here = await lab(settings=Settings(phones={"819012345678": state}))
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit(registered_delivery=registered)
    transmitter.submit(registered_delivery=1, destination_addr="15551")
    first = await receiver.receive()
    assert first.source_addr == ("819012345678" if expected else "15551")


@pytest.mark.parametrize(
    ("state", "expected"), [("off", b"stat:EXPIRED err:027"), ("unknown", b"stat:UNDELIV err:001")]
)
async def test_a_phone_that_cannot_be_reached(lab: Any, state: Any, expected: bytes) -> None:
    here = await lab(settings=Settings(phones={"+819012345678": state}))
    client = await here.bound("transmitter")
    receiver = await here.bound("receiver")
    client.submit()
    assert (await client.read(SubmitSmResp)).status == 0
    assert expected in (await receiver.receive()).short_message
    assert (await here.http("GET", "/phones/819012345678"))[1]["inbox"] == []


async def test_a_receipt_waits_for_a_bind(lab: Any) -> None:
    here = await lab()
    transmitter = await here.bound("transmitter")
    transmitter.submit()
    given = (await transmitter.read(SubmitSmResp)).message_id
    await here.until(lambda: here.simulator.stats.waiting == 1)
    receiver = await here.bound("receiver")
    assert given.encode() in (await receiver.receive()).short_message
    await here.until(lambda: here.simulator.stats.waiting == 0)


async def test_a_receipt_is_repeated_until_acknowledged(lab: Any) -> None:
    here = await lab(acknowledge_timeout=0.05)
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit()
    first = await receiver.read(DeliverSm)
    second = await receiver.read(DeliverSm)
    receiver.acknowledge(second, status=0x08)
    third = await receiver.read(DeliverSm)
    assert first.short_message == second.short_message == third.short_message
    receiver.acknowledge(third)
    await here.until(lambda: here.simulator.stats.waiting == 0)
    assert here.simulator.stats.inbound_acknowledged == 1


async def test_a_receipt_moves_to_the_next_connection(lab: Any) -> None:
    here = await lab()
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit()
    first = await receiver.read(DeliverSm)
    receiver.write(Unbind(sequence=7))
    await receiver.read(UnbindResp)
    assert await receiver.ended()
    again = await (await here.bound("receiver")).receive()
    assert again.short_message == first.short_message


async def test_the_window_towards_a_client(lab: Any) -> None:
    here = await lab(settings=Settings(inbound_window=2))
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    for _ in range(5):
        transmitter.submit()
    held = [await receiver.read(DeliverSm), await receiver.read(DeliverSm)]
    assert await receiver.silent()
    for pdu in held:
        receiver.acknowledge(pdu)
    texts = {(await receiver.receive()).short_message for _ in range(3)}
    assert len(texts | {pdu.short_message for pdu in held}) == 5


async def test_two_receivers_share_the_receipts(lab: Any) -> None:
    here = await lab()
    transmitter = await here.bound("transmitter")
    receivers = [await here.bound("receiver"), await here.bound("receiver")]
    for _ in range(4):
        transmitter.submit()
        await transmitter.read(SubmitSmResp)
    await here.until(lambda: here.simulator.stats.inbound_sent == 4)
    texts = {(await receiver.receive()).short_message for receiver in receivers for _ in range(2)}
    assert len(texts) == 4


async def test_a_receipt_may_come_twice_although_acknowledged(lab: Any) -> None:
    here = await lab(receipt_repeat_ratio=1.0)
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit()
    first, second = await receiver.receive(), await receiver.receive()
    assert first.short_message == second.short_message
    assert first.sequence != second.sequence


async def test_too_much_waiting_refuses_submits(lab: Any) -> None:
    here = await lab(settings=Settings(inbound_limit=2))
    client = await here.bound("transmitter")
    statuses = []
    for _ in range(3):
        client.submit()
        statuses.append((await client.read(SubmitSmResp)).status)
        await here.until(lambda: here.simulator.stats.waiting == min(here.simulator.stats.accepted, 2))
    assert statuses == [0, 0, 0x14]


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("style", ["standard", "text_only", "data_sm"])
async def test_the_reference_comes_back(lab: Any, style: str, echo: bool) -> None:
    here = await lab(receipt_styles=(style,), echo_reference=echo, lose_response_ratio=1.0)
    client = await here.bound("transceiver")
    client.submit(b"Hello", tlvs=(Tlv(USER_MESSAGE_REFERENCE, b"\x12\x34"),))
    receipt = await client.receive()  # although the response is lost
    assert receipt.tlv(USER_MESSAGE_REFERENCE) == (b"\x12\x34" if echo and style != "text_only" else None)
