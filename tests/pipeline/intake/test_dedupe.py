"""The search for duplicates by columns, in memory and in shares on the disk, says what a plain one with sets says."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from todoke.pipeline.intake import dedupe
from todoke.pipeline.intake.dedupe import SCHEMA, Candidates
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.verdicts import read_verdict

ROWS = st.lists(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 10)), max_size=10), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spool")


def found(folder: Path, batches: list[list[tuple[int, int]]], in_memory: int) -> list[tuple[int, str, int]]:
    candidates = Candidates(folder, in_memory=in_memory)
    line = 2
    for rows in batches:
        lines = range(line, line + len(rows))
        columns = [lines, [phone for phone, _ in rows], [id_ for _, id_ in rows], [0] * len(rows), [1] * len(rows)]
        candidates.add(pl.DataFrame(columns, schema=SCHEMA))
        line += len(rows)
    repeated = candidates.repeated().select("line", "code", "first").rows()
    return [(at, read_verdict(code)[0].value, first) for at, code, first in repeated]


def expected(batches: list[list[tuple[int, int]]]) -> list[tuple[int, str, int]]:
    told: list[tuple[int, str, int]] = []
    phones: dict[int, int] = {}
    ids: dict[int, int] = {}
    for line, (phone, id_) in enumerate((row for rows in batches for row in rows), 2):
        if id_ in ids:
            told.append((line, Reason.DUPLICATE_EXTERNAL_ID, ids[id_]))
        elif phone in phones:
            told.append((line, Reason.DUPLICATE_PHONE, phones[phone]))
        else:
            phones[phone] = ids[id_] = line
    return told


@settings(deadline=None)
@given(ROWS, st.sampled_from([0, 8, 1000]))
def test_the_first_contact_with_a_number_and_an_id_wins(
    folder: Path, batches: list[list[tuple[int, int]]], in_memory: int
) -> None:
    assert found(folder, batches, in_memory) == expected(batches)


def test_a_chain_in_which_each_row_waits_for_the_one_before(folder: Path) -> None:
    chain = [[(1 + number // 2, 1 + (number + 1) // 2) for number in range(200)]]

    assert dedupe._ROUNDS < 50
    assert found(folder, chain, 1000) == expected(chain)
