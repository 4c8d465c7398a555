"""A PostgreSQL of our own, to be killed and restarted: never the one that other tests use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import asyncpg

from todoke.store.store import migrate


def binaries() -> Path | None:
    """Where initdb and postgres are; Debian keeps them out of the path."""
    found = [Path(path) for path in (shutil.which("initdb"),) if path]
    found += sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0])
    )
    return found[-1].parent if found else None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A cluster in `folder`, which the user postgres must be able to enter."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        self._folder = folder
        self._programs = programs
        self.port = free_port()
        self._user = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def create(self) -> None:
        """Make the cluster, with durability as the default is, and start it; its database has the schema."""
        if self._user is not None:
            shutil.chown(self._folder, self._user)
            self._folder.chmod(0o755)
        command = [self._programs / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync"]
        await asyncio.to_thread(
            subprocess.run, command, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd=self._folder
        )
        await self.start()
        await migrate(self.url)

    async def start(self) -> None:
        """Start it and wait until it answers; after a kill it recovers from its log first."""
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=40"]
        arguments = [self._programs / "postgres", "-D", self.data, *(f"-c{option}" for option in options)]
        self._process = await asyncio.to_thread(self._spawn, arguments)
        for _ in range(600):
            with contextlib.suppress(OSError, asyncpg.PostgresError, TimeoutError):
                connection = await asyncpg.connect(self.url, timeout=2)
                await connection.close()
                return
            assert self._process.poll() is None, self._log.read_text()
            await asyncio.sleep(0.05)
        raise AssertionError("the server does not answer")

    def _spawn(self, arguments: list[Path | str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                arguments, user=self._user, stdout=log, stderr=log, cwd=self._folder, start_new_session=True
            )

    async def restart(self, how: signal.Signals) -> None:
        """SIGINT: fast, sessions are cut. SIGQUIT: immediate, as a crash."""
        await self.stop(how)
        await self.start()

    async def crash(self) -> None:
        """SIGKILL of one backend that works for a client: the server cuts all sessions and recovers."""
        connection = await asyncpg.connect(self.url)
        try:
            pid = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                " ORDER BY random() LIMIT 1"
            )
        finally:
            await connection.close()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            await asyncio.to_thread(self._process.wait, 60)
            self._process = None
