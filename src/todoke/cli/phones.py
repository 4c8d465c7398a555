"""What commands that take numbers share."""

from __future__ import annotations

import getpass
from typing import Annotated, TypeAlias

import typer

from todoke.model.errors import Invalid, sentence_of

Region: TypeAlias = Annotated[
    str | None,
    typer.Option("--region", metavar="JP", help="Country of numbers without a country code; else the unit's."),
]


def phone_of(raw: str, region: str, where: str) -> int:
    """The number's E.164 digits; Invalid, naming `where`, for what is none."""
    from todoke.sms.phone import PhoneError, parse

    try:
        return parse(raw, region).e164
    except PhoneError as error:
        fix = "Write it with its country code, such as +15551234567."
        raise Invalid(sentence_of(str(error)), where=where, fix=fix) from None


def user() -> str:
    """Who gives the command, for the history."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for this user
        return "unknown"
