"""The contacts of a run by their ordinals: the one place where an ordinal becomes a position of the list.

An ordinal below SELECTED *is* a position; from there on the run's selection says which one it is. A lane calls a
contact by its ordinal: that is what `Contact.position` holds here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from todoke.model.ids import SELECTED
from todoke.store.hot.base import Contact, Hot, OpenRun


async def between(hot: Hot, run: OpenRun, first: int, last: int, groups: tuple[int, ...]) -> list[Contact]:
    """The contacts with ordinals first..last, in order: all of them of one kind, since a block is of one cursor."""
    if first < SELECTED:
        return await hot.read_contacts(run.bucket, run.list_id, first, last, groups)
    return await _at(hot, run, await hot.selected(run.bucket, run.id, first, last), groups)


async def at(hot: Hot, run: OpenRun, ordinals: Sequence[int], groups: tuple[int, ...]) -> list[Contact]:
    """Just these, in order."""
    plain = [ordinal for ordinal in ordinals if ordinal < SELECTED]
    found = await hot.read_contacts_at(run.bucket, run.list_id, plain, groups) if plain else []
    if len(plain) < len(ordinals):
        wanted = [ordinal for ordinal in ordinals if ordinal >= SELECTED]
        found += await _at(hot, run, await hot.selected_at(run.bucket, run.id, wanted), groups)
    return found


async def _at(hot: Hot, run: OpenRun, places: Mapping[int, int], groups: tuple[int, ...]) -> list[Contact]:
    """`places` has positions by ordinal."""
    ordinals = {position: ordinal for ordinal, position in places.items()}
    found = await hot.read_contacts_at(run.bucket, run.list_id, list(ordinals), groups)
    return sorted(contact._replace(position=ordinals[contact.position]) for contact in found)
