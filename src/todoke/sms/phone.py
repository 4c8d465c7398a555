"""Phone numbers as they stand in lists, read into E.164 with region, kind and candidate time zones.

`phonenumbers` decides. Where `rphonenumbers` (the same rules, compiled) can be imported it reads in its place, several
times as fast, under a running cross-check.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import cast

import phonenumbers

from todoke.sms.crosscheck import CrossCheck, Mismatch
from todoke.sms.numbers import Kind, Phone, PhoneError, Reason, format_e164, mask
from todoke.sms.reading import Library, Reader
from todoke.sms.zones import Zones

__all__ = ["Kind", "Mismatch", "Parser", "Phone", "PhoneError", "Reason", "format_e164", "mask", "parse"]


class Parser:
    """Reads the numbers of one list. `default_region` (`JP`) is for numbers without a country code; None refuses them.

    `mismatch` tells whether the fast library was found wrong (then it is used no more); `on_mismatch` is told once.
    """

    def __init__(
        self,
        default_region: str | None,
        *,
        check_every: int = 1000,
        on_mismatch: Callable[[Mismatch], None] | None = None,
        fast: bool = True,
    ) -> None:
        if default_region is not None and default_region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{default_region!r} is not a region; use its two capital letters, such as JP, US or GB")
        zones = Zones()
        self._reference = Reader(cast(Library, phonenumbers), default_region, zones)
        self._check: CrossCheck | None = None
        if fast and (compiled := _compiled()):
            self._check = CrossCheck(
                Reader(compiled, default_region, zones),
                self._reference,
                check_every=check_every,
                on_mismatch=on_mismatch,
            )

    @property
    def mismatch(self) -> Mismatch | None:
        return self._check.mismatch if self._check else None

    def parse(self, raw: str) -> Phone:
        """The number; raises `PhoneError`."""
        answer = (self._check or self._reference).read(raw)
        if isinstance(answer, PhoneError):
            raise answer
        return answer

    def parse_many(self, raws: Sequence[str]) -> list[Phone | PhoneError]:
        """One answer a number, in order; errors are values here."""
        return self._check.read_many(raws) if self._check else list(map(self._reference.read, raws))


def parse(raw: str, default_region: str | None) -> Phone:
    """One number by itself; raises `PhoneError`. For more than a few, keep a `Parser`."""
    return Parser(default_region, fast=False).parse(raw)


def _compiled() -> Library | None:
    try:
        return cast(Library, importlib.import_module("rphonenumbers"))
    except ImportError:
        return None
