"""What follows from a reply that was read: opt-outs, opt-ins, holds, and what is sent back.

Decisions only; the statements are in `sqlite/replies.py` and `postgres/replies.py`, a transaction each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from todoke.model.clock import HOUR, SECOND, Micros
from todoke.model.meaning import Meaning
from todoke.store.hot.checking import no_key
from todoke.store.hot.heard import OptOut
from todoke.store.hot.singles import Single

ANSWER_WITHIN = 300 * SECOND
"""What is sent back is not sent later than so long after the reply."""
SAME_AGAIN = {Meaning.STOP: 24 * HOUR, Meaning.START: 24 * HOUR, Meaning.HELP: HOUR}
"""A keyword that changes nothing is answered at most once in that time."""
MOST_A_DAY = 10
"""Answers to a number from a code, whatever it says: two machines do not talk for ever."""
DAY = 24 * HOUR
HELD_FOR = 50 * 365 * DAY
"""The entry of a held number has an end, far away: so whatever lists the number for good takes its place, and stays."""


class Target(NamedTuple):
    """A DNC group that an opt-out goes to."""

    bucket: int
    business_unit_id: int
    dnc_group_id: int


class Answers(NamedTuple):
    """What may be sent back. `run_id` is scrubbed against the do-not-call lists, `exempt_run_id` is not: for who has
    opted out. A text of None is not sent.
    """

    run_id: int
    exempt_run_id: int
    stop: str | None
    start: str | None
    help: str | None

    def text(self, kind: Meaning) -> str | None:
        match kind:
            case Meaning.STOP:
                return self.stop
            case Meaning.START:
                return self.start
            case Meaning.HELP:
                return self.help
            case _:
                return None


class Said(NamedTuple):
    """A reply as it was read; `text` is its evidence. `lifting`: START only where the number has opted out. `narrow`:
    an opt-out counts for the groups that the skill contributes to whose text the number got last; for `targets` only
    where it contributes to none. `reason`: why a person has to read it. `review_id`: it is what a person decided about
    that review, saying `note`.
    """

    bucket: int
    business_unit_id: int | None
    transport_code_id: int | None
    phone: int | None
    inbound_id: int
    meaning: Meaning
    text: str
    at: Micros
    now: Micros
    targets: tuple[Target, ...] = ()
    lifting: bool = False
    narrow: bool = False
    reason: str = ""
    answers: Answers | None = None
    review_id: int | None = None
    note: str = ""

    @property
    def source(self) -> str:
        """Of the opt-out or opt-in."""
        return "reply" if self.review_id is None else "review"

    def opt_out(self, target: Target, kind: str) -> OptOut:
        """The opt-out or opt-in that follows, with its evidence."""
        phone = self.phone or 0
        return OptOut(
            *target,
            phone,
            kind,
            self.source,
            self.text,
            self.inbound_id,
            self.at,
            transport_code_id=self.transport_code_id if target is self.targets[0] else None,
        )


class Done(NamedTuple):
    """What a reply came to. `numbers`: (DNC group, phone, "out" or "in") that may not, or may, be texted from now on.
    `message_id` of what is sent back.
    """

    meaning: Meaning
    numbers: tuple[tuple[int, int, str], ...] = ()
    message_id: int | None = None


def meaning_of(said: Said, *, opted_out: bool) -> Meaning:
    """What it means, now that it is known whether the number has opted out."""
    return Meaning.REPLY if said.lifting and not opted_out else said.meaning


def single(
    said: Said, kind: Meaning, recent: Sequence[tuple[str, Micros]], *, changed: bool, listed: bool
) -> Single | None:
    """What is sent back now. `recent`: kind and moment of what the number got from the code in the last day. `listed`:
    it is on a do-not-call list of the code.
    """
    answers = said.answers
    text = answers.text(kind) if answers is not None else None
    expires_at = said.at + ANSWER_WITHIN
    if answers is None or not text or said.phone is None or said.now >= expires_at or len(recent) >= MOST_A_DAY:
        return None
    again = any(k == kind and at > said.at - SAME_AGAIN[kind] for k, at in recent)
    if again and not (changed and kind is not Meaning.HELP):
        return None
    exempt = kind is Meaning.STOP or (kind is Meaning.HELP and listed)
    run_id = answers.exempt_run_id if exempt else answers.run_id
    return Single(said.bucket, run_id, said.phone, text, (), said.now, expires_at)


def told(done: Iterable[Done]) -> list[tuple[int, int, str]]:
    """All numbers that changed, in order."""
    return [number for one in done for number in one.numbers]


def keyless(said: Said) -> Said:
    """An opt-in where there is no key to recognise an erased person by: that part of it goes to a person, who is told
    what to do. A person who decides about it must have the key: KeyMissing.
    """
    if said.review_id is not None:
        no_key(said.phone or 0)
    return said._replace(
        reason="erasure.key is missing, so it cannot be told whether its owner was erased and stays blocked: let them "
        "say START again when it is there."
    )
