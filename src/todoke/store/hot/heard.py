"""What phones say, and the opt-outs and opt-ins that come of it, as the store takes them."""

from __future__ import annotations

from typing import NamedTuple

from todoke.model.clock import Micros


class InboundPart(NamedTuple):
    """One segment from a phone, as it came."""

    bucket: int
    business_unit_id: int | None
    provider_id: int
    transport_code_id: int | None
    source: str
    destination: str
    text: str
    reference: int | None
    total: int
    number: int
    session: str
    received_at: Micros


class StoredInbound(NamedTuple):
    """`text` is the whole text once every part is there, else None. `repeated`: it was stored before (its text is
    given again).
    """

    id: int
    repeated: bool
    text: str | None


class OptOut(NamedTuple):
    """An opt-out (`kind` "out": makes a DNC entry) or opt-in ("in": lifts it), with its evidence.

    `source`: reply, review (a person read the reply), person, api or disposition. `expires_at`: when its entry holds no
    more. `transport_code_id`: the code that a reply came to: then it also goes for the groups that the skill
    contributes to whose message the number got last from that code.
    """

    bucket: int
    business_unit_id: int
    dnc_group_id: int
    phone: int
    kind: str
    source: str
    evidence: str
    inbound_id: int | None
    at: Micros
    expires_at: Micros | None = None
    who: str = ""
    transport_code_id: int | None = None

    @property
    def entry_source(self) -> str:
        """The source of the DNC entry that it makes."""
        return "opt_out" if self.source in ("reply", "review") else self.source
