"""What a person should look at before a list is imported, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from todoke.pipeline.intake.mapping import How, Layout, is_ours
from todoke.pipeline.intake.reading import Source
from todoke.pipeline.intake.system_fields import SystemField
from todoke.sms.time_zone_names import read_zone

_LIKE_A_NUMBER = re.compile(r"\+?[\d ().\-/]{7,}")
_SHOWN = 12  # names in a sentence


def find_warnings(source: Source, layout: Layout, first: Sequence[tuple[int, list[str]]]) -> list[str]:
    """Of an opened list and its first rows, each with its line."""
    return [
        *_of_reading(source),
        *_of_header(source),
        *_of_mapping(layout),
        *_of_zones(layout, first),
        *_of_rows(layout, first),
    ]


def _of_reading(source: Source) -> Iterator[str]:
    if source.encoding is not None and not source.encoding.certain:
        yield f"The encoding {source.encoding.name} is likely, not certain: look at the rows, or name the right one."


def _of_header(source: Source) -> Iterator[str]:
    numbers = [name for name in source.header if _LIKE_A_NUMBER.fullmatch(name.strip())]
    if numbers:
        yield f"The header has {numbers[0]!r}, which looks like a phone number: is the first row a header?"
    nameless = [str(number) for number, name in enumerate(source.header, 1) if not name.strip()]
    if nameless:
        yield f"The header names nothing in column {', '.join(nameless[:_SHOWN])}."
    left_out = [name for name in source.header if is_ours(name.strip())]
    if left_out:
        yield f"Left out, as they come from a file of rejected rows: {', '.join(left_out)}."


def _of_mapping(layout: Layout) -> Iterator[str]:
    for column in layout.columns:
        if column.how is How.PART:
            yield f"{column.header!r} is taken for {column.name} by a part of its header only."
    phones = layout.phones
    if len(phones) < 2:
        return
    sms = layout.find(SystemField.SMS_PHONE_NUMBER)
    others = ", ".join(repr(column.header) for column in phones[:_SHOWN] if column is not sms)
    if sms is None:
        yield f"Several columns hold phone numbers, {others}: the first number that can be texted is texted."
    else:
        yield f"Several columns hold phone numbers: {sms.header!r} is texted, {others} only where that is empty."


def _of_zones(layout: Layout, first: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    """Zones in a column of another name would count for nothing, which shows only in the hours of the texts."""
    if layout.find(SystemField.TIME_ZONE) is not None:
        return
    for column in layout.columns:
        values = {row[column.index].strip() for _, row in first if len(row) > column.index} - {""}
        if values and all("/" in value and read_zone(value, "") is not None for value in values):
            given = f"{column.header}={SystemField.TIME_ZONE}"
            yield f'{column.header!r} holds time zones, but is not taken for one: map it with --map "{given}".'


def _of_rows(layout: Layout, first: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    if not first:
        yield "There are no rows below the header."
    for line, row in first:
        if len(row) < layout.width or any(value.strip() for value in row[layout.width :]):
            yield f"Line {line} has {len(row)} fields, the header {layout.width}: are delimiter and quotes right?"
            return
