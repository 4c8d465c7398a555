"""The control port: what it shows, and how it refuses."""

from typing import Any

import pytest

from todoke.providers.simulator import Settings
from todoke.smpp.pdu import SubmitSmResp


async def test_stats(lab: Any) -> None:
    here = await lab(throttle=1)
    client = await here.bound()
    client.submit()
    client.submit()
    for _ in range(2):
        await client.read()
    status, stats = await here.http("GET", "/stats")
    assert status == 200
    assert (stats["connections"], stats["bound"], stats["submits"], stats["accepted"]) == (1, 1, 2, 1)


async def test_the_ledger_in_pages(lab: Any) -> None:
    here = await lab(receipts=False)
    client = await here.bound()
    for number in range(5):
        client.submit_marked(number)
        await client.read(SubmitSmResp)
    _, first = await here.http("GET", "/ledger?limit=3")
    _, second = await here.http("GET", f"/ledger?offset={first['next_offset']}&limit=3")
    entries = first["entries"] + second["entries"]
    assert [entry["mark"]["message_id"] for entry in entries] == [0, 1, 2, 3, 4]
    assert (first["next_offset"], second["next_offset"]) == (3, 5)
    assert entries[0]["source"] == "12025550100"


async def test_faults_change_one_field_and_go_back(lab: Any) -> None:
    here = await lab(receipts=False, throttle=100)
    client = await here.bound()
    status, changed = await here.http("POST", "/faults", {"rules": [{"status": 69}]})
    assert (status, changed["throttle"], len(changed["rules"])) == (200, 100, 1)
    client.submit()
    assert (await client.read(SubmitSmResp)).status == 69
    assert (await here.http("DELETE", "/faults"))[1]["rules"] == []
    client.submit()
    assert (await client.read(SubmitSmResp)).status == 0


async def test_a_phone_is_switched_off(lab: Any) -> None:
    here = await lab()
    assert (await here.http("PATCH", "/phones/8190", {"state": "off"}))[1]["state"] == "off"
    client = await here.bound("transmitter")
    receiver = await here.bound("receiver")
    client.submit(destination_addr="8190")
    assert b"stat:EXPIRED" in (await receiver.receive()).short_message


@pytest.mark.parametrize(
    ("method", "path", "body", "expected", "field"),
    [
        ("POST", "/faults", {"throttle": "many"}, 422, "throttle"),
        ("POST", "/faults", {"queue_full_ratio": 2}, 422, "queue_full_ratio"),
        ("POST", "/faults", {"no_such": 2}, 422, "no_such"),
        ("POST", "/faults", {"rules": [{"ratio": -1, "status": 1}]}, 422, "rules[0].ratio"),
        ("POST", "/faults", {"receipt_styles": ["fancy"]}, 422, None),
        ("POST", "/faults", [], 422, None),
        ("POST", "/phones/8190/reply", {"to": "100"}, 422, "text"),
        ("POST", "/phones/8190/reply", {"to": "100", "text": ""}, 422, "text"),
        ("POST", "/phones/8190/reply", {"to": "100", "text": "x" * 50_000}, 422, "text"),
        ("POST", "/phones/8190/reply", {"to": "1" * 30, "text": "x"}, 422, "to"),
        ("POST", "/phones/abc/reply", {"to": "100", "text": "hello"}, 422, "number"),
        ("GET", "/phones/abc", None, 422, "number"),
        ("PATCH", "/phones/8190", {"state": "sleepy"}, 422, "state"),
        ("GET", "/ledger?offset=-1", None, 422, "offset"),
        ("GET", "/ledger?limit=many", None, 422, "limit"),
        ("GET", "/ledger?of=1", None, 422, "of"),
        ("GET", "/nothing", None, 404, None),
        ("DELETE", "/stats", None, 405, None),
    ],
)
async def test_what_is_wrong_is_named(
    lab: Any, method: str, path: str, body: Any, expected: int, field: str | None
) -> None:
    here = await lab()
    status, problem = await here.http(method, path, body)
    assert (status, problem["status"]) == (expected, expected)
    assert problem.get("field") == field, problem
    assert problem["detail"].endswith(".") or field is None
    assert problem["fix"]


async def test_a_body_that_is_not_json(lab: Any) -> None:
    here = await lab()
    status, problem = await here.http("POST", "/faults", raw=b"{half")
    assert (status, problem["fix"]) == (400, "Send a JSON object.")


async def test_fast_mode_has_no_phones(lab: Any) -> None:
    here = await lab(settings=Settings(fast=True))
    for method, path, body in (("GET", "/phones/1", None), ("POST", "/faults", {}), ("POST", "/pause", None)):
        status, problem = await here.http(method, path, body)
        assert status == 409
        assert "Fast mode" in problem["detail"]
    assert (await here.http("GET", "/stats"))[1]["fast"] is True
