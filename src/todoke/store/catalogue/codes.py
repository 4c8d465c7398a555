"""Transport codes: the sender numbers of a business unit."""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.errors import Invalid, NotFound
from todoke.store.catalogue.naming import missing
from todoke.store.catalogue.units import Unit
from todoke.store.schema import provider, transport_code

_MAKE = "Declare it under [[transport_code]] and run todoke apply."


class Code(NamedTuple):
    """`rate` in segments a second; `code` of a number without its plus sign."""

    id: int
    code: str
    type: str
    rate: float
    provider_id: int
    provider: str

    @property
    def name(self) -> str:
        """What tells it from the same code at another provider."""
        return f"{self.provider}/{self.code}"


async def every(connection: AsyncConnection, unit: Unit) -> list[Code]:
    """The unit's codes in order."""
    t = transport_code.c
    rows = await connection.execute(
        select(t.id, t.code, t.type, t.rate, t.provider_id, provider.c.name)
        .join(provider, provider.c.id == t.provider_id)
        .where(t.business_unit_id == unit.id)
        .order_by(t.code, provider.c.name)
    )
    return [Code(*row) for row in rows]


async def find(connection: AsyncConnection, unit: Unit, name: str) -> Code:
    """The unit's code, given as `15551230001`, `+15551230001` or `provider/15551230001`.

    NotFound; Invalid where two providers carry it and none is named.
    """
    codes = await every(connection, unit)
    plain = re.sub(r"(^|/)\+(?=\d+$)", r"\1", name)
    found = [code for code in codes if plain in (code.code, code.name)]
    if not found:
        raise missing(plain, {code.code: code for code in codes}, "transport code", _MAKE)
    if len(found) > 1:
        names = " or ".join(repr(code.name) for code in found)
        raise Invalid(f"Two providers carry the code {plain!r}.", fix=f"Write {names}.")
    return found[0]


async def only(connection: AsyncConnection, unit: Unit, name: str | None) -> Code:
    """As `find`; without a name the only code the unit has."""
    if name is not None:
        return await find(connection, unit, name)
    codes = await every(connection, unit)
    if not codes:
        raise NotFound(f"{unit.name} has no transport code yet.", fix=_MAKE)
    if len(codes) > 1:
        fix = f"Say which one with --code: {', '.join(repr(code.code) for code in codes[:12])}."
        raise Invalid(f"{unit.name} has several transport codes.", fix=fix)
    return codes[0]
