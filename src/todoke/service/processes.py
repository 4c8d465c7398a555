"""Child processes: started, heard when they are ready, stopped and reaped."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from todoke.config import Settings
from todoke.model.errors import Unavailable

_READY_WITHIN = 30.0
_STOP_WITHIN = 20.0


class NotReady(Unavailable):
    """A process ended before it was ready. `status` is its exit status, negative for the signal that ended it."""

    def __init__(self, name: str, status: int) -> None:
        self.status = status
        super().__init__(f"The {name} could not start (exit status {status}).", fix="Its own words are above.")


class Child:
    """A process of ours that says on its first line of standard output, as JSON, that it is ready."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process
        self.told: dict[str, int] = {}

    @property
    def pid(self) -> int:
        return self.process.pid

    async def ready(self) -> dict[str, int]:
        """Wait for the line; Unavailable where the process ends or is silent (its own words are on standard error)."""
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), _READY_WITHIN)
        except TimeoutError:
            await self.stop()
            raise Unavailable(f"The {self.name} did not get ready in {_READY_WITHIN:g} s.") from None
        if not line:
            status = await self.process.wait()
            raise NotReady(self.name, status)
        self.told = json.loads(line)
        return self.told

    async def stop(self) -> int:
        """Ask it to end, wait, and end it where it does not; returns its exit status."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), _STOP_WITHIN)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
        return await self.process.wait()


_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_parent() -> None:
    """A child must not outlive a parent that was killed: nobody would know of it, and it would hold its locks."""
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere a person ends it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def spawn(name: str, arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Child:
    """Start `python ARGUMENTS` in a session of its own, so that an interrupt at the terminal comes to us alone."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    return Child(name, process)


async def simulator(*options: str, port: int = 0) -> Child:
    """An SMSC simulator; its line tells `smpp_port` and `control_port`."""
    child = await spawn("simulator", ["-m", "todoke.providers.simulator", "--port", str(port), *options])
    await child.ready()
    return child


async def engine(settings: Settings, environ: Mapping[str, str] | None = None) -> Child:
    """An engine with these settings, which go by environment: an address may hold a password. It tells its `pid`."""
    values = {
        "TODOKE_DATABASE": settings.database,
        "TODOKE_DATA_DIR": str(settings.data_dir),
        "TODOKE_LOG_LEVEL": settings.log_level,
        "TODOKE_LOG_FORMAT": settings.log_format,
        "TODOKE_FLUSH_MS": str(settings.flush_ms),
        "TODOKE_LEASE_S": str(settings.lease_s),
        "TODOKE_ACCEPT_ASYNC_REPLICATION": str(settings.accept_async_replication).lower(),
    }
    child = await spawn("engine", ["-m", "todoke", "engine"], {**values, **(environ or {})})
    await child.ready()
    return child
