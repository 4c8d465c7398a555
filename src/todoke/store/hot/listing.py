"""What an opt-out or opt-in makes of a number's entry on a group, and the rows that tell what changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from todoke.model.clock import Micros
from todoke.model.dnc import DncChange, Entry, merge
from todoke.store.hot.heard import OptOut

CHANGE_COLUMNS = (
    *("bucket", "business_unit_id", "dnc_group_id", "phone", "change", "source", "who", "reason", "upload_id"),
    *("count", "since", "old_upload_id", "old_expires_at", "expires_at", "at"),
)


class Listed(NamedTuple):
    """`entry`: to be stored in place of the old one; `lifted`: the old one goes. `changes`: rows of `dnc_change`."""

    entry: Entry | None
    lifted: bool
    changes: Sequence[tuple[Any, ...]]


class Applied(NamedTuple):
    """What became of an opt-out or opt-in: what the number said last of that group, "out" or "in", and whether its
    entry came, went or changed.
    """

    said: OptOut
    last: str
    moved: bool


def listed(said: OptOut, last: str, old: Entry | None, now: Micros, *, contributed: bool) -> Listed:
    """`last`: what the number said last, "out" or "in"; `old`: its entry. `contributed`: the group is not the code's
    own: an opt-in lifts only what an opt-out put there.
    """
    if last == "out":
        entry, kinds = merge(old, Entry(said.entry_source, said.at, said.expires_at), now)
        return Listed(entry if kinds else None, False, [_row(said, kind, old, entry) for kind in kinds])
    if old is None or (contributed and old.source != "opt_out"):
        return Listed(None, False, ())
    kind = DncChange.REMOVED if old.holds(now) else DncChange.EXPIRED
    return Listed(None, True, [_row(said, kind, old, None)])


def _row(said: OptOut, kind: DncChange, old: Entry | None, entry: Entry | None) -> tuple[Any, ...]:
    before = (
        (old.since, old.upload_id, old.expires_at) if old is not None and kind is not DncChange.ADDED else (None,) * 3
    )
    place = (said.bucket, said.business_unit_id, said.dnc_group_id, said.phone, kind.value)
    if kind is DncChange.EXPIRED and old is not None:
        return (*place, old.source, "", "", None, 1, *before, None, old.expires_at)
    who = said.who or ("contact" if said.source == "reply" else "")
    until = entry.expires_at if entry is not None else None
    return (*place, said.entry_source, who, said.evidence, None, 1, *before, until, said.at)


def spread(said: OptOut, groups: Sequence[int], *, narrow: bool) -> list[OptOut]:
    """The word for the group that it names, and for those that the skill contributes to. `narrow`: an opt-out goes to
    the latter only, where there are any.
    """
    more = contributed(said, groups)
    if narrow and more and said.kind == "out" and said.dnc_group_id not in groups:
        return more
    return [said, *more]


def contributed(said: OptOut, groups: Sequence[int]) -> list[OptOut]:
    """The same word for the groups that the skill contributes to."""
    return [said._replace(dnc_group_id=group, transport_code_id=None) for group in groups if group != said.dnc_group_id]
