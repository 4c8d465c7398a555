"""From receipts to messages: what is in the same flush, what is known in memory, what must be looked up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple, TypeAlias

from todoke.model.clock import HOUR, hour_of
from todoke.model.event import Event, Kind, State
from todoke.model.ids import BUCKET_SHIFT, MAX_RUN, RUN_SHIFT
from todoke.store.hot.base import Flush, Receipt
from todoke.store.hot.correlation import Correlation, Sent
from todoke.store.hot.doubts import receipt_events
from todoke.store.hot.orphans import Key, Orphans
from todoke.store.hot.tallies import Tallies


class Surprise(Exception):
    """An event that was taken for new is stored: the flush must be applied again, carefully."""


class Accepted(NamedTuple):
    """The submission that a provider's id was given to."""

    message_id: int
    segment: int
    attempt: int
    segments: int


# A receipt for a message of one segment that is known to be SENT at its first attempt: (message id, hour of its
# acceptance, receipt).
Quick: TypeAlias = tuple[int, int, Receipt]


def receipt_event(receipt: Receipt, accepted: Accepted) -> Event:
    """The receipt as an event of its submission. The provider's id stays with the acceptance."""
    message_id, segment, attempt, segments = accepted
    return Event(
        message_id, segment, attempt, receipt.kind, receipt.at, segments, receipt.provider_id, None, receipt.reason
    )


class Matching:
    """The receipts of one flush, while its transaction runs: parted into `quick`, `found` and `unknown`.

    Ends with exactly one of `commit` and `roll_back`. A `careful` one knows nothing by heart: no `quick` ones.
    """

    def __init__(self, flush: Flush, correlation: Correlation, *, careful: bool) -> None:
        self.quick: list[Quick] = []
        self.found: list[Event] = []
        self.unknown: list[Receipt] = []
        self._flush = flush
        self._correlation = correlation
        self._careful = careful
        self._popped: list[tuple[Receipt, Sent]] = []
        # What this same flush says was accepted, by provider and id: not in the events yet, and the newest bearer of
        # its id. Noted when the first receipt is offered; what is answered moves over.
        self._fresh: dict[int, dict[str, Sent]] | None = None
        self._answered: dict[int, dict[str, Sent]] = {}
        self._slow: dict[Key, Accepted] = {}
        for e in flush.events:
            if e.kind == Kind.ACCEPTED and e.provider_id is not None and e.provider_message_id is not None:
                key = (e.provider_id, e.provider_message_id)
                self._slow[key] = Accepted(e.message_id, e.segment, e.attempt, e.segments)

    def offer(self, receipts: Sequence[Receipt]) -> None:
        """Part these receipts too."""
        if not receipts:
            return
        by_provider = self._fresh if self._fresh is not None else self._note_fresh()
        careful, slow, pop, quick = self._careful, self._slow, self._correlation.pop, self.quick.append
        last: int | None = None
        fresh: dict[str, Sent] = {}
        answered: dict[str, Sent] = {}
        for receipt in receipts:
            provider_id, name = receipt[0], receipt[1]
            if provider_id != last:
                last = provider_id
                fresh = by_provider.setdefault(provider_id, {})
                answered = self._answered.setdefault(provider_id, {})
            sent = fresh.pop(name, None)
            if sent is not None:
                answered[name] = sent
                if not careful:
                    quick((sent[0], sent[1], receipt))
                    continue
            elif name not in answered and (provider_id, name) not in slow:
                sent = None if careful else pop(provider_id, name)
                if sent is None:
                    self.unknown.append(receipt)
                else:
                    self._popped.append((receipt, sent))
                    quick((sent[0], sent[1], receipt))
                continue
            accepted = Accepted(answered[name][0], 1, 0, 1) if name in answered else slow[provider_id, name]
            self.found.append(receipt_event(receipt, accepted))

    def resolve(self, accepted: Mapping[Key, Accepted]) -> list[Receipt]:
        """Move what was looked up from `unknown` to `found`; returns those that match nothing: orphans."""
        orphans: list[Receipt] = []
        for receipt in self.unknown:
            submission = accepted.get((receipt.provider_id, receipt.provider_message_id))
            if submission is None:
                orphans.append(receipt)
            else:
                self.found.append(receipt_event(receipt, submission))
        self.unknown = []
        return orphans

    def doubted(self, early: Sequence[Receipt], echoes: Sequence[tuple[Receipt, Accepted]]) -> list[Receipt]:
        """Of receipts that match no submission, those that end a doubt move to `found`; returns the rest."""
        ending = {id(receipt) for receipt, _ in echoes}
        for receipt, doubt in echoes:
            self.found.extend(receipt_events(receipt, doubt[:3], doubt.segments))
        return [receipt for receipt in early if id(receipt) not in ending]

    def distrust(self, message_ids: set[int]) -> None:
        """These messages turned out to have other events: move theirs from `quick` to `found`."""
        for message_id, _, receipt in self.quick:
            if message_id in message_ids:
                self.found.append(receipt_event(receipt, Accepted(message_id, 1, 0, 1)))
        self.quick = [q for q in self.quick if q[0] not in message_ids]

    def commit(self, touched: Iterable[Event]) -> None:
        """The transaction took place: what it accepted and was not answered yet may be answered quickly later.

        `touched` are the events, old and new, of messages that have more to them than one acceptance.
        """
        if not self._careful:
            for provider_id, answered in self._answered.items():
                self._correlation.drop(provider_id, answered)  # older bearers of the same id
            for group in self._flush.fresh:
                names, ids = group.provider_message_ids, group.message_ids
                if self._answered.get(group.provider_id):
                    left = self._fresh[group.provider_id] if self._fresh is not None else {}
                    pairs = [(name, m) for name, m in zip(names, ids, strict=True) if name in left]
                    names, ids = [name for name, _ in pairs], [m for _, m in pairs]
                if names:
                    self._correlation.add(group.provider_id, hour_of(group.at), names, ids)
        self._correlation.forget(touched)

    def roll_back(self) -> None:
        """The transaction did not take place: everything is as before."""
        for receipt, (message_id, hour) in self._popped:
            self._correlation.add(receipt.provider_id, hour, [receipt.provider_message_id], [message_id])

    def runs(self) -> set[tuple[int, int]]:
        """The (bucket, run) of every message that the flush's facts and these receipts speak of."""
        stems = {e.message_id >> RUN_SHIFT for e in self._flush.events}
        stems.update(e.message_id >> RUN_SHIFT for e in self.found)
        stems.update([q[0] >> RUN_SHIFT for q in self.quick])
        runs = {(stem >> (BUCKET_SHIFT - RUN_SHIFT), stem & MAX_RUN) for stem in stems}
        runs.update((d.bucket, d.run_id) for d in self._flush.due)
        runs.update((group.bucket, group.run_id) for group in self._flush.fresh)
        return runs

    def facts(self) -> list[Event]:
        """The events that must be written exactly, beside the quick receipts."""
        events = [*self._flush.events, *self.found]
        if self._careful:
            events += [
                Event(message_id, 1, 0, Kind.ACCEPTED, group.at, 1, group.provider_id, provider_message_id)
                for group in self._flush.fresh
                for message_id, provider_message_id in zip(group.message_ids, group.provider_message_ids, strict=True)
            ]
        return events

    def orphaned(self, orphans: Orphans) -> list[Key]:
        """Stored orphans that may have waited for what this flush says was accepted."""
        keys = [
            (group.provider_id, key)
            for group in self._flush.fresh
            for key in orphans.among(group.provider_id, group.provider_message_ids)
        ]
        for provider_id, provider_message_id in self._slow:
            keys += [(provider_id, key) for key in orphans.among(provider_id, [provider_message_id])]
        return keys

    def _note_fresh(self) -> dict[int, dict[str, Sent]]:
        fresh = self._fresh = {}
        for group in self._flush.fresh:
            sent = zip(group.message_ids, repeat(hour_of(group.at)), strict=False)
            fresh.setdefault(group.provider_id, {}).update(zip(group.provider_message_ids, sent, strict=True))
        return fresh


def count_quick(quick: Sequence[Quick], tallies: Tallies) -> None:
    """What quick receipts change: one SENT less in the hour of its acceptance, one DELIVERED or FAILED more."""
    receipts = [q[2] for q in quick]
    counts = Counter(
        zip(
            [q[0] >> RUN_SHIFT for q in quick],
            [q[1] for q in quick],
            [r.kind for r in receipts],
            [r.reason for r in receipts],
            [r.at // HOUR for r in receipts],
            strict=True,
        )
    )
    for (stem, sent_hour, kind, reason, hour), n in counts.items():
        bucket, run_id = stem >> (BUCKET_SHIFT - RUN_SHIFT), stem & MAX_RUN
        delivered = kind == Kind.DELIVERED
        tallies.add(bucket, run_id, State.SENT, "", sent_hour, -n, -n)
        tallies.add(
            bucket, run_id, State.DELIVERED if delivered else State.FAILED, "" if delivered else reason, hour, n, n
        )
