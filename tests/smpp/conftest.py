"""Any PDU at all, and pairs of sessions that talk to each other without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from todoke.smpp import pdu as p
from todoke.smpp.pdu.fields import Field, Int, ShortMessage, Text, Time
from todoke.smpp.pdu.multi import Destinations, Refusals
from todoke.smpp.session import Event, Role, Session, Settings
from todoke.smpp.tlv import SIZES, Tlv

_CHARACTERS = st.characters(min_codepoint=1, max_codepoint=255)


def _text(size: int) -> st.SearchStrategy[str]:
    return st.text(_CHARACTERS, max_size=size - 1)


def _number(size: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << 8 * size) - 1)


def _value(field: Field) -> st.SearchStrategy[Any]:
    match field:
        case Int(_, size):
            return _number(size)
        case Text(_, size):
            return _text(size)
        case Time():
            return st.one_of(st.just(""), st.text(_CHARACTERS, min_size=16, max_size=16))
        case ShortMessage():
            return st.binary(max_size=254)
        case Destinations():
            number = st.builds(p.Destination, _text(21), _number(1), _number(1))
            entry = st.one_of(number, st.builds(p.DistributionList, _text(21)))
            return st.lists(entry, min_size=1, max_size=5).map(tuple)
        case Refusals():
            refusal = st.builds(p.Unsuccessful, _text(21), _number(1), _number(1), _number(4))
            return st.lists(refusal, max_size=5).map(tuple)
    raise AssertionError(field)


@st.composite
def _tlv(draw: st.DrawFn) -> Tlv:
    tag = draw(st.one_of(st.sampled_from(sorted(SIZES)), st.integers(0, 0xFFFF)))
    least, most = SIZES.get(tag, (0, 300))
    return Tlv(tag, draw(st.binary(min_size=least, max_size=most)))


@st.composite
def any_pdu(draw: st.DrawFn) -> p.Pdu:
    kind = draw(st.sampled_from(sorted(p.KINDS.values(), key=lambda kind: kind.command)))
    values = {field.name: draw(_value(field)) for field in kind.fields}
    if kind.takes_tlvs:
        values["tlvs"] = tuple(draw(st.lists(_tlv(), max_size=4)))
    return kind(sequence=draw(st.integers(0, p.MAX_SEQUENCE)), status=draw(_number(4)), **values)


@pytest.fixture(scope="session")
def pdus() -> st.SearchStrategy[p.Pdu]:
    return any_pdu()


class Pair:
    """A bound ESME and SMSC. `to_smsc` and `to_esme` carry what is outgoing over, and return the events there."""

    def __init__(self, kind: type[p.Bind] = p.BindTransceiver, **settings: Any) -> None:
        self.now = 100.0
        self.esme = Session(Role.ESME, Settings(**settings), now=self.now, epoch=7)
        self.smsc = Session(Role.SMSC, Settings(**settings), now=self.now)
        self.esme.bind(kind(system_id="me", password="secret"), self.now)
        (asked,) = self.to_smsc()
        self.smsc.respond_bind(asked.sequence, 0, "centre")  # type: ignore[union-attr]
        self.bound = self.to_esme()

    def to_smsc(self) -> list[Event]:
        return self.smsc.receive(self.esme.outgoing(), self.now)

    def to_esme(self) -> list[Event]:
        return self.esme.receive(self.smsc.outgoing(), self.now)


@pytest.fixture
def pair() -> Pair:
    return Pair()


@pytest.fixture(scope="session")
def make_pair() -> Callable[..., Pair]:
    return Pair
