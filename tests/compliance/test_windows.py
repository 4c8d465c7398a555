"""Calling windows against a clock that is simply looked at, minute by minute and across every change of it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.compliance.hours import Hours
from todoke.compliance.rulebook import PackFile, Rulebook, read, standard
from todoke.compliance.windows import LOOK_AHEAD_DAYS, MARGIN, closes_at, is_open, opening, opens_at
from todoke.model import schedule
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import HOUR, SECOND, Micros, from_datetime, to_datetime
from todoke.model.schedule import ALWAYS, Ranges, Schedule, every_day
from todoke.sms.places import read_place

MINUTE = 60 * SECOND
# Ordinary ones, half hours, changes at midnight, by half an hour and by two, over the date line, and around Ramadan.
ZONES = [
    *("America/New_York", "America/Chicago", "America/Los_Angeles", "America/Phoenix", "Pacific/Honolulu"),
    *("Europe/London", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Africa/Cairo", "Asia/Beirut", "America/Havana", "America/Nuuk", "Africa/Casablanca", "Antarctica/Troll"),
    *("Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns", "Asia/Tehran", "America/Sao_Paulo"),
    *("Europe/Istanbul", "Asia/Pyongyang", "America/Caracas", "Europe/Volgograd", "America/Metlakatla"),
]
JURISDICTIONS = ["US", "US-AL", "US-RI", "US-TX", "US-*", "FR", "JP", "DE", "-"]
DAY = Hours((every_day(Window(8 * 60, 21 * 60)),))
WHOLE = Hours((ALWAYS,))

minutes = st.integers(0, WHOLE_DAY)
windows = st.builds(
    lambda pair: Window(min(pair), max(pair)), st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1])
)


def _apart(edges: list[int]) -> Ranges:
    ordered = sorted(edges)
    return tuple(Window(*pair) for pair in zip(ordered[::2], ordered[1::2], strict=False))


ranges = st.lists(minutes, max_size=4, unique=True).map(_apart)
days = st.sampled_from(
    [(), ("2024-03-10", "12-25 observed"), ("nov thu 4", "easter-2", "01-01 moved"), ("2011-12-29",)]
)
dates = st.none() | st.dates(date(2010, 1, 1), date(2036, 12, 31))
schedules = st.builds(
    Schedule, st.tuples(*[ranges] * 7), st.none() | ranges, days, since=dates, until=dates
) | windows.map(every_day)
hours = st.builds(
    lambda of, rules: Hours(tuple(of), rules), st.lists(schedules, max_size=3), st.sampled_from([None, standard()])
)
owns = st.sampled_from(["", "", "", "09:00-17:30", "mon-fri 10:00-12:00, 13:00-24:00; sat-sun closed"])


any_zone = st.sampled_from(ZONES)


@st.composite
def place_texts(draw: st.DrawFn, zone: st.SearchStrategy[str] = any_zone) -> str:
    if draw(st.booleans()):
        return draw(zone)
    return f"{draw(st.sampled_from(JURISDICTIONS))} {draw(zone)} {draw(owns)}".rstrip()


place_sets = st.lists(place_texts(), min_size=1, max_size=3, unique=True).map(tuple)
moments = st.integers(from_datetime(datetime(2010, 1, 1, tzinfo=UTC)), from_datetime(datetime(2037, 1, 1, tzinfo=UTC)))


def _changes(zone: str, first_year: int, last_year: int) -> list[Micros]:
    """The days on which the zone's clock becomes another one."""
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
    first = draw(place_texts(st.just(zone)))
    others = draw(st.lists(place_texts(), max_size=1))
    moment = draw(st.sampled_from(CHANGES[zone])) + draw(st.integers(-6 * HOUR, 30 * HOUR))
    return (first, *others), moment


def _open_by_the_clock(hours: Hours, places: tuple[str, ...], now: Micros) -> bool:
    """Every schedule by itself, at every place."""
    for text in places:
        place = read_place(text)
        local = to_datetime(now).astimezone(ZoneInfo(place.zone))
        holding = list(hours.schedules)
        if hours.rules is not None:
            holding += hours.rules.schedules(place.jurisdiction or hours.rules.of_zone(place.zone) or "-")
        if place.window:
            holding.append(schedule.parse(place.window))
        minute = local.hour * 60 + local.minute
        for of in holding:
            if not any(window.start <= minute < window.end for window in of.on(local.date())):
                return False
    return True


def _check_opens(hours: Hours, places: tuple[str, ...], now: Micros) -> None:
    opens = opens_at(hours, places, now)
    last = opens if opens is not None else now + LOOK_AHEAD_DAYS * 24 * HOUR
    if opens is not None:
        assert opens >= now
        assert _open_by_the_clock(hours, places, opens)
    # Before it there is no open moment: at no full minute, and not right before it.
    first = -(-now // MINUTE) * MINUTE
    step = 5 * MINUTE if last - first < 48 * HOUR else 47 * MINUTE
    assert not any(_open_by_the_clock(hours, places, moment) for moment in range(first, last, step))
    if last > now:
        assert not _open_by_the_clock(hours, places, now)
        assert not _open_by_the_clock(hours, places, last - 1)


def _check_closes(hours: Hours, places: tuple[str, ...], now: Micros) -> None:
    closes = closes_at(hours, places, now)
    if closes is None:
        assert hours.unrestricted
        return
    assert closes > now
    if closes < now + LOOK_AHEAD_DAYS * 24 * HOUR:
        assert not _open_by_the_clock(hours, places, closes)
    assert _open_by_the_clock(hours, places, closes - 1)
    first = -(-now // MINUTE) * MINUTE
    step = 5 * MINUTE if closes - first < 48 * HOUR else 47 * MINUTE
    assert all(_open_by_the_clock(hours, places, moment) for moment in range(first, closes, step))


def _check(hours: Hours, places: tuple[str, ...], now: Micros) -> None:
    assert is_open(hours, places, now) == _open_by_the_clock(hours, places, now)
    _check_opens(hours, places, now)
    if is_open(hours, places, now):
        _check_closes(hours, places, now)


@settings(deadline=None)
@given(hours, place_sets, moments)
def test_opens_at_is_the_first_open_moment_and_closes_at_the_first_closed_one(
    hours: Hours, places: tuple[str, ...], now: Micros
) -> None:
    _check(hours, places, now)


@settings(deadline=None)
@given(hours, around_a_change())
def test_the_same_where_clocks_are_put_forward_and_back(hours: Hours, place: tuple[tuple[str, ...], Micros]) -> None:
    _check(hours, *place)


@settings(deadline=None)
@given(st.data())
def test_simple_hours_are_right_to_the_minute_around_every_change(data: st.DataObject) -> None:
    """With one window a day the moments are near, so that every minute between is looked at."""
    window = data.draw(windows)
    places, now = data.draw(around_a_change())
    _check(Hours((every_day(window),)), tuple(read_place(place).zone for place in places), now)


@given(around_a_change())
def test_daytime_opens_every_day_of_a_change(place: tuple[tuple[str, ...], Micros]) -> None:
    (text, *_), now = place
    opens = opens_at(DAY, (read_place(text).zone,), now)
    assert opens is not None
    assert opens - now <= 35 * HOUR  # Apia once left out a whole day


@settings(deadline=None)
@given(hours, place_sets, moments)
def test_an_opening_leaves_the_carrier_more_than_the_margin(hours: Hours, places: tuple[str, ...], now: Micros) -> None:
    found = opening(hours, places, now)
    if found is None:
        return
    assert found.opens >= now
    assert _open_by_the_clock(hours, places, found.opens)
    if found.closes is not None:
        assert found.closes - found.opens > MARGIN
        assert _open_by_the_clock(hours, places, found.closes - 1)
    first = opens_at(hours, places, now)
    assert first is not None
    assert first <= found.opens


@settings(deadline=None)
@given(st.lists(schedules, max_size=3), schedules, place_sets, moments)
def test_more_rules_never_open_what_fewer_close(
    of: list[Schedule], more: Schedule, places: tuple[str, ...], now: Micros
) -> None:
    """Stricter wins: each of unit, skill, pack and record can only take away."""
    strict = Hours((*of, more), standard())
    if is_open(strict, places, now):
        assert is_open(Hours(tuple(of), None), places, now)
        assert is_open(Hours((more,), None), places, now)
        assert is_open(Hours((), standard()), places, now)
        assert all(is_open(strict, (place,), now) for place in places)


def _at(zone: str, *when: int) -> Micros:
    return from_datetime(datetime(*when, tzinfo=ZoneInfo(zone)))  # type: ignore[arg-type]


def _of(start: int, end: int) -> Hours:
    return Hours((every_day(Window(start, end)),))


def test_an_end_that_the_clock_leaves_out_closes_when_the_clock_jumps() -> None:
    # New York, 10 March 2024: after 01:59 comes 03:00.
    zones = ("America/New_York",)
    window = _of(0, 2 * 60 + 30)
    jump = from_datetime(datetime(2024, 3, 10, 7, 0, tzinfo=UTC))
    assert closes_at(window, zones, jump - HOUR) == jump
    assert not is_open(window, zones, jump)


def test_a_start_that_the_clock_leaves_out_opens_when_the_clock_jumps() -> None:
    zones = ("America/New_York",)
    window = _of(2 * 60 + 30, 12 * 60)
    jump = from_datetime(datetime(2024, 3, 10, 7, 0, tzinfo=UTC))
    assert opens_at(window, zones, jump - HOUR) == jump


def test_an_hour_that_comes_twice_opens_twice() -> None:
    # New York, 3 November 2024: 01:00-01:59 comes twice.
    zones = ("America/New_York",)
    window = _of(60, 90)
    first = from_datetime(datetime(2024, 11, 3, 5, 0, tzinfo=UTC))
    assert opens_at(window, zones, first - HOUR) == first
    assert closes_at(window, zones, first) == first + HOUR // 2
    assert opens_at(window, zones, first + HOUR // 2) == first + HOUR
    assert closes_at(window, zones, first + HOUR) == first + HOUR + HOUR // 2


def test_half_an_hour_that_comes_twice_on_lord_howe() -> None:
    # 7 April 2024: 01:30-01:59 comes twice, half an hour apart.
    zones = ("Australia/Lord_Howe",)
    window = _of(90, 105)
    first = from_datetime(datetime(2024, 4, 6, 14, 30, tzinfo=UTC))
    assert opens_at(window, zones, first - HOUR) == first
    assert closes_at(window, zones, first) == first + HOUR // 4
    assert opens_at(window, zones, first + HOUR // 4) == first + HOUR // 2


def test_the_day_that_apia_left_out_is_no_day() -> None:
    """There was no Friday, 30 December 2011: hours of Fridays only open a week later."""
    fridays = Hours((schedule.parse("fri 09:00-17:00"),))
    assert opens_at(fridays, ("Pacific/Apia",), _at("Pacific/Apia", 2011, 12, 29, 12)) == _at(
        "Pacific/Apia", 2012, 1, 6, 9
    )


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
    now = _at("Asia/Tokyo", 2024, 6, 3, 10)
    assert opens_at(_of(9 * 60, 17 * 60), zones, now) is None
    assert opening(_of(9 * 60, 17 * 60), zones, now) is None


def test_a_window_that_is_shorter_than_the_margin_never_opens() -> None:
    zones = ("Asia/Tokyo",)
    now = _at("Asia/Tokyo", 2024, 6, 3, 8)
    assert opens_at(_of(540, 541), zones, now) == now + HOUR
    assert opening(_of(540, 541), zones, now) is None
    assert opening(_of(540, 542), zones, now) == (now + HOUR, now + HOUR + 2 * MINUTE)


def test_in_the_last_minute_of_a_window_the_next_one_is_told() -> None:
    zones = ("Asia/Tokyo",)
    last = _at("Asia/Tokyo", 2024, 6, 3, 21) - MARGIN
    assert opening(DAY, zones, last - 1) == (last - 1, last + MARGIN)
    assert opening(DAY, zones, last) == (last + 11 * HOUR + MARGIN, last + 24 * HOUR + MARGIN)


@pytest.mark.parametrize("rules", [None, standard()])
@pytest.mark.parametrize("zones", [(), ("Nowhere/Atlantis",), ("",), ("../etc/passwd",), ("America",), ("x" * 300,)])
@given(now=moments, window=windows)
def test_a_zone_that_nobody_knows_is_never_open(
    rules: Rulebook | None, zones: tuple[str, ...], now: Micros, window: Window
) -> None:
    known = window == (0, WHOLE_DAY) and rules is None
    held = Hours((every_day(window),), rules)
    assert is_open(held, zones, now) is known
    assert opens_at(held, zones, now) == (now if known else None)


@pytest.mark.parametrize("other", ["Nowhere/Atlantis", "US-NY Nowhere/Atlantis", "- Asia/Tokyo at noon"])
def test_an_unknown_zone_beside_a_known_one_is_never_open(other: str) -> None:
    zones = ("America/New_York", other)
    assert not is_open(DAY, zones, _at("America/New_York", 2024, 6, 3, 12))
    assert opens_at(DAY, zones, _at("America/New_York", 2024, 6, 3, 12)) is None


@given(zones=st.sampled_from([(), ("Nowhere/Atlantis",), ("Asia/Tokyo",)]), now=moments)
def test_where_nothing_restricts_it_is_open_everywhere(zones: tuple[str, ...], now: Micros) -> None:
    assert is_open(WHOLE, zones, now)
    assert opens_at(WHOLE, zones, now) == now
    assert closes_at(WHOLE, zones, now) is None
    assert opening(WHOLE, zones, now) == (now, None)


def test_the_contacts_own_window_holds_where_nothing_else_restricts() -> None:
    places = ("- Asia/Tokyo 09:00-12:00",)
    assert opens_at(WHOLE, places, _at("Asia/Tokyo", 2024, 6, 3, 13)) == _at("Asia/Tokyo", 2024, 6, 4, 9)


# ------------------------------------------------------------------ the rules of places

BY_PLACE = Hours((), standard())
MONDAY, SATURDAY, SUNDAY = (2026, 6, 8), (2026, 6, 13), (2026, 6, 14)


@pytest.mark.parametrize(
    ("state", "day", "opens", "closes"),
    [
        ("US", MONDAY, 8, 21),
        ("US-NY", SUNDAY, 8, 21),
        *((f"US-{state}", MONDAY, 8, 20) for state in ("FL", "OK", "WA", "MD", "MS", "NJ", "AL", "LA", "MA")),
        *((f"US-{state}", SUNDAY, 8, 20) for state in ("FL", "OK", "WA", "MD", "MS", "NJ", "MA")),
        ("US-AL", (2026, 6, 1), None, None),  # a holiday of the state
        ("US-AL", SUNDAY, None, None),
        ("US-LA", SUNDAY, None, None),
        ("US-AL", (2026, 7, 3), None, None),  # the Fourth is a Saturday: it is observed on Friday
        ("US-AL", (2026, 7, 4), None, None),
        ("US-LA", (2027, 2, 9), None, None),  # Mardi Gras
        ("US-CT", MONDAY, 9, 20),
        ("US-NV", SUNDAY, 9, 20),
        ("US-KY", MONDAY, 10, 21),
        ("US-RI", MONDAY, 9, 18),
        ("US-RI", SATURDAY, 10, 17),
        ("US-RI", SUNDAY, 10, 17),
        ("US-TX", SATURDAY, 9, 21),
        ("US-TX", SUNDAY, 12, 21),
        ("US-*", MONDAY, 10, 18),
        ("US-*", SUNDAY, None, None),
        ("JP", SUNDAY, 8, 21),
        ("GB", MONDAY, 8, 21),
        ("CA-ON", SATURDAY, 10, 18),
        ("FR", SUNDAY, None, None),
        ("FR", (2026, 7, 14), None, None),
        ("IN", MONDAY, 10, 21),
        ("AU", SATURDAY, 9, 17),
        ("AU", (2026, 4, 3), None, None),  # Good Friday
        ("DE", SUNDAY, 0, 24),  # no rule is known: only unit, skill and contact restrict
    ],
)
def test_hours_by_jurisdiction(state: str, day: tuple[int, int, int], opens: int | None, closes: int | None) -> None:
    midnight = _at("America/New_York", *day)
    found = [hour for hour in range(24) if is_open(BY_PLACE, (f"{state} America/New_York",), midnight + hour * HOUR)]
    assert found == ([] if opens is None or closes is None else list(range(opens, closes)))


def test_an_old_lists_zone_has_the_rules_of_its_country() -> None:
    night = _at("America/New_York", 2026, 6, 1, 22)
    assert not is_open(BY_PLACE, ("America/New_York",), night)
    assert is_open(BY_PLACE, ("Europe/Berlin",), night)
    assert is_open(BY_PLACE, ("UTC",), night)


def test_a_rule_holds_from_its_day_on() -> None:
    text = """version = "1"
[[jurisdiction]]
code = "DE"
name = "Germany"
hours = "10:00-12:00"
since = 2026-06-02
until = 2026-06-04
basis = "custom"
source = "a test"
"""
    rules = Hours((), read([PackFile("own.toml", text)]))
    early = [is_open(rules, ("DE Europe/Berlin",), _at("Europe/Berlin", 2026, 6, day, 9)) for day in (1, 2, 3, 4)]
    assert early == [True, False, False, True]
