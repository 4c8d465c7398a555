"""A declaration: what should exist, written by a person as TOML.

    [[business_unit]]
    name = "Acme"
    default_region = "US"                      # how a number without a country code is read
    default_dnc_group = "Acme do not call"     # where STOP puts a number; "Do not call" if left out

    [[provider]]
    name = "carrier"
    kind = "smpp"                              # or "simulator", which needs nothing more
    host = "smpp.carrier.example"
    port = 2775
    system_id = "acme"
    password = "env:CARRIER_PASSWORD"          # read from the engine's environment, never stored

    [[transport_code]]
    code = "15551230001"
    type = "long"                              # long, short, toll_free, alphanumeric or common
    provider = "carrier"
    rate = 5                                   # segments a second; the type's usual if left out

    [[registration]]                           # only to differ from the defaults: every code has one
    code = "15551230001"
    dnc_group = "Acme shifts"
    stop_keywords = ["no more"]                # beside the built-in ones

    [[brand]]                                  # codes name it with brand = "Acme Staffing"
    name = "Acme Staffing"
    daily_cap = 10000                          # segments a day of all its codes

    [[dnc_group]]
    name = "Acme shifts"

    [[campaign]]
    name = "Shifts"

    [[template]]
    name = "Bonus shift"
    body = "Hi {FirstName|there}, a bonus shift opens on {Day}."

    [[skill]]
    name = "bonus-shift"
    campaign = "Shifts"
    transport_code = "15551230001"
    template = "Bonus shift"
    window = "08:00-21:00"                     # in the contact's own time

    [[retention]]                              # what is not named is kept
    replies = 365                              # days

Names are what things are known by: a new name is a new thing. A key that is left out has its default. With one business
unit in the file, `business_unit` may be left out. Nothing is ever removed because a file does not mention it.
"""

from todoke.model.declaration.declared import Declaration, Declared
from todoke.model.declaration.entries import (
    Brand,
    BusinessUnit,
    Campaign,
    DncGroup,
    Provider,
    Registration,
    Retention,
    Skill,
    Template,
    TransportCode,
)
from todoke.model.declaration.place import DeclarationInvalid, Place, Problem
from todoke.model.declaration.reader import TABLES, read

__all__ = [
    "TABLES",
    "Brand",
    "BusinessUnit",
    "Campaign",
    "Declaration",
    "DeclarationInvalid",
    "Declared",
    "DncGroup",
    "Place",
    "Problem",
    "Provider",
    "Registration",
    "Retention",
    "Skill",
    "Template",
    "TransportCode",
    "read",
]
