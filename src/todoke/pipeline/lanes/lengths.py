"""How many segments a message takes, found out again from its run and its contact.

A journal that does not count leaves no other trace of it, and a text of three segments is in doubt with all three: the
receipt of one would otherwise say that the whole of it arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from todoke.model.ids import address, message_id
from todoke.pipeline.lanes import contacts
from todoke.sms.compose import EmptyText, MissingField, TooLong, compose
from todoke.sms.templates import TemplateError, UnknownField, parse
from todoke.store.hot.base import SEPARATOR, Hot, OpenBlock, OpenIntent, OpenRun

_PIECE = 500  # contacts


async def segments(hot: Hot, blocks: Iterable[OpenBlock], intents: Iterable[OpenIntent]) -> dict[int, int]:
    """By message id, of what these reserved: the segments of its text, where it has more than one.

    A contact that was edited since is counted as it is now. One that is gone or has no text any more is left out.
    """
    wanted: dict[tuple[int, int], set[int]] = {}
    codes: set[int] = set()
    for block in blocks:
        ordinals = range(block.key.first_position, min(block.reserved_to, block.last_position) + 1)
        if ordinals:
            wanted.setdefault((block.key.bucket, block.key.run_id), set()).update(ordinals)
            codes.add(block.transport_code_id)
    for intent in intents:
        if intent.reserved and not intent.segments:  # else it says itself which ones
            bucket, run_id, ordinal = address(intent.key.message_id)
            wanted.setdefault((bucket, run_id), set()).add(ordinal)
            codes.add(intent.transport_code_id)
    found: dict[int, int] = {}
    for run in await hot.open_runs(sorted(codes)) if wanted else ():
        found.update(await _of_run(hot, run, wanted))
    return found


async def _of_run(hot: Hot, run: OpenRun, wanted: Mapping[tuple[int, int], set[int]]) -> dict[int, int]:
    ordinals = sorted(wanted.get((run.bucket, run.id), ()))
    try:
        renderer = parse(run.body).compile(run.fields)
    except (TemplateError, UnknownField):
        return {}  # nothing of it was ever composed
    found: dict[int, int] = {}
    for start in range(0, len(ordinals), _PIECE):
        piece = ordinals[start : start + _PIECE]
        for contact in await contacts.at(hot, run, piece, ()):
            try:
                composed = compose(renderer, contact.fields.split(SEPARATOR), smart=run.smart_encoding)
            except (MissingField, EmptyText, TooLong):
                continue
            if len(composed.split.parts) > 1:
                found[message_id(run.bucket, run.id, contact.position)] = len(composed.split.parts)
    return found
