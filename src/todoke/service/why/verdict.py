"""What one rule says of texting a number."""

from __future__ import annotations

from typing import NamedTuple

from todoke.model.clock import Micros


class Verdict(NamedTuple):
    """`rule` is a short code, `sentence` for people, `source` where the rule is from. `until`: when it changes, None
    where that is not known. `passes`: nothing but time stands against it.
    """

    rule: str
    allowed: bool
    sentence: str
    source: str = ""
    until: Micros | None = None
    passes: bool = False
