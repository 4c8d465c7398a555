"""What a day asks for: how many messages, from whom, when, and what comes back."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

BUCKETS = 256
PARTS = 2  # segments of a message that has more than one

# Hours after the first zone, and the share of contacts: what opens later is sent later.
ZONES: dict[str, tuple[tuple[int, float], ...]] = {
    "one": ((0, 1.0),),
    "us": ((0, 0.47), (1, 0.29), (2, 0.07), (3, 0.17)),
    "world": ((0, 0.35), (3, 0.25), (5, 0.1), (8, 0.15), (14, 0.15)),
}


@dataclass(frozen=True)
class Load:
    """A day. The defaults are of a service that texts for many business units in one country."""

    messages: int = 1_000_000_000
    hours: int = 10  # that a calling window is open
    peak: float = 2.0  # what the carriers take at most, by the mean over those hours
    receipts: float = 1.0  # for each segment
    segments: float = 1.2  # for each message
    retries: float = 0.02  # of what is handed over, comes back as "later"
    units: int = 2_000
    skew: float = 1.0  # of Zipf's law over the units
    list_size: int = 20_000  # the mean; few are large, most are small
    list_spread: float = 1.5  # sigma of its logarithm
    early: float = 0.3  # of the runs are started before the first window opens
    zones: str = "us"
    rates: tuple[int, ...] = (1, 10, 100, 500)  # of codes, segments a second
    codes: int = 10  # of one kind that a unit has before it takes faster ones
    account_rate: int = 1_000  # segments a second that one provider account takes
    retention_days: int = 90
    step: int = 1  # minutes
    seed: int = 1

    @property
    def contracted(self) -> float:
        """Messages a second that all codes together may send."""
        return self.messages / (self.hours * 3600) * self.peak

    @property
    def steps(self) -> int:
        """Until the last zone has closed, and two hours more for its receipts."""
        last = max(offset for offset, _ in ZONES[self.zones])
        return (last + self.hours + 2) * 60 // self.step

    def open_zones(self, step: int) -> list[int]:
        minute = step * self.step
        return [
            number
            for number, (offset, _) in enumerate(ZONES[self.zones])
            if offset * 60 <= minute < (offset + self.hours) * 60
        ]


@dataclass
class Unit:
    """A business unit: what it may send, and the runs that it starts."""

    number: int
    share: float
    bucket: int
    rate: float  # messages a second of all its codes
    code_rate: int
    codes: int
    accounts: int
    runs: list[tuple[int, int]] = field(default_factory=list)  # step, contacts

    @property
    def contacts(self) -> int:
        return sum(size for _, size in self.runs)


def make_units(load: Load) -> list[Unit]:
    """The units with their codes and buckets; who sends more than a bucket's even share has one of its own."""
    weights = [1 / (rank**load.skew) for rank in range(1, load.units + 1)]
    total = sum(weights)
    units: list[Unit] = []
    own = sum(weight / total > 1 / BUCKETS for weight in weights)
    own = min(own, BUCKETS - 1)
    for number, weight in enumerate(weights):
        share = weight / total
        wanted = share * load.contracted * load.segments  # segments a second
        code_rate = next((rate for rate in load.rates if rate * load.codes >= wanted), load.rates[-1])
        codes = max(1, math.ceil(wanted / (code_rate * 0.97)))
        bucket = number if number < own else own + number % (BUCKETS - own)
        rate = min(wanted, codes * code_rate * 0.97) / load.segments
        accounts = max(1, math.ceil(rate * load.segments / load.account_rate))
        units.append(Unit(number, share, bucket, max(rate, 0.97 / load.segments), code_rate, codes, accounts))
    return units


def start_runs(load: Load, units: Sequence[Unit]) -> None:
    """Give every unit its runs: exactly `load.messages` contacts in all."""
    dice = random.Random(load.seed)
    left = load.messages
    for unit in units:
        wanted = min(left, round(unit.share * load.messages)) if unit is not units[-1] else left
        left -= wanted
        size = max(1.0, min(load.list_size, wanted / 3))
        mu = math.log(size) - load.list_spread**2 / 2
        while wanted > 0:
            contacts = min(wanted, max(1, round(dice.lognormvariate(mu, load.list_spread))))
            early = dice.random() < load.early
            step = 0 if early else int(dice.random() * load.hours * 0.7 * 60 / load.step)
            unit.runs.append((step, contacts))
            wanted -= contacts
        unit.runs.sort()


def by_zone(contacts: int, shares: Sequence[float]) -> list[int]:
    """The contacts of a run by zone; they add up."""
    found: list[int] = []
    taken, sum_of_shares = 0, 0.0
    for share in shares:
        sum_of_shares += share
        upto = round(contacts * min(1.0, sum_of_shares)) if len(found) < len(shares) - 1 else contacts
        found.append(upto - taken)
        taken = upto
    return found
