"""Who gets what of limits that several lanes ask for in one flush. Pure; the rows are held by the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from todoke.model.allowance import Allowance, Grant, grant
from todoke.model.clock import SECOND, Micros
from todoke.model.ids import base
from todoke.model.limit import LimitKey
from todoke.store.hot.flush import BlockKey, DueKey, Flush, Reserve

_EVERYONE = 16
"""Each so many-th flush does not ask what is urgent: then lanes of bulk runs have their turn too."""
_NOT_THERE = SECOND // 4  # until the row of a limit that was just declared is there

Row = tuple[int, str, int, int, str, int, int]  # bucket, kind, subject, first cell, counts, day, used


def keys(flush: Flush, reserves: Iterable[Reserve]) -> list[LimitKey]:
    """The rows that a flush needs, in the one order in which everybody locks them."""
    wanted = {limit.key for reserve in reserves if reserve.asked for limit in reserve.asked.limits}
    return sorted(wanted.union(returned.key for returned in flush.returned))


def read(rows: Iterable[Row]) -> dict[LimitKey, Allowance]:
    """Allowances from their rows."""
    found: dict[LimitKey, Allowance] = {}
    for bucket, kind, subject, first, counts, day, used in rows:
        cells = [int(count) for count in counts.split(",")] if counts else []
        found[LimitKey(bucket, kind, subject)] = Allowance(first, cells, day, used)
    return found


def write(allowances: Mapping[LimitKey, Allowance]) -> list[Row]:
    """The rows of these allowances, in order."""
    return [
        (key.bucket, key.kind, key.subject_id, a.first, _packed(a.counts), a.day, a.used)
        for key, a in sorted(allowances.items())
    ]


def _packed(counts: list[int]) -> str:
    while counts and not counts[-1]:
        counts.pop()
    return ",".join(map(str, counts))


def allot(
    flush: Flush, reserves: Sequence[Reserve], allowances: Mapping[LimitKey, Allowance]
) -> tuple[list[Reserve], dict[int, Grant]]:
    """Give back what is returned, then grant. What is urgent comes first, and among equals the lane that has had no
    slot for longest: the first may take all there is. Returns the reserves with what they were granted, and the grants
    by transport code.
    """
    for key, day, segments in flush.returned:
        if key in allowances:
            allowances[key].give_back(day, segments)
    asking = [reserve for reserve in reserves if reserve.asked is not None]
    urgent = flush.seq % _EVERYONE != 0
    asking.sort(key=lambda r: (r.asked.rank if urgent else 0, r.asked.since) if r.asked else (0, 0))
    done = [reserve for reserve in reserves if reserve.asked is None]
    grants: dict[int, Grant] = {}
    for reserve in asking:
        given = grants[reserve.transport_code_id] = _granted(reserve, allowances, flush.now)
        done.append(_marked(reserve, given))
    return done, grants


def _granted(reserve: Reserve, allowances: Mapping[LimitKey, Allowance], now: Micros) -> Grant:
    assert reserve.asked is not None
    wish, limits = reserve.asked.wish, reserve.asked.limits
    if not all(limit.key in allowances for limit in limits):
        return Grant(wish.first, wish.floor, 0, 0, now + _NOT_THERE)
    return grant(wish, [(limit, allowances[limit.key]) for limit in limits], now)


def _marked(reserve: Reserve, given: Grant) -> Reserve:
    """What the grant makes of it: nothing but the numbers to look up, where nothing was granted."""
    assert reserve.asked is not None
    blocks: dict[BlockKey, int] = {}
    intents: list[DueKey] = []
    for mark in reserve.asked.marks[: given.messages]:
        if isinstance(mark, DueKey):
            intents.append(mark)
        else:
            blocks[mark[0]] = max(mark[1], blocks.get(mark[0], mark[1]))
    end = given.first + round(given.segments * reserve.asked.wish.interval) if given.segments else 0
    scrubs = reserve.scrubs
    if any(scrub.guard for scrub in scrubs):  # what has no slot does not count against a cap
        gone = {_message(mark) for mark in reserve.asked.marks[: given.messages]}
        scrubs = [scrub._replace(guarded=[one for one in scrub.guarded if one[0] in gone]) for scrub in scrubs]
    return replace(reserve, next_slot_at=end, blocks=list(blocks.items()), intents=intents, scrubs=scrubs, asked=None)


def _message(mark: tuple[BlockKey, int] | DueKey) -> int:
    return mark.message_id if isinstance(mark, DueKey) else base(mark[0].bucket, mark[0].run_id) + mark[1]
