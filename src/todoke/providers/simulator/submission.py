"""A submit as the SMSC sees it, whichever of the three commands brought it (submit_sm, data_sm, submit_multi)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from todoke.providers.simulator.entry import (
    MARK_TAG,
    Concatenation,
    Mark,
    parse_mark,
    sar_concatenation,
    udh_concatenation,
)
from todoke.smpp import status, tlv
from todoke.smpp.pdu import DataSm, Destination, DistributionList, SubmitMulti, SubmitSm

_AIR_OCTETS = 140  # 3GPP 23.040, 9.2.3.24: what one short message carries
_MAX_PAYLOAD = 255 * 153


@dataclass(frozen=True, slots=True)
class Address:
    """A number or code with its type and plan."""

    ton: int
    npi: int
    digits: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One text for one destination. `payload` includes a user data header when `esm_class` says so."""

    sequence: int
    source: Address
    destination: Address
    esm_class: int
    registered_delivery: int
    data_coding: int
    payload: bytes
    long: bool
    """The SMSC splits it itself: it came in message_payload."""
    concatenation: Concatenation | None
    user_message_reference: int | None
    mark: Mark | None
    validity_period: str = ""

    def expired(self, now: float) -> bool:
        """Its validity period is an absolute time (SMPP 3.4, 7.1.1.1) that has passed. `now`: seconds since 1970."""
        if self.validity_period[-1:] not in ("+", "-"):
            return False
        try:
            local = datetime.strptime(self.validity_period[:12], "%y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
            quarters = int(self.validity_period[13:15])  # hours by which its clock is ahead of UTC, in quarters
        except ValueError:
            return True
        offset = quarters * 15 * 60
        return local - (offset if self.validity_period[-1] == "+" else -offset) <= now

    @property
    def wants_success(self) -> bool:
        """A receipt is wanted on delivery (SMPP 3.4, 5.2.17)."""
        return self.registered_delivery & 0x03 in (1, 3)

    @property
    def wants_failure(self) -> bool:
        """A receipt is wanted on failure."""
        return self.registered_delivery & 0x03 in (1, 2)

    def fault(self) -> int:
        """The command_status for what is wrong with the fields; 0 when nothing is."""
        if not self.source.digits:
            return status.RINVSRCADR
        number = self.destination.digits.removeprefix("+")
        if not (number.isascii() and number.isdigit()):
            return status.RINVDSTADR
        if len(self.payload) > _MAX_PAYLOAD or (not self.long and not self._fits_the_air()):
            return status.RINVMSGLEN
        return 0

    def _fits_the_air(self) -> bool:
        header = 1 + self.payload[0] if self.esm_class & 0x40 and self.payload else 0
        if self.data_coding == 0:  # septets, one an octet here and packed on air
            return header <= _AIR_OCTETS and len(self.payload) - header <= (_AIR_OCTETS - header) * 8 // 7
        return len(self.payload) <= _AIR_OCTETS


def submissions(pdu: SubmitSm | DataSm | SubmitMulti) -> list[Submission | DistributionList]:
    """The submissions of a PDU, one a destination; a distribution list stays as it is (there are none here)."""
    tlvs = dict(pdu.tlvs)
    long = tlv.MESSAGE_PAYLOAD in tlvs
    payload = tlvs.get(tlv.MESSAGE_PAYLOAD, b"" if isinstance(pdu, DataSm) else pdu.short_message)
    reference = tlvs.get(tlv.USER_MESSAGE_REFERENCE, b"")
    if isinstance(pdu, SubmitMulti):
        destinations = pdu.destinations
    else:
        destinations = (Destination(pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi),)
    return [
        one
        if isinstance(one, DistributionList)
        else Submission(
            sequence=pdu.sequence,
            source=Address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
            destination=Address(one.dest_addr_ton, one.dest_addr_npi, one.destination_addr),
            esm_class=pdu.esm_class,
            registered_delivery=pdu.registered_delivery,
            data_coding=pdu.data_coding,
            payload=payload,
            long=long,
            concatenation=udh_concatenation(pdu.esm_class, payload) or sar_concatenation(tlvs),
            user_message_reference=int.from_bytes(reference, "big") if len(reference) == 2 else None,
            mark=parse_mark(tlvs.get(MARK_TAG, b"")),
            validity_period="" if isinstance(pdu, DataSm) else pdu.validity_period,
        )
        for one in destinations
    ]
