"""The brake of a provider account: throttled or full, it rests, and goes on more slowly (additive increase,
multiplicative decrease).

All lanes of the account share it, so that one of them does not push what the others hold back.
"""

from __future__ import annotations

from todoke.model.clock import SECOND, Micros

_FIRST_PAUSE = SECOND
_LONGEST_PAUSE = 30 * SECOND
_SLOWER = 0.7
_FASTER = 0.05
"""Of the full pace, gained back in each second without a throttled answer."""
_LEAST = 0.02


class Brake:
    """Moments come in as arguments, on the engine's clock."""

    def __init__(self) -> None:
        self._pause: Micros = 0
        self._resume_at: Micros = 0
        self._share = 1.0
        self._since: Micros = 0  # `_share` was that much then

    def resting(self, now: Micros) -> bool:
        """Nothing may be written now."""
        return now < self._resume_at

    def share(self, now: Micros) -> float:
        """Of their own pace that lanes may use now."""
        if self._share < 1.0:
            return min(1.0, self._share + max(0, now - self._since) / SECOND * _FASTER)
        return 1.0

    def throttled(self, now: Micros) -> None:
        """The provider refused something because it came too fast. What was under way then is refused too: that is
        still the same throttling.
        """
        if self.resting(now):
            return
        self._share = max(_LEAST, self.share(now) * _SLOWER)
        # Refused again with nothing taken in between: the carrier is full, not only slower than we are.
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._resume_at = self._since = now + self._pause

    def eased(self, now: Micros) -> None:
        """The provider takes what it is given."""
        if self._pause and not self.resting(now):
            self._pause = 0

    def rest(self, until: Micros) -> None:
        """Write nothing before that."""
        self._resume_at = max(self._resume_at, until)
