"""A day in steps: runs start, windows open, codes send at their pace, receipts come back, primaries are full or not.

Messages are counted one by one, nothing is rounded away: what came in was sent, waits for its window or its pace, or
waits for a retry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.costs import Costs
from bench.model.load import PARTS, ZONES, Load, Unit, by_zone

# When receipts come, in minutes after the message: half at once, a few after hours.
RECEIPTS = ((0, 0.5), (1, 0.2), (5, 0.2), (30, 0.06), (120, 0.04))
REMEMBERED = 1_000_000  # messages whose receipt an engine need not look up


@dataclass(frozen=True)
class Plan:
    """What there is to carry the day. `shard_of` a bucket; none: as much as is wanted."""

    engines: int
    shard_of: Sequence[int] | None = None
    cores: int = 8  # of one primary
    partitions: int = 1  # of a bucket, that a receipt which is not remembered is looked up in
    forgetful: bool = False  # every receipt is looked up, as after every engine was started anew

    @property
    def shards(self) -> int:
        return max(self.shard_of) + 1 if self.shard_of else 1


@dataclass
class Day:
    """What became of it; lists have one value a step."""

    started: int  # contacts of runs
    sent: int
    waiting: int
    retrying: int
    receipts_due: int
    receipts: int
    receipts_waiting: int
    sent_by_bucket: dict[int, list[int]]  # hand-overs, retries included
    receipts_by_bucket: dict[int, list[int]]
    peak_by_unit: list[float]  # messages a second
    cpu_by_bucket: dict[int, list[float]]  # seconds a second, without what engines cost that have nothing to say
    cpu: list[list[float]]  # seconds a second of each primary
    wal: list[list[float]]  # octets a second of each primary
    last_sent: int  # the step
    throttled: int  # steps in which a primary was full

    @property
    def sent_a_step(self) -> list[int]:
        return [sum(column) for column in zip(*self.sent_by_bucket.values(), strict=True)]


def late_share(rate: float, engines: int) -> float:
    """Share of receipts that come when the engine has forgotten the message; `rate` messages a second of all."""
    remembered = REMEMBERED * engines / max(rate, 1e-9) / 60  # minutes
    return sum(share for minutes, share in RECEIPTS if minutes > remembered)


def message_us(costs: Costs, load: Load, unit_rate: float) -> float:
    """Of the database, for one hand-over of a message, its contact and its share of a block."""
    several = (load.segments - 1) / (PARTS - 1)
    result = (1 - several) * costs.db_result_us + several * PARTS * costs.db_part_us
    lease = costs.db_lease_us / max(1.0, unit_rate)
    return costs.db_contact_us + costs.db_reserve_us + result + lease


def receipt_us(costs: Costs, load: Load, late: float, partitions: int) -> float:
    """Of the database, for one receipt. Those of messages of several segments are looked up."""
    several = (load.segments - 1) / (PARTS - 1) * PARTS / load.segments
    looked_up = several + (1 - several) * late
    return (
        (1 - looked_up) * costs.db_receipt_us
        + looked_up * costs.db_receipt_late_us
        + looked_up * (partitions - 1) * costs.db_receipt_partition_us
    )


def message_wal(costs: Costs, load: Load, unit_rate: float) -> float:
    several = (load.segments - 1) / (PARTS - 1)
    result = (1 - several) * costs.wal_result + several * PARTS * costs.wal_part
    return costs.wal_reserve + result + costs.wal_lease / max(1.0, unit_rate)


def simulate(load: Load, units: Sequence[Unit], costs: Costs, plan: Plan) -> Day:
    """Let the day happen. The units have their runs."""
    shares = [share for _, share in ZONES[load.zones]]
    seconds, steps = load.step * 60, load.steps
    buckets = sorted({unit.bucket for unit in units})
    shard_of = plan.shard_of or [0] * (max(buckets) + 1)
    capacity = [float("inf") if plan.shard_of is None else plan.cores * seconds * 1e6] * plan.shards  # microseconds
    waiting = [[0] * len(shares) for _ in units]
    retrying = [0] * len(units)
    next_run = [0] * len(units)
    odd = [0.0] * len(units)  # of a message, or of a retry, kept for the next step
    odd_retry = [0.0] * len(units)
    receipts_at: dict[int, list[int]] = {bucket: [0] * steps for bucket in buckets}
    after = 0  # receipts that come after the last step
    owed: dict[int, float] = dict.fromkeys(buckets, 0.0)
    backlog: dict[int, int] = dict.fromkeys(buckets, 0)
    day = Day(
        0, 0, 0, 0, 0, 0, 0,
        {bucket: [0] * steps for bucket in buckets},
        {bucket: [0] * steps for bucket in buckets},
        [0.0] * len(units),
        {bucket: [0.0] * steps for bucket in buckets},
        [[] for _ in range(plan.shards)],
        [[] for _ in range(plan.shards)],
        0, 0,
    )  # fmt: skip
    delays = [(minutes // load.step, share) for minutes, share in RECEIPTS]
    costs_of = [message_us(costs, load, unit.code_rate) for unit in units]
    wal_of = [message_wal(costs, load, unit.code_rate) for unit in units]
    rate = 0.0
    by_shard: list[list[int]] = [[] for _ in range(plan.shards)]
    for number, unit in enumerate(units):
        by_shard[shard_of[unit.bucket]].append(number)
    buckets_of = [[bucket for bucket in buckets if shard_of[bucket] == shard] for shard in range(plan.shards)]
    idle = plan.engines / plan.shards * 50 * seconds  # flushes: each engine every 20 ms
    for step in range(steps):
        zones = load.open_zones(step)
        late = 1.0 if plan.forgetful else late_share(rate, plan.engines)
        each_receipt = receipt_us(costs, load, late, plan.partitions)
        sent_now = 0
        for shard in range(plan.shards):
            left = capacity[shard] - idle * costs.db_flush_us
            wal = idle * costs.wal_flush
            for bucket in buckets_of[shard]:  # receipts first: a carrier that is not answered says it again
                backlog[bucket] += receipts_at[bucket][step]
                stored = min(backlog[bucket], max(0, int(left / max(each_receipt, 1e-9))) if left < 1e18 else 1 << 62)
                backlog[bucket] -= stored
                day.receipts += stored
                day.receipts_by_bucket[bucket][step] = stored
                left -= stored * each_receipt
                day.cpu_by_bucket[bucket][step] += stored * (each_receipt + costs.db_vacuum_us) / 1e6 / seconds
                wal += stored * (costs.wal_receipt + costs.wal_vacuum)
            wanted = [
                (
                    number,
                    _wanted(load, units[number], waiting[number], retrying, next_run, odd, number, step, zones, day),
                )
                for number in by_shard[shard]
            ]
            wanted = [(number, n) for number, n in wanted if n]
            need = sum(n * costs_of[number] for number, n in wanted)
            part = min(1.0, max(0.0, left) / need) if need else 1.0
            day.throttled += part < 1.0 or left < 0
            for number, n in wanted:
                n = n if part == 1.0 else int(n * part)
                if not n:
                    continue
                bucket = units[number].bucket
                again = _take(n, waiting[number], retrying, number, zones)
                assert again == n
                odd_retry[number] += n * load.retries
                deferred = int(odd_retry[number])
                odd_retry[number] -= deferred
                retrying[number] += deferred
                accepted = n - deferred
                day.sent += accepted
                sent_now += n
                day.sent_by_bucket[bucket][step] += n
                day.peak_by_unit[number] = max(day.peak_by_unit[number], n / seconds)
                rows = accepted * load.segments + deferred
                spent = n * costs_of[number] + deferred * costs.db_retry_us + rows * costs.db_vacuum_us
                day.cpu_by_bucket[bucket][step] += spent / 1e6 / seconds
                wal += n * wal_of[number] + deferred * costs.wal_retry + rows * costs.wal_vacuum
                owed[bucket] += accepted * load.segments * load.receipts
                due = int(owed[bucket])
                owed[bucket] -= due
                day.receipts_due += due
                after += _announce(receipts_at[bucket], due, step, delays)
                day.last_sent = step
            spent = sum(day.cpu_by_bucket[bucket][step] for bucket in buckets_of[shard])
            day.cpu[shard].append(spent + idle * costs.db_flush_us / 1e6 / seconds)
            day.wal[shard].append(wal / seconds)
        rate = sent_now / seconds
    day.waiting = sum(map(sum, waiting)) + sum(
        size for unit, at in zip(units, next_run, strict=True) for _, size in unit.runs[at:]
    )
    day.started += sum(size for unit, at in zip(units, next_run, strict=True) for _, size in unit.runs[at:])
    day.retrying = sum(retrying)
    day.receipts_waiting = sum(backlog.values()) + after
    return day


def _announce(receipts_at: list[int], due: int, step: int, delays: Sequence[tuple[int, float]]) -> int:
    """Say when so many receipts will come; how many of them after the last step."""
    after = 0
    for place, (delay, share) in enumerate(delays):
        last = place == len(delays) - 1
        amount = due if last else min(due, round(due * share / _rest(delays, place)))
        due -= amount
        if step + delay + 1 < len(receipts_at):
            receipts_at[step + delay + 1] += amount
        else:
            after += amount
    return after


def _rest(delays: Sequence[tuple[int, float]], place: int) -> float:
    return sum(share for _, share in delays[place:])


def _wanted(
    load: Load,
    unit: Unit,
    waiting: list[int],
    retrying: list[int],
    next_run: list[int],
    odd: list[float],
    number: int,
    step: int,
    zones: Sequence[int],
    day: Day,
) -> int:
    """Start what starts now; how many messages the unit's codes would hand over in this step."""
    while next_run[number] < len(unit.runs) and unit.runs[next_run[number]][0] <= step:
        size = unit.runs[next_run[number]][1]
        next_run[number] += 1
        day.started += size
        for zone, n in enumerate(by_zone(size, [share for _, share in ZONES[load.zones]])):
            waiting[zone] += n
    ready = sum(waiting[zone] for zone in zones) + (retrying[number] if zones else 0)
    if not ready:
        odd[number] = 0.0
        return 0
    odd[number] += unit.rate * load.step * 60
    slots = int(odd[number])
    odd[number] -= slots
    return min(ready, slots)


def _take(n: int, waiting: list[int], retrying: list[int], number: int, zones: Sequence[int]) -> int:
    """Retries first, then the zones that close first."""
    taken = min(n, retrying[number])
    retrying[number] -= taken
    for zone in zones:
        more = min(n - taken, waiting[zone])
        waiting[zone] -= more
        taken += more
    return taken
