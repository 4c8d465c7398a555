from __future__ import annotations

import pytest

from todoke.smpp import status
from todoke.smpp.status import Verdict


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0x00, Verdict.OK),
        (0x58, Verdict.THROTTLED),
        (0x14, Verdict.THROTTLED),
        (0x08, Verdict.TEMPORARY),
        (0x64, Verdict.TEMPORARY),
        (0x45, Verdict.RETRY_ONCE),
        (0x05, Verdict.ALREADY_BOUND),
        (0x0D, Verdict.ALREADY_BOUND),
        (0x0E, Verdict.CREDENTIALS),
        (0x0F, Verdict.CREDENTIALS),
        (0x01, Verdict.PERMANENT),
        (0x0A, Verdict.PERMANENT),
        (0x0B, Verdict.PERMANENT),
        (0x15, Verdict.PERMANENT),
        (0x65, Verdict.PERMANENT),
        (0x420, Verdict.PERMANENT),
    ],
)
def test_what_to_do_about_a_status(code: int, verdict: Verdict) -> None:
    assert status.verdict(code) is verdict


def test_every_code_has_a_name_and_a_sentence() -> None:
    assert status.name(0x58) == "ESME_RTHROTTLED"
    assert status.sentence(0x0E) == "The password is wrong."
    assert status.name(0x420) == "0x00000420"
    assert "0x420" in status.sentence(0x420)
