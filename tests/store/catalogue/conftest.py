from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from todoke.model.declaration import read
from todoke.providers.kinds import KINDS
from todoke.store.catalogue.provision import Provisioned, apply
from todoke.store.store import Store

NOW = 1_700_000_000_000_000

Declare = Callable[..., Awaitable[Provisioned]]


@pytest.fixture
def declare(store: Store) -> Declare:
    """Apply the text of a declaration."""

    async def run(text: str, *, dry_run: bool = False) -> Provisioned:
        declaration, problems = read("acme.toml", text, KINDS)
        return await apply(store, declaration, problems, NOW, dry_run=dry_run)

    return run
