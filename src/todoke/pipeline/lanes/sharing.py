"""Which engine should have which bind groups: a pure function of what there is, the same answer on every engine.

A *bind group* is all lanes of one provider account: they go together, since the account's links do. Each engine
looks at the same rows and works out the same division, so that no engine has to tell another what to do: it takes
what the division gives it and leaves what it gives to others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from todoke.store.hot.base import BindGroup

_WORTH_IT = 0.1  # of a group's weight: where its move evens out less, it is not worth a pause of the group's codes
_EACH = 0.01  # what a group weighs beside its rate: many slow ones are spread too


class Division(NamedTuple):
    """Provider ids that this engine should take, and those that it should leave for a poorer one."""

    take: list[int]
    leave: list[int]


def divide(groups: Iterable[BindGroup], engines: Collection[int], me: int) -> Division:
    """What `me`, one of the living `engines`, does about these groups.

    Free groups go to whoever has least, the heaviest first. Only when none is free does an engine with much leave
    something for the one with least, and only where that makes the greater of the two loads clearly smaller.
    """
    load = dict.fromkeys(sorted({*engines, me}), 0.0)
    held: dict[int, list[BindGroup]] = {engine: [] for engine in load}
    free: list[BindGroup] = []
    for group in groups:
        if group.owner is not None and group.owner in load:
            held[group.owner].append(group)
            load[group.owner] += _weight(group)
        else:
            free.append(group)
    if free:
        take: list[int] = []
        for group in sorted(free, key=lambda g: (-_weight(g), g.provider_id)):
            poorest = min(load, key=lambda e: (load[e], e))
            load[poorest] += _weight(group)
            if poorest == me:
                take.append(group.provider_id)
        return Division(take, [])
    return Division([], [group.provider_id for giver, group in _moves(load, held) if giver == me])


def _moves(load: dict[int, float], held: dict[int, list[BindGroup]]) -> list[tuple[int, BindGroup]]:
    """Who gives which group away, until no move is worth it."""
    moves: list[tuple[int, BindGroup]] = []
    while move := _best_move(load, held):
        giver, taker, group = move
        held[giver].remove(group)  # it moves once: the taker's list does not get it
        load[giver] -= _weight(group)
        load[taker] += _weight(group)
        moves.append((giver, group))
    return moves


def _best_move(load: dict[int, float], held: dict[int, list[BindGroup]]) -> tuple[int, int, BindGroup] | None:
    taker = min(load, key=lambda e: (load[e], e))
    for giver in sorted(load, key=lambda e: (-load[e], e)):
        gap = load[giver] - load[taker]
        fitting = [g for g in held[giver] if _weight(g) * (1 + _WORTH_IT) <= gap]
        if fitting:
            return giver, taker, min(fitting, key=lambda g: (abs(gap / 2 - _weight(g)), g.provider_id))
    return None


def _weight(group: BindGroup) -> float:
    return group.rate + _EACH
