from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from todoke.model.dnc import DncChange, Entry, merge

entries = st.builds(
    Entry, st.sampled_from(["opt_out", "upload", "person"]), st.integers(0, 50), st.none() | st.integers(0, 100)
)
NOW = 50


def strictness(entry: Entry | None) -> float:
    """Until when it holds."""
    if entry is None or not entry.holds(NOW):
        return NOW
    return float("inf") if entry.expires_at is None else entry.expires_at


@given(st.none() | entries, entries)
def test_the_stricter_of_two_entries_holds(old: Entry | None, new: Entry) -> None:
    entry, changes = merge(old, new, NOW)
    if old is None or not old.holds(NOW):
        assert entry == new
    else:
        assert strictness(entry) == max(strictness(old), strictness(new))
        assert entry.since == old.since
    assert bool(changes) == (entry != old or old is None or not old.holds(NOW))


def test_an_opt_out_is_never_shortened_by_an_upload() -> None:
    old = Entry("opt_out", 1)
    assert merge(old, Entry("upload", 2, NOW + 100, 7), NOW) == (old, ())


def test_what_has_expired_is_over_before_it_is_added_again() -> None:
    new = Entry("upload", NOW, NOW + 5, 8)
    assert merge(Entry("upload", 1, NOW, 7), new, NOW) == (new, (DncChange.EXPIRED, DncChange.ADDED))


def test_a_later_expiry_extends_and_keeps_its_beginning() -> None:
    entry, changes = merge(Entry("upload", 1, NOW + 5, 7), Entry("person", NOW, NOW + 9), NOW)
    assert (entry, changes) == (Entry("person", 1, NOW + 9), (DncChange.EXTENDED,))
