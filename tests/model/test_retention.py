from __future__ import annotations

from hypothesis import given
from tests.model.test_consent import FACTS

from todoke.model.consent import Act, Fact, Kind
from todoke.model.retention import DAY, EVIDENCE, KEPT, Data, cutoff, is_over


def test_what_has_no_days_is_kept() -> None:
    assert cutoff(None, Data.REPLIES, 10 * DAY) is None
    assert cutoff({"events": 3}, Data.REPLIES, 10 * DAY) is None
    assert cutoff({"replies": 3}, Data.REPLIES, 10 * DAY) == 7 * DAY


def test_evidence_is_kept_three_years() -> None:
    assert {KEPT[data].least for data in (Data.CONSENTS, Data.OPT_OUTS)} == {EVIDENCE}
    assert EVIDENCE * DAY >= (3 * 365 + 1) * DAY


@given(FACTS)
def test_what_still_stands_is_never_over(facts: list[Fact]) -> None:
    assert not is_over([*facts, Fact(Act.GIVEN, 99, Kind.EXPRESS)], 1_000)


def test_consent_is_over_so_long_after_it_ended() -> None:
    given_at_5 = Fact(Act.GIVEN, 5, Kind.EXPRESS)
    lapsed = given_at_5._replace(expires_at=8)
    revoked = Fact(Act.REVOKED, 7)
    assert [is_over([given_at_5, revoked], before) for before in (7, 8)] == [False, True]
    assert [is_over([lapsed], before) for before in (8, 9)] == [False, True]
    assert not is_over([given_at_5], 1_000)
