"""How much of everything a day needs: the fewest that keep a margin at the peak."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.costs import Costs
from bench.model.day import Day, Plan, simulate
from bench.model.load import Load, Unit, make_units, start_runs

TARGET = 0.7  # of a processor, at the fullest minute
CORES = 8  # of a primary
WAL_LIMIT = 200e6  # octets a second that a primary's disk and its standby's link take for long
FAST_LANE = 50  # segments a second: a lane is in every flush anyway
CONNECTIONS = 100  # PostgreSQL's default, less what it keeps for itself
DISK_LIMIT = 10e12  # octets of events and contacts on one primary: what is still restored in a day
PARTITION_LIMIT = 100e9  # octets: what is still vacuumed and copied in an hour or two
RUNS_A_PARTITION = 4096
COPIES = 3  # the primary, its synchronous standby, one for reports


@dataclass(frozen=True)
class Sized:
    """What is needed, and how full it is."""

    load: Load
    day: Day
    engines: int
    primaries: int
    enough: bool  # False: one bucket alone is more than a primary carries
    primaries_forgetful: int  # if every receipt had to be looked up
    accounts: int
    codes: int
    runs: int
    engine_p50: float  # of all engines together, over the steps in which something is sent
    engine_peak: float
    primary_p50: float  # of the fullest primary
    primary_p99: float
    primary_peak: float
    wal_peak: float  # octets a second of the fullest primary
    wal_day: float  # octets, of all
    net_db_peak: float
    net_carrier_peak: float
    stored_day: float  # octets of events and contacts, without copies
    partitions_day: float  # made, of all buckets
    partitions_bucket: int  # of the bucket with the most runs, over the retention
    partition_largest: float  # octets, once it is full or a year old
    partition_days: float  # until it is full, in the bucket with the most runs
    partition_days_most: float  # in the one with the fewest
    bucket_share: float  # of the messages, of the largest bucket
    bucket_peak: float  # of a primary's processors, that the largest bucket alone fills
    account_peak: float  # of an engine, that one full provider account fills
    firsts: list[tuple[str, float]]  # how full one engine and one primary would be, the fullest first

    @property
    def peak(self) -> float:
        """Messages a second."""
        return max(self.day.sent_a_step) / (self.load.step * 60)

    @property
    def kept(self) -> float:
        """Octets of events and contacts over the retention, on all servers."""
        return self.stored_day * self.load.retention_days * COPIES


def size(load: Load, costs: Costs) -> Sized:
    """Let the day happen on as much as it wants, see what that is, and let it happen again on just that."""
    units = make_units(load)
    start_runs(load, units)
    engines = engines_for(load, units, costs)
    runs = Counter[int]()
    for unit in units:
        runs[unit.bucket] += len(unit.runs)
    most = math.ceil(max(runs.values()) * load.retention_days / RUNS_A_PARTITION) + 1
    free = simulate(load, units, costs, Plan(engines, partitions=most))
    octets = {
        bucket: sum(free.sent_by_bucket[bucket]) * load.segments * costs.event_result
        + sum(free.receipts_by_bucket[bucket]) * costs.event_receipt
        for bucket in free.sent_by_bucket
    }
    stored = sum(octets.values()) + load.messages * costs.contact
    forgetful = simulate(load, units, costs, Plan(engines, partitions=most, forgetful=True))
    primaries, shard_of, enough = primaries_for(load, costs, free, engines, stored * load.retention_days)
    day = simulate(load, units, costs, Plan(engines, shard_of, CORES, most))
    seconds = load.step * 60
    sent = [n / seconds for n in day.sent_a_step]
    active = sorted(n for n in sent if n)
    full = sum(account_cpu(load, unit, costs) * unit.accounts for unit in units)
    contracted = sum(unit.rate for unit in units)

    def engine_use(rate: float) -> float:
        return full * rate / contracted / engines

    fullest = max(range(primaries), key=lambda shard: max(day.cpu[shard]))
    busy = sorted(cpu / CORES for cpu, n in zip(day.cpu[fullest], sent, strict=True) if n)
    by_bucket = free.cpu_by_bucket
    largest = max(by_bucket, key=lambda bucket: max(by_bucket[bucket]))
    account = max(account_cpu(load, unit, costs) for unit in units)
    cpu_peak, wal_peak = max(free.cpu[0]), max(free.wal[0])
    peak = max(sent)
    partition = max(octets[bucket] * min(RUNS_A_PARTITION / runs[bucket], 365) for bucket in octets)
    firsts = {
        "engines: the processor of one": engine_use(peak) * engines,
        "primaries: the processors of one": cpu_peak / CORES,
        "primaries: the disk of one": stored * load.retention_days / DISK_LIMIT,
        "primaries: the log of one": wal_peak / WAL_LIMIT,
        "connections: PostgreSQL's default of 100": engines * costs.engine_connections / CONNECTIONS,
        "partitions: the largest": partition / PARTITION_LIMIT,
        "provider accounts: one engine for a full one": account,
        "buckets: the largest on a primary of its own": max(by_bucket[largest]) / CORES,
    }
    sent_in_largest = sum(day.sent_by_bucket[largest])
    return Sized(
        load=load,
        day=day,
        engines=engines,
        primaries=primaries,
        enough=enough,
        primaries_forgetful=primaries_for(load, costs, forgetful, engines, 0.0)[0],
        accounts=sum(unit.accounts for unit in units),
        codes=sum(unit.codes for unit in units),
        runs=sum(runs.values()),
        engine_p50=engine_use(active[len(active) // 2]),
        engine_peak=engine_use(peak),
        primary_p50=busy[len(busy) // 2],
        primary_p99=busy[min(len(busy) - 1, len(busy) * 99 // 100)],
        primary_peak=busy[-1],
        wal_peak=max(max(wal) for wal in day.wal),
        wal_day=sum(map(sum, day.wal)) * seconds,
        net_db_peak=peak * costs.net_db_message * load.segments,
        net_carrier_peak=peak * load.segments * (costs.net_carrier_message + load.receipts * costs.net_carrier_receipt),
        stored_day=stored,
        partitions_day=sum(runs.values()) / RUNS_A_PARTITION,
        partitions_bucket=most,
        partition_largest=partition,
        partition_days=min(RUNS_A_PARTITION / n for n in runs.values()),
        partition_days_most=max(RUNS_A_PARTITION / n for n in runs.values()),
        bucket_share=sent_in_largest / max(1, sum(day.sent_a_step)),
        bucket_peak=max(by_bucket[largest]) / CORES,
        account_peak=account,
        firsts=sorted(firsts.items(), key=lambda item: -item[1]),
    )


def account_cpu(load: Load, unit: Unit, costs: Costs) -> float:
    """Seconds a second of an engine for one of the unit's provider accounts at its full rate."""
    rate, codes = unit.rate * load.segments / unit.accounts, unit.codes / unit.accounts
    segment = costs.engine_message_us + costs.engine_receipt_us * load.receipts
    slow = min(rate / codes, FAST_LANE) * costs.engine_slow_message_us + costs.engine_lane_second_us
    return (rate * segment + codes * slow) / 1e6


def engines_for(load: Load, units: Sequence[Unit], costs: Costs) -> int:
    """The fewest engines that hold all provider accounts at their full rate; an account is on one engine."""
    loads = [account_cpu(load, unit, costs) for unit in units for _ in range(unit.accounts)]
    bins: list[float] = []
    for each in sorted(loads, reverse=True):
        place = next((i for i, full in enumerate(bins) if full + each <= TARGET), None)
        if place is None:
            bins.append(each)
        else:
            bins[place] += each
    return len(bins)


def primaries_for(load: Load, costs: Costs, free: Day, engines: int, kept: float) -> tuple[int, list[int], bool]:
    """The fewest primaries, and which bucket is on which: the fullest minute of each stays under the target, its log
    and the octets that are `kept` in all under their limits. The last says whether they do: a bucket is on one primary,
    and there are no more primaries than buckets.
    """
    by_bucket = free.cpu_by_bucket
    flushing = engines * 50 * costs.db_flush_us / 1e6
    order = sorted(by_bucket, key=lambda bucket: -sum(by_bucket[bucket]))
    for n in range(1, len(order) + 1):
        shard_of = _spread(order, by_bucket, n)
        totals = [[0.0] * load.steps for _ in range(n)]
        for bucket in order:
            total = totals[shard_of[bucket]]
            for step, cpu in enumerate(by_bucket[bucket]):
                total[step] += cpu
        if (
            max(map(max, totals)) + flushing / n <= TARGET * CORES
            and max(free.wal[0]) / n <= WAL_LIMIT
            and kept / n <= DISK_LIMIT
        ):
            return n, shard_of, True
    return len(order), _spread(order, by_bucket, len(order)), False


def _spread(order: Sequence[int], by_bucket: dict[int, list[float]], n: int) -> list[int]:
    """The largest bucket first, each to the primary that has the least."""
    sums = [0.0] * n
    shard_of = [0] * (max(order) + 1)
    for bucket in order:
        place = sums.index(min(sums))
        shard_of[bucket] = place
        sums[place] += sum(by_bucket[bucket])
    return shard_of
