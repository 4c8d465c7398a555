"""Types of sender number, as data: what a code looks like and what it may carry by default."""

from __future__ import annotations

import re
from dataclasses import dataclass

from todoke.model.errors import Invalid

PACE_SHARE = 0.97
"""Of the carrier's rate. At the full rate a window of one second can show one segment too many (6 on a code of 5/s)."""


@dataclass(frozen=True, slots=True)
class CodeType:
    """`pattern` is what the code must look like; `rate` the default in segments a second; `ton` and `npi` what SMPP
    calls it.
    """

    name: str
    pattern: str
    example: str
    rate: float
    two_way: bool
    lead_time: str
    ton: int
    npi: int


CODE_TYPES: dict[str, CodeType] = {
    t.name: t
    for t in (
        CodeType("long", r"\+?[1-9]\d{9,14}", "15551230001", 1, True, "5-7 days", 1, 1),
        CodeType("short", r"\d{3,8}", "72345", 100, True, "12 weeks or more", 3, 0),
        CodeType("toll_free", r"\+?1?8\d{9}", "18005550123", 3, True, "1-3 weeks", 1, 1),
        CodeType("alphanumeric", r"(?=.*[A-Za-z])[A-Za-z0-9 &._-]{1,11}", "Todoke", 10, False, "by country", 5, 0),
        CodeType("common", r"0005\d{1,10}", "0005123456", 10, True, "carrier vetting", 0, 0),
    )
}


def check_code(code: str, type_name: str) -> CodeType:
    """The type of `code`; Invalid where the type is unknown or the code does not look like one."""
    found = CODE_TYPES.get(type_name)
    if found is None:
        raise Invalid(f"There is no code type {type_name!r}.", fix=f"Use one of: {', '.join(CODE_TYPES)}.")
    if not re.fullmatch(found.pattern, code):
        raise Invalid(
            f"{code!r} does not look like a code of type {type_name}.", fix=f"One looks like {found.example}."
        )
    return found
