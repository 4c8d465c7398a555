"""On what terms a transport code sends: its rate, what limits it, and what a segment costs."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from todoke.model.calling_window import Window
from todoke.model.estimate import Terms
from todoke.store.catalogue.units import Unit
from todoke.store.schema import provider, sms_brand, transport_code


async def of_code(
    connection: AsyncConnection, unit: Unit, code_id: int, window: Window, expiry_hours: int | None = None
) -> Terms:
    """Those of the unit's code for a skill with that calling window. The code's own price counts before the
    provider's.
    """
    t, p, b = transport_code.c, provider.c, sms_brand.c
    query = (
        select(t.code, t.rate, t.daily_cap, t.price, t.currency, p.settings, p.price, p.currency, b.name, b.daily_cap)
        .select_from(transport_code.join(provider, p.id == t.provider_id))
        .outerjoin(sms_brand, b.id == t.sms_brand_id)
        .where(t.business_unit_id == unit.id, t.id == code_id)
    )
    row = (await connection.execute(query)).one()
    code, rate, cap, price, currency, settings, usual, usual_currency, brand, brand_cap = row
    caps = [(f"the code {code}", cap), (f"the brand {brand}", brand_cap)]
    if price is None:
        price, currency = usual, usual_currency
    return Terms(
        code,
        rate,
        window,
        settings.get("rate"),
        unit.rate,
        tuple((name, most) for name, most in caps if most is not None),
        None if price is None else Decimal(repr(price)),
        currency,
        expiry_hours,
    )
