from __future__ import annotations

from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from todoke.sms.zones import Zones

TYPES = [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.VOIP]


def test_a_split_area_code_gives_all_its_zones():
    zones = Zones()
    both = ("America/Chicago", "America/New_York")
    # The longest match would say New York only for the first of these, and hide it for the second.
    assert zones.of("12195550123", 1, PhoneNumberType.FIXED_LINE_OR_MOBILE) == both
    assert zones.of("12192000000", 1, PhoneNumberType.MOBILE) == both
    assert zones.of("12125550123", 1, PhoneNumberType.MOBILE) == ("America/New_York",)
    assert zones.of("18765550123", 1, PhoneNumberType.MOBILE) == ("America/Jamaica",)


def test_a_north_american_number_of_no_place_may_be_anywhere_there():
    assert Zones().of("18005550199", 1, PhoneNumberType.TOLL_FREE) == tuple(sorted(TIMEZONE_DATA["1"]))


@pytest.mark.parametrize("area", sorted({row[:4] for row in TIMEZONE_DATA if row.startswith("1") and len(row) >= 4}))
def test_every_row_of_an_area_code_is_among_its_candidates(area: str):
    candidates = Zones().of(area + "5550123", 1, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    for row, names in TIMEZONE_DATA.items():
        if row.startswith(area):
            assert set(names) <= set(candidates)


def test_elsewhere_the_library_decides():
    zones = Zones()
    checked = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number_type in TYPES:
            number = phonenumbers.example_number_for_type(region, number_type)
            if number is None or number.country_code in (None, 1):
                continue
            checked += 1
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
            expected = set(time_zones_for_number(number)) - {"Etc/Unknown"}
            answer = zones.of(digits, number.country_code, phonenumbers.number_type(number))
            assert answer == tuple(sorted(expected)), region
    assert checked > 400


def test_nothing_known():
    assert Zones().of("80012345678", 800, PhoneNumberType.TOLL_FREE) == ()


def test_equal_answers_are_one_object():
    zones = Zones()
    ny = zones.of("12125550123", 1, PhoneNumberType.MOBILE)
    assert zones.of("13055550123", 1, PhoneNumberType.MOBILE) == ny
    assert zones.of("13055550123", 1, PhoneNumberType.MOBILE) is ny


def test_every_zone_has_its_rules():
    for name in {name for names in TIMEZONE_DATA.values() for name in names} - {"Etc/Unknown"}:
        assert ZoneInfo(name).key == name
