"""Whose turn it is: nobody starves, weights hold, what is urgent goes first, and the order inside a run is kept."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.model.stream import RANKS, Stream
from todoke.pipeline.lanes.turns import GUARANTEED, Turns

LARGEST = 6


class Piece:
    """A message of `size` segments, the `number`th of its run."""

    def __init__(self, run: int, number: int, size: int) -> None:
        self.run = run
        self.number = number
        self.size = size


class Scene:
    """Runs with their streams and weights; `draw` is what a lane does."""

    def __init__(self, runs: dict[int, tuple[Stream, int]], grain: int = 1) -> None:
        self.runs = runs
        self.turns: Turns[Piece] = Turns(grain)
        self.made: Counter[int] = Counter()

    def add(self, run: int, *sizes: int) -> None:
        pieces: list[Piece] = []
        for size in sizes:
            pieces.append(Piece(run, self.made[run], size))
            self.made[run] += 1
        self.turns.extend(self.line(run), pieces)

    def line(self, run: int):  # type: ignore[no-untyped-def]
        return self.turns.line((0, run), *self.runs[run])

    def draw(self, room: int) -> list[Piece]:
        drawn: list[Piece] = []
        left = room
        while left > 0 and (turn := self.turns.next(left)) is not None:
            assert turn.most <= max(1, left)
            segments = 0
            while turn.line.messages and segments < turn.most:
                piece = turn.line.messages.popleft()
                drawn.append(piece)
                segments += piece.size
            self.turns.served(turn, segments)
            left -= segments
        return drawn

    def undo(self, pieces: list[Piece]) -> None:
        for run in {piece.run for piece in pieces}:
            self.turns.undo(self.line(run), [piece for piece in pieces if piece.run == run])


sizes = st.integers(1, LARGEST)
kinds = st.sampled_from(list(Stream))
scenes = st.dictionaries(st.integers(0, 7), st.tuples(kinds, st.integers(1, 20)), min_size=1, max_size=8)


@given(
    runs=scenes,
    grain=st.integers(1, 50),
    moves=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(0, 7), st.lists(sizes, min_size=1, max_size=8)),
            st.tuples(st.just("draw"), st.integers(1, 40), st.integers(0, 40)),
        ),
        max_size=60,
    ),
)
def test_nothing_is_lost_the_order_in_a_run_is_kept_and_nothing_idles(runs, grain, moves) -> None:  # type: ignore[no-untyped-def]
    """Whatever comes, is drawn and is put back again: total order in each run, and work conserving."""
    scene = Scene(runs, grain)
    gone: dict[int, list[int]] = {run: [] for run in runs}
    for kind, first, second in moves:
        if kind == "add":
            scene.add(sorted(runs)[first % len(runs)], *second)
            continue
        waiting = sum(piece.size for piece in scene.turns)
        drawn = scene.draw(first)
        assert sum(piece.size for piece in drawn) >= min(first, waiting)
        back = drawn[second:]  # as a limit does that grants only a part
        scene.undo(back)
        for piece in drawn[: len(drawn) - len(back)]:
            gone[piece.run].append(piece.number)
    for piece in scene.draw(1_000_000):
        gone[piece.run].append(piece.number)
    assert not scene.turns
    assert len(scene.turns) == 0
    assert {run: list(range(scene.made[run])) for run in runs} == gone


@settings(max_examples=40)
@given(
    weights=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    of_run=st.lists(sizes, min_size=5, max_size=5),
    grain=st.integers(1, 10),
    room=st.integers(1, 200),
)
def test_weights_hold_over_a_long_run(weights, of_run, grain, room) -> None:  # type: ignore[no-untyped-def]
    """In segments, whatever the sizes: each run is within a turn and a message of its share."""
    scene = Scene({run: (Stream.BULK, weight) for run, weight in enumerate(weights)}, grain)
    rounds = 10
    total = rounds * grain * sum(weights)
    for run, size in zip(scene.runs, of_run, strict=False):
        scene.add(run, *[size] * (total // size + 1))
    served: Counter[int] = Counter()
    left = total
    while left > 0:
        drawn = scene.draw(min(left, room))
        for piece in drawn:
            served[piece.run] += piece.size
            left -= piece.size
    for run, weight in enumerate(weights):
        share = sum(served.values()) * weight / sum(weights)
        assert abs(served[run] - share) <= 2 * (weight * grain + LARGEST * len(weights)), (run, served, share)


@given(sizes=st.lists(sizes, min_size=3, max_size=3), room=st.integers(1, 40))
def test_what_is_urgent_goes_first_but_for_the_guaranteed_share(sizes, room) -> None:  # type: ignore[no-untyped-def]
    scene = Scene({rank: (stream, 1) for stream, rank in RANKS.items()})
    total = 1_000
    for rank, size in enumerate(sizes):
        scene.add(rank, *[size] * total)
    served: Counter[int] = Counter()
    while sum(served.values()) < total:
        for piece in scene.draw(room):
            served[piece.run] += piece.size
    drawn = sum(served.values())
    answers, transactional, bulk = (served[rank] for rank in range(3))
    for behind in (transactional, bulk):
        # Nobody starves, and nobody gets more than the share while somebody more urgent waits.
        assert behind >= drawn * GUARANTEED * 0.9 - LARGEST
        assert behind <= drawn * GUARANTEED * 1.15 + LARGEST
    assert answers >= drawn * (1 - 2.3 * GUARANTEED) - 2 * LARGEST


@given(room=st.integers(1, 40), kept=st.integers(1, 3), sizes=st.tuples(sizes, sizes))
def test_nobody_starves_although_only_little_of_what_is_drawn_is_granted(room, kept, sizes) -> None:  # type: ignore[no-untyped-def]
    """A limit that several codes share grants a little at a time; the rest is put back and drawn again."""
    scene = Scene({0: (Stream.TRANSACTIONAL, 1), 1: (Stream.BULK, 1)})
    for run, size in enumerate(sizes):
        scene.add(run, *[size] * 1_000)
    served: Counter[int] = Counter()
    for _ in range(300):
        drawn = scene.draw(room)
        scene.undo(drawn[kept:])
        for piece in drawn[:kept]:
            served[piece.run] += piece.size
    total = sum(served.values())
    assert total * GUARANTEED * 0.8 - LARGEST <= served[1] <= total * GUARANTEED * 1.3 + LARGEST


@given(st.integers(1, 200))
def test_what_waits_alone_gets_everything(room: int) -> None:
    scene = Scene({0: (Stream.BULK, 1)})
    scene.add(0, *[1] * 500)
    assert len(scene.draw(room)) == room


def test_a_transactional_run_goes_before_what_bulk_has_waiting() -> None:
    scene = Scene({0: (Stream.BULK, 5), 1: (Stream.TRANSACTIONAL, 1)})
    scene.add(0, *[1] * 100)
    scene.draw(20)
    scene.add(1, 1, 1, 1)
    assert [piece.run for piece in scene.draw(6)] == [1, 1, 1, 0, 0, 0]


def test_two_runs_alternate() -> None:
    scene = Scene({0: (Stream.BULK, 1), 1: (Stream.BULK, 1)})
    for run in (0, 1):
        scene.add(run, *[1] * 10)
    drawn = [piece.run for piece in scene.draw(12)]
    assert all(one != other for one, other in pairwise(drawn))


def test_a_run_that_was_alone_owes_the_next_one_nothing() -> None:
    scene = Scene({0: (Stream.BULK, 1), 1: (Stream.BULK, 1)})
    scene.add(0, *[1] * 1_000)
    scene.undo(scene.draw(300)[200:])
    scene.add(1, *[1] * 100)
    served = Counter(piece.run for piece in scene.draw(100))
    assert abs(served[0] - served[1]) <= 2


def test_an_emptied_line_is_forgotten_with_its_run_only() -> None:
    scene = Scene({0: (Stream.BULK, 1), 1: (Stream.BULK, 1)})
    scene.add(0, 1)
    scene.draw(5)
    scene.add(1, 1)
    scene.turns.forget([])
    assert [piece.run for piece in scene.turns] == [1]
    assert scene.turns.waiting(Stream.BULK) == 1
    assert scene.turns.take_out(lambda piece: piece.run == 1)
    assert not scene.turns
