"""A submission whose validity has passed is refused, whatever clock it is written by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from todoke.providers.simulator.submission import Address, Submission

NOON = datetime(2026, 6, 8, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("validity", "expired"),
    [
        ("", False),
        ("260608120001000+", False),
        ("260608120000000+", True),
        ("260608115959000+", True),
        ("260608140001008+", False),  # two hours ahead of UTC
        ("260608140000008+", True),
        ("260608100001008-", False),
        ("260608100000008-", True),
        ("000000010000000R", False),  # relative: from now on
        ("269908120001000+", True),
    ],
)
def test_validity(validity: str, expired: bool) -> None:
    one = Address(1, 1, "1")
    submission = Submission(1, one, one, 0, 1, 0, b"", False, None, None, None, validity)
    assert submission.expired(NOON) is expired
