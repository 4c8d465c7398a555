"""Which column of a list is which field: by exact name, then by a part of the header, and as a person says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from todoke.model.closest import suggestion
from todoke.model.errors import Invalid
from todoke.model.plain_name import plain
from todoke.pipeline.intake.system_fields import NOT_BY_PART, PARTS, PHONE_FIELDS, PHONE_PART, SYNONYMS, SystemField
from todoke.sms.phone_type import PhoneType

MAX_COLUMNS = 1000
MAX_NAME = 200  # characters
# What our file of rejected rows adds: left out, so that a corrected file can be imported as it is.
OWN_COLUMNS = ("todoke_line", "todoke_field", "todoke_reason", "todoke_detail")

# What a merge field's name cannot hold.
_FIELD_NAME = str.maketrans({"{": "(", "}": ")", "|": "/"})
_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_\-./:()#'*]+")


class How(Enum):
    """What a column's field was decided by."""

    GIVEN = "given"
    SAVED = "saved"  # by a saved mapping
    EXACT = "exact"  # the header is the field's name, letter case and separators aside
    SYNONYM = "synonym"  # the header is another name for it
    PART = "part"  # by a part of the header: the least certain
    KEPT = "kept"  # the header is no field that is known: it is the name of a custom one


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file that becomes a list field. `index` is its place in a row; `phone`: it holds numbers;
    `required`: a row without a value there is rejected.
    """

    index: int
    header: str
    name: str
    system: SystemField | None
    phone: bool
    how: How = How.KEPT
    required: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file. `width` counts all of them, also those that are left out."""

    width: int
    columns: tuple[Column, ...]

    def phone_type(self, index: int) -> PhoneType:
        """What the numbers of that column are called: by the field, and by the header where that is another name."""
        column = next(column for column in self.columns if column.index == index)
        same = plain(column.header) == plain(column.name)
        return (column.name,) if same else (column.name, column.header)

    @property
    def names(self) -> list[str]:
        """The list's fields in the order in which contacts pack them."""
        return [column.name for column in self.columns]

    @property
    def mapping(self) -> dict[str, str]:
        """Field by header."""
        return {column.header: column.name for column in self.columns}

    @property
    def phones(self) -> list[Column]:
        """The columns with numbers, in the order of the file."""
        return [column for column in self.columns if column.phone]

    @property
    def required(self) -> list[Column]:
        """The columns that must have a value."""
        return [column for column in self.columns if column.required]

    def find(self, field: SystemField) -> Column | None:
        """The column of a system field."""
        return next((column for column in self.columns if column.system is field), None)


class _Field(NamedTuple):
    name: str
    how: How


def map_headers(
    header: Sequence[str],
    given: Mapping[str, str] | None = None,
    *,
    saved: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    where: str = "header",
) -> Layout:
    """Every column's field. `given` (field by header) counts before all else, then `saved`; a field that is no system
    field is the name of a custom field, an empty one keeps the header as the name. `required`: fields (or headers)
    that must have a value.

    Raises `Invalid` for headers that occur twice, and for a mapping that does not fit.
    """
    headers = tidied(header, where)
    fields = _given_fields(headers, given or {}, How.GIVEN, where)
    taken = {field.name for field in fields.values()}
    for index, field in _given_fields(headers, saved or {}, How.SAVED, where).items():
        if index not in fields and field.name not in taken:
            fields[index] = field
    _map_exactly(headers, fields)
    _map_by_part(headers, fields)
    layout = Layout(len(headers), tuple(_columns(headers, fields, where)))
    return _with_required(layout, required, where) if required else layout


def require(layout: Layout, *, generate_external_ids: bool, where: str) -> None:
    """`Invalid` where the columns lack a phone number or an external id."""
    there = ", ".join(repr(column.header) for column in layout.columns[:12])
    if not layout.phones:
        raise Invalid(
            "No column holds phone numbers.",
            where=where,
            fix=f"The columns are {there}; map one to SMSPhoneNumber or PhoneNumber. The first row must be a header.",
        )
    if layout.find(SystemField.EXTERNAL_ID) is None and not generate_external_ids:
        raise Invalid(
            "No column is the external id, by which a contact is known.",
            where=where,
            fix=f"The columns are {there}; map one to ExternalId, or ask for generated external ids.",
        )


def tidied(header: Sequence[str], where: str) -> list[str]:
    """The headers as people see them; one that is empty is `Column 3`."""
    if len(header) > MAX_COLUMNS:
        raise Invalid(f"The header has {len(header):,} columns; {MAX_COLUMNS:,} are the most.", where=where)
    headers: list[str] = []
    for number, raw in enumerate(header, 1):
        text = " ".join(raw.replace("\ufeff", "").translate(_FIELD_NAME).split()) or f"Column {number}"
        if len(text) > MAX_NAME:
            raise Invalid(
                f"The header of column {number} has more than {MAX_NAME} characters.",
                where=where,
                fix="Is the first row really a header?",
            )
        if text in headers:
            raise Invalid(
                f"Columns {headers.index(text) + 1} and {number} are both called {text!r}.",
                where=where,
                fix="Rename one of them.",
            )
        headers.append(text)
    return headers


def _given_fields(headers: list[str], given: Mapping[str, str], how: How, where: str) -> dict[int, _Field]:
    known = {plain(field): field.value for field in SystemField}
    by_plain = {plain(header): index for index, header in reversed(list(enumerate(headers)))}
    fields: dict[int, _Field] = {}
    for header, field in given.items():
        tidy = " ".join(header.split())
        index = headers.index(tidy) if tidy in headers else by_plain.get(plain(header))
        if index is None:
            raise Invalid(f"The list has no column {header!r}.", where=where, fix=suggestion(header, headers))
        name = " ".join(field.translate(_FIELD_NAME).split())
        fields[index] = _Field(known.get(plain(name), name) if name else headers[index], how)
    return fields


def _map_exactly(headers: list[str], fields: dict[int, _Field]) -> None:
    """The literal name first, then letter case and separators aside, then other names for the same thing."""
    for matches, how in ((_is_literally, How.EXACT), (_is_plainly, How.EXACT), (_is_synonym, How.SYNONYM)):
        for field in SystemField:
            _take_first(field, how, fields, [index for index, header in enumerate(headers) if matches(header, field)])


def _is_literally(header: str, field: SystemField) -> bool:
    return header == field.value


def _is_plainly(header: str, field: SystemField) -> bool:
    return plain(header) == plain(field)


def _is_synonym(header: str, field: SystemField) -> bool:
    return field in SYNONYMS and SYNONYMS[field].fullmatch(plain(header)) is not None


def _map_by_part(headers: list[str], fields: dict[int, _Field]) -> None:
    split = {index: words(header) for index, header in enumerate(headers)}
    open_to_it = [
        index for index, text in split.items() if not NOT_BY_PART.search(text) and not is_ours(headers[index])
    ]
    for field, pattern in PARTS:
        _take_first(field, How.PART, fields, [index for index in open_to_it if pattern.search(split[index])])


def _take_first(field: SystemField, how: How, fields: dict[int, _Field], candidates: list[int]) -> None:
    taken = any(known.name == field.value for known in fields.values())
    if not taken and (free := [index for index in candidates if index not in fields]):
        fields[free[0]] = _Field(field.value, how)


def _columns(headers: list[str], fields: dict[int, _Field], where: str) -> Iterator[Column]:
    system = {field.value: field for field in SystemField}
    taken: dict[str, str] = {}
    for index, header in enumerate(headers):
        if is_ours(header):
            continue
        name, how = fields.get(index, _Field(header, How.KEPT))
        if name in taken:
            raise Invalid(
                f"Both {taken[name]!r} and {header!r} would be the field {name!r}.",
                where=where,
                fix="Map one of them to another name, or rename it.",
            )
        taken[name] = header
        known = system.get(name)
        yield Column(index, header, name, known, known in PHONE_FIELDS or (known is None and _is_phone(header)), how)


def _with_required(layout: Layout, required: Sequence[str], where: str) -> Layout:
    by_name = {plain(column.header): column for column in layout.columns}
    by_name |= {plain(column.name): column for column in layout.columns}
    wanted: set[int] = set()
    for name in required:
        column = by_name.get(plain(name))
        if column is None:
            fix = suggestion(name, layout.names)
            raise Invalid(f"The list has no field {name!r}, which is to have a value.", where=where, fix=fix)
        wanted.add(column.index)
    columns = tuple(replace(column, required=column.index in wanted) for column in layout.columns)
    return Layout(layout.width, columns)


def _is_phone(header: str) -> bool:
    text = words(header)
    return PHONE_PART.search(text) is not None and NOT_BY_PART.search(text) is None


def is_ours(header: str) -> bool:
    """Whether our own file of rejected rows added the column."""
    return header in OWN_COLUMNS


def words(header: str) -> str:
    """The words in lower case with a space between them: `mobilePhone_No` is `mobile phone no`."""
    return " ".join(_WORD_BOUNDARY.sub(" ", unicodedata.normalize("NFKC", header)).casefold().split())
