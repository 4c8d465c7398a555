"""What every command starts from: the settings, a store, an event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import typer

from todoke.cli.logs import start_logging
from todoke.config import Settings, find_file, load
from todoke.model.errors import NotFound

if TYPE_CHECKING:  # heavy, and only a name here
    from todoke.store.store import Store

T = TypeVar("T")


@dataclass(slots=True)
class Session:
    """The options before the command. The settings are read when a command first asks: help needs none."""

    config: str | None
    flags: dict[str, str | None]
    _settings: Settings | None = field(default=None, init=False)

    @property
    def settings(self) -> Settings:
        """SettingsError where one cannot be used. Logging is set up with them."""
        if self._settings is None:
            file = find_file(self.config, os.environ, Path.cwd())
            self._settings = load(self.flags, os.environ, file)
            start_logging(self._settings.log_level, self._settings.log_format)
        return self._settings

    @asynccontextmanager
    async def store(self, *, create: bool = False) -> AsyncGenerator[Store]:
        """The database, open; with `create` a missing one is made."""
        from todoke.store.address import parse_address
        from todoke.store.privacy.key import KeyFile
        from todoke.store.store import open_store

        path = parse_address(self.settings.database).path
        if create:
            self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        elif path is not None and not path.exists():
            fix = "Make it with todoke migrate, or with todoke apply FILE.toml; or name another one with --database."
            raise NotFound("There is no database yet.", where=str(path), fix=fix)
        async with await open_store(self.settings.database, create=create) as opened:
            opened.hot.use_key(KeyFile(self.settings.data_dir).hashed)
            yield opened


def of(context: typer.Context) -> Session:
    """The session of a command."""
    return cast(Session, context.obj)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do the work on an event loop of its own."""
    try:
        from uvloop import new_event_loop
    except ImportError:  # not on every platform
        from asyncio import new_event_loop
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(work)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
