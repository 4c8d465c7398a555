"""The phones behind the SMSC. Every destination is one; it decodes, reassembles and keeps what it received."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from todoke.providers.simulator.behaviour import PhoneState
from todoke.providers.simulator.submission import Submission
from todoke.sms import gsm7

_UNFINISHED = 16
_GSM7_CLASSES = range(0xF0, 0xF4)  # 3GPP 23.038, section 4: message class, default alphabet


@dataclass(frozen=True, slots=True)
class Received:
    """A whole text as the owner of the phone reads it. `at` is in seconds of the epoch."""

    at: float
    source: str
    text: str
    segments: int


@dataclass(slots=True)
class Phone:
    """One phone: whether it is on, its last messages, and the segments of messages that are not whole yet."""

    inbox: deque[Received]
    state: PhoneState = "on"
    unfinished: OrderedDict[tuple[str, int, int], dict[int, str]] = field(
        default_factory=OrderedDict[tuple[str, int, int], dict[int, str]]
    )

    def receive(self, submission: Submission, at: float) -> None:
        """Take one segment; the message is in the inbox when it was the last one missing.

        Segments are decoded one by one, as handsets do: a text cut through an escape or surrogate pair shows.
        """
        source, joined = submission.source.digits, submission.concatenation
        text = segment_text(submission.esm_class, submission.data_coding, submission.payload)
        if joined is None or not 1 <= joined.number <= joined.total:
            self.inbox.append(Received(at, source, text, 1))
            return
        key = source, joined.reference, joined.total
        segments = self.unfinished.setdefault(key, {})
        segments[joined.number] = text
        if len(segments) == joined.total:
            del self.unfinished[key]
            self.inbox.append(Received(at, source, "".join(segments[n] for n in sorted(segments)), joined.total))
        elif len(self.unfinished) > _UNFINISHED:
            self.unfinished.popitem(last=False)


class Phones:
    """All phones, by number without `+`. At most `limit` are kept; one that was set to a state is always kept."""

    def __init__(self, states: Mapping[str, PhoneState], limit: int, inbox_limit: int) -> None:
        self._limit = limit
        self._inbox_limit = inbox_limit
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self._set: dict[str, PhoneState] = {number.removeprefix("+"): state for number, state in states.items()}

    def __len__(self) -> int:
        return len(self._phones)

    def phone(self, number: str) -> Phone:
        """The phone with this number, made when it is new."""
        number = number.removeprefix("+")
        found = self._phones.get(number)
        if found is None:
            found = Phone(deque(maxlen=self._inbox_limit), self._set.get(number, "on"))
            self._phones[number] = found
            if len(self._phones) > self._limit:
                self._phones.popitem(last=False)
        else:
            self._phones.move_to_end(number)
        return found

    def set_state(self, number: str, state: PhoneState) -> None:
        """Switch a phone on or off, or make its number unknown."""
        number = number.removeprefix("+")
        if state == "on":
            self._set.pop(number, None)
        else:
            self._set[number] = state
        self.phone(number).state = state


def segment_text(esm_class: int, data_coding: int, payload: bytes) -> str:
    """The text of one segment, its user data header left out. Never raises: what cannot be read is U+FFFD."""
    if esm_class & 0x40 and payload:
        payload = payload[1 + payload[0] :]
    if data_coding == 0x08:
        return payload.decode("utf-16-be", "replace")
    if data_coding == 0x00 or data_coding in _GSM7_CLASSES:
        return gsm7.decode(payload)
    if data_coding == 0x01:
        return payload.decode("ascii", "replace")
    if data_coding == 0x03:
        return payload.decode("latin-1")
    if data_coding == 0x0A:
        return payload.decode("iso2022_jp", "replace")
    if data_coding == 0x05:
        return payload.decode("shift_jis", "replace")
    return payload.hex(" ")
