"""Whatever a file holds: every row is a contact or refused with a reason, once, and the rules hold."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipeline.intake.conftest import ReadList

from todoke.model.errors import TodokeError
from todoke.pipeline.intake.reasons import Reason

PHONES = st.sampled_from(
    ["+12125552671", "(212) 555-2671", "212.555.2672", "2125552673", "+819012345678", "０９０", "", " ", "12345",
     "+81312345678", "x"]
)  # fmt: skip
IDS = st.sampled_from(["a", "b", " a ", "c", "d", "e", "f", "", "A"])
ZONES = st.sampled_from(["", "JST", "America/New_York", "nowhere"])
NOTES = st.text(st.sampled_from('x,"\n\r \t\x00\x1f日😀='), max_size=6)
QUOTED = st.builds(
    lambda *fields: ",".join('"' + field.replace('"', '""') + '"' for field in fields),
    IDS,
    PHONES,
    PHONES,
    ZONES,
    NOTES,
)
RAW = st.builds(lambda *fields: ",".join(fields), IDS, PHONES, PHONES, ZONES, NOTES)
RAGGED = st.lists(st.one_of(IDS, PHONES, NOTES), max_size=8).map(",".join)
LINES = st.lists(st.one_of(QUOTED, QUOTED, RAW, RAGGED), max_size=25)


@settings(deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8-sig", "utf-8", "utf-16"]), st.booleans())
def test_rows_in_are_contacts_and_refusals(
    read_list: ReadList, lines: list[str], end: str, encoding: str, generate: bool
) -> None:
    text = end.join(["ExternalId,SMSPhoneNumber,PhoneNumber,TimeZone,Note", *lines]) + end

    read = read_list(text.encode(encoding), generate_ids=generate)

    contacts, checked = sorted(read.contacts, key=lambda contact: contact.position), read.checked
    assert len(contacts) + len(read.rejected) == checked.rows
    assert [contact.position for contact in contacts] == list(range(len(contacts)))
    assert len({contact.destination for contact in contacts}) == len(contacts)
    assert len({contact.external_id for contact in contacts}) == len(contacts)
    assert all(
        contact.external_id and contact.fields.count("\x1f") == 4 and "\x00" not in contact.fields
        for contact in contacts
    )
    ranges = {
        position: found.zone_set for found in checked.zone_ranges for position in range(found.first, found.last + 1)
    }
    assert [ranges[contact.position] for contact in contacts] == [contact.zone_set for contact in contacts]
    assert dict(checked.reasons) == {
        reason: count for reason in Reason if (count := sum(1 for row in read.rejected if row[2] == reason))
    }
    refused_lines = [row[0] for row in read.rejected]
    assert refused_lines == sorted(set(refused_lines))


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_list_or_a_sentence(read_list: ReadList, noise: bytes) -> None:
    try:
        read = read_list(b"ExternalId,PhoneNumber\n1,2125552671\n" + noise)
    except TodokeError as error:
        assert error.fix
    else:
        assert len(read.contacts) + len(read.rejected) == read.checked.rows
