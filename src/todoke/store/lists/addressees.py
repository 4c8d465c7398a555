"""Going through a list for whom its messages would be, some thousand positions in a transaction of their own."""

from __future__ import annotations

from todoke.store import postgres
from todoke.store.hot.addressee import Addressee
from todoke.store.hot.postgres import contacts as on_postgres
from todoke.store.hot.sqlite import contacts as on_sqlite
from todoke.store.store import Store


async def between(
    store: Store, bucket: int, list_id: int, first: int, last: int, *, external_ids: bool
) -> list[Addressee]:
    """The contacts of these positions of the list, in order. StoreUnavailable."""
    if store.dialect == "sqlite":
        return await store.scanner.run(
            lambda db: on_sqlite.addressees(db, bucket, list_id, first, last, external_ids=external_ids)
        )
    try:
        async with store.pool.acquire() as connection:
            return await on_postgres.addressees(connection, bucket, list_id, first, last, external_ids=external_ids)
    except postgres.LOST as error:
        raise postgres.unavailable(error, store.address) or error from error
