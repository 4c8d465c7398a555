"""Calling windows against a clock that is simply looked at, minute by minute and across every change of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.compliance.windows import always, closes_at, is_open, opens_at
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, SECOND, Micros, from_datetime, to_datetime

MINUTE = 60 * SECOND
# Ordinary ones, half hours, changes at midnight, by half an hour and by two, over the date line, and around Ramadan.
ZONES = [
    *("America/New_York", "America/Chicago", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu"),
    *("Europe/London", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Africa/Cairo", "Asia/Beirut", "America/Havana", "America/Nuuk", "Africa/Casablanca", "Antarctica/Troll"),
    *("Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Asia/Tehran", "America/Sao_Paulo"),
]
DAY = Window(8 * 60, 21 * 60)

windows = st.builds(
    lambda pair: Window(min(pair), max(pair)),
    st.tuples(st.integers(0, WHOLE_DAY), st.integers(0, WHOLE_DAY)).filter(lambda pair: pair[0] != pair[1]),
)
zone_sets = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple)
moments = st.integers(from_datetime(datetime(2010, 1, 1, tzinfo=UTC)), from_datetime(datetime(2037, 1, 1, tzinfo=UTC)))


def _changes(zone: str, first_year: int, last_year: int) -> list[Micros]:
    """The hours after which the zone's clock is another one."""
    info = ZoneInfo(zone)
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year, 12, 31, tzinfo=UTC)
    found: list[Micros] = []
    while moment < end:
        later = moment + timedelta(days=1)
        if moment.astimezone(info).utcoffset() != later.astimezone(info).utcoffset():
            found.append(from_datetime(moment))
        moment = later
    return found


CHANGES = {zone: changes for zone in ZONES if (changes := _changes(zone, 2010, 2030))}


@st.composite
def around_a_change(draw: st.DrawFn) -> tuple[tuple[str, ...], Micros]:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    others = draw(st.lists(st.sampled_from(ZONES), max_size=1))
    moment = draw(st.sampled_from(CHANGES[zone])) + draw(st.integers(-6 * HOUR, 30 * HOUR))
    return (zone, *others), moment


def _open_by_the_clock(window: Window, zones: tuple[str, ...], now: Micros) -> bool:
    for zone in zones:
        local = to_datetime(now).astimezone(ZoneInfo(zone))
        if not window.start <= local.hour * 60 + local.minute < window.end:
            return False
    return True


def _check_opens(window: Window, zones: tuple[str, ...], now: Micros) -> None:
    opens = opens_at(window, zones, now)
    last = opens if opens is not None else now + 3 * 24 * HOUR
    if opens is not None:
        assert opens >= now
        assert _open_by_the_clock(window, zones, opens)
    # Before it there is no open moment: at no full minute, and not right before it.
    first = -(-now // MINUTE) * MINUTE
    assert not any(_open_by_the_clock(window, zones, moment) for moment in range(first, last, 5 * MINUTE))
    if last > now:
        assert not _open_by_the_clock(window, zones, now)
        assert not _open_by_the_clock(window, zones, last - 1)


def _check_closes(window: Window, zones: tuple[str, ...], now: Micros) -> None:
    closes = closes_at(window, zones, now)
    assert closes is not None
    assert closes > now
    assert not _open_by_the_clock(window, zones, closes)
    assert _open_by_the_clock(window, zones, closes - 1)
    first = -(-now // MINUTE) * MINUTE
    assert all(_open_by_the_clock(window, zones, moment) for moment in range(first, closes, 5 * MINUTE))


def _check(window: Window, zones: tuple[str, ...], now: Micros) -> None:
    if always(window):
        assert is_open(window, zones, now)
        assert opens_at(window, zones, now) == now
        assert closes_at(window, zones, now) is None
        return
    assert is_open(window, zones, now) == _open_by_the_clock(window, zones, now)
    _check_opens(window, zones, now)
    if is_open(window, zones, now):
        _check_closes(window, zones, now)


@given(windows, zone_sets, moments)
def test_opens_at_is_the_first_open_moment_and_closes_at_the_first_closed_one(
    window: Window, zones: tuple[str, ...], now: Micros
) -> None:
    _check(window, zones, now)


@given(windows, around_a_change())
def test_the_same_where_clocks_are_put_forward_and_back(window: Window, place: tuple[tuple[str, ...], Micros]) -> None:
    _check(window, *place)


@given(around_a_change())
def test_daytime_opens_every_day_of_a_change(place: tuple[tuple[str, ...], Micros]) -> None:
    (zone, *_), now = place
    opens = opens_at(DAY, (zone,), now)
    assert opens is not None
    assert opens - now <= 35 * HOUR  # Apia once left out a whole day


def _at(zone: str, *when: int) -> Micros:
    return from_datetime(datetime(*when, tzinfo=ZoneInfo(zone)))  # type: ignore[arg-type]


def test_an_end_that_the_clock_leaves_out_closes_when_the_clock_jumps() -> None:
    # New York, 10 March 2024: after 01:59 comes 03:00.
    zones = ("America/New_York",)
    window = Window(0, 2 * 60 + 30)
    jump = from_datetime(datetime(2024, 3, 10, 7, 0, tzinfo=UTC))
    assert closes_at(window, zones, jump - HOUR) == jump
    assert not is_open(window, zones, jump)


def test_a_start_that_the_clock_leaves_out_opens_when_the_clock_jumps() -> None:
    zones = ("America/New_York",)
    window = Window(2 * 60 + 30, 12 * 60)
    jump = from_datetime(datetime(2024, 3, 10, 7, 0, tzinfo=UTC))
    assert opens_at(window, zones, jump - HOUR) == jump


def test_an_hour_that_comes_twice_opens_twice() -> None:
    # New York, 3 November 2024: 01:00-01:59 comes twice.
    zones = ("America/New_York",)
    window = Window(60, 90)
    first = from_datetime(datetime(2024, 11, 3, 5, 0, tzinfo=UTC))
    assert opens_at(window, zones, first - HOUR) == first
    assert closes_at(window, zones, first) == first + HOUR // 2
    assert opens_at(window, zones, first + HOUR // 2) == first + HOUR
    assert closes_at(window, zones, first + HOUR) == first + HOUR + HOUR // 2


def test_two_zones_are_open_only_when_both_are() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    noon = _at("America/New_York", 2024, 6, 3, 12)
    early = _at("America/New_York", 2024, 6, 3, 8, 30)
    assert is_open(DAY, zones, noon)
    assert not is_open(DAY, zones, early)
    assert opens_at(DAY, zones, early) == _at("America/Los_Angeles", 2024, 6, 3, 8)
    assert closes_at(DAY, zones, noon) == _at("America/New_York", 2024, 6, 3, 21)


def test_zones_that_are_never_open_together_hold_for_ever() -> None:
    zones = ("Asia/Tokyo", "America/New_York")
    assert opens_at(Window(9 * 60, 17 * 60), zones, _at("Asia/Tokyo", 2024, 6, 3, 10)) is None


@pytest.mark.parametrize("zones", [(), ("Nowhere/Atlantis",), ("",), ("../etc/passwd",), ("America",), ("x" * 300,)])
@given(now=moments, window=windows)
def test_a_zone_that_nobody_knows_is_never_open(zones: tuple[str, ...], now: Micros, window: Window) -> None:
    known = always(window)
    assert is_open(window, zones, now) is known
    assert opens_at(window, zones, now) == (now if known else None)


def test_an_unknown_zone_beside_a_known_one_is_never_open() -> None:
    zones = ("America/New_York", "Nowhere/Atlantis")
    assert not is_open(DAY, zones, _at("America/New_York", 2024, 6, 3, 12))
    assert opens_at(DAY, zones, _at("America/New_York", 2024, 6, 3, 12)) is None


@given(zones=st.sampled_from([(), ("Nowhere/Atlantis",), ("Asia/Tokyo",)]), now=moments)
def test_the_whole_day_is_open_everywhere(zones: tuple[str, ...], now: Micros) -> None:
    whole = Window(0, WHOLE_DAY)
    assert is_open(whole, zones, now)
    assert opens_at(whole, zones, now) == now
    assert closes_at(whole, zones, now) is None
