"""Rule packs: read with every mistake told, a later one in the place of an earlier, stricter of state and country."""

from __future__ import annotations

from datetime import date

import pytest

from todoke.compliance.hours import hours_of
from todoke.compliance.jurisdiction import Cap
from todoke.compliance.rulebook import PackFile, PackInvalid, read, standard
from todoke.compliance.windows import is_open
from todoke.model.calling_window import WHOLE_DAY, Window
from todoke.model.clock import from_datetime, to_datetime
from todoke.model.declared_hours import DeclaredHours
from todoke.model.errors import NotFound
from todoke.model.schedule import NEVER, parse

HEAD = 'version = "7"\n'
TEXAS = """
[[jurisdiction]]
code = "US-TX"
name = "Texas"
hours = "mon-fri 10:00-16:00"
basis = "law"
source = "our counsel, May 2026"
"""
ALL_DAY = Window(0, WHOLE_DAY)
NOON = from_datetime(to_datetime(0).replace(year=2026, month=6, day=8, hour=17))  # in New York and Chicago


def test_every_built_in_rule_says_where_it_is_from() -> None:
    rules = list(standard())
    assert len(rules) > 20
    for rule in rules:
        assert rule.jurisdiction.source in rule.cited
        assert rule.version in rule.cited
        assert rule.schedule is not None
        assert not rule.schedule.never
    assert len({rule.jurisdiction.code for rule in rules}) == len(rules)


def test_caps_are_data() -> None:
    cap = Cap(messages=3, hours=24, about="subject")
    assert standard().caps("US-FL") == standard().caps("US-OK") == (cap,)
    assert standard().caps("US-*") == (cap,)
    assert standard().caps("US-NY") == standard().caps("JP") == ()


def test_a_pack_of_the_installation_takes_the_place_of_a_built_in_rule() -> None:
    book = read([PackFile("own.toml", HEAD + TEXAS)])
    (federal, own) = book.of("US-TX")
    assert (federal.file, own.file, own.version) == ("built-in us.toml", "own.toml", "7")
    assert own.schedule == parse("mon-fri 10:00-16:00")
    assert book.of("US-FL") == standard().of("US-FL")


def test_the_last_pack_wins_and_several_rules_of_a_file_hold_together() -> None:
    first = HEAD + TEXAS
    second = HEAD + TEXAS.replace("10:00", "11:00") + TEXAS.replace("16:00", "15:00")
    rules = read([PackFile("a.toml", first), PackFile("b.toml", second)]).of("US-TX")
    assert [rule.file for rule in rules] == ["built-in us.toml", "b.toml", "b.toml"]
    assert len(read([PackFile("a.toml", first), PackFile("b.toml", second)]).schedules("US-TX")) == 3


def test_every_mistake_is_told_with_its_line() -> None:
    text = """version = "1"
verison = "2"
[[jurisdiction]]
code = "Texas"
name = "Texas"
hours = "mon 25-26"
basis = "law"
source = "x"
[[jurisdiction]]
code = "US-TX"
name = "Texas"
hours = "mon 8-9; holidays closed"
basis = "rumour"
source = "x"
[[jurisdiction]]
code = "US-TX"
name = "Texas"
hours = "mon 8-9; holidays closed"
basis = "law"
source = "x"
[[jurisdiction]]
code = "US-TX"
name = "Texas"
hours = "mon 8-9; frei 9-10"
holidays = ["XX", "13-45"]
basis = "law"
source = "x"
[[calendar]]
name = "US"
days = ["easter monday"]
source = "x"
"""
    with pytest.raises(PackInvalid) as said:
        read([PackFile("own.toml", text)])
    told = [(problem.where.split(":")[1], problem.where.split(".")[-1]) for problem in said.value.problems]
    assert [line for line, _ in told] == ["2", "4", "13", "18", "24", "25", "25", "30"]
    assert all(problem.fix for problem in said.value.problems)


def test_what_is_no_toml_is_told() -> None:
    with pytest.raises(PackInvalid, match=r"own\.toml"):
        read([PackFile("own.toml", "version = ")])


def test_a_version_is_required() -> None:
    with pytest.raises(PackInvalid, match="version"):
        read([PackFile("own.toml", TEXAS)])


def test_days_of_calendars_rules_and_single_days() -> None:
    days = standard().days(["US", "2026-12-24", "easter-2"])
    assert {"nov thu 4", "2026-12-24", "easter-2"} <= set(days)
    with pytest.raises(NotFound, match="ZZ"):
        standard().days(["ZZ"])


# ------------------------------------------------------------------ what unit and skill declare


def _open(declared: DeclaredHours, place: str = "US-TX America/Chicago", window: Window = ALL_DAY) -> bool:
    return is_open(hours_of(declared, window, standard()), (place,), NOON)


def test_unit_skill_and_place_must_all_be_open() -> None:
    assert _open(DeclaredHours())
    assert not _open(DeclaredHours(unit="08:00-11:00"))
    assert not _open(DeclaredHours(skill="08:00-11:00"))
    assert not _open(DeclaredHours(), window=Window(0, 60))
    assert not _open(DeclaredHours(unit_rules="none"), "US-TX America/Chicago 08:00-09:00")
    assert not _open(DeclaredHours(), "US-RI Asia/Tokyo")
    assert _open(DeclaredHours(unit_rules="none"), "US-RI Asia/Tokyo")


def test_a_skill_may_leave_the_rules_of_places_aside_or_name_one() -> None:
    assert _open(DeclaredHours(skill_rules="none"), "US-RI Asia/Tokyo")
    assert not _open(DeclaredHours(unit_rules="none", skill_rules="auto"), "US-RI Asia/Tokyo")
    assert not _open(DeclaredHours(unit_rules="US-RI"), "DE Asia/Tokyo")
    assert not _open(DeclaredHours(skill_rules="US-RI"), "US Asia/Tokyo")


def test_holidays_of_the_unit_are_closed_unless_its_window_says_otherwise() -> None:
    assert _open(DeclaredHours(holidays=("2026-06-09",)))
    assert not _open(DeclaredHours(holidays=("2026-06-08",)))
    assert _open(DeclaredHours(unit="00-24; holidays 11:00-13:00", holidays=("06-08",)))
    assert not _open(DeclaredHours(skill="00-24; holidays closed", unit="00-24; holidays 11-13", holidays=("06-08",)))


@pytest.mark.parametrize("declared", [DeclaredHours(holidays=("ZZ",)), DeclaredHours(unit_rules="ZZ")])
def test_what_is_gone_is_never_open(declared: DeclaredHours) -> None:
    """A calendar or jurisdiction of a pack that somebody took away: nobody knows what it would have said."""
    assert not _open(declared)
    assert NEVER in hours_of(declared, ALL_DAY, standard()).schedules


def test_nothing_restricts_only_without_rules() -> None:
    assert hours_of(DeclaredHours(unit_rules="none"), ALL_DAY, standard()).unrestricted
    assert not hours_of(DeclaredHours(), ALL_DAY, standard()).unrestricted
    assert not hours_of(DeclaredHours(unit_rules="none"), Window(480, 1260), standard()).unrestricted


def test_holidays_of_american_calendars() -> None:
    from todoke.model.holidays import is_holiday

    days = standard().days(["US"])
    for day in (date(2026, 1, 19), date(2026, 7, 3), date(2026, 11, 26), date(2027, 12, 31), date(2027, 7, 5)):
        assert is_holiday(days, day), day
    assert not is_holiday(days, date(2026, 7, 6))
