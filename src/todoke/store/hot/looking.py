"""A look at do-not-call groups between two flushes: what has its slots, and what was said to be listed a while ago."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol


class Looking(Protocol):
    """A part of the hot operations."""

    async def listed(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Those of the (DNC group, number) pairs that hold now. Raises StoreUnavailable."""
        ...


def by_bucket(pairs: Collection[tuple[int, int]], buckets: Mapping[int, int]) -> dict[int, tuple[list[int], list[int]]]:
    """Groups and numbers, in parallel, by the bucket of the group; a group that is gone is left out."""
    found: dict[int, tuple[list[int], list[int]]] = {}
    for group, phone in pairs:
        if group in buckets:
            groups, phones = found.setdefault(buckets[group], ([], []))
            groups.append(group)
            phones.append(phone)
    return found
