"""Lists in memory, read with the whole of intake but the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.factories import NOW

from todoke.pipeline.intake.checking import Checked
from todoke.pipeline.intake.forms import Form
from todoke.pipeline.intake.mapping import map_headers
from todoke.pipeline.intake.reading import open_source
from todoke.pipeline.intake.rejects import RejectsFile
from todoke.pipeline.intake.rules import Rules
from todoke.pipeline.intake.validation import Judge
from todoke.pipeline.intake.writing import Sorting
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms.phone_columns import ColumnParser
from todoke.sms.phone_type import phone_type_of, places_of


class Contact(NamedTuple):
    position: int
    destination: int
    zone_set: int
    external_id: str
    fields: str
    phones: str | None
    expires_at: int | None


class Read(NamedTuple):
    """What became of a file. `rejected`: line, field, reason and detail of each refused row, in order."""

    contacts: list[Contact]
    rejected: list[tuple[int, str, str, str]]
    checked: Checked

    @property
    def places(self) -> list[list[str]]:
        """The candidate places by the number of their set."""
        return [list(places_of(texts)) for texts in self.checked.zone_sets]

    @property
    def phone_types(self) -> dict[str, tuple[str, ...]]:
        """That of the number that is texted, by external id."""
        sets = self.checked.zone_sets
        return {contact.external_id: phone_type_of(sets[contact.zone_set]) for contact in self.contacts}

    @property
    def verdicts(self) -> list[tuple[int, str, str]]:
        return [(line, field, reason) for line, field, reason, _ in self.rejected]


class _Rejects(RejectsFile):
    def __init__(self, path: Path, header: Sequence[str], form: Form) -> None:
        super().__init__(path, header, form)
        self.seen: list[tuple[int, str, str, str]] = []

    def write(self, row: Sequence[str], line: int, field: str, reason: str, detail: str) -> None:
        self.seen.append((line, field, reason, detail))
        super().write(row, line, field, reason, detail)


ReadList = Callable[..., Read]


@pytest.fixture(scope="session")
def read_list(tmp_path_factory: pytest.TempPathFactory) -> ReadList:
    """Reads a text (or bytes) as a list file; `region` is the default region."""

    def read(
        content: str | bytes,
        *,
        region: str = "US",
        generate_ids: bool = False,
        name: str = "list.csv",
        required: Sequence[str] = (),
        **rules: Any,
    ) -> Read:
        folder = tmp_path_factory.mktemp("list")
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        source = open_source(path)
        layout = map_headers(source.header, required=required)
        zone_sets = ZoneSets()
        phones = ColumnParser(region)
        judge = Judge(layout, phones, zone_sets, Rules(NOW, generate_ids, **rules))
        checked = Checked(source, judge, zone_sets, folder)
        for _ in checked.steps():
            pass
        rejects = _Rejects(folder / "rejected.csv", source.header, source.form)
        sorting = Sorting(source, layout, checked, judge, rejects, phones)
        contacts = [Contact(*row[:7]) for piece in sorting.pieces() for row in piece.contacts.iter_rows()]
        rejects.keep()
        assert (sorting.contacts, sorting.rejected) == (len(contacts), len(rejects.seen))
        return Read(contacts, rejects.seen, checked)

    return read
