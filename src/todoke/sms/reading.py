"""One phone number read with one numbering library: `phonenumbers`, or anything with its functions."""

from __future__ import annotations

from typing import Protocol, cast

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberType, ValidationResult
from phonenumbers.phonenumberutil import NumberParseException

from todoke.sms.dialled import international, tidy
from todoke.sms.numbers import Kind, Phone, PhoneError, Reason
from todoke.sms.zones import Zones

_KINDS = {
    PhoneNumberType.MOBILE: Kind.MOBILE,
    PhoneNumberType.FIXED_LINE: Kind.FIXED_LINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Kind.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: Kind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: Kind.PREMIUM,
    PhoneNumberType.SHARED_COST: Kind.SHARED_COST,
    PhoneNumberType.VOIP: Kind.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: Kind.PERSONAL,
    PhoneNumberType.PAGER: Kind.PAGER,
    PhoneNumberType.UAN: Kind.COMPANY,
    PhoneNumberType.VOICEMAIL: Kind.VOICEMAIL,
}
_UNPARSED: dict[int, Reason] = {
    NumberParseException.INVALID_COUNTRY_CODE: "invalid_country",
    NumberParseException.NOT_A_NUMBER: "not_a_number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}
_IMPOSSIBLE: dict[int, Reason] = {
    ValidationResult.IS_POSSIBLE: "not_valid",
    ValidationResult.INVALID_COUNTRY_CODE: "invalid_country",
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    ValidationResult.TOO_LONG: "too_long",
    ValidationResult.INVALID_LENGTH: "not_possible",
}
_ONLY_REGION = {code: regions[0] for code, regions in COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) == 1}


class Number(Protocol):
    """A parsed number; a valid one has a country code and a national number."""

    country_code: int | None
    national_number: int | None
    italian_leading_zero: bool | None
    number_of_leading_zeros: int | None


class Library(Protocol):
    """What is used of `phonenumbers`; `rphonenumbers` has the same names, numbers and meanings."""

    NumberParseException: type[Exception]

    def parse(self, number: str, region: str | None = None) -> Number: ...
    def number_type(self, numobj: Number) -> int: ...
    def region_code_for_number(self, numobj: Number) -> str | None: ...
    def is_possible_number_with_reason(self, numobj: Number) -> int: ...


class Reader:
    """Reads numbers with one library and one default region (None: only numbers with a country code)."""

    def __init__(self, library: Library, default_region: str | None, zones: Zones) -> None:
        self._library = library
        self._region = default_region
        self._zones = zones
        self._parse = library.parse
        self._type = library.number_type
        self._unparsed = library.NumberParseException

    def read(self, raw: str) -> Phone | PhoneError:
        """The number, or why it is none: as a value, since a list may hold millions of either."""
        try:
            text = tidy(raw)
        except PhoneError as error:
            return error.with_traceback(None)
        answer = self._look_up(text, self._region)
        if type(answer) is PhoneError and (abroad := international(text)):
            second = self._look_up(abroad, None)
            if type(second) is Phone or answer.reason == "invalid_country":
                return second
        return answer

    def _look_up(self, text: str, region: str | None) -> Phone | PhoneError:
        try:
            number = self._parse(text, region)
        except self._unparsed as error:
            return PhoneError(_UNPARSED[cast(NumberParseException, error).error_type])
        number_type = self._type(number)
        country_code = number.country_code
        if number_type == PhoneNumberType.UNKNOWN or country_code is None:
            return PhoneError(_IMPOSSIBLE[self._library.is_possible_number_with_reason(number)])
        if number.italian_leading_zero:
            zeros = "0" * (number.number_of_leading_zeros or 1)
            digits = f"{country_code}{zeros}{number.national_number}"
        else:
            digits = f"{country_code}{number.national_number}"
        only_region = _ONLY_REGION.get(country_code)
        return Phone(
            int(digits),
            only_region or self._library.region_code_for_number(number) or "ZZ",
            _KINDS.get(number_type, Kind.OTHER),
            self._zones.of(digits, country_code, number_type),
        )
