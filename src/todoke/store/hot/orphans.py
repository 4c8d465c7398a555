"""Which receipts wait for their submission: known in memory, so that no orphan costs no query.

Other processes write orphans too: the table is read again every few seconds, and what is new in it is looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from todoke.model.clock import SECOND, Micros

LIMIT = 200_000  # beyond it the table itself is asked
REREAD = 5 * SECOND
KEYS_A_SECOND = 10_000  # many orphans are read again less often
CHECKED_A_FLUSH = 200
CHECKED_WHEN_IDLE = 5_000

Key = tuple[int, str]  # provider id, the provider's message id


class Orphans:
    """Keys of stored orphans. May hold some that are gone; never lacks one that this process wrote."""

    def __init__(self) -> None:
        self._keys: dict[int, set[str]] = {}
        self._unchecked: list[Key] = []
        self._read_at: Micros | None = None
        self._wait: Micros = REREAD
        self._overflow = False

    def stale(self, now: Micros) -> bool:
        """Whether the table should be read again (at most LIMIT + 1 keys of it)."""
        return self._read_at is None or not 0 <= now - self._read_at < self._wait

    def replace(self, keys: Sequence[Key], now: Micros) -> None:
        """The table's keys as just read; those that were not known before are to be looked up."""
        before = self._keys
        self._keys = {}
        for provider_id, provider_message_id in keys:
            self.add(provider_id, provider_message_id)
        nothing: set[str] = set()
        self._unchecked = [
            (provider_id, key)
            for provider_id, known in self._keys.items()
            for key in known - before.get(provider_id, nothing)
        ]
        self._read_at = now
        self._wait = REREAD + len(keys) * SECOND // KEYS_A_SECOND
        self._overflow = len(keys) > LIMIT

    def reset(self) -> None:
        """Read the table again before anything else: what a failed transaction did with it is not known."""
        self._read_at = None
        self._keys = {}

    def unchecked(self, *, idle: bool = False) -> list[Key]:
        """A few that other processes wrote and that were not looked up here yet; more where nothing else waits."""
        most = CHECKED_WHEN_IDLE if idle else CHECKED_A_FLUSH
        taken, self._unchecked = self._unchecked[:most], self._unchecked[most:]
        return taken

    def add(self, provider_id: int, provider_message_id: str) -> None:
        """One that is about to be written."""
        self._keys.setdefault(provider_id, set()).add(provider_message_id)

    def among(self, provider_id: int, provider_message_ids: Iterable[str]) -> list[str]:
        """Those of these ids that an orphan may wait for."""
        if self._overflow:
            return list(provider_message_ids)
        known = self._keys.get(provider_id)
        return list(known.intersection(provider_message_ids)) if known else []
