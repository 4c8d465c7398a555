"""Makes the tables of `src/todoke/sms/data`: from what a person's number or postcode says where the person may be.

    pip install zipcodes==3.0.0        # beside Todoke's own dependencies, in an environment of its own
    python docs/make_places.py

It is run by hand when numbering or postcodes changed; the tables are data that anyone may read and correct. Sources:

- zipcodes 3.0.0 (MIT), postcodes of the United States with state, time zone and area codes;
- phonenumbers (Apache-2.0), the names of the areas behind area codes;
- the comments of the time zone database (public domain), for the zones of Canadian provinces and of territories.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers.geodata
import zipcodes

DATA = Path(__file__).parents[1] / "src" / "todoke" / "sms" / "data"

# Zones by which the others of the United States are called as long as their clocks have agreed since 2010.
MAIN = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico", "Pacific/Guam"),
)
MORE_ZONES = {"NV": {"America/Denver"}, "AK": {"America/Adak"}}  # West Wendover; the western Aleutians
MORE_ZIPS = {"898": ("NV", "America/Denver")}
_NAMES = """
    AL:Alabama AK:Alaska AZ:Arizona AR:Arkansas CA:California CO:Colorado CT:Connecticut DE:Delaware
    DC:District_of_Columbia FL:Florida GA:Georgia HI:Hawaii ID:Idaho IL:Illinois IN:Indiana IA:Iowa KS:Kansas
    KY:Kentucky LA:Louisiana ME:Maine MD:Maryland MA:Massachusetts MI:Michigan MN:Minnesota MS:Mississippi
    MO:Missouri MT:Montana NE:Nebraska NV:Nevada NH:New_Hampshire NJ:New_Jersey NM:New_Mexico NY:New_York
    NC:North_Carolina ND:North_Dakota OH:Ohio OK:Oklahoma OR:Oregon PA:Pennsylvania RI:Rhode_Island
    SC:South_Carolina SD:South_Dakota TN:Tennessee TX:Texas UT:Utah VT:Vermont VA:Virginia WA:Washington
    WV:West_Virginia WI:Wisconsin WY:Wyoming PR:Puerto_Rico VI:Virgin_Islands GU:Guam AS:American_Samoa
    MP:Northern_Mariana_Islands FM:Micronesia MH:Marshall_Islands PW:Palau
"""
NAMES = dict(item.split(":") for item in _NAMES.split())
PROVINCES = {  # code: name, first letters of postcodes, zones
    "NL": ("Newfoundland_and_Labrador", "A", "America/St_Johns America/Goose_Bay"),
    "NS": ("Nova_Scotia", "B", "America/Halifax"),
    "PE": ("Prince_Edward_Island", "C", "America/Halifax"),
    "NB": ("New_Brunswick", "E", "America/Halifax"),
    "QC": ("Quebec", "GHJ", "America/Toronto America/Halifax America/Blanc-Sablon"),
    "ON": ("Ontario", "KLMNP", "America/Toronto America/Winnipeg America/Atikokan"),
    "MB": ("Manitoba", "R", "America/Winnipeg"),
    "SK": ("Saskatchewan", "S", "America/Regina America/Edmonton"),
    "AB": ("Alberta", "T", "America/Edmonton"),
    "BC": ("British_Columbia", "V", "America/Vancouver America/Edmonton America/Dawson_Creek"),
    "NT": ("Northwest_Territories", "X", "America/Edmonton"),
    "NU": ("Nunavut", "X", "America/Toronto America/Winnipeg America/Edmonton America/Resolute"),
    "YT": ("Yukon", "Y", "America/Whitehorse"),
}
SPELLINGS = {
    "Washington State": "WA",
    "Washington D.C.": "DC",
    "British Colombia": "BC",
    "Nova Scotia/Prince Edward Island": "NS PE",
    "Northwest Territories/Nunavut/Yukon": "NT NU YT",
}
CORRECTED = {"905": {"ON"}}  # the source knows it from the American side of the lake only
ABROAD = {"AA", "AE", "AP"}  # the armed forces: anywhere


def main() -> None:
    rows = zipcodes.list_all()
    by_prefix: dict[str, set[tuple[str, str]]] = defaultdict(set)
    state_zones: dict[str, set[str]] = defaultdict(set)
    by_area: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        state, prefix = row["state"], row["zip_code"][:3]
        if state in ABROAD:
            by_prefix[prefix].add((state, "-"))
            continue
        zone = main_zone(row["timezone"])
        by_prefix[prefix].add((state, zone))
        state_zones[state].add(zone)
        for area in row["area_codes"] or []:
            by_area[area][state] += 1
    for prefix, place in MORE_ZIPS.items():
        by_prefix[prefix].add(place)
    for state, zones in MORE_ZONES.items():
        state_zones[state] |= zones
    write("zips.txt", "postcodes of the United States by their first three digits", grouped(by_prefix))
    write("area_codes.txt", "area codes of North America by state and province", areas(by_area))
    subdivisions = [
        f"US-{code} {name} {' '.join(sorted(state_zones[code]))}" for code, name in sorted(NAMES.items())
    ] + [f"CA-{code} {name} {letters} {zones}" for code, (name, letters, zones) in sorted(PROVINCES.items())]
    write("states.txt", "states and provinces: name, first letters of Canadian postcodes, zones", subdivisions)


def main_zone(name: str) -> str:
    """The main zone whose clock has shown the same since 2010, else the zone itself."""
    if "/" not in name:
        return "America/Anchorage"  # a place in Alaska that the source did not name properly
    return next((known for known in MAIN if same(known, name)), name)


def same(one: str, other: str) -> bool:
    moment = datetime(2010, 1, 1, tzinfo=UTC)
    while moment.year < 2030:
        if moment.astimezone(ZoneInfo(one)).utcoffset() != moment.astimezone(ZoneInfo(other)).utcoffset():
            return False
        moment += timedelta(days=5)
    return True


def grouped(by_prefix: dict[str, set[tuple[str, str]]]) -> list[str]:
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for prefix, found in by_prefix.items():
        for place in found:
            places[place].append(prefix)
    return [f"{state} {zone} {' '.join(sorted(prefixes))}" for (state, zone), prefixes in sorted(places.items())]


def areas(by_area: dict[str, Counter[str]]) -> list[str]:
    names = {name.replace("_", " "): code for code, name in NAMES.items()}
    names |= {name.replace("_", " "): code for code, (name, _, _) in PROVINCES.items()} | SPELLINGS
    found: dict[str, set[str]] = defaultdict(set)
    for module in pkgutil.iter_modules(phonenumbers.geodata.__path__):
        data = getattr(importlib.import_module(f"phonenumbers.geodata.{module.name}"), "data", {})
        for prefix, texts in data.items():
            if len(prefix) == 4 and prefix.startswith("1") and "en" in texts:
                text = texts["en"]
                found[prefix[1:]].update((names[text] if text in names else text.rpartition(", ")[2]).split())
    for area, states in by_area.items():
        if area not in found:
            found[area] = {states.most_common(1)[0][0]}
    found |= CORRECTED
    by_state: dict[str, list[str]] = defaultdict(list)
    for area, states in found.items():
        for state in states:
            by_state[f"{'CA' if state in PROVINCES else 'US'}-{state}"].append(area)
    return [f"{state} {' '.join(sorted(listed))}" for state, listed in sorted(by_state.items())]


def write(name: str, what: str, lines: list[str]) -> None:
    head = f"# {what[0].upper()}{what[1:]}. Made by docs/make_places.py, which names its sources and their licences.\n"
    (DATA / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
