"""The SMPP provider against the simulator over a real socket: every token has one answer, whatever happens."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from tests.providers.smpp.conftest import CODE, DEADLINE, Open

from todoke.providers.base import Decision
from todoke.smpp import status

LONG = "This text is so long that it takes three segments. " * 8

# How the simulator writes ids in responses and receipts, and what the account is declared with.
STYLES = {
    "standard": ("exact", "exact"),
    "text_only": ("exact", "exact"),
    "tlv_only": ("exact", "exact"),
    "hex_receipt": ("exact", "hex_to_dec"),
    "decimal_receipt": ("hex_to_dec", "exact"),
    "leading_zeros": ("strip_zeros", "strip_zeros"),
    "upper_receipt": ("casefold", "casefold"),
    "lower_receipt": ("casefold", "casefold"),
    "no_counts": ("exact", "exact"),
    "long_dates": ("exact", "exact"),
    "joined_dates": ("exact", "exact"),
    "dashes": ("exact", "exact"),
    "short_error": ("exact", "exact"),
    "data_sm": ("exact", "exact"),
}


async def test_what_is_submitted_is_accepted_once_and_in_the_ledger(lab: Open) -> None:
    a = await lab()
    a.submit(*range(1, 11))
    await a.ear.until(lambda: len(a.ear.taken) == 10)
    entries = a.ledger()
    assert [(e.mark.message_id, e.mark.segment, e.mark.attempt) for e in entries if e.mark] == [
        (n, 1, 0) for n in range(1, 11)
    ]
    assert a.ear.taken == [(n, e.given) for n, e in enumerate(entries, 1)]
    assert {(e.source, e.destination) for e in entries} == {(CODE, "819012345678")}
    assert not a.ear.failures


async def test_the_parts_of_a_text_are_one_on_the_phone(lab: Open) -> None:
    a = await lab()
    a.provider.submit([(body, n) for n, body in enumerate(a.parts(77, LONG), 1)])
    await a.ear.until(lambda: len(a.ear.taken) == 3)
    assert a.simulator.smsc is not None
    assert [received.text for received in a.simulator.smsc.phones.phone("819012345678").inbox] == [LONG]
    assert [(e.mark.message_id, e.mark.segment, e.mark.attempt) for e in a.ledger() if e.mark] == [
        (77, n, 2) for n in (1, 2, 3)
    ]


async def test_free_counts_the_window(lab: Open) -> None:
    a = await lab({"round_trip": 0.2})
    assert a.provider.free == 10
    a.submit(1, 2, 3)
    await a.ear.until(lambda: a.provider.free in (7, 10))
    assert a.provider.free == 7
    await a.ear.until(lambda: len(a.ear.taken) == 3)
    assert a.provider.free == 10


@pytest.mark.parametrize("style", STYLES)
async def test_receipts_name_the_submission_in_any_dialect(lab: Open, style: str) -> None:
    response_ids, receipt_ids = STYLES[style]
    a = await lab(
        {
            "receipt_styles": [style],
            "rules": [{"destination": "44*", "state": "UNDELIV", "error": "027"}],
        },
        response_ids=response_ids,
        receipt_ids=receipt_ids,
    )
    a.provider.submit([(a.body(1), 1), (a.body(2, destination=447700900123), 2)])
    await a.ear.until(lambda: len(a.ear.said) == 2)
    given = dict(a.ear.taken)
    told = {word.provider_message_id: (word.delivered, word.reason) for word in a.ear.said}
    error = ["027", "E27"][style == "short_error"]
    assert told == {given[1]: (True, ""), given[2]: (False, f"receipt:UNDELIV:{error}")}


async def test_a_receipt_is_repeated_until_it_is_acknowledged(lab: Open) -> None:
    a = await lab({"acknowledge_timeout": 0.05})
    a.submit(1)
    await a.ear.until(lambda: len(a.ear.said) >= 2)
    assert len({word.provider_message_id for word in a.ear.said}) == 1
    a.provider.acknowledge([word.handle for word in a.ear.said])
    await a.simulated(lambda: a.simulator.stats.waiting == 0)


async def test_a_receipt_that_comes_before_the_response_is_told_as_it_comes(lab: Open) -> None:
    a = await lab({"early_receipt_ratio": 1.0})
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.said and a.ear.taken))
    assert a.ear.said[0].provider_message_id == a.ear.taken[0][1]


async def test_a_receipt_that_is_not_final_is_acknowledged_and_no_more(lab: Open) -> None:
    a = await lab({"rules": [{"destination": "44*", "state": "UNKNOWN"}]})
    a.provider.submit([(a.body(1, destination=447700900123), 1)])
    await a.ear.until(lambda: len(a.ear.taken) == 1)
    await a.simulated(lambda: a.simulator.stats.inbound_acknowledged == 1)
    assert not a.ear.said
    assert not a.ear.messages


@pytest.mark.parametrize(
    ("code", "decision"),
    [
        (status.RTHROTTLED, Decision.THROTTLED),
        (status.RMSGQFUL, Decision.THROTTLED),
        (0x08, Decision.RETRYABLE),
        (0x64, Decision.RETRYABLE),
        (0x45, Decision.RETRY_ONCE),
        (0x0B, Decision.PERMANENT),
        (0x0A, Decision.PERMANENT),
        (0x65, Decision.PERMANENT),
        (0x4321, Decision.PERMANENT),
    ],
)
async def test_a_refusal_carries_what_may_be_done(lab: Open, code: int, decision: Decision) -> None:
    a = await lab({"rules": [{"status": code}]})
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.failures))
    (failure,) = a.ear.failures
    assert failure == (1, decision, f"smpp:0x{code:08x}")
    assert not a.ear.taken


async def test_a_carrier_that_throttles_takes_what_it_takes(lab: Open) -> None:
    a = await lab({"throttle": 3})
    a.submit(*range(10))
    await a.ear.until(lambda: len(a.ear.answered) == 10)
    assert [token for token, _ in a.ear.taken] == [0, 1, 2]
    assert {failure.decision for failure in a.ear.failures} == {Decision.THROTTLED}
    assert sorted(a.ear.answered) == list(range(10))  # type: ignore[type-var]


async def test_a_connection_that_drops_leaves_each_token_in_doubt_once(lab: Open) -> None:
    a = await lab({"drop_after": 4, "round_trip": 0.05})
    a.submit(*range(10))
    await a.ear.until(lambda: len(a.ear.answered) == 10)
    assert Counter(a.ear.answered) == Counter(range(10))
    doubtful = [failure for failure in a.ear.failures if failure.decision is Decision.MAYBE_SENT]
    assert doubtful == a.ear.failures
    assert {failure.reason for failure in doubtful} == {"link_dropped"}
    assert len(doubtful) >= 7
    # It comes up again by itself, and works.
    a.behave(drop_after=None, round_trip=0.0)
    await a.up()
    a.submit(100)
    await a.ear.until(lambda: a.ear.answered[-1:] == [100] or 100 in a.ear.answered)
    assert Counter(a.ear.answered) == Counter([*range(10), 100])
    assert not a.ear.late


async def test_no_link_means_no_room(lab: Open) -> None:
    a = await lab({"bind_status": 0x08}, up=False)
    await a.ear.until(lambda: "refused the bind" in a.provider.health())
    assert not a.provider.up
    assert a.provider.free == 0
    a.behave(bind_status=0)
    await a.up()
    assert a.provider.free == 10


async def test_a_wrong_password_is_said_and_not_tried_again(lab: Open) -> None:
    a = await lab(password="wrong", up=False)
    await a.ear.until(lambda: "password is wrong" in a.provider.health())
    assert a.provider.health().startswith("0 of 1 links up")
    assert not a.provider.up


async def test_a_late_response_ends_the_doubt(lab: Open) -> None:
    a = await lab({"late_response_ratio": 1.0, "late_response_delay": 1.6}, response_timeout=0.1)
    a.submit(1, 2)
    await a.ear.until(lambda: len(a.ear.failures) == 2)
    assert [(f.token, f.decision, f.reason) for f in a.ear.failures] == [
        (n, Decision.MAYBE_SENT, "response_timeout") for n in (1, 2)
    ]
    assert a.provider.free == 10
    await a.ear.until(lambda: len(a.ear.late) == 2)
    assert a.ear.late == [(n, entry.given, None) for n, entry in enumerate(a.ledger(), 1)]
    assert not a.ear.taken


async def test_a_late_response_is_normalised_like_any(lab: Open) -> None:
    a = await lab(
        {"late_response_ratio": 1.0, "late_response_delay": 1.6, "receipt_styles": ["decimal_receipt"]},
        response_timeout=0.1,
        response_ids="hex_to_dec",
    )
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.late and a.ear.said))
    assert a.ear.late[0][1] == a.ear.said[0].provider_message_id


async def test_a_late_refusal_is_told_as_one(lab: Open) -> None:
    a = await lab({"round_trip": 1.6, "rules": [{"status": 0x0B}]}, response_timeout=0.1)
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.late))
    ((token, _, failure),) = a.ear.late
    assert token == 1
    assert failure is not None
    assert (failure.decision, failure.reason) == (Decision.PERMANENT, "smpp:0x0000000b")


async def test_a_response_that_comes_twice_counts_once(lab: Open) -> None:
    a = await lab({"duplicate_response_ratio": 1.0})
    a.submit(*range(10))
    await a.ear.until(lambda: len(a.ear.taken) == 10)
    a.submit(10)
    await a.ear.until(lambda: len(a.ear.taken) >= 11)
    assert Counter(a.ear.answered) == Counter(range(11))
    assert not a.ear.late


async def test_a_response_that_never_comes_is_a_doubt(lab: Open) -> None:
    a = await lab({"lose_response_ratio": 1.0}, response_timeout=0.1)
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.failures))
    assert a.ear.failures[0][1:] == (Decision.MAYBE_SENT, "response_timeout")


async def test_several_links_share_the_work_and_a_lost_one_only_its_own(lab: Open) -> None:
    a = await lab({"round_trip": 0.3}, links=3, window=4)
    await a.ear.until(lambda: a.provider.free == 12)
    a.submit(*range(12))
    await a.simulated(lambda: a.simulator.stats.submits == 12)
    assert sorted(Counter(e.connection for e in a.ledger()).values()) == [4, 4, 4]
    assert a.simulator.smsc is not None
    next(iter(a.simulator.smsc.peers.values())).drop()
    await a.ear.until(lambda: len(a.ear.answered) == 12)
    assert Counter(a.ear.answered) == Counter(range(12))
    assert len(a.ear.failures) == 4
    assert {failure.decision for failure in a.ear.failures} == {Decision.MAYBE_SENT}
    assert a.provider.up


async def test_small_batches_go_round_the_links(lab: Open) -> None:
    a = await lab(links=2)
    await a.ear.until(lambda: a.provider.free == 20)
    for n in range(6):
        a.submit(n)
        await a.ear.until(lambda n=n: len(a.ear.taken) == n + 1)
    assert sorted(Counter(e.connection for e in a.ledger()).values()) == [3, 3]


async def test_a_pair_submits_on_one_and_hears_on_the_other(lab: Open) -> None:
    a = await lab(bind="pair")
    await a.ear.until(lambda: a.provider.health() == "2 of 2 links up")
    assert a.provider.free == 10  # the receiver takes nothing
    a.submit(1)
    await a.ear.until(lambda: bool(a.ear.taken and a.ear.said))
    assert a.ear.said[0].provider_message_id == a.ear.taken[0][1]
    a.provider.acknowledge([a.ear.said[0].handle])
    await a.simulated(lambda: a.simulator.stats.waiting == 0)


async def test_what_a_phone_says_is_heard_and_repeated_until_acknowledged(lab: Open) -> None:
    a = await lab({"acknowledge_timeout": 0.05})
    a.text("819012345678", "ストップ")
    await a.ear.until(lambda: len(a.ear.messages) >= 2)
    first = a.ear.messages[0]
    assert first[:6] == ("819012345678", CODE, "ストップ", None, 1, 1)
    assert {message.session for message in a.ear.messages} == {first.session}
    a.provider.acknowledge([message.handle for message in a.ear.messages])
    await a.simulated(lambda: a.simulator.stats.waiting == 0)


async def test_a_long_text_of_a_phone_comes_in_parts(lab: Open) -> None:
    a = await lab()
    assert a.text("819012345678", LONG) == 3
    await a.ear.until(lambda: len(a.ear.messages) == 3)
    parts = sorted(a.ear.messages, key=lambda message: message.number)
    assert [(part.total, part.number) for part in parts] == [(3, 1), (3, 2), (3, 3)]
    assert len({part.reference for part in parts}) == 1
    assert "".join(part.text for part in parts) == LONG


async def test_an_acknowledgement_for_a_connection_that_is_gone_is_no_harm(lab: Open) -> None:
    a = await lab({"acknowledge_timeout": 60.0})
    a.text("819012345678", "hi")
    await a.ear.until(lambda: len(a.ear.messages) == 1)
    assert a.simulator.smsc is not None
    a.simulator.smsc.drop_all()
    await a.ear.until(lambda: not a.provider.up)
    a.provider.acknowledge([a.ear.messages[0].handle])
    await a.ear.until(lambda: len(a.ear.messages) == 2)  # the SMSC sends it again on the new connection
    one, two = a.ear.messages
    assert one[:6] == two[:6]
    assert one.session != two.session
    a.provider.acknowledge([one.handle, two.handle])
    await a.simulated(lambda: a.simulator.stats.waiting == 0)


async def test_draining_waits_for_the_answers(lab: Open) -> None:
    a = await lab({"round_trip": 0.2})
    a.submit(1, 2, 3)
    await a.provider.drain(DEADLINE)
    assert len(a.ear.taken) == 3


async def test_draining_does_not_wait_for_ever(lab: Open) -> None:
    a = await lab()
    a.behave(half_open=True)
    a.submit(1)
    async with asyncio.timeout(DEADLINE):
        await a.provider.drain(0.1)
    assert not a.ear.answered


async def test_stopping_leaves_nothing_without_an_answer(lab: Open) -> None:
    a = await lab()
    a.behave(half_open=True)
    a.submit(1, 2)
    await a.provider.stop()
    assert Counter(a.ear.answered) == Counter([1, 2])
    assert {failure.decision for failure in a.ear.failures} == {Decision.MAYBE_SENT}


# ------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate for this test, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost"], cwd=folder, check=True, capture_output=True
    )
    return folder


class Tunnel:
    """TLS in front of the simulator, as a carrier has it."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self._tasks: set[asyncio.Task[None]] = set()
        self.target = 0
        self.port = 0

    async def __aenter__(self) -> Tunnel:
        self._server = await asyncio.start_server(self._through, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
        for source, target in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(self._copy(source, target))
            self._tasks.add(task)

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()


@pytest.mark.parametrize("verify", ["ca", "none"])
async def test_tls(lab: Open, certificate: Path, verify: str) -> None:
    trust = {"tls_ca": str(certificate / "cert.pem")} if verify == "ca" else {"tls_verify": False}
    async with Tunnel(certificate) as tunnel:
        a = await lab(host="localhost", port=tunnel.port, tls=True, up=False, **trust)
        tunnel.target = a.simulator.ports.smpp_port
        await a.up()
        a.submit(*range(10))
        await a.ear.until(lambda: len(a.ear.taken) == 10)
        await a.provider.stop()


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(lab: Open, certificate: Path) -> None:
    async with Tunnel(certificate) as tunnel:
        a = await lab(host="localhost", port=tunnel.port, tls=True, up=False)
        tunnel.target = a.simulator.ports.smpp_port
        await a.ear.until(lambda: "certificate" in a.provider.health())
        assert not a.provider.up
        await a.provider.stop()
