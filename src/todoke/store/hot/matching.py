"""From receipts to messages: what is in the same flush, what is known in memory, what must be looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from todoke.model.clock import HOUR, hour_of
from todoke.model.event import Event, Kind, State
from todoke.model.ids import BUCKET_SHIFT, MAX_RUN, RUN_SHIFT
from todoke.store.hot.base import Flush, Receipt
from todoke.store.hot.correlation import Correlation, Sent
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


class Quick(NamedTuple):
    """A receipt for a message that is known to be SENT (in this hour), of one segment, at its first attempt."""

    message_id: int
    hour: int
    receipt: Receipt


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
        self._popped: list[tuple[int, str, Sent]] = []
        # What this same flush says was accepted: not in the events yet, and the newest bearer of its id.
        self._fresh = Correlation(limit=1 << 62)
        for group in flush.fresh:
            self._fresh.add(group.provider_id, hour_of(group.at), group.provider_message_ids, group.message_ids)
        self._answered: dict[Key, Accepted] = {}
        self._slow: dict[Key, Accepted] = {
            (e.provider_id, e.provider_message_id): Accepted(e.message_id, e.segment, e.attempt, e.segments)
            for e in flush.events
            if e.kind == Kind.ACCEPTED and e.provider_id is not None and e.provider_message_id is not None
        }
        self._busy = {e.message_id for e in flush.events} | {d.message_id for d in flush.due}

    def offer(self, receipts: Iterable[Receipt]) -> None:
        """Part these receipts too."""
        for receipt in receipts:
            provider_id, provider_message_id = receipt.provider_id, receipt.provider_message_id
            sent = self._fresh.pop(provider_id, provider_message_id)
            if sent is not None:
                self._answered[(provider_id, provider_message_id)] = Accepted(sent.message_id, 1, 0, 1)
                self._known(receipt, sent)
                continue
            same = self._same_flush((provider_id, provider_message_id)) if self._answered or self._slow else None
            if same is not None:
                self.found.append(receipt_event(receipt, same))
                continue
            sent = None if self._careful else self._correlation.pop(provider_id, provider_message_id)
            if sent is not None:
                self._popped.append((provider_id, provider_message_id, sent))
                self._known(receipt, sent)
            else:
                self.unknown.append(receipt)

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

    def distrust(self, message_ids: set[int]) -> None:
        """These messages turned out to have other events: move theirs from `quick` to `found`."""
        self.found += [
            receipt_event(q.receipt, Accepted(q.message_id, 1, 0, 1)) for q in self.quick if q[0] in message_ids
        ]
        self.quick = [q for q in self.quick if q.message_id not in message_ids]

    def commit(self, touched: Iterable[Event], *, remember: bool) -> None:
        """The transaction took place: what it accepted and was not answered yet may be answered quickly later.

        `touched` are the events, old and new, of messages that have more to them than one acceptance.
        """
        if remember and not self._careful:
            for group in self._flush.fresh:
                self._correlation.add(
                    group.provider_id, hour_of(group.at), group.provider_message_ids, group.message_ids
                )
            for key in self._answered:
                self._correlation.pop(*key)
        self._correlation.forget(touched)

    def roll_back(self) -> None:
        """The transaction did not take place: everything is as before."""
        for provider_id, provider_message_id, sent in self._popped:
            self._correlation.add(provider_id, sent.hour, [provider_message_id], [sent.message_id])

    def runs(self) -> set[tuple[int, int]]:
        """The (bucket, run) of every message that the flush's facts and these receipts speak of."""
        stems = {e.message_id >> RUN_SHIFT for e in self._flush.events}
        stems.update(e.message_id >> RUN_SHIFT for e in self.found)
        stems.update(q.message_id >> RUN_SHIFT for q in self.quick)
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

    def _same_flush(self, key: Key) -> Accepted | None:
        return self._answered.get(key) or self._slow.get(key)

    def _known(self, receipt: Receipt, sent: Sent) -> None:
        if self._careful or sent.message_id in self._busy:
            self.found.append(receipt_event(receipt, Accepted(sent.message_id, 1, 0, 1)))
        else:
            self.quick.append(Quick(sent.message_id, sent.hour, receipt))


def count_quick(quick: Iterable[Quick], tallies: Tallies) -> None:
    """What quick receipts change: one SENT less in the hour of its acceptance, one DELIVERED or FAILED more."""
    counts: dict[tuple[int, int, int, str, int], int] = {}
    for message_id, hour, receipt in quick:
        reason = "" if receipt.kind == Kind.DELIVERED else receipt.reason
        key = (message_id >> RUN_SHIFT, hour, receipt.kind, reason, receipt.at // HOUR)
        counts[key] = counts.get(key, 0) + 1
    for (stem, sent_hour, kind, reason, hour), n in counts.items():
        bucket, run_id = stem >> (BUCKET_SHIFT - RUN_SHIFT), stem & MAX_RUN
        tallies.add(bucket, run_id, State.SENT, "", sent_hour, -n, -n)
        tallies.add(bucket, run_id, State.DELIVERED if kind == Kind.DELIVERED else State.FAILED, reason, hour, n, n)
