"""The automata say what `re` says, and of what may follow, too."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.sms.deciding_digits import all_patterns
from todoke.sms.digit_patterns import ALL, NONE, SOME, Pattern

DIGITS = st.text("0123456789", max_size=12)
REAL = sorted(set(all_patterns()))
SMALL = st.recursive(
    st.sampled_from(["0", "1", "\\d", "[01]", "[2-9]"]),
    lambda inner: st.one_of(
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{})?".format, inner),
        st.builds("({}){{1,2}}".format, inner),
    ),
    max_leaves=5,
)


@given(st.sampled_from(REAL), DIGITS)
def test_the_patterns_of_the_library_are_read(pattern: str, digits: str) -> None:
    automaton = Pattern(pattern)

    whole = automaton.share(automaton.after(digits), 0)

    assert (whole == ALL) == (re.fullmatch(pattern, digits) is not None)


@given(SMALL, st.text("012", max_size=2), st.integers(0, 2))
def test_how_many_of_the_numbers_that_begin_so_match(pattern: str, beginning: str, more: int) -> None:
    automaton = Pattern(pattern)
    numbers = [beginning + "".join(rest) for rest in product("0123456789", repeat=more)]
    matching = sum(1 for number in numbers if re.fullmatch(pattern, number))

    share = automaton.share(automaton.after(beginning), more)

    assert share == (NONE if matching == 0 else ALL if matching == len(numbers) else SOME)


@given(SMALL, st.booleans(), st.text("012", max_size=2), st.integers(0, 2))
def test_whether_a_match_may_end_later(pattern: str, at_end: bool, beginning: str, more: int) -> None:
    if at_end:
        pattern = f"(?:{pattern})$"
    automaton = Pattern(pattern)
    ends = {
        len(beginning) + length
        for rest in product("0123456789", repeat=more)
        for length in range(1, more + 1)
        if re.fullmatch(pattern, (number := beginning + "".join(rest))[: len(beginning) + length])
        and (not at_end or len(beginning) + length == len(number))
    }

    assert automaton.may_match_later(automaton.after(beginning), more) == bool(ends)


@pytest.mark.parametrize("pattern", ["a", "(1", "1)", "[a]", "(?=1)2", "\\w"])
def test_what_is_not_of_a_numbering_plan_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read|substring"):
        Pattern(pattern)
