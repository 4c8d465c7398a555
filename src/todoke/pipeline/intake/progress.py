"""How far an import is."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Stage(Enum):
    """The file is read twice: what may become a contact is known only when all of it was seen."""

    CHECKING = "checking"
    WRITING = "writing"
    MERGING = "merging"  # into a list that is there


class Progress(NamedTuple):
    """`fraction` of the whole work, from 0 to 1; `rows` of the file done in this stage."""

    stage: Stage
    fraction: float
    rows: int
    rejected: int
