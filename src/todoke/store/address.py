"""Where the database is: the one URL of the store, taken apart and checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from todoke.model.errors import Invalid

Dialect = Literal["sqlite", "postgresql"]

_FIX = "Write sqlite:////path/to/todoke.db (four slashes for an absolute path) or postgresql://user:password@host/database."


@dataclass(frozen=True, slots=True)
class Address:
    """`path` for SQLite; `dsn` for PostgreSQL, as libpq writes it. `shown` names the place without the password."""

    dialect: Dialect
    shown: str
    path: Path | None = None
    dsn: str = ""


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
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError as error:
        raise Invalid(f"The PostgreSQL address cannot be read: {error}.", fix=_FIX) from error
    options = parse_qs(parts.query)
    host = parts.hostname or options.get("host", [""])[0]
    database = parts.path.removeprefix("/") or options.get("dbname", [""])[0]
    if not host:
        raise Invalid("The PostgreSQL address names no host.", fix=_FIX)
    if not database:
        raise Invalid(f"The PostgreSQL address names no database on {host}.", fix=_FIX)
    return Address("postgresql", f"{unquote(database)} on {host}:{port}", dsn="postgresql" + url[url.index("://") :])


def _masked(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"***@{tail}" if at and head else url
