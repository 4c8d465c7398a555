"""Who sends what: the units, their codes and buckets, their runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.model.load import BUCKETS, Load, by_zone, make_units, start_runs
from hypothesis import given
from hypothesis import strategies as st


@given(contacts=st.integers(0, 10**9), weights=st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_the_contacts_of_a_run_by_zone_add_up(contacts: int, weights: list[float]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    parts = by_zone(contacts, shares)
    assert sum(parts) == contacts
    assert all(part >= 0 and abs(part - contacts * share) <= 1 for part, share in zip(parts, shares, strict=True))


@pytest.mark.parametrize("messages", [1, 999, 1_000_000])
@pytest.mark.parametrize("units", [1, 7, 500])
def test_runs_are_of_all_messages_and_of_no_more(messages: int, units: int) -> None:
    load = Load(messages=messages, units=units)
    made = make_units(load)
    start_runs(load, made)
    assert sum(unit.contacts for unit in made) == messages
    assert all(size > 0 for unit in made for _, size in unit.runs)


def test_who_sends_more_than_an_even_share_has_a_bucket_of_its_own() -> None:
    units = make_units(Load(units=2_000, skew=1.2))
    large = [unit for unit in units if unit.share > 1 / BUCKETS]
    assert 1 < len(large) < BUCKETS
    for unit in large:
        assert [other.number for other in units if other.bucket == unit.bucket] == [unit.number]
    assert {unit.bucket for unit in units} == set(range(BUCKETS))


def test_codes_carry_what_their_unit_sends_at_the_peak() -> None:
    load = Load(messages=100_000_000, units=300)
    for unit in make_units(load):
        wanted = unit.share * load.contracted
        assert unit.rate * load.segments <= unit.codes * unit.code_rate * 0.97 + 1e-6
        assert unit.rate >= min(wanted, unit.rate)
        assert unit.rate * load.segments / unit.accounts <= load.account_rate + 1e-6


def test_a_steeper_law_makes_the_first_larger() -> None:
    even, steep = (make_units(replace(Load(), units=100, skew=skew))[0].share for skew in (0.0, 1.5))
    assert even == pytest.approx(0.01)
    assert steep > 0.3
