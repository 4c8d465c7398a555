"""A server that is only ours: what it burns is counted, and it is gone afterwards."""

from __future__ import annotations

import asyncio
import os

import asyncpg
import pytest
from bench.model.server import NoServer, cpu_of, private_server


def test_processor_time_of_a_server_is_counted_and_the_server_goes() -> None:
    try:
        with private_server() as server:
            before = server.cpu()
            asyncio.run(_work(server.url))
            spent = server.cpu() - before
            url = server.url
    except NoServer as error:
        pytest.skip(str(error))
    assert 0.05 < spent < 30  # of the session that worked, although it has ended
    with pytest.raises(OSError, match="Connect"):
        asyncio.run(_work(url))


async def _work(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SELECT sum(sqrt(i)) FROM generate_series(1, 1000000) g (i)")
    finally:
        await connection.close()


def test_processor_time_of_a_process_grows_with_what_it_does() -> None:
    before = cpu_of(os.getpid())
    assert sum(range(3_000_000)) > 0
    assert cpu_of(os.getpid()) > before
    assert cpu_of(1 << 30) == 0.0  # it is gone
