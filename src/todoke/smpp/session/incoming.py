"""submit_sm and deliver_sm from octets to events, made fast: same limits, same errors as the generic codec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from ..errors import FieldError
from ..pdu import MAX_SHORT_MESSAGE, DataSm
from ..pdu.fields import Time
from ..tlv import MESSAGE_PAYLOAD, scan
from .events import Deliver, SubmitRequest, maker

_NONE: Final[Mapping[int, bytes]] = MappingProxyType({})
_SCHEDULE: Final = Time("schedule_delivery_time")
_VALIDITY: Final = Time("validity_period")
_I = TypeVar("_I", Deliver, SubmitRequest)

make_deliver: Final = maker(Deliver)
make_submit: Final = maker(SubmitRequest)


def read_message(
    make: Callable[[Iterable[Any]], _I], data: bytes, start: int, end: int, sequence: int, epoch: int, command: int
) -> _I:
    """The message whose body is `data[start:end]`. Raises `FieldError` or `TlvError`.

    Reading past `end` into the next PDU does no harm: positions only grow, and the last one is compared with `end`.
    """
    find = data.find
    a = find(0, start, end)  # behind service_type
    b = find(0, a + 3, end)  # behind source_addr
    c = find(0, b + 3, end)  # behind destination_addr
    if a < 0 or b < 0 or c < 0 or a - start > 5 or b - a > 23 or c - b > 23:
        raise FieldError("service_type, source_addr or destination_addr does not end where it must")
    try:
        if data[c + 4] or data[c + 5]:
            schedule, position = _SCHEDULE.decode(data, c + 4, end)
            validity, position = _VALIDITY.decode(data, position, end)
        else:
            schedule = validity = ""
            position = c + 6
        size = data[position + 4]
        text = position + 5
        stop = text + size
        if stop > end or size > MAX_SHORT_MESSAGE:
            raise FieldError("short_message is longer than it may be")
        payload = data[text:stop]
        if stop < end:
            tlvs = scan(data, stop, end)
            if not size:
                payload = tlvs.get(MESSAGE_PAYLOAD, payload)
        else:
            tlvs = _NONE
        return make(
            (
                sequence,
                epoch,
                command,
                data[start:a].decode("latin-1"),
                data[a + 1],
                data[a + 2],
                data[a + 3 : b].decode("latin-1"),
                data[b + 1],
                data[b + 2],
                data[b + 3 : c].decode("latin-1"),
                data[c + 1],
                data[c + 2],
                data[c + 3],
                schedule,
                validity,
                data[position],
                data[position + 1],
                data[position + 2],
                payload,
                tlvs,
            )
        )
    except IndexError:
        raise FieldError("The PDU ends before short_message") from None


def of_data_sm(make: Callable[[Iterable[Any]], _I], pdu: DataSm, epoch: int) -> _I:
    """The same event for a data_sm, whose content is in message_payload (SMPP 3.4, 4.7.1)."""
    tlvs = dict(pdu.tlvs)
    return make(
        (
            pdu.sequence,
            epoch,
            pdu.command,
            pdu.service_type,
            pdu.source_addr_ton,
            pdu.source_addr_npi,
            pdu.source_addr,
            pdu.dest_addr_ton,
            pdu.dest_addr_npi,
            pdu.destination_addr,
            pdu.esm_class,
            0,
            0,
            "",
            "",
            pdu.registered_delivery,
            0,
            pdu.data_coding,
            tlvs.get(MESSAGE_PAYLOAD, b""),
            tlvs,
        )
    )
