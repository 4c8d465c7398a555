"""A person's record on a calling list."""

from __future__ import annotations

from todoke.model.clock import Micros

ERASED_DESTINATION = -1
"""In place of the number of a person who was erased. The position stays: it is an address."""


def unreachable(destination: int, expires_at: Micros | None, now: Micros, *, on_dnc: bool) -> str:
    """Why the contact is not texted at all, by its record alone; empty where nothing stands against it."""
    if on_dnc:
        return "dnc"
    if destination <= 0:
        return "erased" if destination == ERASED_DESTINATION else "no_mobile"
    return "contact_expired" if expires_at is not None and expires_at <= now else ""
