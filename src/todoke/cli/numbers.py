"""Numbers that a person gives a command."""

from __future__ import annotations

from todoke.model.errors import Invalid


def read_number(raw: str, region: str, where: str = "NUMBER") -> int:
    """E.164 digits; Invalid with what to write instead."""
    from todoke.sms.phone import PhoneError, parse

    try:
        return parse(raw, region).e164
    except PhoneError as error:
        sentence = str(error)
        fix = "Write it with its country code, such as +15551234567."
        raise Invalid(f"{sentence[0].upper()}{sentence[1:]}.", where=where, fix=fix) from None
