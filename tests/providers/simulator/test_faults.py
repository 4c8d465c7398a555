"""Every fault that can be injected, over a real socket."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from todoke.providers.simulator import LedgerError, Rule, Settings, read
from todoke.providers.simulator.behaviour import Fate
from todoke.smpp import status
from todoke.smpp.pdu import DeliverSm, EnquireLink, EnquireLinkResp, SubmitSmResp, encode


async def _statuses(client: Any, count: int) -> list[int]:
    for _ in range(count):
        client.submit()
    return [(await client.read(SubmitSmResp)).status for _ in range(count)]


async def test_throttling(lab: Any) -> None:
    here = await lab(receipts=False, throttle=5)
    client = await here.bound()
    assert await _statuses(client, 8) == [0] * 5 + [status.RTHROTTLED] * 3


async def test_a_full_queue(lab: Any) -> None:
    here = await lab(receipts=False, queue_full_ratio=1.0)
    client = await here.bound()
    assert await _statuses(client, 2) == [status.RMSGQFUL] * 2


async def test_a_rule_refuses_some_numbers(lab: Any) -> None:
    here = await lab(receipts=False, rules=(Rule(destination="8190*", status=0x45),))
    client = await here.bound()
    client.submit(destination_addr="819011112222")
    client.submit(destination_addr="818011112222")
    assert [(await client.read(SubmitSmResp)).status for _ in range(2)] == [0x45, 0]


async def test_a_rule_fails_some_receipts(lab: Any) -> None:
    here = await lab(rules=(Rule(destination="8190*", state="REJECTD", error="0A1"),))
    client = await here.bound("transmitter")
    receiver = await here.bound("receiver")
    client.submit(destination_addr="819011112222")
    client.submit(destination_addr="818011112222")
    texts = {pdu.source_addr: pdu.short_message for pdu in [await receiver.receive() for _ in range(2)]}
    assert b"stat:REJECTD err:0A1" in texts["819011112222"]
    assert b"stat:DELIVRD err:000" in texts["818011112222"]


async def test_a_refused_bind(lab: Any) -> None:
    here = await lab(bind_status=status.RBINDFAIL)
    client = await here.connect()
    assert (await client.bind()).status == status.RBINDFAIL


async def test_a_connection_drops_on_its_nth_submit(lab: Any) -> None:
    here = await lab(receipts=False, drop_after=3)
    client = await here.bound()
    for number in range(6):
        client.submit_marked(number)
    assert [(await client.read(SubmitSmResp)).status for _ in range(2)] == [0, 0]
    assert await client.ended()
    entries = list(read(here.ledger))
    assert [entry.mark.message_id for entry in entries if entry.mark] == [0, 1, 2], "the third was accepted"
    assert entries[2].status == 0
    assert entries[2].fate == Fate.DROPPED


async def test_a_connection_drops_at_random(lab: Any) -> None:
    here = await lab(receipts=False, drop_ratio=1.0)
    client = await here.bound()
    client.submit()
    assert await client.ended()
    assert here.simulator.stats.dropped == 1


async def test_a_lost_response(lab: Any) -> None:
    here = await lab(receipts=False, lose_response_ratio=1.0)
    client = await here.bound()
    client.submit()
    client.write(EnquireLink(sequence=99))
    assert (await client.read(EnquireLinkResp)).sequence == 99
    assert [(entry.status, entry.fate) for entry in read(here.ledger)] == [(0, Fate.LOST)]
    assert await client.silent()


async def test_a_late_response(lab: Any) -> None:
    here = await lab(receipts=False, late_response_ratio=1.0, late_response_delay=0.2)
    client = await here.bound()
    client.submit()
    begin = time.monotonic()
    client.write(EnquireLink(sequence=99))
    await client.read(EnquireLinkResp)
    await client.read(SubmitSmResp)
    assert time.monotonic() - begin >= 0.15


async def test_a_duplicate_response(lab: Any) -> None:
    here = await lab(receipts=False, duplicate_response_ratio=1.0)
    client = await here.bound()
    client.submit()
    first, second = await client.read(SubmitSmResp), await client.read(SubmitSmResp)
    assert first == second
    assert here.simulator.stats.submits == 1


async def test_a_receipt_before_its_response(lab: Any) -> None:
    here = await lab(early_receipt_ratio=1.0)
    client = await here.bound()
    client.submit()
    receipt = await client.read(DeliverSm)
    response = await client.read(SubmitSmResp)
    assert response.message_id.encode() in receipt.short_message


async def test_round_trip_delay_keeps_the_order(lab: Any) -> None:
    here = await lab(receipts=False, round_trip=0.1)
    client = await here.bound()
    begin = time.monotonic()
    sent = [client.submit() for _ in range(20)]
    assert [(await client.read(SubmitSmResp)).sequence for _ in range(20)] == sent
    assert 0.1 <= time.monotonic() - begin < 1.5, "delays run side by side"


async def test_half_open_then_back(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    await here.http("POST", "/pause")
    client.submit()
    client.write(EnquireLink(sequence=99))
    assert await client.silent()
    assert list(read(here.ledger)) == []
    await here.http("POST", "/resume")
    assert (await client.read(SubmitSmResp)).status == 0
    assert (await client.read(EnquireLinkResp)).sequence == 99


async def test_a_connection_made_while_half_open_is_not_read(lab: Any) -> None:
    here = await lab(half_open=True)
    client = await here.connect()
    binding = asyncio.create_task(client.bind())
    await here.until(lambda: here.simulator.stats.connections == 1)
    await here.http("DELETE", "/faults")
    await here.http("POST", "/resume")
    assert (await binding).status == 0


async def test_all_connections_dropped_by_hand(lab: Any) -> None:
    here = await lab()
    clients = [await here.bound(), await here.bound("receiver")]
    assert await here.http("POST", "/connections/drop") == (200, {"dropped": 2})
    assert all([await client.ended() for client in clients])


async def test_the_seed_repeats_a_run(lab: Any, tmp_path: Path) -> None:
    runs: list[list[int]] = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        settings = Settings(seed=seed, ledger=tmp_path / name)
        here = await lab(settings=settings, receipts=False, rules=(Rule(ratio=0.5, by="submit", status=0x45),))
        runs.append(await _statuses(await here.bound(), 40))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {0, 0x45}


async def test_what_cannot_be_written_is_not_answered(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await lab(receipts=False)
    client = await here.bound()

    def full() -> None:
        raise LedgerError("Cannot write the ledger: No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr(here.simulator.smsc.ledger, "flush", full)
        client.submit()
        assert await client.ended()
    again = await here.bound()
    again.submit()
    assert (await again.read(SubmitSmResp)).status == 0


async def test_a_client_that_does_not_read_is_not_read(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    octets = b"".join(encode(EnquireLink(sequence=number)) for number in range(1, 20_001))
    sending = asyncio.create_task(client.send_all(octets * 40))
    smsc = here.simulator.smsc
    [connection] = smsc.peers.values()
    await here.until(lambda: not connection._writable)
    sending.cancel()
    await here.http("POST", "/connections/drop")
