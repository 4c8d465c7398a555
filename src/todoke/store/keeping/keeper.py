"""Many numbers held against do-not-call groups, suppressions, caps, consent and erased people: as engines do it when
they compose and when they reserve, by the same statements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from todoke.model.clock import Micros
from todoke.store import postgres
from todoke.store.hot.base import Held
from todoke.store.hot.postgres import dnc as postgres_dnc
from todoke.store.hot.postgres import guards as postgres_guards
from todoke.store.hot.sqlite import dnc as sqlite_dnc
from todoke.store.hot.sqlite import guards as sqlite_guards
from todoke.store.keeping.rules import Rules
from todoke.store.store import Store


class Kept(NamedTuple):
    """`listed`: the numbers that are on a do-not-call group. `others`: by their place among those that were asked for,
    until when they wait, or the reason for which they go no further.
    """

    listed: Collection[int]
    others: Mapping[int, Held | str]


NOBODY = Kept((), {})


class Keeper:
    """Asks for some thousand numbers at a time, each time in short transactions that keep nobody waiting."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules

    @property
    def external_ids(self) -> bool:
        """Whether it matters which external ids the contacts have."""
        return self._rules.guard.external_ids

    async def ask(self, phones: Sequence[int], external_ids: Sequence[str], now: Micros) -> Kept:
        """Of these numbers, each 1 or more; with the external ids of their contacts, place by place, where these
        matter. StoreUnavailable; Conflict where people were erased and this process has no key to recognise them by.
        """
        if not phones:
            return NOBODY
        rules, store = self._rules, self._store
        listed, held = await (self._on_sqlite if store.dialect == "sqlite" else self._on_postgres)(
            phones, external_ids, now
        )
        others: dict[int, Held | str] = {**held}
        if rules.check is not None:
            barred = await store.hot.barred(rules.bucket, rules.groups, rules.check, phones, now)
            if barred:
                others |= {place: barred[phone] for place, phone in enumerate(phones) if phone in barred}
        return Kept(listed, others)

    @property
    def _holds(self) -> bool:
        guard = self._rules.guard
        return guard.suppresses or bool(guard.caps)

    async def _on_sqlite(
        self, phones: Sequence[int], external_ids: Sequence[str], now: Micros
    ) -> tuple[set[int], dict[int, Held]]:
        rules = self._rules
        listed = await self._store.scanner.run(
            lambda db: sqlite_dnc.on_lists(db, rules.bucket, rules.groups, phones) if rules.groups else set[int]()
        )
        if not self._holds:
            return listed, {}
        return listed, await self._store.scanner.run(
            lambda db: sqlite_guards.foresee(db, rules.guard, phones, external_ids, now)
        )

    async def _on_postgres(
        self, phones: Sequence[int], external_ids: Sequence[str], now: Micros
    ) -> tuple[set[int], dict[int, Held]]:
        rules = self._rules
        try:
            async with self._store.pool.acquire() as connection:
                listed = await postgres_dnc.on_lists(connection, rules.bucket, rules.groups, phones)
                held: dict[int, Held] = {}
                if self._holds:
                    held = await postgres_guards.foresee(connection, rules.guard, phones, external_ids, now)
                return listed, held
        except postgres.LOST as error:
            raise postgres.unavailable(error, self._store.address) or error from error
