"""What the pipeline asks of a provider, and what a provider tells it.

A provider takes submissions (one segment each), says what became of each exactly once, and brings receipts and
replies, which are acknowledged only when they are stored. A submission whose outcome the provider cannot know is a
failure with the decision MAYBE_SENT: never a silent loss, never a blind resend.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from todoke.model.clock import Micros
from todoke.model.transport_code import CodeType


class Decision(StrEnum):
    """What may be done after a failure."""

    PERMANENT = "permanent"  # refused for good
    RETRYABLE = "retryable"  # refused for now; a later attempt may do
    RETRY_ONCE = "retry_once"  # refused; one more attempt, then it is for good
    THROTTLED = "throttled"  # refused because it came too fast: wait, keep the order, it is no attempt
    NEVER_SENT = "never_sent"  # it certainly did not leave
    MAYBE_SENT = "maybe_sent"  # nobody knows


class Failure(NamedTuple):
    """A submission that was not accepted. `reason` is a short code for tallies, see `model/reason.py`."""

    token: object
    decision: Decision
    reason: str


class Word(NamedTuple):
    """A receipt: what the provider says of an earlier submission. `delivered` False: it failed for good.

    `handle` goes back to `acknowledge`.
    """

    provider_message_id: str  # normalised
    delivered: bool
    reason: str
    at: Micros
    raw: str
    handle: object
    phone: str = ""  # whom the submission went to, as the provider writes it
    code: str = ""  # what it was sent from
    reference: int | None = None  # that of the submission, where the provider echoes it: see model/ids.py


class Heard(NamedTuple):
    """A message from a phone, one segment. `session` names the connection it came over."""

    source: str
    destination: str
    text: str
    reference: int | None
    total: int
    number: int
    session: str
    handle: object


class Sink(Protocol):
    """Where a provider puts what it hears. Called on the event loop; must not block."""

    def accepted(self, tokens: list[object], provider_message_ids: list[str]) -> None:
        """These submissions are with the carrier; the lists run in parallel, ids normalised."""
        ...

    def failed(self, failures: Sequence[Failure]) -> None: ...

    def resolved(self, token: object, provider_message_id: str, failure: Failure | None) -> None:
        """A late answer to a submission that was reported MAYBE_SENT before."""
        ...

    def words(self, words: Sequence[Word]) -> None: ...

    def heard(self, heard: Sequence[Heard]) -> None: ...

    def writable(self) -> None:
        """There may be room for more submissions."""
        ...


class Sender(Protocol):
    """One transport code at one provider: makes what `Provider.submit` takes, ready for the wire."""

    def segment(
        self,
        destination: int,
        payload: bytes,
        data_coding: int,
        header: bytes,
        message_id: int,
        number: int,
        attempt: int,
        valid_until: Micros = 0,
    ) -> bytes:
        """One segment. `header` is the user data header, empty for a message of one segment. After `valid_until` the
        carrier must not try any more; 0 leaves it to the carrier.
        """
        ...


class Provider(Protocol):
    """One account at one carrier, with its links."""

    @property
    def id(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def up(self) -> bool:
        """Whether a link is up: a full one is, too."""
        ...

    @property
    def free(self) -> int:
        """How many submissions would be written to the wire this very moment; 0 when no link is up or all are full."""
        ...

    @property
    def patience(self) -> float:
        """Seconds after which a submission without an answer is MAYBE_SENT."""
        ...

    def sender(self, code: str, code_type: CodeType) -> Sender: ...

    def submit(self, batch: Sequence[tuple[bytes, object]]) -> None:
        """Write (prepared segment, token) pairs, at most `free` of them. A token comes once at a time."""
        ...

    def acknowledge(self, handles: Sequence[object]) -> None:
        """What these receipts or replies said is stored."""
        ...

    def health(self) -> str:
        """A sentence on the state of the links."""
        ...

    async def start(self, sink: Sink) -> None: ...

    def reset(self, reason: str) -> None:
        """Drop every link and open it again: the last resort against one that takes nothing and says nothing."""
        ...

    async def drain(self, seconds: float) -> None:
        """Wait until everything submitted is answered, at most so long."""
        ...

    async def stop(self) -> None: ...
