"""What the SMSC sends to an account, receipts and replies: kept until a connection took and acknowledged it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from todoke.providers.simulator.stats import Stats
from todoke.providers.simulator.styles import STATES, Final, Style, receipt_text
from todoke.providers.simulator.submission import Address, Submission
from todoke.smpp import tlv
from todoke.smpp.pdu import DataSm, DeliverSm, encode_body
from todoke.sms import segments

RECEIPT = 0x04
_HAS_HEADER = 0x40
_INTERNATIONAL, _ISDN = 1, 1


@dataclass(frozen=True, slots=True)
class Mail:
    """One request to an account: its command_id and its body, encoded once however often it is repeated."""

    command: int
    body: bytes


class Receiver(Protocol):
    """A connection that is bound to receive."""

    def deliver(self, waiting: deque[Mail]) -> None:
        """Take from the left of `waiting` what there is room for."""
        ...


@dataclass(slots=True)
class Outbox:
    """The mail of one account, in order, and the connections that may take it."""

    stats: Stats
    waiting: deque[Mail] = field(default_factory=deque[Mail])
    receivers: list[Receiver] = field(default_factory=list[Receiver])
    unacknowledged: int = 0
    """Mail that is waiting or on its way."""

    def offer(self, mail: Mail) -> None:
        """Take mail, and send it when a connection has room."""
        self.unacknowledged += 1
        self.stats.waiting += 1
        self.waiting.append(mail)
        self.send()

    def give_back(self, mail: list[Mail]) -> None:
        """Mail that was not acknowledged comes first again, in its order."""
        self.stats.inbound_repeated += len(mail)
        self.waiting.extendleft(reversed(mail))
        self.send()

    def acknowledged(self, count: int = 1) -> None:
        """So much mail needs no repeat any more."""
        self.unacknowledged -= count
        self.stats.waiting -= count
        self.stats.inbound_acknowledged += count

    def send(self) -> None:
        """Send while connections have room; the one that took last is asked last next time."""
        for _ in range(len(self.receivers)):
            if not self.waiting:
                return
            self.receivers.append(self.receivers.pop(0))
            self.receivers[-1].deliver(self.waiting)


def receipt(style: Style, submission: Submission, final: Final, *, echo: bool = True) -> Mail:
    """The receipt of a submission: from its destination to its source, in the dialect of `style`, with its reference if
    it has one and `echo`.
    """
    text = receipt_text(style, final).encode("ascii", "replace")
    extras: list[tlv.Tlv] = []
    if style.tlvs:
        identity = style.receipted(final.number).encode() + b"\0"
        extras = [
            tlv.Tlv(tlv.RECEIPTED_MESSAGE_ID, identity),
            tlv.Tlv(tlv.MESSAGE_STATE, bytes((STATES[final.state],))),
        ]
    if echo and submission.user_message_reference is not None and style.tlvs:
        extras.append(tlv.Tlv(tlv.USER_MESSAGE_REFERENCE, submission.user_message_reference.to_bytes(2, "big")))
    source, destination = submission.destination, submission.source
    if style.by_data_sm:
        extras.append(tlv.Tlv(tlv.MESSAGE_PAYLOAD, text))
        return Mail(
            DataSm.command,
            encode_body(
                DataSm(
                    source_addr_ton=source.ton,
                    source_addr_npi=source.npi,
                    source_addr=source.digits,
                    dest_addr_ton=destination.ton,
                    dest_addr_npi=destination.npi,
                    destination_addr=destination.digits,
                    esm_class=RECEIPT,
                    tlvs=tuple(extras),
                )
            ),
        )
    return _deliver(source, destination, RECEIPT, 0, text, extras)


def reply(number: str, code: str, text: str, reference: int) -> list[Mail]:
    """The segments of a text that the phone `number` sends to `code`. Raises segments.TooLong."""
    split = segments.split(text)
    source, destination = Address(_INTERNATIONAL, _ISDN, number), Address(0, _ISDN, code)
    total = len(split.parts)
    if total == 1:
        return [_deliver(source, destination, 0, split.encoding.data_coding, split.parts[0], [])]
    return [
        _deliver(
            source,
            destination,
            _HAS_HEADER,
            split.encoding.data_coding,
            segments.header(reference & 0xFF, total, number_of) + payload,
            [],
        )
        for number_of, payload in enumerate(split.parts, 1)
    ]


def _deliver(
    source: Address, destination: Address, esm_class: int, data_coding: int, payload: bytes, extras: list[tlv.Tlv]
) -> Mail:
    return Mail(
        DeliverSm.command,
        encode_body(
            DeliverSm(
                source_addr_ton=source.ton,
                source_addr_npi=source.npi,
                source_addr=source.digits,
                dest_addr_ton=destination.ton,
                dest_addr_npi=destination.npi,
                destination_addr=destination.digits,
                esm_class=esm_class,
                data_coding=data_coding,
                short_message=payload,
                tlvs=tuple(extras),
            )
        ),
    )
