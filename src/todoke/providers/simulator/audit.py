"""What the ledger proves: how many submits, what was doubled, how fast each sender went at its fastest."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from todoke.providers.simulator.entry import Entry
from todoke.providers.simulator.ledger import read

_SECOND = 1_000_000
_NAMED = 1_000
_KEYS_A_PASS = 2_000_000


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A segment that was accepted more than once."""

    message_id: int
    segment: int
    times: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The findings. Duplicates count accepted submits only: one that was refused may rightly come again."""

    submits: int
    accepted: int
    refused: dict[int, int]
    """Refusals by command_status."""
    unmarked: int
    """Accepted submits without the engine's mark; they cannot be judged for duplicates."""
    segments: int
    """Distinct (message id, segment) that were accepted."""
    duplicated: int
    """How many accepted submits were one too many."""
    duplicates: tuple[Duplicate, ...]
    """The first thousand of them by name."""
    fastest_second: dict[str, int]
    """Most submits of each source in any one-second window, refused ones included."""


def audit(path: Path | str, keys_a_pass: int = _KEYS_A_PASS) -> Audit:
    """Judge a ledger. Exact in bounded memory: a long one is read in several passes, each for a share of the keys."""
    counts = _Counts()
    for entry in read(path):
        counts.take(entry)
    passes = counts.accepted // keys_a_pass + 1
    segments = duplicated = 0
    named: list[Duplicate] = []
    for share in range(passes):
        # Bounded by what the first pass counted: the file may grow while it is read.
        entries = itertools.islice(read(path), counts.submits)
        found, distinct = _repeats(key for key in _accepted_keys(entries) if key % passes == share)
        segments += distinct
        duplicated += sum(times - 1 for times in found.values())
        named.extend(Duplicate(key >> 8, key & 0xFF, times) for key, times in found.items())
        named = sorted(named, key=lambda one: (one.message_id, one.segment))[:_NAMED]
    return Audit(
        submits=counts.submits,
        accepted=counts.accepted,
        refused=dict(counts.refused),
        unmarked=counts.unmarked,
        segments=segments,
        duplicated=duplicated,
        duplicates=tuple(named),
        fastest_second=dict(counts.fastest),
    )


class _Counts:
    """The first pass: sums, and a sliding window of one second a source."""

    def __init__(self) -> None:
        self.submits = self.accepted = self.unmarked = 0
        self.refused: Counter[int] = Counter()
        self.fastest: dict[str, int] = {}
        self._windows: dict[str, deque[int]] = {}

    def take(self, entry: Entry) -> None:
        self.submits += 1
        if entry.status:
            self.refused[entry.status] += 1
        else:
            self.accepted += 1
            self.unmarked += entry.mark is None
        window = self._windows.setdefault(entry.source, deque())
        if window and entry.monotonic < window[-1]:
            window.clear()  # the machine was started anew: the clock began again
        window.append(entry.monotonic)
        while window[0] <= entry.monotonic - _SECOND:
            window.popleft()
        if len(window) > self.fastest.get(entry.source, 0):
            self.fastest[entry.source] = len(window)


def _accepted_keys(entries: Iterable[Entry]) -> Iterator[int]:
    for entry in entries:
        if entry.status == 0 and entry.mark is not None:
            yield entry.mark.message_id << 8 | entry.mark.segment


def _repeats(keys: Iterable[int]) -> tuple[dict[int, int], int]:
    seen: set[int] = set()
    repeated: dict[int, int] = {}
    for key in keys:
        if key in seen:
            repeated[key] = repeated.get(key, 1) + 1
        else:
            seen.add(key)
    return repeated, len(seen)
