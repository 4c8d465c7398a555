"""A PostgreSQL server that nobody else uses: what its processes burn and what its log grows by is ours alone."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


class NoServer(Exception):
    """initdb of PostgreSQL is not on this machine."""


class Server:
    """Its address, and the processor time of all of its processes."""

    def __init__(self, url: str, port: int, pid: int) -> None:
        self.url = url
        self.port = port
        self._pid = pid

    def cpu(self) -> float:
        """Seconds, of processes that ended, too."""
        while True:
            children = _children(self._pid)
            own = _seconds(self._pid, ended=True)
            total = own + sum(map(_seconds, children))
            # One that ends meanwhile is counted twice or not at all: then look again.
            if _children(self._pid) == children:
                return total


def cpu_of(pid: int) -> float:
    """Seconds of processor time that a process used so far."""
    return _seconds(pid)


@contextmanager
def private_server() -> Iterator[Server]:
    """Made for this measurement, with the server's defaults, and removed after it; NoServer."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="todoke-scale-") as folder:
        data, prefix = Path(folder) / "data", _as_other(Path(folder))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        _run(*prefix, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-N")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_wal_size=4GB"
        control = (*prefix, str(programs / "pg_ctl"), "-D", str(data), "-w")
        _run(*control, "-o", options, "-l", f"{folder}/log", "start")
        try:
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
            yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", port, pid)
        finally:
            _run(*control, "-m", "fast", "stop")


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]) if path.parts[4] else 0
    )
    if not folders:
        raise NoServer("initdb of PostgreSQL is not here; on Debian: apt-get install postgresql")
    return folders[-1].parent


def _as_other(folder: Path) -> tuple[str, ...]:
    """PostgreSQL does not run as root: then as the user postgres, who owns the folder."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ("runuser", "-u", "postgres", "--")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(pid: int, *, ended: bool = False) -> float:
    """Of all its threads, in the nanoseconds of the scheduler; of its children that `ended`, in the clock's ticks."""
    try:
        threads = [int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()]
        ticks = sum(map(int, _stat(pid)[13:15])) if ended else 0
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(threads) / 1e9 + ticks / _TICK


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[1]) == pid:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found
