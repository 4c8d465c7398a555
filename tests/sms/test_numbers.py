from __future__ import annotations

import pickle
from typing import get_args

import pytest

from todoke.sms.numbers import Kind, PhoneError, Reason, format_e164, mask


def test_format():
    assert format_e164(819012345678) == "+819012345678"


@pytest.mark.parametrize(
    ("e164", "masked"), [(819012345678, "+81********78"), (12125550123, "+12*******23"), (290123, "+******")]
)
def test_mask(e164: int, masked: str):
    assert mask(e164) == masked


def test_who_may_be_texted():
    assert {kind for kind in Kind if kind.may_text} == {Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE}


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_a_sentence(reason: Reason):
    assert " " in str(PhoneError(reason))
    assert PhoneError(reason).reason == reason
    assert str(PhoneError(reason, "so it is")) == "so it is"


def test_an_error_crosses_processes():
    error = pickle.loads(pickle.dumps(PhoneError("too_long", "so it is")))
    assert (error.reason, str(error)) == ("too_long", "so it is")
