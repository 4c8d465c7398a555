"""Whether a commit that was confirmed is on the standby, too.

With a synchronous standby PostgreSQL waits for it before it confirms a commit. Where that wait is cancelled (by
`pg_cancel_backend`, by a driver's time-out), the commit stands on the primary alone, and the driver hears "done": all
that tells is a warning beside it. What was confirmed in this way and then lost in a fail-over would be sent again.

A later commit that is waited for covers every earlier one: the standby takes the log in order.
"""

from __future__ import annotations

from typing import Any

from todoke.store.address import Address
from todoke.store.hot.base import StoreUnavailable

_WAITS = "SyncRepWaitForLSN"  # the server's function that waits and warns: its words are translated, its name is not


class Watch:
    """A log listener of one connection. `check` after a commit; the driver calls us before it answers."""

    def __init__(self) -> None:
        self.alone = False  # whether a commit stands on the primary alone, as far as the server knows

    def __call__(self, _: Any, message: Any) -> None:
        if getattr(message, "server_source_function", None) == _WAITS:
            self.alone = True

    def check(self, address: Address) -> None:
        """StoreUnavailable where the last commit was not waited for: it counts as unknown."""
        if self.alone:
            self.alone = False
            raise StoreUnavailable(
                "The commit is on the primary; the wait for its standby was cancelled.",
                where=address.shown,
                fix="Do not cancel sessions that wait for the standby: bring the standby back.",
            )
