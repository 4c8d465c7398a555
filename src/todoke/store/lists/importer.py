"""Which process imports a list, so that the list of a dead one can be cleared away."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """`host:boot:pid:start` of this process; boot and start are empty where the system does not tell."""
    return f"{_host()}:{_boot()}:{os.getpid()}:{_started(os.getpid())}"


def is_alive(importer: str) -> bool:
    """Whether that process still runs on this machine. One of another machine, or of before the last boot, does not
    count as alive: what it writes is refused as soon as its list is taken over.
    """
    host, _, rest = importer.partition(":")
    boot, _, rest = rest.partition(":")
    pid, _, start = rest.partition(":")
    if (host, boot) != (_host(), _boot()) or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # somebody else's process
    return not start or start == _started(int(pid))


def is_here(importer: str) -> bool:
    """Whether that process is, or was, of this machine: `is_alive` knows of no other."""
    return importer.partition(":")[0] == _host()


def _host() -> str:
    return socket.gethostname().replace(":", "_")


def _boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process started, in the kernel's ticks: tells it from a later one with the same id. A process that has
    ended but whose parent has not looked (a zombie) has no start.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
