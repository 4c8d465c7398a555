"""The mandatory parameters a PDU is made of (SMPP 3.4, 3.1): each kind knows its octets and its limits.

Text is latin-1 in both directions: the specification says ASCII, SMSCs send more, and latin-1 keeps every octet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..errors import FieldError


class Field(Protocol):
    """One mandatory parameter: its name is the attribute of the PDU's class."""

    @property
    def name(self) -> str: ...

    def encode(self, value: Any) -> bytes:
        """The octets of `value`. Raises `FieldError` when it does not fit."""
        ...

    def decode(self, data: bytes, position: int, end: int) -> tuple[Any, int]:
        """The value at `position` and the position behind it. Raises `FieldError`."""
        ...


@dataclass(frozen=True, slots=True)
class Int:
    """An unsigned integer of `size` octets, most significant octet first (3.1, Integer)."""

    name: str
    size: int = 1

    def encode(self, value: int) -> bytes:
        if not 0 <= value < 1 << (8 * self.size):
            raise FieldError(f"{self.name} must fit in {self.size} octet(s), not be {value}")
        return value.to_bytes(self.size, "big")

    def decode(self, data: bytes, position: int, end: int) -> tuple[int, int]:
        stop = position + self.size
        if stop > end:
            raise FieldError(f"The PDU ends before {self.name}")
        return int.from_bytes(data[position:stop], "big"), stop


@dataclass(frozen=True, slots=True)
class Text:
    """A C-octet string of at most `size` octets, the terminating NUL included (3.1, C-Octet String)."""

    name: str
    size: int

    def encode(self, value: str) -> bytes:
        try:
            octets = value.encode("latin-1")
        except UnicodeEncodeError:
            raise FieldError(f"{self.name} holds octets only") from None
        if len(octets) >= self.size:
            raise FieldError(f"{self.name} takes at most {self.size - 1} octets, not {len(octets)}")
        if 0 in octets:
            raise FieldError(f"{self.name} cannot hold a NUL")
        return octets + b"\0"

    def decode(self, data: bytes, position: int, end: int) -> tuple[str, int]:
        stop = data.find(0, position, min(end, position + self.size))
        if stop < 0:
            raise FieldError(f"{self.name} does not end within {self.size} octets")
        return data[position:stop].decode("latin-1"), stop + 1


@dataclass(frozen=True, slots=True)
class Time:
    """A C-octet string that is empty or exactly 16 characters, `YYMMDDhhmmsstnnp` (7.1.1); the clock is not checked."""

    name: str

    def encode(self, value: str) -> bytes:
        if len(value) not in (0, 16):
            raise FieldError(f"{self.name} is empty or 16 characters, not {len(value)}")
        return Text(self.name, 17).encode(value)

    def decode(self, data: bytes, position: int, end: int) -> tuple[str, int]:
        value, stop = Text(self.name, 17).decode(data, position, end)
        if len(value) not in (0, 16):
            raise FieldError(f"{self.name} is empty or 16 characters, not {len(value)}")
        return value, stop


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """sm_length (1 octet, 0-254) and so many octets (5.2.21, 5.2.22)."""

    name: str

    def encode(self, value: bytes) -> bytes:
        if len(value) > MAX_SHORT_MESSAGE:
            raise FieldError(f"{self.name} takes at most {MAX_SHORT_MESSAGE} octets, not {len(value)}")
        return bytes((len(value),)) + value

    def decode(self, data: bytes, position: int, end: int) -> tuple[bytes, int]:
        if position >= end:
            raise FieldError(f"The PDU ends before the length of {self.name}")
        stop = position + 1 + data[position]
        if data[position] > MAX_SHORT_MESSAGE or stop > end:
            raise FieldError(f"{self.name} says {data[position]} octets, which is too many")
        return data[position + 1 : stop], stop


MAX_SHORT_MESSAGE: Final = 254
"""Octets of short_message; longer content goes into the TLV message_payload (SMPP 3.4, 5.3.2.32)."""
