"""The time zones where the owner of a number may be: all of them, since a calling window must hold in each."""

from __future__ import annotations

from collections.abc import Iterable

from phonenumbers import is_number_type_geographical
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

_NORTH_AMERICA = 1
_AREA_CODE_END = 4  # country code 1 and three digits


class Zones:
    """A lookup with a memory of its own; equal answers are the same tuple, so that callers can group by identity."""

    def __init__(self) -> None:
        self._by_area: dict[str, tuple[str, ...]] = {}
        self._by_country: dict[int, tuple[str, ...] | None] = {}
        self._geographical: dict[tuple[int, int], bool] = {}
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, digits: str, country_code: int, number_type: int) -> tuple[str, ...]:
        """Candidate zones, sorted, of the E.164 `digits` (no plus); empty when nothing is known.

        `number_type` is the library's number: most mobile numbers are of the whole country, not of an area.
        """
        if country_code == _NORTH_AMERICA:
            return self._of_area(digits[:_AREA_CODE_END])
        try:
            only = self._by_country[country_code]
        except KeyError:
            only = self._by_country[country_code] = self._of_country(country_code)
        if only is not None:
            return only
        return self._longest_match(digits if self._is_geographical(number_type, country_code) else str(country_code))

    def _of_area(self, area: str) -> tuple[str, ...]:
        """The union over every row of an area code. The longest match would not do: the row 1219 names New York and
        Chicago, rows below it only one of them, and a mobile is not bound to the exchange that its number came from."""
        if (zones := self._by_area.get(area)) is None:
            rows = [zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith(area)]
            zones = self._same(zone for row in rows or [TIMEZONE_DATA["1"]] for zone in row)
            self._by_area[area] = zones
        return zones

    def _of_country(self, country_code: int) -> tuple[str, ...] | None:
        """The zones of a country whose rows all say the same; None when the digits decide."""
        prefix = str(country_code)
        rows = {zones for row, zones in TIMEZONE_DATA.items() if row.startswith(prefix)}
        if not rows:
            return ()
        return self._same(rows.pop()) if len(rows) == 1 and prefix in TIMEZONE_DATA else None

    def _longest_match(self, digits: str) -> tuple[str, ...]:
        for length in range(min(TIMEZONE_LONGEST_PREFIX, len(digits)), 0, -1):
            if (zones := TIMEZONE_DATA.get(digits[:length])) is not None:
                return self._same(zones)
        return ()

    def _is_geographical(self, number_type: int, country_code: int) -> bool:
        key = number_type, country_code
        if (answer := self._geographical.get(key)) is None:
            answer = self._geographical[key] = is_number_type_geographical(number_type, country_code)
        return answer

    def _same(self, zones: Iterable[str]) -> tuple[str, ...]:
        ordered = tuple(sorted(set(zones) - {UNKNOWN_TIMEZONE}))
        return self._known.setdefault(ordered, ordered)
