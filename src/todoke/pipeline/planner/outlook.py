"""What a run has before it: how many contacts may be texted now, how many later, how many never before it expires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from todoke.compliance import windows
from todoke.compliance.hours import Hours
from todoke.model.clock import Micros, to_datetime
from todoke.model.errors import Conflict
from todoke.sms.phone_type import phone_type_of, places_of


class Outlook(NamedTuple):
    """Contacts by what their candidate places allow: `open` now, `later` (the first of them from `first_opens` on),
    `unknown` for those in no known place, `never` for those whose places are not open before the run expires. `mixed`
    were not looked at: each has places of its own. `untyped`, of all these: hours are declared by phone type, and the
    list does not say of which one their number is.
    """

    open: int = 0
    later: int = 0
    unknown: int = 0
    never: int = 0
    mixed: int = 0
    first_opens: Micros | None = None
    untyped: int = 0

    @property
    def hopeless(self) -> bool:
        """Nobody can ever be texted."""
        return not (self.open or self.later or self.mixed)


def look(
    groups: Iterable[tuple[tuple[str, ...], int]], mixed: int, hours: Hours, now: Micros, expires_at: Micros
) -> Outlook:
    """The outlook of contacts in groups of the same places and phone type."""
    open_now = later = unknown = never = untyped = 0
    first: Micros | None = None
    for places, contacts in groups:
        found = windows.opening(hours, places, now)
        if hours.by_phone_type and not phone_type_of(places):
            untyped += contacts
        if found is None and not places_of(places):
            unknown += contacts
        elif found is None or found.opens >= expires_at:
            never += contacts
        elif found.opens == now:
            open_now += contacts
        else:
            later += contacts
            first = found.opens if first is None else min(first, found.opens)
    return Outlook(open_now, later, unknown, never, mixed, first, untyped)


def warnings(outlook: Outlook) -> Iterator[str]:
    """Sentences for whoever starts the run."""
    if outlook.later:
        assert outlook.first_opens is not None
        opens = f"{to_datetime(outlook.first_opens):%Y-%m-%d %H:%M} UTC"
        yield f"{outlook.later:,} contacts are outside of their calling window; the first of them opens at {opens}."
    if outlook.unknown:
        yield f"{outlook.unknown:,} contacts are in no known place; they are held until the run expires."
    if outlook.never:
        yield f"{outlook.never:,} contacts are in no open calling window before the run expires."
    if outlook.untyped:
        yield (
            f"Of {outlook.untyped:,} contacts the list does not say of which phone type their number is; "
            "the hours of all phone types must be open. Import it again, and it says so."
        )


def strangers(hours: Hours, phone_names: Mapping[str, Sequence[str]] | None) -> Iterator[str]:
    """A sentence where hours are declared by phone type, but for none that the list has: perhaps one is misspelt.
    `phone_names`: by phone field of the list, what else files called it.
    """
    types = [(field, *others) for field, others in (phone_names or {}).items()]
    if types and hours.by_phone_type and not any(one.holds_for(of) for one in hours.by_phone_type for of in types):
        declared = ", ".join(dict.fromkeys(repr(one.name) for one in hours.by_phone_type))
        own = ", ".join(" or ".join(map(repr, names)) for names in types)
        yield f"Hours are declared for the phone types {declared}, none of which the list has. It has {own}."


def uncounted(outlook: Outlook) -> Iterator[str]:
    """The sentence in place of these where the outlook is that of a whole list, and who is selected from it is not
    known yet.
    """
    if outlook.later or outlook.unknown or outlook.never:
        yield (
            "Some contacts of the list are outside of their calling window, or in no known place; how many of those "
            "that the filter takes is not known before they are selected. todoke skill estimate counts them."
        )


def check(outlook: Outlook, calling_list: str, *, filtered: bool = False) -> None:
    """Conflict where nobody could be texted before the run expires. `filtered`: some of the list are meant."""
    if outlook.hopeless:
        why = "They are in no known place" if outlook.unknown else "Their calling windows do not open"
        if outlook.untyped and not outlook.unknown:
            why += ": the list does not say of which phone type their numbers are, and those of all phone types must"
        whom = f"of the list {calling_list!r}" + (" that the filter takes" if filtered else "")
        raise Conflict(
            f"No contact {whom} could be texted before the run expires. {why}.",
            fix="Look at one of them with todoke why NUMBER --skill NAME, or give the list a column TimeZone.",
        )
