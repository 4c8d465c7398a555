"""The watchdog barks only where something should move and does not."""

from __future__ import annotations

from todoke.model.clock import SECOND
from todoke.pipeline.lanes.watchdog import Verdict, Watched, watch


def looks(
    seconds: int, *, backlog: bool = True, able: bool = True, rate: float = 10.0, sends: bool = False
) -> list[tuple[int, Verdict]]:
    """(second, verdict) of every bark, with a look a second."""
    known: Watched | None = None
    barks: list[tuple[int, Verdict]] = []
    for second in range(seconds):
        sent = second if sends else 7
        known, verdict = watch(known, sent, backlog=backlog, able=able, rate=rate, now=second * SECOND)
        if verdict is not Verdict.FINE:
            barks.append((second, verdict))
    return barks


def test_a_lane_that_sends_is_fine() -> None:
    assert looks(300, sends=True) == []


def test_a_lane_without_work_is_fine() -> None:
    assert looks(300, backlog=False) == []


def test_a_lane_that_hangs_is_made_anew_and_then_its_links_are_cut() -> None:
    assert looks(61) == [(20, Verdict.REBUILD), (40, Verdict.REBUILD), (60, Verdict.RESET)]


def test_a_lane_that_cannot_send_is_spoken_of() -> None:
    assert looks(41, able=False) == [(20, Verdict.ALARM), (40, Verdict.ALARM)]


def test_a_slow_code_has_its_own_patience() -> None:
    assert looks(100, rate=0.2) == []
    assert looks(101, rate=0.2) == [(100, Verdict.REBUILD)]


def test_one_message_ends_it() -> None:
    seen, _ = watch(None, 0, backlog=True, able=True, rate=1.0, now=0)
    seen, verdict = watch(seen, 0, backlog=True, able=True, rate=1.0, now=20 * SECOND)
    assert verdict is Verdict.REBUILD
    seen, verdict = watch(seen, 1, backlog=True, able=True, rate=1.0, now=39 * SECOND)
    assert (seen, verdict) == (Watched(1, 39 * SECOND), Verdict.FINE)
