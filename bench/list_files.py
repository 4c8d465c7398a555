"""List files for the benchmarks of importing, as people write them: five formats of numbers, quotes, Japanese names."""

from __future__ import annotations

import csv
import random
from pathlib import Path

_HEADER = ["Employee ID", "First name", "Last name", "Mobile phone", "Home phone", "Site", "Shift bonus", "Note"]
_FORMATS = ("+1 {} {} {}", "({}) {}-{}", "{}-{}-{}", "1{}{}{}", "+1{}{}{}")
_AREAS = (212, 415, 303, 312, 213, 305, 404, 602, 206, 617, 702, 713, 214, 512, 816, 504, 615, 919, 801, 503)
_PER_AREA = 7_000_000  # numbers that begin with 2 to 8


def numbers(count: int) -> list[tuple[int, int]]:
    """So many different American numbers in no order: area code and the rest."""
    order = list(range(count))
    random.Random(1).shuffle(order)
    step = len(_AREAS) * _PER_AREA // count
    places = (index * step for index in order)
    return [(_AREAS[place // _PER_AREA], 2_000_000 + place % _PER_AREA) for place in places]


def write_list(path: Path, count: int) -> None:
    """Each number once, so that a table in which it is unique takes them all."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for row, (area, local) in enumerate(numbers(count)):
            phone = _FORMATS[row % 5].format(area, local // 10_000, f"{local % 10_000:04}")
            names = ("花子", "山田") if row % 4 == 0 else ("Ann", "O'Brien")
            writer.writerow([f"E{row:08}", *names, phone, "", "Osaka 1", f"${row % 50}", "prefers nights, ask"])
