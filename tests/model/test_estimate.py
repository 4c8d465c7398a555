"""Segments, money and time, from what was measured."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.calling_window import Window
from todoke.model.estimate import Binding, Foreseen, SendingTime, Terms, estimate, sending_time
from todoke.sms.measuring import Measured

DAY = 86_400
WHOLE = Window(0, 1440)
TERMS = Terms("72345", 100.0, WHOLE)
MEASURED = Measured(Counter({1: 60, 2: 20, 4: 10}), 30, Counter({"missing_field": 10}))


def all_of(contacts: int) -> Foreseen:
    return Foreseen(contacts, {}, {})


def test_what_was_measured_as_a_whole_is_exact() -> None:
    found = estimate(all_of(100), MEASURED, TERMS._replace(price=Decimal("0.0079"), currency="USD"))

    assert (found.exact, found.measured, found.messages, found.segments) == (True, 100, 90, 140)
    assert (found.fewest, found.most, round(found.mean, 3), round(found.ucs2, 3)) == (1, 4, 1.556, 0.333)
    assert (found.cost, found.currency) == (Decimal("1.11"), "USD")
    assert found.skipped == {"missing_field": 10}


def test_a_sample_is_scaled_and_marked() -> None:
    found = estimate(all_of(1_000_000), MEASURED, TERMS)

    assert (found.exact, found.measured, found.messages, found.segments) == (False, 100, 900_000, 1_400_000)
    assert found.skipped == {"missing_field": 100_000}
    assert (found.cost, found.currency) == (None, None)
    assert any("What a segment costs is not declared" in sentence for sentence in found.assumptions)


def test_who_is_not_texted_is_not_measured_and_not_scaled() -> None:
    measured = Measured(MEASURED.segments, 30, MEASURED.skipped, Counter({"cap": 3}))
    found = estimate(Foreseen(1_500, {"filtered": 900, "cap": 0, "dnc": 400}, {"window": 3, "cap": 9}), measured, TERMS)

    assert (found.contacts, found.exact, found.measured, found.messages) == (1_500, False, 100, 180)
    assert list(found.skipped.items()) == [("filtered", 900), ("dnc", 400), ("missing_field", 20)]
    assert list(found.waiting.items()) == [("cap", 3), ("window", 3)]
    assert found.messages + sum(found.skipped.values()) == found.contacts


def test_without_terms_there_is_neither_cost_nor_time() -> None:
    found = estimate(all_of(100), MEASURED, None)

    assert (found.cost, found.time, found.assumptions) == (None, None, ())


def test_nobody_measured_is_no_message() -> None:
    found = estimate(all_of(0), Measured(), TERMS)

    assert (found.messages, found.segments, found.mean, found.exact) == (0, 0, 0.0, True)
    assert found.time == SendingTime(0.0, 0.0, 0, Binding.PACE)


@pytest.mark.parametrize(
    ("terms", "pace"),
    [
        (TERMS, 97.0),
        (TERMS._replace(provider_rate=50.0), 48.0),
        (TERMS._replace(unit_rate=10.0, provider_rate=50.0), 9.6),
        (TERMS._replace(provider_rate=1000.0), 97.0),
    ],
)
def test_the_slowest_limit_is_the_pace(terms: Terms, pace: float) -> None:
    assert terms.pace == pytest.approx(pace)


TIMES = [
    # 97 a second: 349,200 an hour
    (TERMS, 349_200, SendingTime(3600.0, 3600.0, 1, Binding.PACE)),
    (TERMS, 349_200 * 30, SendingTime(108_000.0, 108_000.0, 2, Binding.PACE)),
    (TERMS._replace(window=Window(540, 660)), 698_400, SendingTime(7200.0, 7200.0, 1, Binding.PACE)),
    (TERMS._replace(window=Window(540, 660)), 698_400 + 97, SendingTime(7201.0, DAY + 1.0, 2, Binding.WINDOW)),
    (TERMS._replace(window=Window(540, 660)), 698_400 * 3, SendingTime(21_600.0, 2 * DAY + 7200.0, 3, Binding.WINDOW)),
    (TERMS._replace(caps=(("x", 9700),)), 9700, SendingTime(100.0, 100.0, 1, Binding.PACE)),
    (TERMS._replace(caps=(("x", 97_000), ("y", 9700))), 19_497, SendingTime(201.0, 2 * DAY + 1.0, 3, Binding.CAP)),
    (TERMS._replace(caps=(("x", 10**12),)), 349_200 * 30, SendingTime(108_000.0, 108_000.0, 2, Binding.PACE)),
    (
        TERMS._replace(caps=(("x", 10**9),), window=Window(540, 660)),
        698_400 + 97,
        SendingTime(7201.0, DAY + 1.0, 2, Binding.WINDOW),
    ),
]


@pytest.mark.parametrize(("terms", "segments", "expected"), TIMES)
def test_time_by_pace_window_and_cap(terms: Terms, segments: int, expected: SendingTime) -> None:
    found = sending_time(segments, terms)

    assert found.sending == pytest.approx(expected.sending)
    assert found.elapsed == pytest.approx(expected.elapsed)
    assert (found.days, found.binding) == (expected.days, expected.binding)


def test_what_is_taken_for_granted_is_said() -> None:
    terms = Terms(
        "15551230001", 1.0, Window(480, 1260), caps=(("the brand Acme", 2000),), price=Decimal(1), expiry_hours=24
    )

    said = " ".join(estimate(all_of(10_000), MEASURED, terms).assumptions)

    assert "13 hours a day, as if all contacts were in one time zone" in said
    assert "The daily cap of the brand Acme, 2,000 segments" in said
    assert "would expire after 24 hours" in said
    assert "not declared" not in said


@given(
    st.integers(0, 10**7),
    st.floats(0.1, 1000),
    st.integers(0, 1438),
    st.integers(1, 1440),
    st.none() | st.integers(1, 10**6),
)
def test_times_make_sense(segments: int, rate: float, start: int, length: int, cap: int | None) -> None:
    window = Window(start, min(1440, start + length))
    caps = () if cap is None else (("x", cap),)
    found = sending_time(segments, Terms("x", rate, window, caps=caps))

    assert found.elapsed >= found.sending * 0.999 or found.days > 1
    assert found.days >= segments / (cap or math.inf)
    assert found.elapsed <= found.days * DAY
    assert sending_time(segments + 1, Terms("x", rate, window, caps=caps)).elapsed > found.elapsed
