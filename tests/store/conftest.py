"""Fixtures of the contract of the hot operations."""

from __future__ import annotations

import pytest
from tests.store.world import World, make_world

from todoke.store.store import Store


@pytest.fixture
async def world(store: Store) -> World:
    """One engine with its lane, one run of twenty contacts that it may send."""
    return await make_world(store)
