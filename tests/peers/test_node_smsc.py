"""Our link against node-smpp as the SMSC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from todoke.smpp import tlv
from todoke.smpp.link import Link, LinkDown, LinkEvent, LinkSettings, LinkUp
from todoke.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter
from todoke.smpp.receipt import State, parse
from todoke.smpp.session import BindRefused, Deliver, Settings, SubmitResult, SubmitTemplate
from todoke.sms.segments import header, split

pytestmark = pytest.mark.peer
Start = Callable[..., Coroutine[Any, Any, Any]]
LONG = "Die Bücher {Nr. 7} sind da: " + "€uro " * 40


class Ear:
    """A link and what it says."""

    def __init__(self, port: int, bind: Bind, **session: Any) -> None:
        self.heard: list[LinkEvent] = []
        self._new = asyncio.Event()
        self.link = Link(LinkSettings("127.0.0.1", port, bind, Settings(**session)), self._take)

    def _take(self, events: Sequence[LinkEvent]) -> None:
        self.heard += events
        self._new.set()

    async def until(self, kind: type, count: int = 1) -> list[Any]:
        async with asyncio.timeout(10):
            while len(found := [event for event in self.heard if type(event) is kind]) < count:
                self._new.clear()
                await self._new.wait()
        return found


async def test_a_day_in_the_life_of_a_link(script: Start) -> None:
    smsc = await script("smsc.js")
    ear = Ear(await smsc.hear("port"), BindTransceiver(system_id="todoke", password="secret"), enquire_link=0.2)
    await ear.link.start()
    (up,) = await ear.until(LinkUp)
    assert up.system_id == "node-smpp"
    assert await smsc.hear("bind") == {"command": "bind_transceiver", "system_id": "todoke", "version": 0x34}

    (inbound,) = await ear.until(Deliver)
    assert (inbound.source, inbound.destination, inbound.data_coding) == ("8190", "Todoke", 8)
    assert inbound.payload.decode("utf-16-be") == "届いた"
    assert parse(inbound) is None
    ear.link.respond([(inbound, 0)])

    template = SubmitTemplate("Todoke", 5, 0, registered_delivery=1, validity_period="000003000000000R")
    gsm, ucs2, long = split("Hello [you] €"), split("届け🎉"), split(LONG)
    assert len(long.parts) == 2
    batch: list[tuple[bytes, object]] = [
        (template.body("819000000001", gsm.parts[0], tlvs=tlv.pack_int(tlv.USER_MESSAGE_REFERENCE, 4711)), "gsm"),
        (template.body("819000000002", ucs2.parts[0], data_coding=ucs2.encoding.data_coding), "ucs2"),
    ]
    for number, part in enumerate(long.parts, 1):
        payload = header(0x4D, 2, number) + part
        batch.append((template.body("819000000003", payload, esm_class=0x40), f"long {number}"))
    batch.append((template.body("819000000004", b"p" * 400), "payload"))
    batch.append((template.body("81900000058", b"too fast"), "throttled"))
    ear.link.submit(batch)

    results = {result.token: result for result in await ear.until(SubmitResult, 6)}
    assert results.pop("throttled") == SubmitResult("throttled", 0x58, "")
    assert {result.status for result in results.values()} == {0}
    submits = {submit["destination"] + (submit["udh"] or ""): submit for submit in await smsc.hear("submit", 6)}
    assert submits["819000000001"] == {
        "source": "Todoke",
        "source_ton": 5,
        "destination": "819000000001",
        "esm_class": 0,
        "data_coding": 0,
        "registered_delivery": 1,
        "validity_period": "given",
        "message": "Hello [you] €",
        "udh": None,
        "reference": 4711,
        "payload": None,
    }
    assert submits["819000000002"]["message"] == "届け🎉"
    parts = [submits["81900000000300034d02" + number] for number in ("01", "02")]
    assert "".join(part["message"] for part in parts) == LONG
    assert submits["819000000004"]["payload"] == "p" * 400

    deliveries = (await ear.until(Deliver, 6))[1:]
    receipts = [parse(delivery) for delivery in deliveries]
    assert {receipt.message_id for receipt in receipts if receipt} == {one.message_id for one in results.values()}
    assert {receipt.state for receipt in receipts if receipt} == {State.DELIVERED}
    ear.link.respond([(delivery, 0) for delivery in deliveries])
    assert await smsc.hear("receipt_answer", 5) == [0] * 5

    await smsc.hear("enquire_link")
    await ear.link.close()
    await smsc.hear("unbind")
    assert ear.heard[-1] == LinkDown(1, "The session was ended", [])


@pytest.mark.parametrize(
    ("kind", "command", "submits"),
    [(BindTransmitter, "bind_transmitter", True), (BindReceiver, "bind_receiver", False)],
)
async def test_a_pair_of_links(script: Start, kind: type[Bind], command: str, submits: bool) -> None:
    smsc = await script("smsc.js")
    ear = Ear(await smsc.hear("port"), kind(system_id="todoke", password="secret"))
    await ear.link.start()
    await ear.until(LinkUp)
    assert (await smsc.hear("bind"))["command"] == command
    assert (ear.link.free > 0) is submits
    if submits:
        ear.link.submit([(SubmitTemplate("Todoke").body("8190", b"hi"), "token")])
        ((token, status, message_id),) = await ear.until(SubmitResult)
        assert (token, status, message_id) == ("token", 0, "NODE-1")
    else:
        ear.link.respond([(delivery, 0) for delivery in await ear.until(Deliver)])
    await ear.link.close()
    await smsc.hear("unbind")


async def test_a_wrong_password(script: Start) -> None:
    smsc = await script("smsc.js")
    ear = Ear(await smsc.hear("port"), BindTransceiver(system_id="todoke", password="wrong"))
    async with asyncio.timeout(10):
        await ear.link.run()
    assert ear.heard == [BindRefused(0x0E)]
