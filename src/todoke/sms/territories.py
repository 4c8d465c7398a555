"""States and provinces of North America: their names, zones, area codes and postcodes; and the countries of zones.

The tables are in `data`; docs/make_places.py makes them and says where they come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

UNITED_STATES = "US"
_ABROAD = "-"  # instead of a zone: the armed forces


def _rows(name: str) -> Iterator[list[str]]:
    text = resources.files("todoke.sms").joinpath("data", name).read_text(encoding="utf-8")
    return (line.split() for line in text.splitlines() if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def _states() -> tuple[tuple[str, str, str, frozenset[str]], ...]:
    """(code, name, first letters of Canadian postcodes, zones)"""
    found: list[tuple[str, str, str, frozenset[str]]] = []
    for code, name, *rest in _rows("states.txt"):
        letters = rest.pop(0) if code.startswith("CA-") else ""
        found.append((code, name.replace("_", " "), letters, frozenset(rest)))
    return tuple(found)


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """`Florida` by `US-FL`."""
    return MappingProxyType({code: name for code, name, _, _ in _states()})


@lru_cache(maxsize=1)
def by_name() -> Mapping[str, str]:
    """`US-FL` by `fl`, `florida`, `us-fl`: what people write into a column of states, casefolded."""
    found: dict[str, str] = {}
    for code, name, _, _ in _states():
        for text in (name, code, code[3:]):
            found[text.casefold()] = code
    found |= {"washington dc": "US-DC", "washington d.c.": "US-DC", "d.c.": "US-DC", "québec": "CA-QC"}
    return MappingProxyType(found | {"newfoundland": "CA-NL", "yukon territory": "CA-YT"})


@lru_cache(maxsize=128)
def zones_of(code: str) -> frozenset[str]:
    """The zones of `US-FL`, or of all of `US` or `CA`; empty for any other."""
    return frozenset(zone for known, _, _, zones in _states() if code in (known, known[:2]) for zone in zones)


@lru_cache(maxsize=1)
def by_area() -> Mapping[str, tuple[str, ...]]:
    """States and provinces by area code."""
    found: dict[str, tuple[str, ...]] = {}
    for state, *areas in _rows("area_codes.txt"):
        for area in areas:
            found[area] = (*found.get(area, ()), state)
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def by_zip() -> Mapping[str, frozenset[tuple[str, str]]]:
    """(state, zone) by the first three digits of an American postcode; the zone is empty for the armed forces."""
    found: dict[str, set[tuple[str, str]]] = {}
    for state, zone, *prefixes in _rows("zips.txt"):
        place = (UNITED_STATES, "") if zone == _ABROAD else (f"{UNITED_STATES}-{state}", zone)
        for prefix in prefixes:
            found.setdefault(prefix, set()).add(place)
    return MappingProxyType({prefix: frozenset(places) for prefix, places in found.items()})


@lru_cache(maxsize=1)
def by_letter() -> Mapping[str, tuple[str, ...]]:
    """Provinces by the first letter of a Canadian postcode."""
    found: dict[str, tuple[str, ...]] = {}
    for code, _, letters, _ in _states():
        for letter in letters:
            found[letter] = (*found.get(letter, ()), code)
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """Countries by zone, as the time zone database has them."""
    text = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return MappingProxyType({row[2]: row[0] for row in rows})


def country_of(zone: str) -> str | None:
    """The country of an IANA zone; None for one that belongs to none, or has a name of old."""
    if zone.startswith(("US/", "Canada/")):
        return "CA" if zone.startswith("C") else UNITED_STATES
    return _countries().get(zone)
