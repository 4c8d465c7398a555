"""Whose a transport code is, how replies to it are read, and what follows from them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from todoke.compliance.answering import Answering
from todoke.compliance.keywords import Keywords
from todoke.store.hot.replies import Target


class Address(NamedTuple):
    """`targets`: the DNC groups that an opt-out goes to, as its scope says; none where there is no group yet. `narrow`:
    it is meant for the skill whose text the number got last.
    """

    bucket: int
    business_unit_id: int
    transport_code_id: int
    targets: tuple[Target, ...]
    keywords: Keywords
    answering: Answering
    narrow: bool = False


class Runs(NamedTuple):
    """The standing runs that carry answers: `scrubbed` against the do-not-call lists, or `exempt` from them."""

    scrubbed: int
    exempt: int


class AddressBook(Protocol):
    """Who a code belongs to at a provider; None where no transport code is called so."""

    async def find(self, provider_id: int, code: str) -> Address | None: ...

    async def runs(self, address: Address, *, anew: bool) -> Runs:
        """The standing runs for answers from the code. `anew`: those that were told before are not open any more."""
        ...
