"""A fast reader held to account: now and then a number is read by the reference as well, and the first
difference ends the trust for good. A wrong number is worse than a slow list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from todoke.sms.numbers import Phone, PhoneError, mask

Answer = Phone | PhoneError


class Reads(Protocol):
    """Reads one number."""

    def read(self, raw: str) -> Answer: ...


class Mismatch(NamedTuple):
    """A difference between the two, without the number: each side as `mobile JP +81********78` or its reason."""

    fast: str
    reference: str

    def __str__(self) -> str:
        return (
            f"the fast reader says {self.fast}, the reference {self.reference}; only the reference is used from now on"
        )


class CrossCheck:
    """Reads with `fast`, and the first and then every `check_every`-th number with `reference` too.

    `mismatch` is the difference that was found, or None; `on_mismatch` is called with it, once.
    """

    def __init__(
        self,
        fast: Reads,
        reference: Reads,
        *,
        check_every: int = 1000,
        on_mismatch: Callable[[Mismatch], None] | None = None,
    ) -> None:
        if check_every < 1:
            raise ValueError(f"check_every is at least 1, not {check_every}")
        self._fast = fast
        self._reference = reference
        self._check_every = check_every
        self._on_mismatch = on_mismatch
        self._unchecked = 0  # numbers that may still pass before the next check
        self.mismatch: Mismatch | None = None

    def read(self, raw: str) -> Answer:
        if self.mismatch is not None:
            return self._reference.read(raw)
        if self._unchecked:
            self._unchecked -= 1
            return self._fast.read(raw)
        self._unchecked = self._check_every - 1
        return self._checked(raw)

    def read_many(self, raws: Sequence[str]) -> list[Answer]:
        """One answer a number, in order. Where a difference shows, the reference reads the whole batch."""
        answers: list[Answer] = []
        while self.mismatch is None and len(answers) < len(raws):
            if self._unchecked == 0:
                answers.append(self.read(raws[len(answers)]))
            trusted = raws[len(answers) : len(answers) + self._unchecked]
            self._unchecked -= len(trusted)
            answers.extend(map(self._fast.read, trusted))
        return answers if self.mismatch is None else list(map(self._reference.read, raws))

    def _checked(self, raw: str) -> Answer:
        fast, reference = self._fast.read(raw), self._reference.read(raw)
        if not _equal(fast, reference):
            self.mismatch = Mismatch(describe(fast), describe(reference))
            if self._on_mismatch:
                self._on_mismatch(self.mismatch)
        return reference


def _equal(one: Answer, other: Answer) -> bool:
    """Two refusals are equal whatever their reasons: the libraries draw the line between too short and no possible
    length differently in a few countries, which harms nobody."""
    if isinstance(one, PhoneError):
        return isinstance(other, PhoneError)
    return one == other


def describe(answer: Answer) -> str:
    """For a log, without the number."""
    if isinstance(answer, PhoneError):
        return answer.reason
    return f"{answer.kind.value} {answer.region} {mask(answer.e164)}"
