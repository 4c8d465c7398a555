"""Work on two cores: what comes next is made in a thread while this one is used."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")

_NICE = 10


def give_way() -> None:
    """From now on this thread and those that it starts have the processor after others: lanes have slots to keep. Not
    for a thread that writes: who waits for a database's lock would wait longer."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


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
