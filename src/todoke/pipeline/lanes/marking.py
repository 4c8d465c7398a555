"""What a reserving flush marks in the store: how far each block may have been sent, and which due rows."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.model.ids import MAX_ORDINAL
from todoke.pipeline.lanes.message import Message, Work
from todoke.store.hot.base import BlockKey, DueKey, Reserve


def all_of(messages: Sequence[Message], ask: Reserve) -> None:
    """All of these, in as few marks as may be."""
    works: dict[int, Work] = {}
    work: Work | None = None
    for message in messages:  # neighbours mostly share their block
        if message.work is not work:
            work = message.work
            if work is not None:
                works[id(work)] = work
        if work is not None:
            work.reserved_to = max(work.reserved_to, message.id & MAX_ORDINAL)
        elif message.taken is not None:
            ask.intents.append(message.taken.key)
    # Also a block that is reserved so far already: the answer says how its run stands.
    ask.blocks.extend((work.block.key, work.reserved_to) for work in works.values())


def each(messages: Sequence[Message]) -> list[tuple[BlockKey, int] | DueKey]:
    """One mark a message, in order: limits that others share decide how many count, and the store marks those."""
    marks: list[tuple[BlockKey, int] | DueKey] = []
    for message in messages:
        if message.work is not None:
            marks.append((message.work.block.key, message.id & MAX_ORDINAL))
        elif message.taken is not None:
            marks.append(message.taken.key)
    return marks
