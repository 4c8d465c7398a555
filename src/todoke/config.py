"""Settings: flags over environment over file, and no setting that nobody knows.

    flags        todoke --database postgresql://... run list
    environment  TODOKE_DATABASE=postgresql://...
    file         todoke.toml in the working directory, or the file that --config or TODOKE_CONFIG names:
                     database = "postgresql://..."
                     log_level = "debug"

Relative paths count from the working directory. A secret that a declaration names as `env:NAME` may live in a variable
of any name but another TODOKE_ one, unless that begins with TODOKE_SECRET_.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, TypeVar, cast
from urllib.parse import unquote

_T = TypeVar("_T")

PREFIX = "TODOKE_"
FILE_NAME = "todoke.toml"
FOREIGN = ("TODOKE_TEST_", "TODOKE_REQUIRE_", "TODOKE_SECRET_")  # not settings, and none of our business
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
# What `todoke apply` takes, to tell a declaration from settings.
DECLARED = frozenset(
    [
        "business_unit",
        "provider",
        "transport_code",
        "registration",
        "dnc_group",
        "campaign",
        "template",
        "skill",
        "retention",
    ]
)


class SettingsError(ValueError):
    """A setting that cannot be used. `where` names the place and the key, `fix` what to do."""

    def __init__(self, where: str, sentence: str, fix: str) -> None:
        super().__init__(f"{where}: {sentence} {fix}")
        self.where = where
        self.sentence = sentence
        self.fix = fix


class SettingsFile(NamedTuple):
    """A settings file as it was read; `name` is how messages call it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process of Todoke needs to know before it has a database.

    `database`: sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME, or HOST:PORT,HOST:PORT. `data_dir`: the
    SQLite file, journals, files of rejected rows. `flush_ms`: an engine commits every so many milliseconds. `lease_s`:
    how long an engine that does not renew keeps its lanes. `accept_async_replication`: start though a fail-over may
    forget what was sent.
    """

    database: str = "sqlite:///todoke-data/todoke.db"
    data_dir: Path = Path("todoke-data")
    log_level: str = "info"
    log_format: str = "text"
    flush_ms: int = 20
    lease_s: float = 10.0
    accept_async_replication: bool = False

    @property
    def journals(self) -> Path:
        """The folder of the engines' journals."""
        return self.data_dir.absolute() / "journals"

    @property
    def rejected(self) -> Path:
        """The folder of the files of rejected rows."""
        return self.data_dir.absolute() / "rejected"

    @property
    def database_shown(self) -> str:
        """The address without its password, for people and logs."""
        return masked(self.database)

    def __repr__(self) -> str:
        shown = (f"{f.name}={self._shown(f.name)!r}" for f in fields(self))
        return f"Settings({', '.join(shown)})"

    def _shown(self, name: str) -> object:
        return self.database_shown if name == "database" else getattr(self, name)


KEYS = tuple(field.name for field in fields(Settings))


def load(flags: Mapping[str, object], environ: Mapping[str, str], file: SettingsFile | None) -> Settings:
    """The settings; a flag that is None was not given. Raises SettingsError at the first one that cannot be used."""
    found: dict[str, tuple[str, object]] = {}
    for key, raw, where in [*_from_file(file), *_from_environment(environ), *_from_flags(flags)]:
        found[key] = (where, raw)  # later sources win
    values = {key: _CONVERTERS[key](raw, where) for key, (where, raw) in found.items()}
    data_dir = cast(Path, values.get("data_dir", Settings().data_dir))
    values.setdefault("database", f"sqlite:///{data_dir / 'todoke.db'}")
    return Settings(**values)  # pyright: ignore[reportArgumentType]  # each converter gives its field's type


def find_file(config: str | None, environ: Mapping[str, str], directory: Path) -> SettingsFile | None:
    """The settings file: the one named by --config, else by TODOKE_CONFIG, else todoke.toml in `directory` if there."""
    named = config or environ.get(f"{PREFIX}CONFIG")
    path = directory / (named or FILE_NAME)
    try:
        return SettingsFile(named or FILE_NAME, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is None:
            return None
        raise SettingsError(named, "There is no such file.", "Check the path given as --config.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"The file cannot be read: {error}.", "It must be readable UTF-8.") from None


def masked(url: str) -> str:
    """A database address with its password hidden."""
    return re.sub(r"(?<=://)([^:/@]*):.*@", r"\1:***@", re.sub(r"(password=)[^&]*", r"\1***", url))


def closest(name: str, known: Iterable[str]) -> str:
    """' Did you mean X?' or nothing, to end a sentence with."""
    candidates = list(known)
    plain = {_plain(candidate): candidate for candidate in reversed(candidates)}
    match = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.5)
    return f"Did you mean {plain[match[0]]}?" if match else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name.casefold())


# ------------------------------------------------------------------ the three sources: (key, value, place)


def _from_flags(flags: Mapping[str, object]) -> list[tuple[str, object, str]]:
    given: list[tuple[str, object, str]] = []
    for key, raw in flags.items():
        flag = f"--{key.replace('_', '-')}"
        if key not in KEYS:
            raise _unknown(flag, key, [f"--{known.replace('_', '-')}" for known in KEYS])
        if raw is not None:
            given.append((key, raw, flag))
    return given


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, object, str]]:
    names = {f"{PREFIX}{key.upper()}": key for key in KEYS}
    given: list[tuple[str, object, str]] = []
    for name, raw in environ.items():
        if not name.startswith(PREFIX) or name.startswith(FOREIGN) or name == f"{PREFIX}CONFIG":
            continue
        if name not in names:
            raise _unknown(f"environment: {name}", name, names)
        given.append((names[name], raw, f"environment: {name}"))
    return given


def _from_file(file: SettingsFile | None) -> list[tuple[str, object, str]]:
    if file is None:
        return []
    try:
        table = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(file.name, f"This is not TOML: {error}.", "Write settings as key = value.") from None
    for key in table:
        if key in DECLARED:
            fix = f"A declaration is applied with: todoke apply {file.name}. Settings belong into another file."
            raise SettingsError(f"{file.name}: {key}", "This file is a declaration, not settings.", fix)
        if key not in KEYS:
            raise _unknown(f"{file.name}: {key}", key, KEYS)
    return [(key, raw, f"{file.name}: {key}") for key, raw in table.items()]


def _unknown(where: str, name: str, known: Iterable[str]) -> SettingsError:
    known = list(known)
    fix = closest(name, known) or f"The settings are: {', '.join(known)}."
    return SettingsError(where, "There is no such setting.", fix)


# ------------------------------------------------------------------ one converter a setting


def _database(raw: object, where: str) -> str:
    text = _text(raw, where)
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("sqlite", "postgresql", "postgres"):
        fix = "Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME."
        raise SettingsError(where, f"{masked(text)!r} is not the address of a database.", fix)
    if scheme == "sqlite":
        if not rest.startswith("/") or not unquote(rest[1:]).strip() or ":memory:" in rest:
            raise SettingsError(where, f"{text!r} names no file.", "Write sqlite:///FILE; a database needs a file.")
        return text
    if not rest.strip("/"):
        fix = "Write postgresql://USER:PASSWORD@HOST:PORT/NAME."
        raise SettingsError(where, f"{masked(text)!r} names no server.", fix)
    return f"postgresql://{rest}"


def _text(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise SettingsError(where, f"{raw!r} is not a text.", 'Write it as "..." in a file.')
    return raw.strip()


def _path(raw: object, where: str) -> Path:
    return raw if isinstance(raw, Path) else Path(_text(raw, where)).expanduser()


def _one_of(options: tuple[str, ...]) -> Callable[[object, str], str]:
    def convert(raw: object, where: str) -> str:
        text = _text(raw, where).lower()
        if text not in options:
            fix = closest(text, options) or f"Use one of: {', '.join(options)}."
            raise SettingsError(where, f"{raw!r} is not possible.", fix)
        return text

    return convert


def _switch(raw: object, where: str) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("true", "false"):
        return raw.strip().lower() == "true"
    raise SettingsError(where, f"{raw!r} is neither yes nor no.", "Write true or false.")


def _number(kind: Callable[[str], _T], least: float, most: float) -> Callable[[object, str], _T]:
    def convert(raw: object, where: str) -> _T:
        fix = f"Use a number from {least:g} to {most:g}."
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise SettingsError(where, f"{raw!r} is not a number.", fix)
        try:
            value = kind(str(raw))
        except ValueError:
            raise SettingsError(where, f"{raw!r} is not a number.", fix) from None
        size = float(cast(float, value))
        if not math.isfinite(size) or not least <= size <= most:
            raise SettingsError(where, f"{raw!r} is out of range.", fix)
        return value

    return convert


_CONVERTERS: dict[str, Callable[[object, str], object]] = {
    "database": _database,
    "data_dir": _path,
    "log_level": _one_of(LOG_LEVELS),
    "log_format": _one_of(LOG_FORMATS),
    "flush_ms": _number(int, 5, 1000),
    "lease_s": _number(float, 2, 300),
    "accept_async_replication": _switch,
}
