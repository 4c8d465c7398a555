"""What becomes of messages, told to the store: every position once, every block closed once, whatever is answered."""

from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.lanes.doubles import (
    BUCKET,
    CODE,
    LONG,
    PROVIDER,
    RUN,
    START,
    ManualClock,
    block,
    composed,
    contact,
    lane_run,
    phone,
)

from todoke.model.clock import SECOND
from todoke.model.event import Event, Kind, State, fold
from todoke.model.ids import message_id
from todoke.pipeline.lanes.composing import compose_block, compose_due
from todoke.pipeline.lanes.message import Message, Submission, Work
from todoke.pipeline.lanes.outcomes import Outcomes, retry_after
from todoke.pipeline.lanes.runs import LaneRun
from todoke.providers.base import Decision, Failure
from todoke.store.hot.base import DueRow, DueTaken, Flush

REASONS = {
    Decision.PERMANENT: "smpp:0x0000000b",
    Decision.RETRYABLE: "smpp:0x00000008",
    Decision.RETRY_ONCE: "smpp:0x00000045",
    Decision.MAYBE_SENT: "link_dropped",
    Decision.THROTTLED: "smpp:0x00000058",
    Decision.NEVER_SENT: "closed",
}


class Told(NamedTuple):
    """A flush's facts about messages, in one form."""

    events: list[Event]
    due: list[DueRow]


class Desk:
    """Plays the lane: what waits, what is on the wire; refused submissions wait again."""

    def __init__(self, run: LaneRun) -> None:
        self.clock = ManualClock()
        self.outcomes = Outcomes(self.clock, self._refused)
        self.run = run
        self.queue: list[Message] = []
        self.wire: list[Submission] = []
        self.flush = Flush(1, 1, START)

    def _refused(self, submission: Submission, decision: Decision) -> None:
        message, number, body = submission
        if message.not_before is not None:
            self.outcomes.give_back_segment(message, number, START)
            return
        if not message.numbers:
            self.queue.append(message)
        message.numbers.append(number)
        message.bodies.append(body)

    def write(self, message: Message, count: int) -> None:
        for _ in range(min(count, len(message.numbers))):
            self.wire.append((message, message.numbers.pop(0), message.bodies.pop(0)))
        if not message.numbers:
            self.queue.remove(message)

    def answer(self, place: int, decision: Decision | None) -> None:
        submission = self.wire.pop(place)
        if decision is None:
            number = f"{submission[0].id}/{submission[1]}/{submission[0].attempt}"
            self.outcomes.accepted(PROVIDER, [submission], [number])
        else:
            self.outcomes.failed(PROVIDER, [Failure(submission, decision, REASONS[decision])])

    def told(self) -> Told:
        """Everything so far, the hot path's lists as the events that they stand for."""
        self.outcomes.drain(self.flush)
        events = list(self.flush.events)
        for group in self.flush.fresh:
            events += [
                Event(m, 1, 0, Kind.ACCEPTED, group.at, 1, group.provider_id, i)
                for m, i in zip(group.message_ids, group.provider_message_ids, strict=True)
            ]
        return Told(events, self.flush.due)


def state_of(told: Told, message: int) -> State:
    return fold(event for event in told.events if event.message_id == message).state


def one_message(body: str = "Hello {FirstName}", **changes: object) -> tuple[Desk, Message]:
    desk = Desk(lane_run(body=body, **changes))
    _, (message,) = composed(desk.run, 4, 4)
    desk.queue.append(message)
    return desk, message


# ------------------------------------------------------------------ any answers in any order

actions = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 9), st.integers(1, 3)),
    st.tuples(st.just("answer"), st.integers(0, 9), st.sampled_from([None, None, *Decision])),
    st.tuples(st.sampled_from(["skip", "stop", "expire", "cut", "give_back"]), st.integers(0, 9), st.none()),
)


class Expected:
    """What a message should come to, said plainly from what happened to it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.answers: dict[int, Decision | None] = {}
        self.whole: Kind | None = None
        self.given_back = False

    @property
    def out(self) -> bool:
        return self.whole is not None or Decision.PERMANENT in self.answers.values()

    def state(self, max_attempts: int) -> State:
        answers = self.answers.values()
        exhausted = self.message.attempt + 1 >= max_attempts
        if Decision.PERMANENT in answers or (not self.out and exhausted and Decision.RETRYABLE in answers):
            return State.FAILED
        if self.whole is not None:
            if any(answer is None or answer is Decision.MAYBE_SENT for answer in answers):
                return State.FAILED
            return {Kind.SKIPPED: State.SKIPPED, Kind.STOPPED: State.STOPPED, Kind.EXPIRED: State.EXPIRED}[self.whole]
        if len(self.answers) < self.message.segments or Decision.RETRYABLE in answers:
            return State.WAITING
        return State.IN_DOUBT if Decision.MAYBE_SENT in answers else State.SENT

    def due(self, max_attempts: int) -> list[tuple[int, str]]:
        """(attempt, segments) of the rows that should be in `due`."""
        if self.out:
            return []
        message = self.message
        rest = [n for n in range(1, message.segments + 1) if n not in self.answers]
        again = [n for n, a in self.answers.items() if a is Decision.RETRYABLE]
        rows: list[tuple[int, list[int]]] = [(message.attempt, rest)] if rest else []
        if again and message.attempt + 1 < max_attempts:
            rows.append((message.attempt + 1, again))
        return [(a, ",".join(map(str, sorted(n))) if len(n) < message.segments else "") for a, n in rows]


@given(
    texts=st.lists(st.sampled_from(["short", "long", "empty", "dnc", "night"]), min_size=1, max_size=5),
    steps=st.lists(actions, max_size=40),
    rest=st.randoms(use_true_random=False),
    policy=st.sampled_from(["at_most_once", "at_least_once"]),
    max_attempts=st.sampled_from([1, 3]),
    from_due=st.booleans(),
)
def test_every_position_comes_to_one_end_and_every_block_closes_once(
    texts, steps, rest, policy, max_attempts, from_due
) -> None:
    run = lane_run(
        body="{FirstName}",
        in_doubt_policy=policy,
        max_attempts=max_attempts,
        window=(480, 1260),
        zone_sets=[["America/New_York"], ["Asia/Tokyo"]],  # it is eleven in the morning in the one, night in the other
    )
    desk = Desk(run)
    values = {"short": "Ann", "long": LONG, "empty": "", "dnc": "Ann", "night": "Ann"}
    contacts = [
        contact(position, values[kind], zone_set=int(kind == "night"), on_dnc=kind == "dnc")
        for position, kind in enumerate(texts)
    ]
    rows = [DueTaken(BUCKET, message_id(BUCKET, RUN, c.position), 0, RUN, CODE, "", None) for c in contacts]
    if from_due:
        batch = compose_due(run, list(zip(rows, contacts, strict=True)), START)
        desk.outcomes.composed(batch.events, batch.due, None)
        waiting = {message.id for message in batch.messages}
        for row in rows:
            if row.message_id not in waiting:
                desk.outcomes.settle(row.key)
    else:
        work = Work(block(0, len(texts) - 1), run)
        batch = compose_block(run, work, contacts, START)
        if batch.events or batch.due:
            desk.outcomes.composed(batch.events, batch.due, work)
    desk.queue = list(batch.messages)
    expected = {message.id: Expected(message) for message in batch.messages}

    def answer(place: int, decision: Decision | None) -> None:
        message, number, _ = desk.wire[place]
        if decision not in (Decision.THROTTLED, Decision.NEVER_SENT):
            means = decision
            if decision is Decision.RETRY_ONCE:  # once: at the first attempt only
                means = Decision.PERMANENT if message.attempt else Decision.RETRYABLE
            expected[message.id].answers[number] = means
        desk.answer(place, decision)

    for action, place, value in steps:
        if action == "answer":
            if desk.wire:
                answer(place % len(desk.wire), value)
            continue
        if not desk.queue:
            continue
        message = desk.queue[place % len(desk.queue)]
        story = expected[message.id]
        match action:
            case "write" if not message.cut:
                desk.write(message, value)
            case "write" | "skip":
                desk.queue.remove(message)
                if not story.out:
                    story.whole = Kind.SKIPPED
                desk.outcomes.skipped(message, "dnc")
            case "stop":
                desk.queue.remove(message)
                if not story.out:
                    story.whole = Kind.STOPPED
                desk.outcomes.stopped(message)
            case "expire":
                desk.queue.remove(message)
                if not story.out:
                    story.whole = Kind.EXPIRED
                desk.outcomes.expired(message)
            case "cut":
                if len(message.numbers) == 1:
                    desk.queue.remove(message)
                message.numbers.pop(0)
                message.bodies.pop(0)
                if not story.out:
                    story.whole = Kind.SKIPPED
                desk.outcomes.cut(message, "dnc")
            case "give_back":
                desk.queue.remove(message)
                desk.outcomes.give_back(message, START + SECOND)

    # Everything that is left is written and answered.
    while desk.queue or desk.wire:
        for message in list(desk.queue):
            if message.cut:
                desk.queue.remove(message)
                desk.outcomes.skipped(message, "dnc")
            else:
                desk.write(message, 3)
        while desk.wire:
            answer(rest.randrange(len(desk.wire)), rest.choice([None, *REASONS]))

    told = desk.told()
    flush = desk.flush
    for message in batch.messages:
        story = expected[message.id]
        assert message.left == 0
        if message.cut:  # it was refused for good, or counted out
            assert story.out
        assert state_of(told, message.id) is story.state(max_attempts)
        assert [(d.attempt, d.segments) for d in told.due if d.message_id == message.id] == story.due(max_attempts)
        assert all((d.text_crc is None) == (not d.segments) for d in told.due)
    for position, kind in enumerate(texts):
        identity = message_id(BUCKET, RUN, position)
        if kind in ("empty", "dnc"):
            assert state_of(told, identity) is State.SKIPPED
        elif kind == "night":
            assert [d.attempt for d in told.due if d.message_id == identity] == [0]
    # No event is told twice in other words, and the hot path is for messages that have no other event.
    assert max(Counter(e[:4] for e in told.events).values(), default=0) <= 1
    fresh = {m for group in flush.fresh for m in group.message_ids}
    assert not fresh & {event.message_id for event in flush.events}
    if from_due:
        assert Counter(flush.settled) == Counter(row.key for row in rows)
        assert not flush.closed
        assert not fresh
    else:
        assert flush.closed == [block(0, 0).key]
        assert not flush.settled


# ------------------------------------------------------------------ one by one


def test_what_is_accepted_at_once_takes_the_hot_path() -> None:
    desk = Desk(lane_run())
    _, messages = composed(desk.run, 0, 2)
    desk.outcomes.accepted(PROVIDER, [(m, 1, b"") for m in messages], ["a", "b", "c"])
    desk.outcomes.drain(desk.flush)
    (group,) = desk.flush.fresh
    assert group.message_ids == [m.id for m in messages]
    assert group.provider_message_ids == ["a", "b", "c"]
    assert not desk.flush.events
    assert desk.flush.closed == [block(0, 2).key]


def test_runs_and_providers_are_kept_apart() -> None:
    desk = Desk(lane_run())
    _, one = composed(desk.run, 0, 0)
    _, two = composed(lane_run(id=8), 0, 0)
    desk.outcomes.accepted(PROVIDER, [(one[0], 1, b""), (two[0], 1, b"")], ["a", "b"])
    _, three = composed(desk.run, 1, 1)
    desk.outcomes.accepted(PROVIDER + 1, [(three[0], 1, b"")], ["a"])
    desk.outcomes.drain(desk.flush)
    assert sorted((g.run_id, g.provider_id, g.message_ids) for g in desk.flush.fresh) == [
        (RUN, PROVIDER, [one[0].id]),
        (RUN, PROVIDER + 1, [three[0].id]),
        (8, PROVIDER, [two[0].id]),
    ]


def test_what_was_drained_is_not_told_again() -> None:
    desk, message = one_message()
    desk.write(message, 1)
    desk.answer(0, None)
    assert desk.outcomes
    desk.outcomes.drain(desk.flush)
    assert not desk.outcomes
    later = Flush(1, 2, START)
    desk.outcomes.drain(later)
    assert not later


def test_a_retry_waits_longer_each_time() -> None:
    waits = [retry_after(attempt) // SECOND for attempt in range(12)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]


def test_a_temporary_error_at_the_last_attempt_is_a_failure() -> None:
    desk, message = one_message(max_attempts=1)
    desk.write(message, 1)
    desk.answer(0, Decision.RETRYABLE)
    told = desk.told()
    assert state_of(told, message.id) is State.FAILED
    assert not told.due


def test_a_throttled_submission_is_no_attempt() -> None:
    desk, message = one_message()
    for _ in range(20):
        desk.write(message, 1)
        desk.answer(0, Decision.THROTTLED)
    assert desk.told() == ([], [])
    assert desk.queue == [message]


@pytest.mark.parametrize(
    ("failure", "state"),
    [(None, State.SENT), *((d, State.FAILED) for d in (Decision.PERMANENT, Decision.RETRYABLE, Decision.THROTTLED))],
)
def test_a_late_answer_ends_the_doubt_and_nothing_else(failure: Decision | None, state: State) -> None:
    desk, message = one_message()
    desk.write(message, 1)
    submission = desk.wire[0]
    desk.answer(0, Decision.MAYBE_SENT)
    assert state_of(desk.told(), message.id) is State.IN_DOUBT
    late = None if failure is None else Failure(submission, failure, REASONS[failure])
    desk.outcomes.resolved(PROVIDER, submission, "id", late)
    told = desk.told()
    assert state_of(told, message.id) is state
    assert not told.due
    assert desk.flush.closed == [block(4, 4).key]


@pytest.mark.parametrize("policy", ["at_most_once", "at_least_once"])
def test_a_doubt_is_told_with_what_its_receipt_is_matched_by_and_nothing_is_sent_again_from_here(policy: str) -> None:
    desk, message = one_message(LONG, in_doubt_policy=policy)
    desk.write(message, 3)
    desk.answer(0, None)
    desk.clock.pass_(5)
    submission = desk.wire.pop(0)
    desk.outcomes.failed(PROVIDER, [Failure(submission, Decision.MAYBE_SENT, "response_timeout")], 30.0)
    desk.answer(0, None)
    told = desk.told()
    assert state_of(told, message.id) is State.IN_DOUBT
    assert not told.due
    assert desk.flush.closed == [block(4, 4).key]
    (doubt,) = desk.flush.doubts
    assert doubt == (message.id, 2, 0, phone(4), message.crc, desk.clock.now() - 31 * SECOND)
    assert message.crc


def test_the_rest_of_a_text_does_not_follow_a_part_that_was_refused_for_good() -> None:
    desk, message = one_message(LONG)
    desk.write(message, 3)
    desk.answer(0, Decision.RETRYABLE)
    desk.answer(0, Decision.PERMANENT)
    desk.answer(0, None)
    told = desk.told()
    assert state_of(told, message.id) is State.FAILED
    assert not told.due


def test_a_stop_between_two_parts_leaves_the_message_failed_and_nothing_due() -> None:
    desk, message = one_message(LONG)
    desk.write(message, 2)
    desk.answer(0, None)
    message.numbers.clear()
    desk.outcomes.cut(message, "dnc")
    desk.answer(0, Decision.RETRYABLE)
    told = desk.told()
    folded = fold(told.events)
    assert (folded.state, folded.reason) == (State.FAILED, "dnc")
    assert not told.due
    assert desk.flush.closed == [block(4, 4).key]


def test_a_message_that_is_given_back_waits_for_what_is_with_the_provider() -> None:
    desk, message = one_message(LONG)
    desk.write(message, 2)
    desk.answer(0, None)
    desk.outcomes.give_back(message, START + 5)
    assert desk.told().due == []
    desk.answer(0, Decision.THROTTLED)
    told = desk.told()
    assert told.due == [DueRow(BUCKET, message.id, 0, RUN, CODE, START + 5, "2,3", message.crc)]
    assert state_of(told, message.id) is State.WAITING
    assert desk.flush.closed == [block(4, 4).key]


def test_a_block_that_is_given_back_is_due_position_by_position() -> None:
    desk = Desk(lane_run())
    desk.outcomes.give_back_block(block(5, 7), START)
    told = desk.told()
    assert told.due == [DueRow(BUCKET, message_id(BUCKET, RUN, p), 0, RUN, CODE, START) for p in (5, 6, 7)]
    assert desk.flush.closed == [block(5, 7).key]
