"""Which lanes of a flush are still its engine's."""

from __future__ import annotations

from todoke.store.hot.base import Flush, Lease, Reserve

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
