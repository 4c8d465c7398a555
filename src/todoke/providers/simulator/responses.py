"""The response to a submit, from what became of each of its destinations."""

from __future__ import annotations

from todoke.providers.simulator.behaviour import Fate
from todoke.providers.simulator.smsc import Outcome
from todoke.providers.simulator.submission import Submission
from todoke.smpp import status
from todoke.smpp.pdu import (
    DataSm,
    DataSmResp,
    DistributionList,
    Pdu,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unsuccessful,
)

_INVALID_LIST = 0x34  # SMPP 3.4, 5.1.3: ESME_RINVDLNAME

Judged = tuple[Submission, Outcome] | DistributionList


def submit_response(pdu: SubmitSm | DataSm | SubmitMulti, judged: list[Judged]) -> tuple[Pdu, Fate]:
    """The response, and what happens to it. A submit_multi is accepted when one of its destinations was."""
    outcomes = [one[1] for one in judged if not isinstance(one, DistributionList)]
    fate = outcomes[0].fate if outcomes else Fate.ANSWERED
    given = next((outcome.given for outcome in outcomes if outcome.given), "")
    if isinstance(pdu, SubmitMulti):
        refused = tuple(_unsuccessful(one) for one in judged if isinstance(one, DistributionList) or one[1].status)
        failed = 0 if given else status.RSUBMITFAIL
        multi = SubmitMultiResp(sequence=pdu.sequence, status=failed, message_id=given, unsuccessful=refused)
        return multi, fate
    kind = SubmitSmResp if isinstance(pdu, SubmitSm) else DataSmResp
    return kind(sequence=pdu.sequence, status=outcomes[0].status, message_id=given), fate


def _unsuccessful(one: Judged) -> Unsuccessful:
    if isinstance(one, DistributionList):
        return Unsuccessful(one.dl_name, 0, 0, _INVALID_LIST)
    address = one[0].destination
    return Unsuccessful(address.digits, address.ton, address.npi, one[1].status)
