from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.smpp.backoff import Backoff


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_up_to_their_limit(failures: int, jitter: float) -> None:
    backoff = Backoff(first=0.5, limit=30)
    wait = backoff.wait(failures, lambda: jitter)
    whole = min(30, 0.5 * 2 ** min(failures - 1, 30))
    assert whole / 2 <= wait <= whole
