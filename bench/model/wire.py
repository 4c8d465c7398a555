"""How many octets a message is on the way to its carrier and back, by our own codec."""

from __future__ import annotations

from bench.end_to_end import BODY
from todoke.smpp import pdu as p
from todoke.smpp import tlv
from todoke.smpp.session import DeliverTemplate, SubmitTemplate

_HEADER = 16
_ID = "0123456789"
_RECEIPT = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2511220935 done date:2511220936 stat:DELIVRD err:000 text:Hello, your"
)


def submit_octets() -> int:
    """Of a submit_sm and its answer."""
    body = SubmitTemplate("12025550100", 1, 1, 1, 1, registered_delivery=1).body("819012345678", BODY.encode("ascii"))
    return _HEADER + len(body) + len(p.encode(p.SubmitSmResp(sequence=1, message_id=_ID)))


def receipt_octets() -> int:
    """Of a deliver_sm that carries a receipt, and its answer."""
    tlvs = tlv.pack_text(tlv.RECEIPTED_MESSAGE_ID, _ID) + tlv.pack_int(tlv.MESSAGE_STATE, 2)
    body = DeliverTemplate("12025550100").body("819012345678", _RECEIPT, esm_class=4, tlvs=tlvs)
    return _HEADER + len(body) + len(p.encode(p.DeliverSmResp(sequence=1)))
