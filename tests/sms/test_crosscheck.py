from __future__ import annotations

import pytest

from todoke.sms.crosscheck import Answer, CrossCheck, Mismatch
from todoke.sms.numbers import Kind, Phone, PhoneError


class Stub:
    """Reads digits as a number, but for one that it gets wrong."""

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.seen: list[str] = []

    def read(self, raw: str) -> Answer:
        self.seen.append(raw)
        if raw == self.wrong:
            return PhoneError("not_valid")
        return Phone(int(raw), "JP", Kind.MOBILE, ())


NUMBERS = [str(number) for number in range(819000000000, 819000000010)]


def e164s(answers: list[Answer]) -> list[object]:
    return [answer.e164 if isinstance(answer, Phone) else answer.reason for answer in answers]


@pytest.mark.parametrize("many", [False, True])
def test_the_first_and_every_nth_number_is_checked(many: bool):
    fast, reference = Stub(), Stub()
    check = CrossCheck(fast, reference, check_every=4)
    answers = check.read_many(NUMBERS) if many else [check.read(raw) for raw in NUMBERS]
    assert e164s(answers) == [int(raw) for raw in NUMBERS]
    assert fast.seen == NUMBERS
    assert reference.seen == [NUMBERS[0], NUMBERS[4], NUMBERS[8]]
    assert check.mismatch is None


def test_batches_continue_the_count():
    reference = Stub()
    check = CrossCheck(Stub(), reference, check_every=4)
    for raw in NUMBERS:
        check.read_many([raw])
        check.read_many([])
    assert reference.seen == [NUMBERS[0], NUMBERS[4], NUMBERS[8]]


def test_a_difference_ends_the_trust_for_good():
    told: list[Mismatch] = []
    fast = Stub(wrong=NUMBERS[4])
    check = CrossCheck(fast, Stub(), check_every=4, on_mismatch=told.append)
    answers = [check.read(raw) for raw in NUMBERS]
    assert e164s(answers) == [int(raw) for raw in NUMBERS]
    assert fast.seen == NUMBERS[:5]
    assert told == [check.mismatch] == [Mismatch("not_valid", "mobile JP +81********04")]
    assert "only the reference" in str(told[0])


def test_a_batch_with_a_difference_is_read_anew_by_the_reference():
    reference = Stub(wrong=NUMBERS[2])  # unlike the fast one at a number that is not sampled
    check = CrossCheck(Stub(wrong=NUMBERS[8]), reference, check_every=4)
    answers = check.read_many(NUMBERS)
    assert e164s(answers)[2] == "not_valid"
    assert e164s(answers)[8] == int(NUMBERS[8])
    assert reference.seen[-len(NUMBERS) :] == NUMBERS


def test_two_refusals_are_no_difference():
    class Refuses:
        def read(self, raw: str) -> Answer:
            return PhoneError("too_short")

    check = CrossCheck(Stub(wrong=NUMBERS[0]), Refuses(), check_every=1)
    assert e164s(check.read_many(NUMBERS[:1])) == ["too_short"]
    assert check.mismatch is None


def test_checks_cannot_be_rarer_than_never():
    with pytest.raises(ValueError, match="at least 1"):
        CrossCheck(Stub(), Stub(), check_every=0)
