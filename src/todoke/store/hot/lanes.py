"""Which lanes of a flush are still its engine's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from todoke.model.limit import Limit, LimitKey, LimitKind
from todoke.store.hot.base import Flush, Lane, Lease, Reserve

Held = set[tuple[int, int]]  # transport code, epoch


def wanted(flush: Flush) -> set[tuple[int, int, int]]:
    """The (bucket, transport code, epoch) that the flush reserves or leases for."""
    return {(w.bucket, w.transport_code_id, w.epoch) for w in (*flush.reserves, *flush.leases)}


def lost(flush: Flush, held: Held) -> set[int]:
    """The transport codes for which nothing is done."""
    return {code for _, code, epoch in wanted(flush) if (code, epoch) not in held}


def granted(flush: Flush, held: Held) -> list[Reserve]:
    return [r for r in flush.reserves if (r.transport_code_id, r.epoch) in held]


def leased(flush: Flush, held: Held) -> list[Lease]:
    return [x for x in flush.leases if (x.transport_code_id, x.epoch) in held]


def read_lane(row: Sequence[Any]) -> Lane:
    """A lane from the columns of the statement that lists them."""
    bucket, code, provider = row[:3]
    (burst, code_cap, code_zone, unit, unit_rate, provider_rate, brand, brand_cap, brand_zone) = row[8:]
    limits: list[Limit] = []
    if provider_rate is not None:
        limits.append(Limit(LimitKey(bucket, LimitKind.PROVIDER, provider), rate=provider_rate))
    if unit_rate is not None:
        limits.append(Limit(LimitKey(bucket, LimitKind.UNIT, unit), rate=unit_rate))
    if code_cap is not None:
        limits.append(Limit(LimitKey(bucket, LimitKind.CODE, code), cap=code_cap, zone=code_zone))
    if brand_cap is not None:
        limits.append(Limit(LimitKey(bucket, LimitKind.BRAND, brand), cap=brand_cap, zone=brand_zone))
    return Lane(*row[:8], burst=burst, limits=tuple(limits))


def limit_keys(lanes: Iterable[Lane]) -> list[LimitKey]:
    """The rows that must be there before a lane with limits reserves, in order."""
    return sorted({limit.key for lane in lanes for limit in lane.limits})
