"""What a rule pack may hold: jurisdictions with their hours, and calendars of holidays. One class a table of the file.

version = "2026.11"                # of the whole file

[[jurisdiction]]
code = "US-TX"                     # a country, or a state or province of it
name = "Texas"
hours = "mon-sat 09:00-21:00; sun 12:00-21:00"
basis = "law"                      # law, guidance or custom
source = "Texas Business and Commerce Code 301.051"

[[calendar]]
name = "US"
days = ["01-01 observed", "nov thu 4"]
source = "5 U.S.C. 6103"
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

CODE = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
Code = Annotated[str, Meta(pattern=CODE, description='a country such as "JP", or a state such as "US-FL"')]
Said = Annotated[str, Meta(min_length=1, max_length=1000, description="a text of 1 to 1000 characters")]


class Cap(Struct, frozen=True, kw_only=True):
    """So many messages to a person within so many hours: `about` the same subject, or altogether."""

    messages: Annotated[int, Meta(ge=1, le=1000, description="messages, 1 or more")]
    hours: Annotated[int, Meta(ge=1, le=8760, description="hours, 1 to 8760")]
    about: Literal["subject", "anything"] = "anything"


class Jurisdiction(Struct, frozen=True, kw_only=True):
    """`hours` None: no hours are known, only what `note` and `caps` say. It holds from `since` until the day before
    `until`. `holidays` are the days of the clause `holidays ...` of the hours: single days, rules, or calendars.
    """

    code: Code
    name: Said
    source: Said
    basis: Literal["law", "guidance", "custom"]
    hours: Annotated[str, Meta(description='hours such as "mon-sat 09:00-21:00; sun closed"')] | None = None
    holidays: list[str] = []
    since: date | None = None
    until: date | None = None
    note: str = ""
    caps: list[Cap] = []


class Calendar(Struct, frozen=True, kw_only=True):
    """Holidays by a name."""

    name: Code
    days: Annotated[list[str], Meta(min_length=1, description='days such as ["12-25", "nov thu 4"]')]
    source: Said


class PackHead(Struct, frozen=True, kw_only=True):
    """What stands above the tables."""

    version: Said
