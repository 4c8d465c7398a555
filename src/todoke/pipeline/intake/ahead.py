"""Work on two cores: what comes next is made in a thread while this one is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, each made while the one before it is used, all in one other thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="todoke-ahead") as thread:
        coming = thread.submit(next, items, None)
        try:
            while (item := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield item
        finally:
            wait([coming])
            if isinstance(items, Generator):
                items.close()
