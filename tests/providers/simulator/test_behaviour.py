"""The decisions of the simulated SMSC, and what it refuses to be told."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.providers.simulator import Behaviour, Rule
from todoke.providers.simulator.behaviour import Fate, Throttle, draw_fate, judge


@given(limit=st.integers(1, 20), gaps=st.lists(st.floats(0, 0.5), max_size=80))
def test_a_throttle_never_admits_more_in_a_second(limit: int, gaps: list[float]) -> None:
    throttle, now = Throttle(), 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap
        if throttle.admit(limit, now):
            admitted.append(now)
        else:
            assert sum(now - 1.0 < at <= now for at in admitted) == limit, "it refuses only when it must"
    for end in admitted:
        assert sum(end - 1.0 < at <= end for at in admitted) <= limit


def test_without_a_limit_all_are_admitted() -> None:
    throttle = Throttle()
    assert all(throttle.admit(None, 1.0) for _ in range(100))


def test_the_first_rule_that_strikes_wins() -> None:
    behaviour = Behaviour(rules=(Rule(destination="81*", status=0x45), Rule(state="EXPIRED", error="042")))
    assert judge(behaviour, "on", "8190", Random(1), 1).status == 0x45
    other = judge(behaviour, "on", "1202", Random(1), 1)
    assert (other.status, other.state, other.error) == (0, "EXPIRED", "042")


def test_a_share_of_numbers_is_the_same_numbers_every_time() -> None:
    behaviour = Behaviour(rules=(Rule(ratio=0.2, state="UNDELIV"),))
    numbers = [str(81_90_0000_0000 + number) for number in range(2000)]
    runs = [
        {number for number in numbers if judge(behaviour, "on", number, Random(draw), 1).state == "UNDELIV"}
        for draw in (1, 2)
    ]
    assert runs[0] == runs[1]
    assert 300 < len(runs[0]) < 500


def test_a_share_of_submits_is_drawn() -> None:
    behaviour = Behaviour(rules=(Rule(ratio=0.5, by="submit", status=0x08),))
    rng = Random(1)
    assert {judge(behaviour, "on", "8190", rng, 1).status for _ in range(50)} == {0, 0x08}


def test_fates() -> None:
    rng = Random(1)
    assert draw_fate(Behaviour(), 1, rng) is Fate.ANSWERED
    assert draw_fate(Behaviour(drop_after=3), 2, rng) is Fate.ANSWERED
    assert draw_fate(Behaviour(drop_after=3), 3, rng) is Fate.DROPPED
    assert draw_fate(Behaviour(lose_response_ratio=1.0), 1, rng) is Fate.LOST


@pytest.mark.parametrize(
    ("given_fields", "expected"),
    [
        ({"queue_full_ratio": 1.5}, r"<= 1\.0 - at `\$\.queue_full_ratio`"),
        ({"throttle": 0}, "throttle"),
        ({"receipt_styles": ["fancy"]}, "knows no 'fancy'; the styles are standard, "),
        ({"receipt_styles": []}, "name at least one style"),
        ({"rules": [{}]}, r"either a status .* or a state .* - at `\$\.rules"),
        ({"rules": [{"status": 1, "state": "EXPIRED"}]}, "either a status"),
        ({"rules": [{"state": "EXPIRED", "error": "four"}]}, "error"),
        ({"recipts": True}, "unknown field `recipts`"),
    ],
)
def test_wrong_settings_name_their_field(given_fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=expected):
        msgspec.convert(given_fields, Behaviour)
