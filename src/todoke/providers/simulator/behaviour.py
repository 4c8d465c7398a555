"""How the simulated SMSC behaves: what can be changed while it runs, and the pure decisions that follow from it."""

from __future__ import annotations

import fnmatch
import zlib
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from random import Random
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from todoke.providers.simulator.styles import STYLES
from todoke.smpp import status

Ratio = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
CommandStatus = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
ErrorCode = Annotated[str, Meta(pattern="^[0-9A-Za-z]{1,3}$")]
FailedState = Literal["UNDELIV", "EXPIRED", "REJECTD", "DELETED", "UNKNOWN"]
PhoneState = Literal["on", "off", "unknown"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A failure for destinations that match a shell pattern.

    With `status` the submit itself is refused; with `state` it is accepted and the receipt says so. `by="number"`
    fails the same numbers every time (a hash decides); `by="submit"` draws for every submit.
    """

    destination: str = "*"
    ratio: Ratio = 1.0
    by: Literal["number", "submit"] = "number"
    status: CommandStatus = 0
    state: FailedState | None = None
    error: ErrorCode = "000"

    def __post_init__(self) -> None:
        if (self.status == 0) == (self.state is None):
            raise ValueError("a rule needs either a status (the submit is refused) or a state (the receipt says so)")


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about the SMSC that a test may change at run time. Times are seconds, ratios 0 to 1."""

    receipts: bool = True
    receipt_delay: Seconds = 0.05
    receipt_jitter: Seconds = 0.0
    receipt_styles: tuple[str, ...] = ("standard",)
    echo_reference: bool = True
    """Receipts repeat the submission's user_message_reference, in the styles that have TLVs."""
    receipt_repeat_ratio: Ratio = 0.0
    """Share of receipts that come twice although they were acknowledged."""
    acknowledge_timeout: Annotated[float, Meta(gt=0, le=86_400)] = 10.0
    """After how long a receipt or a reply that was not acknowledged is repeated."""

    round_trip: Seconds = 0.0
    round_trip_jitter: Seconds = 0.0
    throttle: Annotated[int, Meta(ge=1)] | None = None
    """Most submits accepted in any second of one account; more get 0x58."""
    queue_full_ratio: Ratio = 0.0
    """Share of submits refused with 0x14."""
    rules: tuple[Rule, ...] = ()
    bind_status: CommandStatus = 0
    """When not 0, every bind is refused with it."""

    lose_response_ratio: Ratio = 0.0
    late_response_ratio: Ratio = 0.0
    late_response_delay: Seconds = 5.0
    duplicate_response_ratio: Ratio = 0.0
    early_receipt_ratio: Ratio = 0.0
    """Share of accepted submits whose receipt arrives before the response."""
    drop_after: Annotated[int, Meta(ge=1)] | None = None
    """A connection drops on its n-th submit: that one is accepted, its response and what follows are lost."""
    drop_ratio: Ratio = 0.0
    """Share of submits on which the connection drops in the same way."""
    half_open: bool = False
    """Nothing is read any more, nothing is answered, the connections stay up."""

    def __post_init__(self) -> None:
        if not self.receipt_styles:
            raise ValueError("receipt_styles is empty; name at least one style, or set receipts to false")
        for name in self.receipt_styles:
            if name not in STYLES:
                raise ValueError(f"receipt_styles knows no {name!r}; the styles are {', '.join(STYLES)}")


class Fate(IntEnum):
    """What became of the response of a submit."""

    ANSWERED = 0
    LOST = 1
    LATE = 2
    TWICE = 3
    DROPPED = 4
    AFTER_RECEIPT = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one submit: `status` other than 0 refuses it, else the receipt says `state` and `error`."""

    status: int = 0
    state: str = "DELIVRD"
    error: str = "000"


def judge(behaviour: Behaviour, phone_state: PhoneState, destination: str, rng: Random, seed: int) -> Verdict:
    """The fate of a submit by the state of the phone and the failure rules; the first rule that strikes wins."""
    if behaviour.queue_full_ratio and rng.random() < behaviour.queue_full_ratio:
        return Verdict(status=status.RMSGQFUL)
    for number, rule in enumerate(behaviour.rules):
        if fnmatch.fnmatchcase(destination, rule.destination) and _strikes(rule, number, destination, rng, seed):
            if rule.state is None:
                return Verdict(status=rule.status)
            return Verdict(state=rule.state, error=rule.error)
    if phone_state == "off":
        return Verdict(state="EXPIRED", error="027")  # absent subscriber until the validity ran out
    if phone_state == "unknown":
        return Verdict(state="UNDELIV", error="001")  # unknown subscriber
    return Verdict()


def _strikes(rule: Rule, number: int, destination: str, rng: Random, seed: int) -> bool:
    if rule.ratio >= 1:
        return True
    if rule.by == "submit":
        return rng.random() < rule.ratio
    return zlib.crc32(f"{seed}/{number}/{destination}".encode()) < rule.ratio * 2**32


def draw_fate(behaviour: Behaviour, submits: int, rng: Random) -> Fate:
    """What happens to the response of the `submits`-th submit (from 1) of a connection."""
    if behaviour.drop_after is not None and submits >= behaviour.drop_after:
        return Fate.DROPPED
    for ratio, fate in (
        (behaviour.drop_ratio, Fate.DROPPED),
        (behaviour.lose_response_ratio, Fate.LOST),
        (behaviour.late_response_ratio, Fate.LATE),
        (behaviour.duplicate_response_ratio, Fate.TWICE),
        (behaviour.early_receipt_ratio, Fate.AFTER_RECEIPT),
    ):
        if ratio and rng.random() < ratio:
            return fate
    return Fate.ANSWERED


class Throttle:
    """Admits at most `limit` in any one second: an exact sliding window over the times of those admitted."""

    def __init__(self) -> None:
        self._admitted: deque[float] = deque()

    def admit(self, limit: int | None, now: float) -> bool:
        """True when one more at `now` (seconds, monotonic) stays within `limit` a second; None admits all."""
        if limit is None:
            self._admitted.clear()
            return True
        while self._admitted and self._admitted[0] <= now - 1.0:
            self._admitted.popleft()
        if len(self._admitted) >= limit:
            return False
        self._admitted.append(now)
        return True
