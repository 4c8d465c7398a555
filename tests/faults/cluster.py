"""Two real PostgreSQL servers on loopback, a primary and its standby, and a link between them that can be cut.

They live in a folder of their own, sync to the disk like any other, and are gone at the end, whatever happened. Run
by root, which PostgreSQL refuses to be, they run as the user `postgres`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tests.world import eventually

_HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_status_interval": "1s",
}
STANDBY = "standby"


def binaries() -> Path:
    """The folder with initdb; without one the test is skipped, or fails where PostgreSQL is required."""
    asked = shutil.which("pg_config")
    told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False).stdout if asked else ""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in [Path(told.strip() or "/nowhere"), *installed]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    sentence = "no initdb in pg_config --bindir nor in /usr/lib/postgresql/*/bin"
    if os.environ.get("TODOKE_REQUIRE_POSTGRES") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def _die_with_parent() -> None:
    """A test that is killed takes its servers with it."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


def _as_whom() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Link:
    """The way from the standby to the primary: a TCP proxy that can be cut and mended."""

    def __init__(self, primary_port: int) -> None:
        self._to = primary_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.whole = True

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    def cut(self) -> None:
        """Nothing gets through any more."""
        self.whole = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.whole = True

    async def close(self) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        for source, target in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.transport.abort()
            self._writers.discard(target)


class Server:
    """One PostgreSQL server; `settings` on its command line win over its files."""

    def __init__(self, bin_folder: Path, folder: Path, port: int) -> None:
        self._bin = bin_folder
        self.folder = folder
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **settings: str) -> None:
        """Until it answers."""
        options = [part for item in {**_SETTINGS, **settings}.items() for part in ("-c", "=".join(item))]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._bin / "postgres",
                *("-D", str(self.folder), "-p", str(self.port), *options),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_die_with_parent,
                start_new_session=True,
                **_as_whom(),
            )

        async def answers() -> bool:
            assert self._process is not None
            assert self._process.returncode is None, log_of(self.folder)
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                await self.value("SELECT 1")
                return True
            return False

        await eventually(answers, "the server answers")

    async def kill(self) -> None:
        """SIGKILL for the postmaster and all its children, as when a machine loses power."""
        assert self._process is not None
        pid = self._process.pid
        os.kill(pid, signal.SIGSTOP)  # it starts no more of them
        children = [int(found.name) for found in Path("/proc").glob("[0-9]*") if _parent(found) == pid]
        for each in (pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        """At once, whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except TimeoutError:
                await self.kill()

    async def promote(self) -> None:
        """From standby to primary."""
        assert await self.value("SELECT pg_promote(true, 30)")

    async def value(self, query: str, *values: object) -> Any:
        """What a query says, over a session of its own."""
        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user="postgres", database="postgres")
        try:
            return await connection.fetchval(query, *values)
        finally:
            connection.terminate()

    async def waiting(self) -> list[int]:
        """The sessions whose commit waits for the standby."""
        query = "SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        return await self.value(query)

    async def waiting_there(self) -> bool:
        """Whether there is one."""
        return bool(await self.waiting())


class Cluster:
    """`url` names both servers. At first `primary` takes the writes and `standby` follows it over `link`."""

    def __init__(self, primary: Server, standby: Server, link: Link) -> None:
        self.primary = primary
        self.standby = standby
        self.link = link

    @property
    def url(self) -> str:
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://postgres@{hosts}/todoke?target_session_attrs=primary"

    async def follows(self, sync_state: str) -> None:
        """Wait until the standby follows in this way."""
        query = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = $1 AND state = 'streaming')"
        await eventually(lambda: self.primary.value(query, sync_state), f"the standby follows: {sync_state}")

    async def caught_up(self) -> None:
        """Wait until the standby has all that the primary wrote."""
        query = "SELECT coalesce(bool_and(replay_lsn = pg_current_wal_lsn()), false) FROM pg_stat_replication"
        await eventually(lambda: self.primary.value(query), "the standby has everything")

    async def cut(self) -> None:
        """Cut the link, and wait until both sides know."""
        self.link.cut()

        async def alone() -> bool:
            return not await self.primary.value("SELECT count(*) FROM pg_stat_replication")

        await eventually(alone, "the primary is alone")

    async def fail_over(self) -> None:
        """The primary dies, the standby takes its place."""
        await self.primary.kill()
        self.link.cut()
        await self.standby.promote()


@asynccontextmanager
async def cluster(*, synchronous: bool) -> AsyncIterator[Cluster]:
    """Two servers with an empty database `todoke`; everything stopped and removed at the end."""
    found = binaries()
    folder = Path(tempfile.mkdtemp(prefix="todoke-cluster-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    primary = Server(found, folder / "primary", free_port())
    standby = Server(found, folder / "standby", free_port())
    link = Link(primary.port)
    try:
        await run(
            found / "initdb", "-D", primary.folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"
        )
        (primary.folder / "pg_hba.conf").write_text(_HBA)
        await primary.start()
        await primary.value("CREATE DATABASE todoke")
        await link.open()
        source = f"host=127.0.0.1 port={link.port} user=postgres application_name={STANDBY}"
        await run(found / "pg_basebackup", "-D", standby.folder, "-d", source, "-R", "-X", "stream", "-c", "fast", "-N")
        await standby.start(synchronous_standby_names="")
        made = Cluster(primary, standby, link)
        if synchronous:
            await primary.value(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            await primary.value("SELECT pg_reload_conf()")
        await made.follows("sync" if synchronous else "async")
        yield made
    finally:
        await standby.stop()
        await primary.stop()
        await link.close()
        shutil.rmtree(folder, ignore_errors=True)


async def run(*command: object) -> None:
    """A tool of PostgreSQL's, until its end."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        **_as_whom(),
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def log_of(folder: Path) -> str:
    return (folder.parent / f"{folder.name}.log").read_text(errors="replace")


def _parent(process: Path) -> int:
    with contextlib.suppress(OSError):
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    return -1
