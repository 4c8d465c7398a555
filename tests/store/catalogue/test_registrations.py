from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from todoke.store.catalogue import codes, dnc, providers, registrations, units
from todoke.store.store import Store

EXAMPLE = (Path(__file__).parents[3] / "examples" / "acme.toml").read_text(encoding="utf-8")


async def test_a_code_knows_whose_it_is_and_where_stop_goes(
    store: Store, declare: Callable[..., Awaitable[Any]]
) -> None:
    await declare(EXAMPLE)
    async with store.reading() as connection:
        unit = await units.only(connection, None)
        provider = (await providers.find(connection, "carrier")).id
        groups = {group.name: group.id for group in await dnc.groups(connection, unit)}
        short = await registrations.of_code(connection, provider, "72345")
        assert short is not None
        assert (short.unit.id, short.unit.bucket, short.dnc_group_id) == (
            unit.id,
            unit.bucket,
            groups["Acme do not call"],
        )
        long = await registrations.of_code(connection, provider, "+15551230001")
        assert long is not None
        assert (long.dnc_group_id, long.keywords["stop"]) == (groups["Acme shifts"], ["no more shifts"])
        assert await registrations.of_code(connection, provider + 1, "72345") is None
        assert await registrations.of_code(connection, provider, "99999") is None


async def test_a_text_is_scrubbed_against_the_default_and_its_own_group(
    store: Store, declare: Callable[..., Awaitable[Any]]
) -> None:
    await declare(EXAMPLE)
    async with store.reading() as connection:
        unit = await units.find(connection, "Acme")
        groups = {group.name: group.id for group in await dnc.groups(connection, unit)}
        short, long = [await codes.find(connection, unit, code) for code in ("72345", "15551230001")]
        assert await registrations.scrub_groups(connection, unit, short.id) == (groups["Acme do not call"],)
        assert await registrations.scrub_groups(connection, unit, long.id) == tuple(sorted(groups.values()))
