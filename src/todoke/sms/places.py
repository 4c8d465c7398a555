"""Where a contact may be: the candidate places, as jurisdiction and time zone, in each of which it must be allowed.

A place is a text: `US-FL America/New_York`, with a third part where the contact has a calling window of its own:
`US-FL America/New_York 09:00-12:00`. A jurisdiction is a country or, for the United States and Canada, a state or
province; `US-*` is one of the states, nobody knows which; `-` is no jurisdiction that is known. A zone alone is an old
list's. No place at all means that nobody knows where the contact is: such a message is held.

What says most counts alone: the time zone column, then the postcode, then the state, then the number.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from todoke.sms import territories
from todoke.sms.time_zone_names import read_zone

Places: TypeAlias = tuple[str, ...]
"""Candidate places, sorted; the contact may be in any of them."""

NO_JURISDICTION = "-"
_UNITED_STATES = frozenset({"US", "PR", "VI", "GU", "AS", "MP"})
_BY_ADDRESS = _UNITED_STATES | {"CA"}
_NORTH_AMERICA = 10_000_000_000  # +1 and ten digits, of which the first three are the area code
_PER_AREA = 10_000_000
# Zones of numbers by the name of those whose clock has shown the same since 2010, so that fewer places are told apart.
_SAME = {
    "America/Boise": "America/Denver",
    "America/Juneau": "America/Anchorage",
    "America/North_Dakota/Center": "America/Chicago",
    "America/Fort_Nelson": "America/Dawson_Creek",
    "America/St_Thomas": "America/Puerto_Rico",
    "Pacific/Saipan": "Pacific/Guam",
    **dict.fromkeys(("Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey"), "Europe/London"),
}


class Place(NamedTuple):
    """A place, read. `jurisdiction` is None where it is not known; `window` is the contact's own, empty for none."""

    jurisdiction: str | None
    zone: str
    window: str = ""


def read_place(text: str) -> Place:
    """The parts of a place."""
    first, _, rest = text.partition(" ")
    if not rest:
        return Place(None, first)
    zone, _, window = rest.partition(" ")
    return Place(None if first == NO_JURISDICTION else first, zone, window)


def of_number(e164: int, region: str, zones: tuple[str, ...]) -> Places:
    """The places of a number's owner. `region` and `zones` are what the number says (`Phone`).

    Of an American or Canadian number the area code tells the states; one that belongs to no area may be in any.
    """
    if region in _BY_ADDRESS and _NORTH_AMERICA <= e164 < 2 * _NORTH_AMERICA:
        return _of_area(f"{e164 // _PER_AREA % 1000:03}", region, zones)
    return _of_country(region, zones)


@lru_cache(maxsize=4096)
def _of_area(area: str, region: str, zones: tuple[str, ...]) -> Places:
    found = {_SAME.get(zone, zone) for zone in zones}
    country = "CA" if region == "CA" else "US"
    states = territories.by_area().get(area, ())
    if not states:
        return _places((f"{country}-*", zone) for zone in found & territories.zones_of(country))
    pairs: set[tuple[str, str]] = set()
    for state in states:
        of_state = territories.zones_of(state)
        # Where the two tables contradict each other, both count.
        pairs.update((state, zone) for zone in found & of_state or found | of_state)
    return _places(pairs)


@lru_cache(maxsize=4096)
def _of_country(region: str, zones: tuple[str, ...]) -> Places:
    jurisdiction = region if len(region) == 2 and region.isalpha() else NO_JURISDICTION
    return _places((jurisdiction, _SAME.get(zone, zone)) for zone in zones)


def candidates(
    time_zone: str, zip: str, state: str, city: str, region: str, number_places: Places, window: str = ""
) -> Places | None:
    """The candidate places of a contact; empty where nobody knows; None where `time_zone` holds something else.

    The texts are as they stand in the list, empty where there is none. `region` is that of the number, and
    `number_places` what `of_number` says of it. `window` is the contact's own calling window in the form in which
    schedules are kept. Call it once for each combination that a list has: it remembers the last ones.
    """
    del city  # a state with two time zones is not cut by city: the window must be open in both
    return _candidates(
        " ".join(time_zone.split()), _plain_zip(zip), " ".join(state.split()).casefold(), region, number_places, window
    )


def _plain_zip(text: str) -> str:
    """As much of it as tells the place: three digits of an American one, the first letter of a Canadian one."""
    plain = "".join(text.split()).upper()
    digits = plain.replace("-", "")
    if digits.isascii() and digits.isdigit() and len(digits) in (3, 4, 5, 8, 9):
        # Spreadsheets lose the zeros in front: 501 is 00501, and 21391234 is 02139-1234.
        return digits.zfill(5 if len(digits) <= 5 else 9)[:3]
    if len(digits) in (3, 6) and digits.isascii() and digits[0].isalpha() and digits[1].isdigit():
        return digits[0]
    return ""


@lru_cache(maxsize=65_536)
def _candidates(time_zone: str, zip: str, state: str, region: str, number_places: Places, window: str) -> Places | None:
    zone = None
    if time_zone:
        zone = read_zone(time_zone, region)
        if zone is None:
            return None
    pairs = _of_address(zip, state) if region in _BY_ADDRESS else None
    if pairs is None:
        pairs = {(place.jurisdiction or NO_JURISDICTION, place.zone) for place in map(read_place, number_places)}
    if zone is not None:
        alone = region if len(region) == 2 and region.isalpha() else NO_JURISDICTION
        pairs = {(jurisdiction, zone) for jurisdiction, _ in pairs} or {(alone, zone)}
    if not all(of for _, of in pairs):
        return ()
    return _places(pairs, window)


def _of_address(zip: str, state: str) -> set[tuple[str, str]] | None:
    """(jurisdiction, zone) by postcode, else by state; None where neither says anything. The armed forces abroad are
    in the United States as far as the law goes, and in no zone that we know.
    """
    if zip.isdigit():
        if (found := territories.by_zip().get(zip)) is not None:
            return set(found)
    elif zip and (provinces := territories.by_letter().get(zip)):
        return {(province, zone) for province in provinces for zone in territories.zones_of(province)}
    code = territories.by_name().get(state)
    return None if code is None else {(code, zone) for zone in territories.zones_of(code)}


def _places(pairs: Iterable[tuple[str, str]], window: str = "") -> Places:
    tail = f" {window}" if window else ""
    return tuple(sorted({f"{jurisdiction} {zone}{tail}" for jurisdiction, zone in pairs}))
