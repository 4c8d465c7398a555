"""Fast mode takes short cuts, not liberties: ids, ledger, receipts and errors are those of an SMSC."""

import struct
from typing import Any

import pytest

from todoke.providers.simulator import Settings, audit, read
from todoke.providers.simulator.fast import _answers
from todoke.providers.simulator.styles import FIRST_NUMBER
from todoke.smpp import status
from todoke.smpp.pdu import (
    BindTransceiver,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
)
from todoke.smpp.tlv import MESSAGE_STATE, RECEIPTED_MESSAGE_ID

FAST = Settings(fast=True)


async def test_submits_are_answered_in_order_and_in_the_ledger(lab: Any) -> None:
    here = await lab(settings=FAST, receipts=False)
    client = await here.bound()
    sequences = [client.submit_marked(number, text=b"text %d" % number) for number in range(300)]
    answers = [await client.read(SubmitSmResp) for _ in range(300)]
    assert [answer.sequence for answer in answers] == sequences
    entries = list(read(here.ledger))
    assert [entry.given for entry in entries] == [answer.message_id for answer in answers]
    assert [entry.mark.message_id for entry in entries if entry.mark] == list(range(300))
    assert {(entry.account, entry.source, entry.destination) for entry in entries} == {
        ("todoke", "12025550100", "819012345678")
    }
    assert len(list(read(here.ledger, 250))) == 50
    assert audit(here.ledger).duplicated == 0


async def test_a_planted_duplicate_is_found(lab: Any) -> None:
    here = await lab(settings=FAST, receipts=False)
    client = await here.bound()
    for number in (1, 2, 1):
        client.submit_marked(number)
        await client.read(SubmitSmResp)
    assert audit(here.ledger).duplicated == 1


@pytest.mark.parametrize("chunk", [1, 13, 1000])
async def test_pdus_may_come_in_any_pieces(lab: Any, chunk: int) -> None:
    here = await lab(settings=FAST)
    client = await here.bound()
    octets = b"".join(struct.pack(">IIII", 16, 0x15, 0, number) for number in (7, 8, 9))
    for at in range(0, len(octets), chunk):
        client.write_raw(octets[at : at + chunk])
    assert [(await client.read(EnquireLinkResp)).sequence for _ in range(3)] == [7, 8, 9]


async def test_receipts(lab: Any) -> None:
    here = await lab(settings=FAST)
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    transmitter.submit(registered_delivery=0)
    await transmitter.read(SubmitSmResp)
    transmitter.submit()
    given = (await transmitter.read(SubmitSmResp)).message_id
    receipt = await receiver.receive()
    assert (receipt.source_addr, receipt.destination_addr, receipt.esm_class) == ("819012345678", "12025550100", 4)
    assert receipt.short_message.startswith(f"id:{given} sub:001 dlvrd:001 submit date:".encode())
    assert b" stat:DELIVRD err:000 text:" in receipt.short_message
    assert receipt.tlv(RECEIPTED_MESSAGE_ID) == given.encode() + b"\0"
    assert receipt.tlv(MESSAGE_STATE) == b"\x02"
    await here.until(lambda: here.simulator.stats.waiting == 0)
    assert here.simulator.stats.inbound_acknowledged == 1


async def test_receipts_are_repeated_and_move_on(lab: Any) -> None:
    here = await lab(settings=FAST, acknowledge_timeout=0.05)
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    for _ in range(3):
        transmitter.submit()
    first = [(await receiver.read(DeliverSm)).short_message for _ in range(3)]
    again = [(await receiver.read(DeliverSm)).short_message for _ in range(3)]
    await receiver.close()
    other = await here.bound("receiver")
    moved = [(await other.receive()).short_message for _ in range(3)]
    assert sorted(first) == sorted(again) == sorted(moved)
    await here.until(lambda: here.simulator.stats.waiting == 0)


async def test_the_window_towards_a_client(lab: Any) -> None:
    here = await lab(settings=Settings(fast=True, inbound_window=2))
    transmitter, receiver = await here.bound("transmitter"), await here.bound("receiver")
    for _ in range(5):
        transmitter.submit()
    held = [await receiver.read(DeliverSm) for _ in range(2)]
    assert await receiver.silent()
    for pdu in held:
        receiver.acknowledge(pdu)
    assert len({(await receiver.receive()).short_message for _ in range(3)}) == 3


async def test_a_submit_before_the_bind_ends_the_connection(lab: Any) -> None:
    here = await lab(settings=FAST)
    client = await here.connect()
    client.submit()
    assert await client.ended()
    assert list(read(here.ledger)) == []


@pytest.mark.parametrize("length", [3, 15, 2**31])
async def test_an_impossible_length_ends_the_connection(lab: Any, length: int) -> None:
    here = await lab(settings=FAST)
    client = await here.bound()
    client.write_raw(struct.pack(">IIII", length, 0x04, 0, 1))
    assert await client.ended()


async def test_binds_are_checked(lab: Any) -> None:
    here = await lab(settings=FAST)
    client = await here.connect()
    assert (await client.bind(system_id="nobody")).status == status.RINVSYSID
    assert (await client.bind(password="wrong")).status == status.RINVPASWD
    assert (await client.bind()).status == 0
    client.write(BindTransceiver(sequence=9, system_id="todoke", password="secret"))
    assert (await client.read()).status == status.RALYBND


async def test_other_requests(lab: Any) -> None:
    here = await lab(settings=FAST)
    client = await here.bound()
    client.write(EnquireLink(sequence=4))
    client.write_raw(struct.pack(">IIII", 16, 0x7777, 0, 5))
    assert (await client.read(EnquireLinkResp)).sequence == 4
    assert (await client.read(GenericNack)).status == status.RINVCMDID
    client.write(Unbind(sequence=6))
    assert (await client.read(UnbindResp)).sequence == 6
    assert await client.ended()


@pytest.mark.parametrize("first", [FIRST_NUMBER, FIRST_NUMBER + 9_990, FIRST_NUMBER + 999_999])
@pytest.mark.parametrize("count", [1, 20, 25_000])
def test_answers_count_on_over_any_border(first: int, count: int) -> None:
    octets = _answers(first, [struct.pack(">I", number) for number in range(count)])
    answers = [decode(octets[at : at + 27]) for at in range(0, len(octets), 27)]
    assert answers == [SubmitSmResp(sequence=n, message_id=f"{first + n:010d}") for n in range(count)]
