"""What a session tells its owner. `Session.receive` and `Session.tick` return lists of these.

They are tuples because making one must cost next to nothing: at full speed there are hundreds of thousands a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .. import tlv
from ..pdu import Bind, Pdu
from ..receipt import State

_T = TypeVar("_T", bound=tuple[Any, ...])


def maker(kind: type[_T]) -> Callable[[Iterable[Any]], _T]:
    """What makes a `kind` of a tuple of its fields, unchecked, at half the cost of calling the class."""
    return partial(tuple.__new__, kind)  # pyright: ignore[reportUnknownMemberType]  (typeshed leaves it open)


class SubmitResult(NamedTuple):
    """The SMSC answered a submit_sm. `message_id` is empty when the status is an error."""

    token: object
    status: int
    message_id: str


class Accepted(NamedTuple):
    """The SMSC accepted these submit_sm: instead of a `SubmitResult` each (`Settings.brief`). The lists run in
    parallel.
    """

    tokens: list[object]
    message_ids: list[str]


class DeliverResult(NamedTuple):
    """The ESME answered a deliver_sm."""

    token: object
    status: int


class Incoming(NamedTuple):
    """A message from the peer. It must be answered: `respond_deliver` or `respond_submit` with its `sequence`.

    `payload` is short_message, or message_payload when that is empty; with `has_udh` it begins with the user data
    header. Addresses are latin-1 text. `epoch` says which connection it came over: an answer is for that one only.
    """

    sequence: int
    epoch: int
    command: int
    service_type: str
    source_ton: int
    source_npi: int
    source: str
    dest_ton: int
    dest_npi: int
    destination: str
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: str
    validity_period: str
    registered_delivery: int
    replace_if_present: int
    data_coding: int
    payload: bytes
    tlvs: Mapping[int, bytes]

    @property
    def has_udh(self) -> bool:
        """Whether `payload` begins with a user data header (esm_class bit 6; SMPP 3.4, 5.2.12)."""
        return bool(self.esm_class & 0x40)

    @property
    def user_message_reference(self) -> int | None:
        """The reference that the sender gave the message (5.3.2.17), if any: two octets."""
        value = self.tlvs.get(tlv.USER_MESSAGE_REFERENCE)
        return int.from_bytes(value, "big") if value is not None and len(value) == 2 else None


class Deliver(Incoming):
    """The SMSC delivers a message or a receipt (deliver_sm or data_sm). Store it, then `respond_deliver`."""

    __slots__ = ()


class Receipted(NamedTuple):
    """A receipt in its usual form with a final word, instead of a `Deliver` (`Settings.brief`).

    `respond_deliver` it in the same way. `message_id` and `error` are as in `receipt.Receipt`; `source` is whom the
    submission went to, `destination` what it was sent from, `reference` its user_message_reference if repeated.
    """

    sequence: int
    epoch: int
    message_id: str
    state: State
    error: str | None
    source: str
    destination: str
    reference: int | None


class SubmitRequest(Incoming):
    """The ESME submits a message (submit_sm or data_sm). `respond_submit` it."""

    __slots__ = ()


class BindRequested(NamedTuple):
    """An ESME asks to bind: `respond_bind` with `sequence`."""

    sequence: int
    pdu: Bind


class Bound(NamedTuple):
    """The SMSC accepted the bind. `version` is its sc_interface_version, None when it did not say."""

    system_id: str
    version: int | None


class BindRefused(NamedTuple):
    """The SMSC refused the bind; `status.verdict` says whether trying again makes sense."""

    status: int


class Unbound(NamedTuple):
    """The session has ended in order: close the connection when what is outgoing is written."""

    by_peer: bool


class Requested(NamedTuple):
    """The peer asks something that is not a message (query_sm, cancel_sm, ...): `respond` with its response."""

    pdu: Pdu


class RequestResult(NamedTuple):
    """The peer answered what was sent with `request`; `pdu` is the response, or a generic_nack."""

    token: object
    pdu: Pdu


class Notice(NamedTuple):
    """The peer tells something that takes no answer: alert_notification or outbind."""

    pdu: Pdu


class Timeout(NamedTuple):
    """No response came in time: the outcome is unknown, the place in the window is free again."""

    token: object
    command: int
    sequence: int


class StrayResponse(NamedTuple):
    """A response that nothing waits for. `late` when it answers a request that timed out, which `token` then names."""

    command: int
    sequence: int
    status: int
    message_id: str
    late: bool
    token: object


class Rejected(NamedTuple):
    """The peer sent something that could not be taken; where it takes an answer, `status` was answered."""

    command: int
    sequence: int
    status: int
    reason: str


class Broken(NamedTuple):
    """The stream is out of step and nothing more is read: write what is outgoing, close the connection."""

    reason: str


class DeadLink(NamedTuple):
    """The peer has gone silent: close the connection."""

    reason: str


Event: TypeAlias = (
    SubmitResult
    | Accepted
    | DeliverResult
    | Deliver
    | Receipted
    | SubmitRequest
    | BindRequested
    | Bound
    | BindRefused
    | Unbound
    | Requested
    | RequestResult
    | Notice
    | Timeout
    | StrayResponse
    | Rejected
    | Broken
    | DeadLink
)
