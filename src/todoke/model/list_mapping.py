"""How a list file is to be read: what a person says about it, and what a business unit keeps for the next file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, structs


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is given is not guessed. `fields`: the field by header. `required`: fields that must have a value.
    `region`: of numbers without a country code.
    """

    fields: dict[str, str] = {}
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    region: str | None = None
    required: tuple[str, ...] = ()
    generate_external_ids: bool = False


class SavedMapping(NamedTuple):
    """A mapping under a name. `header`: that of the file for which it was made; `reading.fields` has each column."""

    name: str
    header: tuple[str, ...]
    reading: Reading

    def fits(self, header: Sequence[str]) -> bool:
        """Whether a file has exactly this header, in any order."""
        return sorted(self.header) == sorted(header)


def combined(given: Reading, saved: Reading) -> Reading:
    """What is given counts before what is saved. A field that is given to a column is taken from the saved one."""
    fields = {header: field for header, field in saved.fields.items() if field not in given.fields.values()}
    return structs.replace(
        given,
        fields={**fields, **given.fields},
        encoding=given.encoding or saved.encoding,
        delimiter=given.delimiter or saved.delimiter,
        quote=given.quote or saved.quote,
        sheet=given.sheet or saved.sheet,
        region=given.region or saved.region,
        required=tuple(dict.fromkeys((*saved.required, *given.required))),
        generate_external_ids=given.generate_external_ids or saved.generate_external_ids,
    )
