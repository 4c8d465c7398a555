"""The link over a real socket, on both event loops, against an SMSC made of the same session."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from todoke.smpp import pdu as p
from todoke.smpp.backoff import Backoff
from todoke.smpp.errors import SmppError, StateError, WindowFullError
from todoke.smpp.link import Link, LinkDown, LinkEvent, LinkSettings, LinkUp, Retrying, Writable
from todoke.smpp.session import (
    BindRefused,
    Deliver,
    DeliverTemplate,
    Settings,
    StrayResponse,
    SubmitResult,
    SubmitTemplate,
    Timeout,
)

Run = Callable[[Coroutine[Any, Any, None]], None]
BODY = SubmitTemplate("Todoke").body("8190", b"hi")
MAIL = DeliverTemplate("Todoke").body("8190", b"yes")
QUICK = Backoff(first=0.02, limit=0.05)


class Listener:
    """Keeps what a link says, and lets a test wait for it."""

    def __init__(self, port: int, **more: Any) -> None:
        settings = {"session": Settings(window=50), "backoff": QUICK, "bind": p.BindTransceiver(system_id="me")} | more
        self.all: list[LinkEvent] = []
        self.calls = 0
        self._new = asyncio.Event()
        self.link = Link(LinkSettings("127.0.0.1", port, **settings), self._take, jitter=lambda: 0.5)

    def _take(self, events: Sequence[LinkEvent]) -> None:
        self.calls += 1
        self.all += events
        self._new.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.all if type(event) is kind]

    async def until(self, kind: type, count: int = 1) -> list[Any]:
        return await self.when(lambda: self.of(kind) if len(self.of(kind)) >= count else None)

    async def when(self, condition: Callable[[], Any]) -> Any:
        async with asyncio.timeout(10):
            while not (found := condition()):
                self._new.clear()
                try:
                    async with asyncio.timeout(0.02):
                        await self._new.wait()
                except TimeoutError:
                    pass
        return found


def test_from_bind_to_unbind(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre()
        listener = Listener(await smsc.listen())
        link = listener.link
        assert (link.free, link.up) == (0, False)
        with pytest.raises(StateError):
            link.submit([(BODY, 1)])
        await link.start()
        assert await listener.until(LinkUp) == [LinkUp(1, "centre", 0x34)]
        assert (link.free, link.up) == (50, True)

        link.submit([(BODY, number) for number in range(50)])
        assert link.outstanding == 50
        with pytest.raises(WindowFullError):
            link.submit([(BODY, 50)])
        results = await listener.until(SubmitResult, 50)
        assert results == [SubmitResult(number, 0, f"id{number + 1}") for number in range(50)]
        assert link.free == 50

        (connection,) = smsc.connections
        connection.deliver([(MAIL, "a"), (MAIL, "b")])
        delivered = await listener.until(Deliver, 2)
        assert smsc.answered == []
        assert link.respond([(delivered[1], 0), (delivered[0], 0x64), (delivered[0], 0)]) == 2
        await listener.when(lambda: len(smsc.answered) == 2)
        assert smsc.answered == [("b", 0), ("a", 0x64)]

        await link.close()
        assert listener.of(LinkDown) == [LinkDown(1, "The session was ended", [])]
        assert (link.free, link.up, link.outstanding) == (0, False, 0)
        assert link.respond([(delivered[0], 0)]) == 0

    run(main())


def test_a_batch_is_one_write_and_nothing_is_delayed(run: Run, centre: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        smsc = centre()
        listener = Listener(await smsc.listen())
        await listener.link.start()
        await listener.until(LinkUp)
        connection = listener.link._connection
        assert connection is not None
        transport = connection._transport
        assert transport is not None
        assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

        class Counting:
            def __init__(self) -> None:
                self.writes: list[bytes] = []

            def write(self, data: bytes) -> None:
                self.writes.append(data)
                transport.write(data)

            def __getattr__(self, name: str) -> Any:
                return getattr(transport, name)

        counting = Counting()
        monkeypatch.setattr(connection, "_transport", counting)
        listener.link.submit([(BODY, number) for number in range(30)])
        assert len(counting.writes) == 1
        assert transport.get_write_buffer_size() == 0  # written means written
        await listener.until(SubmitResult, 30)
        smsc.connections[0].deliver([(MAIL, number) for number in range(20)])
        listener.link.respond([(event, 0) for event in await listener.until(Deliver, 20)])
        assert len(counting.writes) == 2
        await listener.link.close()

    run(main())


def test_what_is_outstanding_when_the_link_drops_is_reported_once(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre(answer=False)
        listener = Listener(await smsc.listen())
        await listener.link.start()
        await listener.until(LinkUp)
        listener.link.submit([(BODY, number) for number in range(5)])
        await listener.when(lambda: len(smsc.submits) == 5)
        (first,) = smsc.connections
        first.deliver([(MAIL, "mail")])
        (stale,) = await listener.until(Deliver)
        first.session.respond_submit(smsc.submits[2].sequence, "two")
        first.close("bye")
        (down,) = await listener.until(LinkDown)
        assert listener.of(SubmitResult) == [SubmitResult(2, 0, "two")]
        assert (down.epoch, down.tokens) == (1, [0, 1, 3, 4])
        (retrying,) = await listener.until(Retrying)
        assert retrying == Retrying("The peer closed the connection", 0.015, 1)

        ups = await listener.until(LinkUp, 2)
        assert ups[1].epoch == 2
        # A delivery of the first connection cannot be acknowledged on the second, whose numbers are the same.
        smsc.connections[0].deliver([(MAIL, "again")])
        (_, again) = await listener.until(Deliver, 2)
        assert again.sequence == stale.sequence
        assert listener.link.respond([(stale, 0)]) == 0
        assert listener.link.respond([(again, 0)]) == 1
        await listener.link.close()
        assert [down.tokens for down in listener.of(LinkDown)] == [[0, 1, 3, 4], []]

    run(main())


@pytest.mark.parametrize("status", [0x0E, 0x0F])
def test_wrong_credentials_stop_the_link(run: Run, centre: Any, status: int) -> None:
    async def main() -> None:
        smsc = centre(bind_status=status)
        listener = Listener(await smsc.listen())
        await asyncio.wait_for(listener.link.run(), 5)
        assert listener.all == [BindRefused(status)]
        assert listener.link.refused == status
        assert len(smsc.binds) == 1
        await listener.link.close()

    run(main())


@pytest.mark.parametrize("status", [0x05, 0x08])
def test_a_bind_that_may_succeed_later_is_tried_again(run: Run, centre: Any, status: int) -> None:
    async def main() -> None:
        smsc = centre(bind_status=status)
        listener = Listener(await smsc.listen())
        await listener.link.start()
        waits = await listener.until(Retrying, 3)
        assert [retrying.failures for retrying in waits[:3]] == [1, 2, 3]
        assert [round(retrying.wait, 4) for retrying in waits[:3]] == [0.015, 0.03, 0.0375]
        assert "refused the bind" in waits[0].reason
        smsc.bind_status = 0
        await listener.until(LinkUp)
        await listener.link.close()

    run(main())


def test_an_smsc_that_is_not_there_yet(run: Run, centre: Any) -> None:
    async def main() -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        listener = Listener(port)
        await listener.link.start()
        await listener.until(Retrying, 2)
        assert f"127.0.0.1:{port} cannot be reached" in listener.of(Retrying)[0].reason
        smsc = centre()
        await smsc.listen(port)
        await listener.until(LinkUp)
        await listener.link.close()

    run(main())


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [(b"220 mail.example ESMTP\r\n\r\n", "command_length"), (None, "closed the connection"), (b"", "did not answer")],
)
def test_something_else_behind_the_port(run: Run, greeting: bytes | None, reason: str) -> None:
    async def main() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if greeting is None:
                writer.close()
            else:
                writers.append(writer)
                writer.write(greeting)

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        listener = Listener(server.sockets[0].getsockname()[1], session=Settings(bind_timeout=0.1))
        await listener.link.start()
        (retrying, *_) = await listener.until(Retrying)
        assert reason in retrying.reason
        assert listener.of(LinkUp) == listener.of(LinkDown) == []
        await listener.link.close()
        server.close()
        for writer in writers:
            writer.transport.abort()

    run(main())


def test_an_smsc_that_goes_silent(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre(answer=False)
        settings = Settings(window=5, response_timeout=0.2, enquire_link=0.1)
        listener = Listener(await smsc.listen(), session=settings)
        await listener.link.start()
        await listener.until(LinkUp)
        listener.link.submit([(BODY, "lost")])
        await listener.when(lambda: smsc.submits)
        (connection,) = smsc.connections
        (timeout,) = await listener.until(Timeout)
        assert timeout.token == "lost"
        assert listener.link.up  # its enquiries are answered
        connection.session.respond_submit(smsc.submits[0].sequence, "late")
        connection.flush()
        (stray,) = await listener.until(StrayResponse)
        assert (stray.token, stray.message_id, stray.late) == ("lost", "late", True)
        connection._transport.pause_reading()
        (down,) = await listener.until(LinkDown)
        assert (down.reason, down.tokens) == ("The peer did not answer enquire_link in time", [])
        await listener.link.close()

    run(main())


def test_nothing_more_is_submitted_while_the_peer_does_not_read(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre()
        listener = Listener(await smsc.listen(), session=Settings(window=500_000))
        link = listener.link
        await link.start()
        await listener.until(LinkUp)
        (connection,) = smsc.connections
        connection._transport.pause_reading()
        body = SubmitTemplate("Todoke").body("8190", b"x" * 60_000)
        count = 0
        while link.free:
            link.submit([(body, count)])
            count += 1
        assert count < 1000
        assert link.outstanding == count
        assert listener.of(Writable) == []
        connection._transport.resume_reading()
        await listener.until(Writable)
        await listener.until(SubmitResult, count)
        assert link.free == 500_000
        await link.close()

    run(main())


def test_reading_stops_while_too_much_is_unanswered(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre()
        listener = Listener(await smsc.listen(), session=Settings(max_unanswered=10))
        await listener.link.start()
        await listener.until(LinkUp)
        mail = DeliverTemplate("Todoke").body("8190", b"x" * 60_000)
        (connection,) = smsc.connections
        connection.deliver([(mail, number) for number in range(100)])
        connection.deliver([(mail, number) for number in range(100, 200)])
        await listener.until(Deliver, 10)
        await asyncio.sleep(0.05)  # time in which it would read on if it did
        assert len(listener.of(Deliver)) < 100
        answered = 0
        while answered < 200:
            batch = listener.of(Deliver)[answered:]
            if batch:
                answered += listener.link.respond([(event, 0) for event in batch])
            await asyncio.sleep(0)
        await listener.when(lambda: len(smsc.answered) == 200)
        await listener.link.close()

    run(main())


def test_closing_waits_for_what_is_outstanding_but_not_for_ever(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre(answer=False)
        listener = Listener(await smsc.listen())
        await listener.link.start()
        await listener.until(LinkUp)
        listener.link.submit([(BODY, "answered"), (BODY, "not")])
        await listener.when(lambda: len(smsc.submits) == 2)
        closing = asyncio.create_task(listener.link.close(deadline=0.4))
        await asyncio.sleep(0)
        assert listener.link.free == 0
        smsc.connections[0].session.respond_submit(smsc.submits[0].sequence, "id")
        smsc.connections[0].flush()
        await closing
        assert listener.of(SubmitResult) == [SubmitResult("answered", 0, "id")]
        assert [down.tokens for down in listener.of(LinkDown)] == [["not"]]

    run(main())


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue is full: connecting to it neither succeeds nor fails."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_an_smsc_that_does_not_take_the_connection(run: Run, full: int) -> None:
    async def main() -> None:
        listener = Listener(full, connect_timeout=0.05)
        await listener.link.start()
        (retrying, *_) = await listener.until(Retrying)
        assert retrying.reason == f"127.0.0.1:{full} did not answer in 0.05 s"
        await listener.link.close()

    run(main())


def test_closing_while_connecting_or_waiting_or_deaf(run: Run, centre: Any, full: int) -> None:
    async def main() -> None:
        waiting = Listener(1, backoff=Backoff(first=1000, limit=1000))
        await waiting.link.start()
        await waiting.until(Retrying)
        await asyncio.wait_for(waiting.link.close(), 1)

        connecting = Listener(full)
        await connecting.link.start()
        await asyncio.sleep(0)
        await asyncio.wait_for(connecting.link.close(), 1)
        assert connecting.all == []

        deaf = Listener(1)
        await deaf.link.close()  # never started

        smsc = centre()
        silent = Listener(await smsc.listen())
        await silent.link.start()
        await silent.until(LinkUp)
        smsc.connections[-1]._transport.pause_reading()
        await asyncio.wait_for(silent.link.close(deadline=0.2), 1)
        (down,) = silent.of(LinkDown)
        assert down.reason == "The SMSC did not answer the unbind in time"

    run(main())


def test_cancelling_drops_the_link(run: Run, centre: Any) -> None:
    async def main() -> None:
        smsc = centre(answer=False)
        listener = Listener(await smsc.listen())
        task = asyncio.create_task(listener.link.run())
        await listener.until(LinkUp)
        listener.link.submit([(BODY, "token")])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert listener.of(LinkDown) == [LinkDown(1, "The link was dropped", ["token"])]

    run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate for this test, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=smsc.test"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:smsc.test"], cwd=folder, check=True, capture_output=True
    )
    return folder


def test_tls(run: Run, centre: Any, certificate: Path) -> None:
    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        smsc = centre()
        port = await smsc.listen(context=context)
        listener = Listener(port, ssl_context=trusting, server_hostname="smsc.test")
        await listener.link.start()
        await listener.until(LinkUp)
        assert listener.link.free == 50
        listener.link.submit([(BODY, number) for number in range(50)])
        await listener.until(SubmitResult, 50)
        await listener.link.close()

        stranger = Listener(port, ssl_context=ssl.create_default_context(), server_hostname="smsc.test")
        await stranger.link.start()
        (retrying, *_) = await stranger.until(Retrying)
        assert "certificate verify failed" in retrying.reason
        await stranger.link.close()

    run(main())


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": 0},
        {"host": ""},
        {"connect_timeout": 0},
        {"bind": p.BindTransceiver(password="far too long")},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"host": "h", "port": 2775, "bind": p.BindTransceiver()}
    LinkSettings(**settings)
    with pytest.raises(SmppError):
        LinkSettings(**settings | wrong)
