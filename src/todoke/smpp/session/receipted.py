"""Receipts in their usual form, from octets to what they say, without the steps in between.

What `read` says, `receipt.parse` says of the same delivery: whatever is unusual in any way is left to that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ..receipt import NO_ERROR, WORDS
from ..tlv import MESSAGE_STATE, RECEIPTED_MESSAGE_ID, USER_MESSAGE_REFERENCE
from .events import Receipted, maker

_make: Final = maker(Receipted)

# The body of a deliver_sm (SMPP 3.4, 4.6.1) that is a receipt and nothing else, up to what follows `err:` in its text.
_USUAL: Final = re.compile(
    rb"[^\0]{0,5}\0..([^\0]{0,20})\0..([^\0]{0,20})\0"  # service_type, source_addr, destination_addr
    rb"\x04..\0\0..[^\x08].([^\xff])"  # esm_class, no times, not UCS-2, sm_length
    rb"id:([^ \0]+) sub:\d{1,5} dlvrd:\d{1,5} submit date:\d{10,14} done date:\d{10,14} stat:([A-Z]{6,9}) "
    rb"err:(\w{1,9})",
    re.DOTALL,
)
_TEXT: Final = frozenset({b" text:", b" Text:"})
_TEXT_SIZE: Final = 6

_Match = Callable[[bytes, int, int], "re.Match[bytes] | None"]
_match: Final[_Match] = _USUAL.match


def _tlv(tag: int, size: int) -> bytes:
    return tag.to_bytes(2, "big") + size.to_bytes(2, "big")


# By the word of a final state: the state, and the octets of TLVs that say the same, behind those of the id.
_FINAL: Final = {
    word.encode(): (state, b"\0" + _tlv(MESSAGE_STATE, 1) + bytes((state,)))
    for word, state in WORDS.items()
    if state.final
}
_IDS: Final = tuple(_tlv(RECEIPTED_MESSAGE_ID, size + 1) for size in range(256))
_REFERENCE: Final = _tlv(USER_MESSAGE_REFERENCE, 2)
_REFERENCE_SIZE: Final = 6
_NO_ERROR: Final = frozenset(error.encode() for error in NO_ERROR)


def read(data: bytes, start: int, end: int, sequence: int, epoch: int) -> Receipted | None:
    """The receipt whose body is `data[start:end]`; None where that takes a closer look, or is no receipt."""
    match = _match(data, start, end)
    if match is None:
        return None
    source, destination, size, identity, word, error = match.groups()
    known = _FINAL.get(word)
    if known is None:
        return None
    at = match.end()
    stop = match.start(4) - 3 + size[0]
    if stop > end or (at != stop and (at + _TEXT_SIZE > stop or data[at : at + _TEXT_SIZE] not in _TEXT)):
        return None
    state, tail = known
    reference = None
    if stop != end:
        rest = data[stop:end]
        # TLVs that repeat what the text says, or the submission's reference, or both in this order.
        said = _IDS[len(identity)] + identity + tail
        if rest != said:
            if rest[:4] != _REFERENCE:
                if not rest.startswith(said):
                    return None
                rest = rest[len(said) :]
            if len(rest) != _REFERENCE_SIZE or rest[:4] != _REFERENCE:
                return None
            reference = rest[4] << 8 | rest[5]
    return _make(
        (
            sequence,
            epoch,
            identity.decode("latin-1"),
            state,
            None if error in _NO_ERROR else error.decode("latin-1"),
            source.decode("latin-1"),
            destination.decode("latin-1"),
            reference,
        )
    )
