"""Where a contact may be: what says most counts alone, and who may be anywhere may be everywhere."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms import territories
from todoke.sms.phone import Parser
from todoke.sms.places import Place, candidates, of_number, read_place

PARSER = Parser("US", fast=False)


def of(number: str) -> tuple[str, ...]:
    phone = PARSER.parse(number)
    return of_number(phone.e164, phone.region, phone.zones)


@pytest.mark.parametrize(
    ("number", "places"),
    [
        ("+1 212 555 2671", ("US-NY America/New_York",)),
        ("+1 305 555 2671", ("US-FL America/New_York",)),
        # Split area codes: the owner of the number may be on either side.
        ("+1 850 555 2671", ("US-FL America/Chicago", "US-FL America/New_York")),
        ("+1 219 555 2671", ("US-IN America/Chicago", "US-IN America/New_York")),
        ("+1 902 555 2671", ("CA-NS America/Halifax", "CA-PE America/Halifax")),
        ("+1 787 555 2671", ("US-PR America/Puerto_Rico",)),
        ("+1 876 555 2671", ("JM America/Jamaica",)),
        ("+81 90 1234 5678", ("JP Asia/Tokyo",)),
        ("+44 7400 123456", ("GB Europe/London",)),
        ("+882 16 1234 5678", ()),
    ],
)
def test_places_of_a_number(number: str, places: tuple[str, ...]) -> None:
    assert of(number) == places


def test_an_american_number_of_no_area_may_be_in_any_state() -> None:
    places = of("+1 500 234 5678")
    assert {read_place(place).jurisdiction for place in places} == {"US-*"}
    assert {read_place(place).zone for place in places} >= {"America/New_York", "Pacific/Honolulu"}
    assert not {read_place(place).zone for place in places} & {"America/Jamaica", "America/Toronto"}


def test_every_area_code_of_the_united_states_and_canada_has_its_states() -> None:
    """Where the numbering plan knows zones for an area, we know the states, and pairs that fit each other."""
    for area in range(200, 1000):
        number = phonenumbers.parse(f"+1{area}2345678")
        region = phonenumbers.region_code_for_number(number)
        if not phonenumbers.is_valid_number(number) or region not in ("US", "CA"):
            continue
        phone = PARSER.parse(f"+1{area}2345678")
        places = [read_place(place) for place in of_number(phone.e164, phone.region, phone.zones)]
        assert places, area
        if str(area) in territories.by_area():
            for state in territories.by_area()[str(area)]:
                zones = {place.zone for place in places if place.jurisdiction == state}
                assert zones & territories.zones_of(state), area
        else:
            assert {place.jurisdiction for place in places} == {f"{region}-*"}, area


NEW_YORK = ("US-NY America/New_York",)


@pytest.mark.parametrize(
    ("time_zone", "zip", "state", "region", "number", "places"),
    [
        # Nothing but the number.
        ("", "", "", "US", NEW_YORK, NEW_YORK),
        # The state alone gives its zones.
        ("", "", "FL", "US", NEW_YORK, ("US-FL America/Chicago", "US-FL America/New_York")),
        ("", "", " florida ", "US", NEW_YORK, ("US-FL America/Chicago", "US-FL America/New_York")),
        ("", "", "Somewhere", "US", NEW_YORK, NEW_YORK),
        # The postcode before the state.
        ("", "33101", "TX", "US", NEW_YORK, ("US-FL America/New_York",)),
        ("", "33101-1234", "", "US", NEW_YORK, ("US-FL America/New_York",)),
        ("", "2139", "", "US", NEW_YORK, ("US-MA America/New_York",)),  # a spreadsheet lost its zero
        ("", "907", "", "US", NEW_YORK, ("US-PR America/Puerto_Rico",)),
        ("", "57501", "", "US", NEW_YORK, ("US-SD America/Chicago", "US-SD America/Denver")),
        ("", "06390", "", "US", NEW_YORK, ("US-CT America/New_York", "US-NY America/New_York")),
        ("", "K1A 0B1", "", "CA", NEW_YORK, tuple(f"CA-ON America/{z}" for z in ("Atikokan", "Toronto", "Winnipeg"))),
        (
            "",
            "v6b1a1",
            "",
            "US",
            NEW_YORK,
            tuple(f"CA-BC America/{z}" for z in ("Dawson_Creek", "Edmonton", "Vancouver")),
        ),
        # One that cannot be read says nothing.
        ("", "123456", "", "US", NEW_YORK, NEW_YORK),
        ("", "SW1A 1AA", "", "US", NEW_YORK, NEW_YORK),
        # The armed forces abroad: nobody knows where.
        ("", "09012", "", "US", NEW_YORK, ()),
        ("Europe/Berlin", "09012", "", "US", NEW_YORK, ("US Europe/Berlin",)),
        # The time zone says the zone, and nothing of the jurisdiction.
        ("Pacific", "", "", "US", NEW_YORK, ("US-NY America/Los_Angeles",)),
        ("Pacific", "33101", "", "US", NEW_YORK, ("US-FL America/Los_Angeles",)),
        ("EST", "", "CT", "US", ("US-FL America/Chicago",), ("US-CT America/New_York",)),
        ("nowhere", "33101", "FL", "US", NEW_YORK, None),
        # Elsewhere the country counts, and its postcodes are not ours to read.
        ("", "100-0001", "東京都", "JP", ("JP Asia/Tokyo",), ("JP Asia/Tokyo",)),
        ("", "33101", "FL", "DE", ("DE Europe/Berlin",), ("DE Europe/Berlin",)),
        ("Asia/Tokyo", "", "", "JP", (), ("JP Asia/Tokyo",)),
        ("Asia/Tokyo", "", "", "001", (), ("- Asia/Tokyo",)),
        ("", "", "", "001", (), ()),
    ],
)
def test_what_says_most_counts_alone(
    time_zone: str, zip: str, state: str, region: str, number: tuple[str, ...], places: tuple[str, ...] | None
) -> None:
    assert candidates(time_zone, zip, state, "Springfield", region, number) == places


def test_the_contacts_own_window_is_the_third_part() -> None:
    own = "mon-fri 09:00-17:00; sat-sun closed"
    assert candidates("", "33101", "", "", "US", NEW_YORK, own) == (f"US-FL America/New_York {own}",)
    assert read_place(f"US-FL America/New_York {own}") == Place("US-FL", "America/New_York", own)
    assert candidates("Asia/Tokyo", "", "", "", "001", (), "09:00-12:00") == ("- Asia/Tokyo 09:00-12:00",)
    assert read_place("- Asia/Tokyo 09:00-12:00") == Place(None, "Asia/Tokyo", "09:00-12:00")


def test_an_old_lists_zone_is_a_place_without_a_jurisdiction() -> None:
    assert read_place("America/New_York") == Place(None, "America/New_York")
    assert candidates("", "", "", "", "US", ("America/New_York",)) == ("- America/New_York",)


texts = st.text(max_size=12) | st.sampled_from(["33101", "FL", "EST", "K1A 0B1", "09012", "9", "00000"])


@given(texts, texts, texts, st.sampled_from(["US", "CA", "JP", "001", "PR"]))
def test_any_text_gives_places_that_a_clock_knows(time_zone: str, zip: str, state: str, region: str) -> None:
    places = candidates(time_zone, zip, state, "", region, NEW_YORK)
    assert places is None or list(places) == sorted(set(places))
    for place in places or ():
        assert ZoneInfo(read_place(place).zone)


def test_the_tables_name_zones_that_exist() -> None:
    known = available_timezones()
    for code in territories.names():
        assert territories.zones_of(code) <= known
    for pairs in territories.by_zip().values():
        assert {zone for _, zone in pairs} - {""} <= known
        assert {state for state, _ in pairs} <= {*territories.names(), "US"}


def test_countries_of_zones() -> None:
    zones = ("America/New_York", "US/Eastern", "America/Toronto", "Asia/Tokyo", "UTC", "Nowhere/Atlantis")
    assert [territories.country_of(zone) for zone in zones] == ["US", "US", "CA", "JP", None, None]
