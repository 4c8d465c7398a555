"""The inbox's address book, from the catalogue."""

from __future__ import annotations

from todoke.compliance.answering import Answering, who
from todoke.compliance.keywords import Keywords, language_of, settings_of
from todoke.model.clock import Clock
from todoke.pipeline.inbox.address import Address, Runs
from todoke.store.catalogue import registrations, standing
from todoke.store.catalogue.registrations import Registered
from todoke.store.catalogue.standing import Purpose
from todoke.store.hot.replies import Target
from todoke.store.store import Store

_KEEP = 5.0  # seconds: a declaration is changed seldom, and a code may be told thousands of replies a second
_MOST = 10_000


class Book:
    """See `pipeline/inbox/address.py`. What it read is kept for some seconds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[tuple[int, str], tuple[float, Address | None]] = {}
        self._rows: dict[int, Registered] = {}  # by transport code
        self._runs: dict[tuple[int, tuple[int, ...]], Runs] = {}

    async def find(self, provider_id: int, code: str) -> Address | None:
        known = self._known.get((provider_id, code))
        if known is not None and known[0] > self._clock.monotonic():
            return known[1]
        async with self._store.reading() as connection:
            row = await registrations.of_code(connection, provider_id, code)
            everywhere: tuple[Target, ...] = ()
            if row is not None and row.scope == "installation":
                everywhere = await registrations.every_default(connection)
        found = None if row is None else self._address(row, everywhere)
        if len(self._known) > _MOST:
            self._known.clear()
        self._known[provider_id, code] = (self._clock.monotonic() + _KEEP, found)
        return found

    def _address(self, row: Registered, everywhere: tuple[Target, ...]) -> Address:
        self._rows[row.code.id] = row
        return address_of(row, everywhere)

    async def runs(self, address: Address, *, anew: bool) -> Runs:
        row = self._rows[address.transport_code_id]
        key = (row.code.id, row.scrub_groups)
        found = None if anew else self._runs.get(key)
        if found is None:
            found = self._runs[key] = await answer_runs(self._store, row, self._clock)
        return found


def address_of(row: Registered, everywhere: tuple[Target, ...]) -> Address:
    """`everywhere`: the default groups of all business units, where the scope asks for them."""
    own = row.target
    targets = dict.fromkeys((*((own,) if own is not None else ()), *everywhere))
    answering = Answering(
        who(row.answers, row.code.type),
        row.unit.name,
        row.code.code,
        row.language or language_of(row.unit.default_region),
        row.texts or {},
    )
    keywords = Keywords(settings_of(row.keywords))
    return Address(row.unit.bucket, row.unit.id, row.code.id, tuple(targets), keywords, answering, row.scope == "skill")


async def answer_runs(store: Store, row: Registered, clock: Clock) -> Runs:
    """The standing runs for answers from the code, made where there are none."""
    scrubbed = await standing.ensure(store, row.unit, row.code, Purpose.ANSWERS, row.scrub_groups, clock.now())
    exempt = await standing.ensure(store, row.unit, row.code, Purpose.CONFIRMATIONS, (), clock.now())
    return Runs(scrubbed, exempt)
