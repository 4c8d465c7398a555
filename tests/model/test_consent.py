"""The fold of the consent ledger: what stands of what was given and revoked."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.consent import ANY, Act, Fact, Kind, Record, Required, allows, digest, of_reply, serves, standing

WORDS = st.sampled_from(["", "marketing", "alerts", ANY])
GIVEN = st.builds(
    Fact,
    st.just(Act.GIVEN),
    st.integers(0, 20),
    st.sampled_from(Kind),
    WORDS,
    WORDS,
    st.just("sms"),
    st.none() | st.integers(0, 30),
)
REVOKED = st.builds(
    Fact, st.just(Act.REVOKED), st.integers(0, 20), st.none(), WORDS, WORDS, st.sampled_from(["", "sms"])
)
FACTS = st.lists(st.one_of(GIVEN, REVOKED), max_size=12)
REQUIRED = st.builds(
    Required, st.sampled_from(Kind), st.sampled_from(["", "marketing"]), st.sampled_from(["", "alerts"])
)

WRITTEN = Fact(Act.GIVEN, 5, Kind.EXPRESS_WRITTEN, "club", "marketing")


@given(FACTS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(facts: list[Fact], rng: random.Random) -> None:
    mixed = list(facts)
    rng.shuffle(mixed)
    assert standing(mixed) == standing(facts)


@given(FACTS)
def test_rows_that_are_recorded_twice_change_nothing(facts: list[Fact]) -> None:
    assert set(standing(facts + facts)) == set(standing(facts))


@given(FACTS, st.integers(0, 20))
def test_a_revocation_of_everything_leaves_nothing_that_was_given_until_then(facts: list[Fact], at: int) -> None:
    left = standing([*facts, Fact(Act.REVOKED, at)])
    assert all(fact.at > at for fact in left)


@given(FACTS, REVOKED)
def test_a_revocation_never_adds_anything(facts: list[Fact], revoked: Fact) -> None:
    assert set(standing([*facts, revoked])) <= set(standing(facts))


@given(FACTS, REQUIRED, st.integers(0, 30))
def test_what_is_allowed_is_what_stands_and_serves(facts: list[Fact], required: Required, now: int) -> None:
    assert allows(facts, required, now) is any(serves(fact, required, now) for fact in standing(facts))


@given(FACTS, REQUIRED, st.integers(0, 30))
def test_what_serves_a_higher_kind_serves_every_lower_one(facts: list[Fact], required: Required, now: int) -> None:
    if allows(facts, required, now):
        assert all(allows(facts, required._replace(kind=kind), now) for kind in Kind if kind <= required.kind)


@given(FACTS, REQUIRED, st.integers(0, 30))
def test_what_names_a_purpose_asks_for_more_than_what_names_none(
    facts: list[Fact], required: Required, now: int
) -> None:
    if allows(facts, required, now):
        assert allows(facts, required._replace(purpose="", programme=""), now)


@pytest.mark.parametrize(
    ("required", "answer"),
    [
        (Required(Kind.EXPRESS_WRITTEN), True),
        (Required(Kind.IMPLIED, "marketing"), True),
        (Required(Kind.EXPRESS, "marketing", "club"), True),
        (Required(Kind.EXPRESS, "alerts"), False),
        (Required(Kind.EXPRESS, "marketing", "shifts"), False),
    ],
)
def test_consent_serves_the_purpose_that_it_was_given_for(required: Required, answer: bool) -> None:
    assert allows([WRITTEN], required, 6) is answer


def test_consent_does_not_serve_before_it_is_given_nor_when_it_has_lapsed() -> None:
    lapses = WRITTEN._replace(expires_at=10)
    assert [allows([lapses], Required(Kind.EXPRESS), now) for now in (4, 5, 9, 10)] == [False, True, True, False]


def test_a_revocation_for_one_purpose_leaves_the_other() -> None:
    alerts = Fact(Act.GIVEN, 5, Kind.EXPRESS, "club", "alerts")
    revoked = Fact(Act.REVOKED, 7, None, "", "marketing")
    assert standing([WRITTEN, alerts, revoked]) == [alerts]


def test_consent_without_a_purpose_ends_with_any_revocation_and_serves_no_purpose_that_is_named() -> None:
    plain = Fact(Act.GIVEN, 5, Kind.EXPRESS)
    assert not allows([plain], Required(Kind.IMPLIED, "marketing"), 6)
    assert standing([plain, Fact(Act.REVOKED, 6, None, "", "marketing")]) == []


def test_a_revocation_at_the_same_moment_wins() -> None:
    assert standing([WRITTEN, Fact(Act.REVOKED, WRITTEN.at)]) == []


def test_stop_revokes_and_start_is_express_consent_for_all_purposes() -> None:
    stop, start = of_reply("out", 7, replied=True), of_reply("in", 9, replied=True)
    assert stop is not None
    assert start is not None
    assert not allows([WRITTEN, stop], Required(Kind.IMPLIED), 8)
    assert allows([WRITTEN, stop, start], Required(Kind.EXPRESS, "marketing"), 10)
    assert not allows([WRITTEN, stop, start], Required(Kind.EXPRESS_WRITTEN), 10), "START does not bring it back"


def test_a_person_who_takes_a_number_off_a_list_gives_no_consent_for_it() -> None:
    assert of_reply("in", 9, replied=False) is None
    assert of_reply("out", 9, replied=False) is not None


def test_the_digest_depends_on_every_word() -> None:
    record = Record(15551234567, Act.GIVEN, Kind.EXPRESS, 5, disclosure="I agree.")
    seen = {digest(1, record, "h"), digest(2, record, "h"), digest(1, record, "other")}
    for name in Record._fields[4:]:
        if name not in ("disclosure", "expires_at"):
            seen.add(digest(1, record._replace(**{name: "changed"}), "h"))
    seen |= {digest(1, record._replace(expires_at=6), "h"), digest(1, record._replace(phone=1), "h")}
    assert len(seen) == 3 + 15 + 2
