"""Why a row of a file does not become a contact: a code for counting, a sentence for people."""

from __future__ import annotations

from enum import StrEnum
from typing import cast, get_args

from todoke.sms import phone

_PHONE = cast(tuple[phone.Reason, ...], get_args(phone.Reason))


class Reason(StrEnum):
    """The codes as they stand in the file of rejected rows and in the list's counts."""

    BAD_QUOTING = "bad_quoting"
    UNDECODABLE = "undecodable"
    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    TOO_LONG = "too_long"
    MISSING_REQUIRED_VALUE = "missing_required_value"
    MISSING_EXTERNAL_ID = "missing_external_id"
    MISSING_PHONE = "missing_phone"
    PHONE_NOT_A_NUMBER = "phone_not_a_number"
    PHONE_INVALID_COUNTRY = "phone_invalid_country"
    PHONE_TOO_SHORT = "phone_too_short"
    PHONE_TOO_LONG = "phone_too_long"
    PHONE_NOT_POSSIBLE = "phone_not_possible"
    PHONE_NOT_VALID = "phone_not_valid"
    LANDLINE = "landline"
    NOT_A_MOBILE = "not_a_mobile"
    INVALID_TIME_ZONE = "invalid_time_zone"
    NO_TIME_ZONE = "no_time_zone"
    INVALID_EXPIRATION = "invalid_expiration"
    EXPIRED = "expired"
    INVALID_CALLING_WINDOW = "invalid_calling_window"
    DUPLICATE_EXTERNAL_ID = "duplicate_external_id"
    DUPLICATE_PHONE = "duplicate_phone"


SENTENCES: dict[Reason, str] = {
    Reason.BAD_QUOTING: "a quotation mark opens and does not close, or text follows a closing one",
    Reason.UNDECODABLE: "bytes that are no characters in the file's encoding",
    Reason.TOO_FEW_FIELDS: "the row has fewer fields than the header",
    Reason.TOO_MANY_FIELDS: "the row has more fields than the header; is a separator in a value without quotes?",
    Reason.TOO_LONG: "the value is longer than a list field may be",
    Reason.MISSING_REQUIRED_VALUE: "this field must have a value, and it is empty",
    Reason.MISSING_EXTERNAL_ID: "there is no external id",
    Reason.MISSING_PHONE: "there is no phone number",
    Reason.LANDLINE: "the number is a landline, which takes no texts",
    Reason.NOT_A_MOBILE: "the number is not a mobile phone's (toll-free, premium, pager or the like)",
    Reason.INVALID_TIME_ZONE: "no such time zone; write an IANA name such as Asia/Tokyo or America/New_York",
    Reason.NO_TIME_ZONE: "nothing tells in which time zone the contact is",
    Reason.INVALID_EXPIRATION: "this is no date; write 2026-11-30, 2026-11-30 18:00 or 2026-11-30T18:00+09:00",
    Reason.EXPIRED: "the record has expired",
    Reason.INVALID_CALLING_WINDOW: "these are no hours; write mon-fri 09:00-20:00; sat 10:00-17:00, or leave it empty",
    Reason.DUPLICATE_EXTERNAL_ID: "another row has this external id",
    Reason.DUPLICATE_PHONE: "another row has this number",
}

PHONE_REASONS: dict[phone.Reason, Reason] = {
    reason: Reason.MISSING_PHONE if reason == "empty" else Reason(f"phone_{reason}") for reason in _PHONE
}
SENTENCES.update({PHONE_REASONS[reason]: str(phone.PhoneError(reason)) for reason in _PHONE})
