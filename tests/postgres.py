"""Run a command with the address of a fresh PostgreSQL database as its last argument: `python -m tests.postgres --
COMMAND`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import asyncpg

SERVER = os.environ.get("TODOKE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


async def _command(statement: str) -> None:
    connection = await asyncpg.connect(SERVER, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def main(arguments: list[str]) -> int:
    name = f"todoke_run_{os.getpid()}"
    asyncio.run(_command(f"CREATE DATABASE {name}"))
    try:
        url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))
        return subprocess.run([*arguments, url], check=False).returncode
    finally:
        asyncio.run(_command(f"DROP DATABASE {name} WITH (FORCE)"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :]))
