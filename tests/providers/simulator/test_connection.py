"""What a client may do, and what it gets told when it does something else."""

import struct
from typing import Any

import pytest

from todoke.providers.simulator import Settings, read
from todoke.smpp import status
from todoke.smpp.pdu import (
    BindTransceiver,
    CancelSm,
    DataSm,
    DataSmResp,
    Destination,
    DistributionList,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from todoke.smpp.tlv import MESSAGE_PAYLOAD, USER_MESSAGE_REFERENCE, Tlv

CODE, NUMBER = "12025550100", "819012345678"


async def test_a_submit_is_answered_and_in_the_ledger(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    sequence = client.submit_marked(2**40 + 7, segment=2, attempt=3, data_coding=0)
    answer = await client.read(SubmitSmResp)
    assert (answer.sequence, answer.status) == (sequence, 0)
    [entry] = read(here.ledger)
    assert (entry.account, entry.sequence, entry.source, entry.destination) == ("todoke", sequence, CODE, NUMBER)
    assert (entry.given, entry.status, entry.size) == (answer.message_id, 0, 5)
    assert entry.mark is not None
    assert (entry.mark.message_id, entry.mark.segment, entry.mark.attempt) == (2**40 + 7, 2, 3)


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
async def test_pdus_may_come_in_any_pieces(lab: Any, chunk: int) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    octets = struct.pack(">IIII", 16, 0x15, 0, 90) + struct.pack(">IIII", 16, 0x15, 0, 91)
    for at in range(0, len(octets), chunk):
        client.write_raw(octets[at : at + chunk])
    assert [(await client.read(EnquireLinkResp)).sequence for _ in range(2)] == [90, 91]


@pytest.mark.parametrize(
    ("system_id", "password", "expected"),
    [("nobody", "secret", status.RINVSYSID), ("todoke", "wrong", status.RINVPASWD)],
)
async def test_a_bind_with_wrong_credentials(lab: Any, system_id: str, password: str, expected: int) -> None:
    here = await lab()
    client = await here.connect()
    assert (await client.bind(system_id=system_id, password=password)).status == expected
    assert (await client.bind()).status == 0, "the right ones may follow"


async def test_a_second_bind_on_a_connection(lab: Any) -> None:
    here = await lab()
    client = await here.bound()
    client.write(BindTransceiver(sequence=9, system_id="todoke", password="secret"))
    assert (await client.read()).status == status.RALYBND


@pytest.mark.parametrize("role", [None, "receiver"])
async def test_a_submit_needs_a_bound_transmitter(lab: Any, role: str | None) -> None:
    here = await lab()
    client = await (here.bound(role) if role else here.connect())
    client.submit()
    assert (await client.read(SubmitSmResp)).status == status.RINVBNDSTS
    assert list(read(here.ledger)) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source_addr": ""}, status.RINVSRCADR),
        ({"destination_addr": "not a number"}, status.RINVDSTADR),
        ({"text": b"x" * 161}, status.RINVMSGLEN),
        ({"text": b"\x05\x00\x03\x01\x02\x01" + b"x" * 154, "esm_class": 0x40}, status.RINVMSGLEN),
        ({"text": b"\0x" * 71, "data_coding": 8}, status.RINVMSGLEN),
        ({"text": b"x" * 160}, 0),
        ({"text": b"\x05\x00\x03\x01\x02\x01" + b"x" * 153, "esm_class": 0x40}, 0),
        ({"text": b"\0x" * 70, "data_coding": 8}, 0),
    ],
)
async def test_a_submit_is_judged_by_its_fields(lab: Any, fields: dict[str, Any], expected: int) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    client.submit(**fields)
    assert (await client.read(SubmitSmResp)).status == expected
    assert [entry.status for entry in read(here.ledger)] == [expected]


async def test_a_field_that_does_not_end(lab: Any) -> None:
    here = await lab()
    client = await here.bound()
    client.write_raw(struct.pack(">IIII", 26, 0x04, 0, 77) + b"x" * 10)
    answer = await client.read(SubmitSmResp)
    assert answer.sequence == 77
    assert answer.status != 0
    client.write(EnquireLink(sequence=78))
    assert (await client.read(EnquireLinkResp)).sequence == 78, "the connection stays"


async def test_an_unknown_command_gets_a_nack(lab: Any) -> None:
    here = await lab()
    client = await here.bound()
    client.write_raw(struct.pack(">IIII", 16, 0x7777, 0, 5))
    nack = await client.read(GenericNack)
    assert (nack.sequence, nack.status) == (5, status.RINVCMDID)


@pytest.mark.parametrize("length", [3, 15, 2**31])
async def test_an_impossible_length_ends_the_connection(lab: Any, length: int) -> None:
    here = await lab()
    client = await here.bound()
    client.write_raw(struct.pack(">IIII", length, 0x04, 0, 1))
    assert (await client.read(GenericNack)).status == status.RINVCMDLEN
    assert await client.ended()


async def test_unbind_is_answered_then_the_connection_ends(lab: Any) -> None:
    here = await lab()
    client = await here.bound()
    client.write(Unbind(sequence=3))
    assert (await client.read(UnbindResp)).sequence == 3
    assert await client.ended()


async def test_data_sm_is_a_submit(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    tlvs = (Tlv(MESSAGE_PAYLOAD, b"x" * 500), Tlv(USER_MESSAGE_REFERENCE, b"\x12\x34"))
    client.write(DataSm(sequence=2, source_addr=CODE, destination_addr=NUMBER, tlvs=tlvs))
    answer = await client.read(DataSmResp)
    [entry] = read(here.ledger)
    assert (answer.status, entry.given) == (0, answer.message_id)
    assert (entry.size, entry.user_message_reference) == (500, 0x1234)


async def test_submit_multi_is_one_entry_a_number(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    destinations = (Destination(NUMBER), Destination("not a number"), DistributionList("all"), Destination("8190"))
    client.write(SubmitMulti(sequence=2, source_addr=CODE, destinations=destinations, short_message=b"hello"))
    answer = await client.read(SubmitMultiResp)
    assert answer.status == 0
    refused = [(one.destination_addr, one.error_status_code) for one in answer.unsuccessful]
    assert refused == [("not a number", status.RINVDSTADR), ("all", 0x34)]
    assert [entry.destination for entry in read(here.ledger) if entry.status == 0] == [NUMBER, "8190"]


async def test_query_tells_what_became_of_a_message(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    client.submit()
    given = (await client.read(SubmitSmResp)).message_id
    client.write(QuerySm(sequence=5, message_id=given, source_addr=CODE))
    assert (await client.read(QuerySmResp)).message_state == 2
    client.write(QuerySm(sequence=6, message_id=given, source_addr="another"))
    assert (await client.read(QuerySmResp)).status == status.RINVMSGID


async def test_what_is_delivered_cannot_be_taken_back(lab: Any) -> None:
    here = await lab()
    client = await here.bound()
    client.write(CancelSm(sequence=5, message_id="1"), ReplaceSm(sequence=6, message_id="1"))
    assert [(await client.read()).status for _ in range(2)] == [status.RCANCELFAIL, status.RREPLACEFAIL]


async def test_too_many_connections_are_cut(lab: Any) -> None:
    here = await lab(settings=Settings(connection_limit=1))
    await here.bound()
    assert await (await here.connect()).ended()


async def test_ids_go_on_after_a_restart(lab: Any) -> None:
    given: list[str] = []
    for _ in range(2):
        here = await lab(receipts=False)
        client = await here.bound()
        client.submit()
        given.append((await client.read(SubmitSmResp)).message_id)
        await here.simulator.__aexit__(None, None, None)
    assert given[0] != given[1]
