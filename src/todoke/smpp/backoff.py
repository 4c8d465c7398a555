"""How long to wait before connecting again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with jitter, so that many clients of one SMSC do not come back in step. Seconds."""

    first: float = 0.5
    limit: float = 30.0
    stable: float = 10.0
    """A link that was up for so long starts again with `first`."""

    def wait(self, failures: int, random: Callable[[], float]) -> float:
        """The wait after `failures` (1, 2, ...) in a row; `random` returns 0.0 <= x < 1.0.

        Between half of the doubled wait and all of it.
        """
        whole = min(self.limit, self.first * 2.0 ** min(failures - 1, 30))
        return whole * (0.5 + random() / 2)
