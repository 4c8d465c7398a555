"""Our SMSC simulator against node-smpp as the client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from todoke.providers.simulator import Behaviour, Settings, Simulator

pytestmark = pytest.mark.peer
Start = Callable[..., Coroutine[Any, Any, Any]]


async def test_a_client_that_others_wrote(script: Start) -> None:
    settings = Settings(port=0, accounts={"node": "secret"}, behaviour=Behaviour(receipt_delay=0.01))
    async with Simulator(settings) as simulator:
        client = await script("esme.js", simulator.ports.smpp_port, "node", "secret")
        seen = await client.next()
    assert (seen["bind"], seen["enquire_link"], seen["unbind"]) == (0, 0, 0)
    assert set(seen["answers"]) == {"gsm", "ucs2", "part1", "part2", "payload"}
    ids = {answer["id"] for answer in seen["answers"].values() if answer["status"] == 0}
    assert len(ids) == 5
    assert all(receipt["esm_class"] == 4 and receipt["to"] == "12025550100" for receipt in seen["receipts"])
    assert {receipt["text"].split()[0].removeprefix("id:") for receipt in seen["receipts"]} == ids
    assert all("stat:DELIVRD" in receipt["text"] for receipt in seen["receipts"])
    assert seen["query"] == {"status": 0, "state": 2}


async def test_a_wrong_password(script: Start) -> None:
    async with Simulator(Settings(port=0, accounts={"node": "secret"})) as simulator:
        client = await script("esme.js", simulator.ports.smpp_port, "node", "wrong")
        assert (await client.next())["bind"] == 0x0E
