"""What a person decides about a reply that may mean stop."""

from __future__ import annotations

from todoke.model.clock import Clock, Micros, SystemClock
from todoke.model.errors import Invalid
from todoke.model.meaning import DECIDED, Meaning
from todoke.pipeline.inbox.address import Address, Runs
from todoke.pipeline.inbox.book import address_of, answer_runs
from todoke.store.catalogue import registrations, reviews, units
from todoke.store.catalogue.registrations import Registered
from todoke.store.catalogue.reviews import ReviewRow
from todoke.store.catalogue.units import Unit
from todoke.store.hot.base import Done, Said
from todoke.store.hot.replies import ANSWER_WITHIN, Answers, Target
from todoke.store.store import Store


async def decide(
    store: Store,
    business_unit: str | None,
    review_id: int,
    meaning: Meaning,
    note: str,
    now: Micros,
    clock: Clock | None = None,
) -> Done:
    """It takes effect as if the reply had been read so: an opt-out or opt-in with the reply as its evidence, an answer
    where it is not too late for one. As `reply` or `help` the number is held no longer.

    NotFound, Conflict where somebody decided before, Invalid where it came from no number.
    """
    if meaning not in DECIDED:
        raise Invalid(f"A reply cannot mean {meaning.value!r}.", fix=f"It is one of {', '.join(DECIDED)}.")
    async with store.reading() as connection:
        unit = await units.only(connection, business_unit)
        row = await reviews.find(connection, unit, review_id)
        registered = None
        if row.transport_code_id is not None:
            registered = await registrations.of_id(connection, unit, row.transport_code_id)
        everywhere = await registrations.every_default(connection)
    if row.phone is None and meaning in (Meaning.STOP, Meaning.START):
        fix = "Put the number on the list with todoke dnc add, and resolve it as reply."
        raise Invalid("It came from no number, so there is none to put on a list.", fix=fix)
    said = Said(
        row.bucket,
        row.business_unit_id,
        row.transport_code_id,
        row.phone,
        row.inbound_id,
        meaning,
        row.text,
        row.at,
        now,
        review_id=row.id,
        note=note,
    )
    address = _address(registered, everywhere)
    narrow = address is not None and address.narrow
    said = said._replace(targets=_targets(unit, address, meaning), narrow=narrow)
    if address is not None and registered is not None and now < row.at + ANSWER_WITHIN:
        text = address.answering.text(meaning)
        if text is not None:
            runs = await answer_runs(store, registered, clock or SystemClock())
            said = said._replace(answers=_answers(runs, meaning, text))
    (done,) = await store.hot.apply_replies([said])
    return done


def _address(registered: Registered | None, everywhere: tuple[Target, ...]) -> Address | None:
    if registered is None:
        return None
    return address_of(registered, everywhere if registered.scope == "installation" else ())


def _targets(unit: Unit, address: Address | None, meaning: Meaning) -> tuple[Target, ...]:
    """Where it takes effect: as the code's scope says; of a code that is nobody's on the unit that decides."""
    if meaning is Meaning.REPLY:
        return ()
    if address is not None:
        return address.targets
    return (Target(unit.bucket, unit.id, unit.dnc_group_id),) if unit.dnc_group_id is not None else ()


def _answers(runs: Runs, meaning: Meaning, text: str) -> Answers:
    texts = {kind: text if kind is meaning else None for kind in (Meaning.STOP, Meaning.START, Meaning.HELP)}
    return Answers(runs.scrubbed, runs.exempt, *texts.values())


__all__ = ["ReviewRow", "decide"]
