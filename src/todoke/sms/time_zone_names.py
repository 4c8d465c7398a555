"""What people write into a time zone column: an IANA name, an abbreviation, or how Americans call their zones."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from functools import lru_cache

# A name of the United States or Canada, with and without "Standard Time", "Daylight Time" or "Time" behind it.
_AMERICAN = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "arizona": "America/Phoenix",
    "pacific": "America/Los_Angeles",
    "alaska": "America/Anchorage",
    "alaskan": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "hawaiian": "Pacific/Honolulu",
    "atlantic": "America/Halifax",
    "newfoundland": "America/St_Johns",
    "japan": "Asia/Tokyo",
    "tokyo": "Asia/Tokyo",
    "india": "Asia/Kolkata",
}
_TAILS = ("standard time", "daylight time", "time")

# An abbreviation is read as the zone in which it is used, with its summer time, not as a fixed offset.
_ABBREVIATIONS = {
    **dict.fromkeys(("et", "est", "edt"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt"), "America/Los_Angeles"),
    **dict.fromkeys(("akt", "akst", "akdt"), "America/Anchorage"),
    **dict.fromkeys(("hst", "hast"), "Pacific/Honolulu"),
    **dict.fromkeys(("nst", "ndt"), "America/St_Johns"),
    "adt": "America/Halifax",
    "jst": "Asia/Tokyo",
    "kst": "Asia/Seoul",
    "hkt": "Asia/Hong_Kong",
    "sgt": "Asia/Singapore",
    "pht": "Asia/Manila",
    "bst": "Europe/London",
    **dict.fromkeys(("aest", "aedt"), "Australia/Sydney"),
    "awst": "Australia/Perth",
    **dict.fromkeys(("nzst", "nzdt"), "Pacific/Auckland"),
    "brt": "America/Sao_Paulo",
    "sast": "Africa/Johannesburg",
    "utc": "UTC",
    "gmt": "Europe/London",
}

# The same letters mean another zone for a number of that region.
_ELSEWHERE = {
    ("ist", "IN"): "Asia/Kolkata",
    ("ist", "IE"): "Europe/Dublin",
    ("ist", "IL"): "Asia/Jerusalem",
    ("cst", "CN"): "Asia/Shanghai",
    ("cst", "TW"): "Asia/Taipei",
    ("cst", "MX"): "America/Mexico_City",
    ("cst", "CU"): "America/Havana",
    ("bst", "BD"): "Asia/Dhaka",
    ("pst", "PH"): "Asia/Manila",
    ("sst", "SG"): "Asia/Singapore",
    ("gmt", "GH"): "Africa/Accra",
    ("gmt", "IE"): "Europe/Dublin",
}
# Zones that share central European time keep the same hours, but the country is known from the number.
_CENTRAL_EUROPEAN = {"DE": "Europe/Berlin", "FR": "Europe/Paris", "IT": "Europe/Rome", "ES": "Europe/Madrid"}


@lru_cache(maxsize=8192)
def read_zone(text: str, region: str) -> str | None:
    """The IANA name, or None where there is no such zone. `region` is the number's, for letters with two meanings.

    An offset (`+09:00`, `UTC-5`) is none: it does not say when summer time holds, so a calling window could be an hour
    wrong. It remembers what it has read, since a list repeats a few.
    """
    name = " ".join(text.split()).casefold()
    if zone := _ELSEWHERE.get((name, region)) or _ABBREVIATIONS.get(name):
        return zone
    if name in ("cet", "cest", "mez", "mesz"):
        return _CENTRAL_EUROPEAN.get(region, "Europe/Berlin")
    bare = name
    for tail in _TAILS:
        bare = bare.removesuffix(tail).rstrip()
    if zone := _AMERICAN.get(bare.removeprefix("us ").removeprefix("u.s. ")):
        return zone
    return _by_plain().get(name.replace(" ", "_"))


@lru_cache(maxsize=1)
def _by_plain() -> Mapping[str, str]:
    names = zoneinfo.available_timezones()
    return {known.casefold(): known for known in names if "/" in known and not known.startswith("Etc/")}
