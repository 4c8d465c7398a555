"""No table keeps a person's data that an erasure does not know of."""

from __future__ import annotations

from todoke.store.privacy.personal import OWN_STEP, PERSONAL
from todoke.store.schema import metadata

# Columns of such a name hold a number, or what somebody said.
NAMES = {"phone", "phones", "destination", "number", "external_id", "evidence", "words", "text", "raw", "keys"}
NOT_OF_A_PERSON = {
    "disclosure.text",  # ours
    "inbound.destination",  # our code
    "inbound.number",  # of a part
    "list_range.number",
    "run_cursor.number",
}


def test_every_column_with_a_number_or_words_is_known() -> None:
    found = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name in NAMES
    }
    plain = {f"{one.table.name}.{name}" for one in PERSONAL for name in ("phone", *one.blank)}
    plain |= {f"{one.table.name}.external_id" for one in PERSONAL if one.external}

    unknown = found - plain - OWN_STEP - NOT_OF_A_PERSON
    assert not unknown, (
        f"{sorted(unknown)}: say in src/todoke/store/privacy/personal.py what an erasure does with it, "
        "or here why it is of no person"
    )
    columns = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns}
    assert columns >= OWN_STEP | plain | NOT_OF_A_PERSON, "of a column that is gone"


def test_plain_tables_can_be_read_by_number_and_unit() -> None:
    for one in PERSONAL:
        assert {"bucket", "business_unit_id", "phone", *one.blank} <= set(one.table.columns.keys())
        keys = [*one.table.indexes, one.table.primary_key, *one.table.constraints]
        leading = [[column.name for column in getattr(key, "columns", ())][:3] for key in keys]
        assert any(names[:1] == ["bucket"] and "phone" in names for names in leading), one.table.name
