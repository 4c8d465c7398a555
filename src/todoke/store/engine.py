"""The SQLAlchemy engine of the catalogue, on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from todoke.store import postgres
from todoke.store.address import Address
from todoke.store.replication import Watch
from todoke.store.writer import PRAGMAS

READING = {"todoke_reading": True}  # execution options of a connection that will not write
WATCH = "todoke_watch"  # in a connection's info: whether its commits are on the standby (PostgreSQL)


def create(address: Address) -> AsyncEngine:
    """An engine that connects when it is first used."""
    return _sqlite(address) if address.dialect == "sqlite" else _postgres(address)


def _postgres(address: Address) -> AsyncEngine:
    async def connect() -> postgres.Connection:
        return await postgres.connect(address)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_pre_ping=True)

    @event.listens_for(engine.sync_engine, "connect")
    def watch(connection: Any, record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        record.info[WATCH] = listening = Watch()
        connection.driver_connection.add_log_listener(listening)

    return engine


def _sqlite(address: Address) -> AsyncEngine:
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(address.path)))

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.isolation_level = None  # the driver begins no transactions: we do, below
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # Asked for at the start, the writer's turn is waited for; asked for in the middle, it fails at once.
        reading = connection.get_execution_options().get("todoke_reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
