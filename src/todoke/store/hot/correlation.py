"""Which message a provider's id belongs to, for what was accepted lately: saves the receipt a look-up.

Holds only messages of one segment whose one event is their acceptance at the first attempt, so that what their
receipt changes is known without reading. Whatever else touches such a message takes it out of here; what is not
here is looked up in the events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from todoke.model.event import Event, Kind

# A message and the hour in which the provider accepted it. (A bare tuple: a named one costs ten times as much.)
Sent: TypeAlias = tuple[int, int]


class _Generation(NamedTuple):
    provider_id: int
    hour: int
    messages: dict[str, int]


class Correlation:
    """At most about `limit` messages: the oldest generation goes when there are more."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self._limit = limit
        self._generations: deque[_Generation] = deque()  # newest first

    def add(self, provider_id: int, hour: int, provider_message_ids: Sequence[str], message_ids: Sequence[int]) -> None:
        """Remember accepted messages; the two sequences run in parallel."""
        generation = self._generation(provider_id, hour)
        generation.messages.update(zip(provider_message_ids, message_ids, strict=True))
        while len(self._generations) > 1 and sum(len(g.messages) for g in self._generations) > self._limit:
            self._generations.pop()

    def pop(self, provider_id: int, provider_message_id: str) -> Sent | None:
        """The message last accepted under this id, once; every older one of the same id is forgotten too."""
        found: Sent | None = None
        for owner, hour, messages in self._generations:
            if owner == provider_id:
                message_id = messages.pop(provider_message_id, None)
                if message_id is not None and found is None:
                    found = (message_id, hour)
        return found

    def drop(self, provider_id: int, provider_message_ids: Mapping[str, object]) -> None:
        """Forget whatever these ids were given to."""
        for owner, _, messages in self._generations:
            if owner == provider_id:
                for known in messages.keys() & provider_message_ids.keys():
                    del messages[known]

    def forget(self, events: Iterable[Event]) -> None:
        """Messages of which these events tell more than one acceptance."""
        for event in events:
            if event.kind == Kind.ACCEPTED and event.provider_id is not None and event.provider_message_id is not None:
                self.pop(event.provider_id, event.provider_message_id)

    def clear(self) -> None:
        """Forget everything: every receipt is looked up."""
        self._generations.clear()

    def _generation(self, provider_id: int, hour: int) -> _Generation:
        for generation in self._generations:
            if generation.provider_id == provider_id:
                if generation.hour == hour and len(generation.messages) < self._limit // 4:
                    return generation
                break
        generation = _Generation(provider_id, hour, {})
        self._generations.appendleft(generation)
        return generation
