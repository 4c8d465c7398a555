from __future__ import annotations

import asyncio

import pytest

from todoke.pipeline.intake.side_by_side import SideBySide


class Work:
    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.ended = 0
        self.cancelled = 0

    async def __call__(self, seconds: float = 0.01, error: Exception | None = None) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
            if error is not None:
                raise error
            self.ended += 1
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_no_more_at_once_and_all_are_done_at_the_end(most: int) -> None:
    work = Work()
    async with SideBySide(most) as side:
        for _ in range(7):
            await side.start(work())
    assert (work.most, work.ended, work.running) == (most, 7, 0)


async def test_the_first_failure_is_raised_and_nothing_goes_on() -> None:
    work = Work()
    with pytest.raises(ValueError, match="full"):
        async with SideBySide(2) as side:
            await side.start(work(60.0))
            await side.start(work(0.0, ValueError("full")))
            raise AssertionError("it was not raised")
    assert (work.running, work.cancelled) == (0, 1)


async def test_a_failure_of_the_last_ones_is_raised_at_the_end() -> None:
    work = Work()
    with pytest.raises(ValueError, match="full"):
        async with SideBySide(3) as side:
            await side.start(work(60.0))
            await side.start(work(0.0, ValueError("full")))
    assert (work.running, work.cancelled) == (0, 1)


async def test_who_is_cancelled_leaves_nothing_running() -> None:
    work = Work()

    async def whole() -> None:
        async with SideBySide(2) as side:
            for _ in range(3):
                await side.start(work(60.0))

    task = asyncio.create_task(whole())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (work.running, work.cancelled) == (0, 2)


async def test_an_error_of_the_caller_ends_the_others() -> None:
    work = Work()
    with pytest.raises(KeyError):
        async with SideBySide(2) as side:
            await side.start(work(60.0))
            await asyncio.sleep(0.01)  # it has begun
            raise KeyError
    assert (work.running, work.cancelled) == (0, 1)
