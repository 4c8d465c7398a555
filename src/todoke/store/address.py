"""Where the database is: the one URL of the store, taken apart and checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from todoke.model.errors import Invalid

Dialect = Literal["sqlite", "postgresql"]

_FIX = "Write sqlite:////path/to/todoke.db (four slashes for an absolute path) or postgresql://user:password@host/database."
_PORT = 5432
_WRITABLE = ("primary", "read-write")  # what target_session_attrs may ask for: Todoke writes


class Host(NamedTuple):
    """A server of the address; a name that begins with a slash is a folder with a socket in it."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """`path` for SQLite; `dsn` and `hosts` for PostgreSQL: of several hosts, one is the primary and the others may be
    after a fail-over. `shown` names the place without the password.
    """

    dialect: Dialect
    shown: str
    path: Path | None = None
    dsn: str = ""
    hosts: tuple[Host, ...] = ()
    database: str = ""

    def at(self, host: Host) -> str:
        """The place, for people, where one server of several is meant."""
        return f"{self.database} on {host}"


def parse_address(url: str) -> Address:
    """The parts of `url`; Invalid, saying what is wrong with it and how to write it."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise Invalid(f"{_masked(url)!r} is not the address of a database.", fix=_FIX)
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    raise Invalid(f"There is no driver for {scheme}:// databases.", fix=_FIX)


def _sqlite(rest: str) -> Address:
    name = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or not name or name.startswith(":memory:") or "?" in name:
        raise Invalid("A SQLite address names a file and nothing else.", fix=_FIX)
    return Address("sqlite", name, path=Path(name).expanduser())


def _postgres(url: str) -> Address:
    """One host or several, as libpq takes them: `//h1:p1,h2:p2/db`, or `?host=h1,h2&port=p1,p2`."""
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        hosts = _hosts(parts.netloc.rpartition("@")[2], options)
    except ValueError as error:
        raise Invalid(f"The PostgreSQL address cannot be read: {error}.", fix=_FIX) from error
    if not hosts:
        raise Invalid("The PostgreSQL address names no host.", fix=_FIX)
    places = ", ".join(map(str, hosts))
    database = unquote(parts.path.removeprefix("/")) or options.get("dbname", [""])[-1]
    if not database:
        raise Invalid(f"The PostgreSQL address names no database on {places}.", fix=_FIX)
    asked = options.get("target_session_attrs", [_WRITABLE[0]])[-1]
    if asked not in _WRITABLE:
        raise Invalid(
            f"The PostgreSQL address asks for target_session_attrs={asked}, and Todoke must write.",
            where=places,
            fix="Write target_session_attrs=primary, or leave it out: it is what Todoke looks for anyway.",
        )
    shown = f"{database} on {places}"
    return Address(
        "postgresql", shown, dsn="postgresql" + url[url.index("://") :], hosts=tuple(hosts), database=database
    )


def _hosts(written: str, options: dict[str, list[str]]) -> list[Host]:
    """Each host with its port; ValueError where they cannot be told."""
    names = [
        name for value in ([unquote(written)] if written else options.get("host", [])) for name in value.split(",")
    ]
    ports = [port for value in options.get("port", []) for port in value.split(",")]
    if len(ports) not in (0, 1, len(names)):
        raise ValueError(f"{len(names)} hosts and {len(ports)} ports")
    found = [_host(name) for name in names]
    given = [int(port) for port in ports] * (len(names) if len(ports) == 1 else 1) or [_PORT] * len(names)
    return [Host(name, port or other) for (name, port), other in zip(found, given, strict=True)]


def _host(written: str) -> tuple[str, int | None]:
    if written.startswith("/"):
        return written, None
    name, port = written, ""
    if written.startswith("["):  # IPv6
        name, _, rest = written[1:].partition("]")
        port = rest.removeprefix(":")
    elif ":" in written:
        name, _, port = written.rpartition(":")
    if not name:
        raise ValueError(f"{written!r} is no host")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"{port!r} is no port")
    return name, int(port) if port else None


def _masked(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"***@{tail}" if at and head else url
