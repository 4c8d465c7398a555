"""What is given counts before what is saved."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.list_mapping import Reading, SavedMapping, combined

names = st.text(min_size=1, max_size=5)
texts = st.none() | names
readings = st.builds(
    Reading,
    fields=st.dictionaries(names, names, max_size=5),
    encoding=texts,
    delimiter=texts,
    quote=texts,
    sheet=texts,
    region=texts,
    required=st.lists(names, unique=True, max_size=3).map(tuple),
    generate_external_ids=st.booleans(),
)


@given(readings, readings)
def test_each_part_is_the_given_one_or_else_the_saved_one(given: Reading, saved: Reading) -> None:
    both = combined(given, saved)

    for key in ("encoding", "delimiter", "quote", "sheet", "region"):
        assert getattr(both, key) == (getattr(given, key) or getattr(saved, key))
    assert set(both.required) == {*given.required, *saved.required}
    assert both.generate_external_ids is (given.generate_external_ids or saved.generate_external_ids)
    for header, field in given.fields.items():
        assert both.fields[header] == field
    for header, field in both.fields.items():
        assert field == (given.fields[header] if header in given.fields else saved.fields[header])
    assert combined(given, Reading()) == given
    assert combined(Reading(), saved) == saved


def test_a_field_that_is_given_to_a_column_is_taken_from_the_saved_one() -> None:
    saved = Reading(fields={"A": "SMSPhoneNumber", "B": "ExternalId"})

    assert combined(Reading(fields={"C": "SMSPhoneNumber"}), saved).fields == {"B": "ExternalId", "C": "SMSPhoneNumber"}


@given(readings)
def test_it_is_kept_as_json_without_what_is_not_given(reading: Reading) -> None:
    kept: Any = msgspec.json.decode(msgspec.json.encode(reading))

    assert msgspec.convert(kept, Reading) == reading
    assert all(value not in (None, [], {}, False) for value in kept.values())


def test_a_mapping_fits_a_header_in_any_order_but_no_other() -> None:
    mapping = SavedMapping("m", ("a", "b"), Reading())

    assert mapping.fits(["b", "a"])
    assert not mapping.fits(["a"])
    assert not mapping.fits(["a", "b", "c"])
