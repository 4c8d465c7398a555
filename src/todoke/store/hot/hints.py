"""Hints between processes, as text that fits a NOTIFY."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from todoke.store.hot.base import Done, Hint, OptOut
from todoke.store.hot.replies import told

MOST_NUMBERS = 64  # of one change; more than a person or a carrier says at once are not told one by one

_WORK, _MANY = 1, 2


def of_opt_outs(opt_outs: Sequence[OptOut]) -> Hint:
    """What a change of DNC entries is told as."""
    if len(opt_outs) > MOST_NUMBERS:
        return Hint(many=any(o.kind == "out" for o in opt_outs))
    return Hint(numbers=tuple((o.dnc_group_id, o.phone, o.kind) for o in opt_outs))


def of_replies(done: Sequence[Done]) -> Hint:
    """What replies changed is told as."""
    numbers = told(done)
    work = any(one.message_id is not None for one in done)
    if len(numbers) > MOST_NUMBERS:
        return Hint(work, many=any(kind == "out" for _, _, kind in numbers))
    return Hint(work, tuple(numbers))


def encode(hint: Hint) -> str:
    """At most about 2,000 characters."""
    flags = (_WORK if hint.work else 0) | (_MANY if hint.many else 0)
    return msgspec.json.encode([flags, *hint.numbers]).decode()


def decode(text: str) -> Hint:
    """The hint; one of another version, or of somebody else, means that anything may have changed."""
    try:
        flags, *numbers = msgspec.json.decode(text)
        told = tuple((int(group), int(phone), str(kind)) for group, phone, kind in numbers)
        return Hint(bool(flags & _WORK), told, bool(flags & _MANY))
    except (msgspec.DecodeError, TypeError, ValueError):
        return Hint(work=True, many=True)
