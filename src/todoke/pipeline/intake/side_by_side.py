"""Some pieces of work at once, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class SideBySide:
    """Up to `most` at once. The first failure is raised at the next `start` or at the end; then nothing goes on."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SideBySide:
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                await self._until(0)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def start(self, work: Coroutine[None, None, None]) -> None:
        """Returns when there is room for another one."""
        self._running.add(asyncio.create_task(work))
        await self._until(self._most - 1)

    async def _until(self, left: int) -> None:
        while len(self._running) > left:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            errors = [error for task in done if (error := task.exception()) is not None]
            if errors:
                raise errors[0]
