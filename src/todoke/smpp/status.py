"""command_status: what each code is called, what it means, and what a sender should do about it.

SMPP 3.4, 5.1.3 (and the additions of SMPP 5.0, 4.7.6). 0x400-0x4FF belong to the vendor of the SMSC.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RINVSRCADR: Final = 0x0A
RINVDSTADR: Final = 0x0B
RINVMSGID: Final = 0x0C
RBINDFAIL: Final = 0x0D
RINVPASWD: Final = 0x0E
RINVSYSID: Final = 0x0F
RCANCELFAIL: Final = 0x11
RREPLACEFAIL: Final = 0x13
RMSGQFUL: Final = 0x14
RINVSERTYP: Final = 0x15
RINVNUMDESTS: Final = 0x33
RINVESMCLASS: Final = 0x43
RSUBMITFAIL: Final = 0x45
RTHROTTLED: Final = 0x58
RINVEXPIRY: Final = 0x62
RX_T_APPN: Final = 0x64
RX_P_APPN: Final = 0x65
RX_R_APPN: Final = 0x66
RQUERYFAIL: Final = 0x67
RINVOPTPARSTREAM: Final = 0xC0
RDELIVERYFAILURE: Final = 0xFE
RUNKNOWNERR: Final = 0xFF


class Verdict(Enum):
    """What a sender does about a status."""

    OK = "ok"
    THROTTLED = "throttled"  # slow the whole link down, keep the order, send again
    TEMPORARY = "temporary"  # send this message again later
    RETRY_ONCE = "retry_once"  # send it again once, then take it as permanent
    ALREADY_BOUND = "already_bound"  # another session holds the account: back off, bind again
    CREDENTIALS = "credentials"  # a person must correct the bind; trying again only locks the account
    PERMANENT = "permanent"  # never send this message again


_VERDICTS: Final[dict[int, Verdict]] = {
    ROK: Verdict.OK,
    RTHROTTLED: Verdict.THROTTLED,
    RMSGQFUL: Verdict.THROTTLED,
    RSYSERR: Verdict.TEMPORARY,
    RX_T_APPN: Verdict.TEMPORARY,
    RSUBMITFAIL: Verdict.RETRY_ONCE,
    RALYBND: Verdict.ALREADY_BOUND,
    RBINDFAIL: Verdict.ALREADY_BOUND,  # said of too many binds too, as after a take-over: it may pass
    RINVPASWD: Verdict.CREDENTIALS,
    RINVSYSID: Verdict.CREDENTIALS,
}

_MEANINGS: Final[dict[int, tuple[str, str]]] = {
    0x00: ("ESME_ROK", "No error."),
    0x01: ("ESME_RINVMSGLEN", "The message length is invalid."),
    0x02: ("ESME_RINVCMDLEN", "The command length is invalid."),
    0x03: ("ESME_RINVCMDID", "The command is not known."),
    0x04: ("ESME_RINVBNDSTS", "The command is not allowed in the present bind status."),
    0x05: ("ESME_RALYBND", "The account is already bound."),
    0x06: ("ESME_RINVPRTFLG", "The priority flag is invalid."),
    0x07: ("ESME_RINVREGDLVFLG", "The registered delivery flag is invalid."),
    0x08: ("ESME_RSYSERR", "The SMSC has a system error."),
    0x0A: ("ESME_RINVSRCADR", "The source address is invalid."),
    0x0B: ("ESME_RINVDSTADR", "The destination address is invalid."),
    0x0C: ("ESME_RINVMSGID", "The message id is invalid."),
    0x0D: ("ESME_RBINDFAIL", "The bind failed."),
    0x0E: ("ESME_RINVPASWD", "The password is wrong."),
    0x0F: ("ESME_RINVSYSID", "The system id is wrong."),
    0x11: ("ESME_RCANCELFAIL", "The message could not be cancelled."),
    0x13: ("ESME_RREPLACEFAIL", "The message could not be replaced."),
    0x14: ("ESME_RMSGQFUL", "The message queue is full."),
    0x15: ("ESME_RINVSERTYP", "The service type is invalid."),
    0x33: ("ESME_RINVNUMDESTS", "The number of destinations is invalid."),
    0x34: ("ESME_RINVDLNAME", "The distribution list name is invalid."),
    0x40: ("ESME_RINVDESTFLAG", "The destination flag is invalid."),
    0x42: ("ESME_RINVSUBREP", "Submitting with replacement is not supported."),
    0x43: ("ESME_RINVESMCLASS", "The esm_class is invalid."),
    0x44: ("ESME_RCNTSUBDL", "The distribution list cannot be submitted to."),
    0x45: ("ESME_RSUBMITFAIL", "The submit failed."),
    0x48: ("ESME_RINVSRCTON", "The source type of number is invalid."),
    0x49: ("ESME_RINVSRCNPI", "The source numbering plan is invalid."),
    0x50: ("ESME_RINVDSTTON", "The destination type of number is invalid."),
    0x51: ("ESME_RINVDSTNPI", "The destination numbering plan is invalid."),
    0x53: ("ESME_RINVSYSTYP", "The system type is invalid."),
    0x54: ("ESME_RINVREPFLAG", "The replace_if_present flag is invalid."),
    0x55: ("ESME_RINVNUMMSGS", "The number of messages is invalid."),
    0x58: ("ESME_RTHROTTLED", "The sender exceeded its message rate."),
    0x61: ("ESME_RINVSCHED", "The scheduled delivery time is invalid."),
    0x62: ("ESME_RINVEXPIRY", "The validity period is invalid."),
    0x63: ("ESME_RINVDFTMSGID", "The predefined message is invalid or was not found."),
    0x64: ("ESME_RX_T_APPN", "The receiver has a temporary application error."),
    0x65: ("ESME_RX_P_APPN", "The receiver has a permanent application error."),
    0x66: ("ESME_RX_R_APPN", "The receiver rejected the message."),
    0x67: ("ESME_RQUERYFAIL", "The message could not be queried."),
    0xC0: ("ESME_RINVOPTPARSTREAM", "The optional parameters could not be read."),
    0xC1: ("ESME_ROPTPARNOTALLWD", "An optional parameter is not allowed."),
    0xC2: ("ESME_RINVPARLEN", "A parameter has an invalid length."),
    0xC3: ("ESME_RMISSINGOPTPARAM", "An expected optional parameter is missing."),
    0xC4: ("ESME_RINVOPTPARAMVAL", "An optional parameter has an invalid value."),
    0xFE: ("ESME_RDELIVERYFAILURE", "The delivery failed."),
    0xFF: ("ESME_RUNKNOWNERR", "Unknown error."),
    0x100: ("ESME_RSERTYPUNAUTH", "The account is not authorised for this service type."),
    0x101: ("ESME_RPROHIBITED", "The account is prohibited from this operation."),
    0x102: ("ESME_RSERTYPUNAVAIL", "The service type is not available."),
    0x103: ("ESME_RSERTYPDENIED", "The service type is denied."),
    0x104: ("ESME_RINVDCS", "The data_coding is invalid."),
    0x105: ("ESME_RINVSRCADDRSUBUNIT", "The source address subunit is invalid."),
    0x106: ("ESME_RINVDSTADDRSUBUNIT", "The destination address subunit is invalid."),
}


def verdict(status: int) -> Verdict:
    """What to do about `status`; codes not known to be temporary are permanent."""
    return _VERDICTS.get(status, Verdict.PERMANENT)


def name(status: int) -> str:
    """`ESME_...`, or the number in hex for a code of the vendor."""
    known = _MEANINGS.get(status)
    return known[0] if known else f"0x{status:08X}"


def sentence(status: int) -> str:
    """One sentence for people."""
    known = _MEANINGS.get(status)
    return known[1] if known else f"The SMSC answered with a status of its own, 0x{status:X}."
