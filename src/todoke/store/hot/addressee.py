"""Whom a message would be for."""

from __future__ import annotations

from typing import NamedTuple

from todoke.model.clock import Micros


class Addressee(NamedTuple):
    """A contact without what is merged into its text. `destination`: as in `Contact`. `external_id` is empty where
    nobody asked for it.
    """

    position: int
    destination: int
    zone_set: int
    expires_at: Micros | None
    external_id: str = ""
