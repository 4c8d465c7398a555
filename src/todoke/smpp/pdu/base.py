"""What every PDU has: a command, a status, a sequence number, mandatory fields, and (some) TLVs (SMPP 3.4, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..tlv import Tlv
from .fields import Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdu:
    """One protocol data unit. `sequence` is set by the session when it sends a request."""

    command: ClassVar[int]
    fields: ClassVar[tuple[Field, ...]] = ()
    takes_tlvs: ClassVar[bool] = False

    status: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PduWithTlvs(Pdu):
    """A PDU that may carry optional parameters."""

    takes_tlvs: ClassVar[bool] = True

    tlvs: tuple[Tlv, ...] = ()

    def tlv(self, tag: int) -> bytes | None:
        """The value of the first TLV with `tag`, or None."""
        for found, value in self.tlvs:
            if found == tag:
                return value
        return None
