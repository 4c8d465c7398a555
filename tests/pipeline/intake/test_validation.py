"""Every reason for which a row is refused, with its line and field; and what is not refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.factories import NOW
from tests.pipeline.intake.conftest import ReadList

from todoke.pipeline.intake.rules import Channel

HEADER = "ExternalId,SMSPhoneNumber,PhoneNumber,Work phone,TimeZone,Note\n"
GOOD = "+1 212 555 2671"
OTHER = "+1 415 626 2672"
JAPANESE = "+81 90 1234 5678"
LANDLINE = "+81 3 1234 5678"

REFUSED = [
    ("1,{g}\n", "", "too_few_fields"),
    ("1,{g},,,,,more\n", "", "too_many_fields"),
    ('1,{g},,,,"open\n', "", "bad_quoting"),
    ("1,{g},,,,\udcff\n", "", "undecodable"),
    ("1,{g},,,," + "x" * 10_001 + "\n", "Notes", "too_long"),
    ("i" * 256 + ",{g},,,,\n", "ExternalId", "too_long"),
    (" ,{g},,,,\n", "ExternalId", "missing_external_id"),
    ("1,, ,,,x\n", "SMSPhoneNumber", "missing_phone"),
    ("1,call me,,,,\n", "SMSPhoneNumber", "phone_not_a_number"),
    ("1,+999 123 456 789,,,,\n", "SMSPhoneNumber", "phone_invalid_country"),
    ("1,12345,,,,\n", "SMSPhoneNumber", "phone_too_short"),
    ("1,+1 212 555 267 123,,,,\n", "SMSPhoneNumber", "phone_too_long"),
    ("1,+49 1,,,,\n", "SMSPhoneNumber", "phone_too_short"),
    ("1,(123) 456-7890,,,,\n", "SMSPhoneNumber", "phone_not_valid"),
    ("1,{l},,,,\n", "SMSPhoneNumber", "landline"),
    ("1,800-555-2671,,,,\n", "SMSPhoneNumber", "not_a_mobile"),
    ("1,{g},,,Mars/Olympus,\n", "TimeZone", "invalid_time_zone"),
    ("1,,{l},12345,,\n", "PhoneNumber", "landline"),
    ("1,,,12345,,\n", "Work phone", "phone_too_short"),
    ("0,{g},,,,\n", "ExternalId", "duplicate_external_id"),
    ("1,(415) 626-2672,,,,\n", "SMSPhoneNumber", "duplicate_phone"),
    ("1,,{l},415.626.2672,,\n", "Work phone", "duplicate_phone"),
]


@pytest.mark.parametrize(("row", "field", "reason"), REFUSED)
def test_each_reason(read_list: ReadList, row: str, field: str, reason: str) -> None:
    text = (
        HEADER
        + f'0,{OTHER},,,,"日本語の\n備考欄です"\n'
        + row.replace("{g}", GOOD).replace("{l}", LANDLINE)
        + f"2,{JAPANESE},,,,\n"
    )

    read = read_list(text.encode("utf-8", "surrogateescape"))

    assert read.verdicts == [(4, field, reason)]
    assert [contact.external_id for contact in sorted(read.contacts)] == ["0", "2"]
    assert read.rejected[0][3]


def test_a_repetition_names_the_line_that_is_kept(read_list: ReadList) -> None:
    read = read_list(f"id,Phone\n1,{GOOD}\n2,12125552671\n1,{OTHER}\n3,{OTHER}\n")

    assert read.verdicts == [(3, "PhoneNumber", "duplicate_phone"), (4, "ExternalId", "duplicate_external_id")]
    assert "line 2" in read.rejected[0][3]
    assert "line 2" in read.rejected[1][3]
    assert [contact.external_id for contact in read.contacts] == ["1", "3"]  # a refused row bars no other


def test_a_row_refused_for_its_own_fault_bars_no_other(read_list: ReadList) -> None:
    read = read_list(f"id,Phone,TimeZone\n1,{GOOD},Mars/X\n1,{GOOD},\n")

    assert read.verdicts == [(2, "TimeZone", "invalid_time_zone")]
    assert len(read.contacts) == 1


@pytest.mark.parametrize(
    "written",
    ["+12125552671", "(212) 555-2671", "212-555-2671", "212.555.2671", "1 212 555 2671", "２１２５５５２６７１",
     "+1 (212) 555-2671", "2125552671.0", "'2125552671", "tel: 212 555 2671", "001 212 555 2671", "+1 212 555 2671 x5"],
)  # fmt: skip
def test_one_number_in_any_format_is_one_contact(read_list: ReadList, written: str) -> None:
    read = read_list(f"id,Phone\n1,{GOOD}\n2,{written}\n")

    assert read.verdicts == [(3, "PhoneNumber", "duplicate_phone")]
    assert [contact.destination for contact in read.contacts] == [12125552671]


@pytest.mark.parametrize(
    ("sms", "phone", "work", "destination"),
    [
        (GOOD, OTHER, "", 12125552671),
        ("", OTHER, GOOD, 14156262672),
        (" ", LANDLINE, JAPANESE, 819012345678),
        ("", "12345", JAPANESE, 819012345678),
        ("", "", GOOD, 12125552671),
    ],
)
def test_the_sms_number_counts_else_the_first_mobile(
    read_list: ReadList, sms: str, phone: str, work: str, destination: int
) -> None:
    read = read_list(HEADER + f"1,{sms},{phone},{work},,\n")

    assert [contact.destination for contact in read.contacts] == [destination]


def test_a_wrong_sms_number_is_not_replaced_by_another(read_list: ReadList) -> None:
    assert read_list(HEADER + f"1,12345,{GOOD},,,\n").verdicts == [(2, "SMSPhoneNumber", "phone_too_short")]


def test_numbers_without_a_country_are_of_the_default_region(read_list: ReadList) -> None:
    assert read_list("id,Phone\n1,090-1234-5678\n", region="JP").contacts[0].destination == 819012345678


def test_lines_of_separators_are_no_rows(read_list: ReadList) -> None:
    read = read_list(HEADER + f",,,,,\n\n1,{GOOD},,,,\n , ,,\n,,,,,,,\n")

    assert (len(read.contacts), read.rejected, read.checked.blank, read.checked.rows) == (1, [], 3, 1)


def test_empty_fields_beyond_the_header_do_not_matter(read_list: ReadList) -> None:
    read = read_list(f"id,Phone\n1,{GOOD},, \n")

    assert read.contacts[0].fields == f"1\x1f{GOOD}"


def test_values_are_stripped_and_packed_in_list_order(read_list: ReadList) -> None:
    read = read_list(f'Note,id,Phone,todoke_line,名\n" a\n b ", 7 ,{GOOD},12,　太郎　\n\x1fx\x00y,8,{OTHER},,\n')

    assert [contact[3:5] for contact in sorted(read.contacts, key=lambda contact: contact.external_id)] == [
        ("7", f"a\n b\x1f7\x1f{GOOD}\x1f太郎"),
        ("8", f"xy\x1f8\x1f{OTHER}\x1f"),
    ]


def test_external_ids_are_made_when_asked(read_list: ReadList) -> None:
    read = read_list(f"Phone\n{GOOD}\n\n{OTHER}\n", generate_ids=True)

    assert [contact.external_id for contact in read.contacts] == ["line-2", "line-4"]
    with_column = read_list(f"id,Phone\n,{GOOD}\nA,{OTHER}\nline-2,{JAPANESE}\n", generate_ids=True)
    assert [
        contact.external_id for contact in sorted(with_column.contacts, key=lambda contact: contact.external_id)
    ] == ["A", "line-2"]
    assert with_column.verdicts == [(4, "ExternalId", "duplicate_external_id")]


def test_positions_are_dense_and_grouped_by_zones(read_list: ReadList) -> None:
    rows = [(GOOD, ""), (JAPANESE, ""), ("212 555 2673", "JST"), ("212 555 2674", ""), ("212 555 2675", "PST")]
    text = "id,Phone,TimeZone\n" + "".join(f"{i},{phone},{zone}\n" for i, (phone, zone) in enumerate(rows))

    read = read_list(text)

    zones = read.places
    by_position = [
        (contact.external_id, zones[contact.zone_set])
        for contact in sorted(read.contacts, key=lambda contact: contact.position)
    ]
    assert [contact.position for contact in sorted(read.contacts, key=lambda contact: contact.position)] == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert by_position == [
        ("0", ["US-NY America/New_York"]),
        ("3", ["US-NY America/New_York"]),
        ("1", ["JP Asia/Tokyo"]),
        ("2", ["US-NY Asia/Tokyo"]),
        ("4", ["US-NY America/Los_Angeles"]),
    ]
    assert [tuple(found)[1:] for found in read.checked.zone_ranges] == [(0, 1), (2, 2), (3, 3), (4, 4)]


def test_the_postcode_comes_before_the_number_and_the_contact_has_hours_of_its_own(read_list: ReadList) -> None:
    head = "id,Phone,Zip,State,Contact hours\n"
    read = read_list(head + f"1,{GOOD},33101,,mon-fri 9-17\n2,{OTHER},,Texas,\n3,212 555 2673,,,at noon\n")

    zones = read.places
    assert {contact.external_id: zones[contact.zone_set] for contact in read.contacts} == {
        "1": ["US-FL America/New_York mon-fri 09:00-17:00; sat-sun closed"],
        "2": ["US-TX America/Chicago", "US-TX America/Denver"],
    }
    assert read.verdicts == [(4, "CallingWindow", "invalid_calling_window")]


def test_a_number_of_no_known_zone_is_accepted_with_none(read_list: ReadList) -> None:
    read = read_list("id,Phone\n1,+882 16 1234 5678\n2,+883 5100 1234 5678\n" + f"3,{GOOD}\n")

    for contact in read.contacts:
        assert (read.places[contact.zone_set] == []) == (contact.external_id != "3")


def test_a_value_that_is_required(read_list: ReadList) -> None:
    rows = f"1,{GOOD},,,,\n2,{OTHER},,,, \n3,{JAPANESE},,,,x\n,{GOOD},,,,y\n,,,,,\n5,,{GOOD},,,z\n"

    read = read_list(HEADER + rows, required=["Notes", "sms phone number", "externalid"])

    assert read.verdicts == [
        (2, "Notes", "missing_required_value"),
        (3, "Notes", "missing_required_value"),
        (5, "ExternalId", "missing_required_value"),
        (7, "SMSPhoneNumber", "missing_required_value"),
    ]
    assert [contact.external_id for contact in read.contacts] == ["3"]
    assert read.checked.blank == 1
    # A row that is refused bars no other, and an id that is generated fills no gap.
    assert read_list(f"ExternalId,Phone\n,{GOOD}\n1,{GOOD}\n", required=["ExternalId"], generate_ids=True).verdicts == [
        (2, "ExternalId", "missing_required_value")
    ]


PHONES = "ExternalId,SMSPhoneNumber,PhoneNumber,Work phone\n"


def test_all_numbers_of_a_row_are_kept_in_the_order_of_the_phone_types(read_list: ReadList) -> None:
    read = read_list(PHONES + f"1,{GOOD},{LANDLINE},12\n2,,{OTHER},{JAPANESE}\n3,212 555 2673,,212-555-2673\n")

    assert [(contact.destination, contact.phones) for contact in sorted(read.contacts, key=lambda one: one[3])] == [
        (12125552671, "\x1f81312345678\x1f"),
        (14156262672, "\x1f\x1f819012345678"),
        (12125552673, None),
    ]
    assert dict(read.checked.unusable) == {3: 1}
    assert read.rejected == []


def test_one_phone_column_has_no_phone_types(read_list: ReadList) -> None:
    assert read_list(f"id,Phone\n1,{GOOD}\n").contacts[0].phones is None


def test_any_valid_number_will_do_where_that_is_asked(read_list: ReadList) -> None:
    rows = f"1,{LANDLINE},,\n2,12345,,{GOOD}\n3,12345,,\n4,,{LANDLINE},\n5,,,{OTHER}\n6,,,\n"

    read = read_list(PHONES + rows, channel=Channel.ANY)

    assert sorted((contact.external_id, contact.destination, contact.phones) for contact in read.contacts) == [
        ("1", 0, "81312345678\x1f\x1f"),
        ("2", 0, "\x1f\x1f12125552671"),  # a wrong number to text is no reason to text another one
        ("5", 14156262672, None),
    ]
    assert read.verdicts == [
        (4, "SMSPhoneNumber", "phone_too_short"),
        (5, "PhoneNumber", "duplicate_phone"),
        (7, "SMSPhoneNumber", "missing_phone"),
    ]
    assert read_list(PHONES + rows).verdicts[0] == (2, "SMSPhoneNumber", "landline")


@pytest.mark.parametrize(
    ("choice", "places", "verdicts"),
    [
        ("hold", [[]], []),
        ("reject", [], [(2, "", "no_time_zone")]),
        ("Asia/Tokyo", [["- Asia/Tokyo"]], []),
    ],
)
def test_no_time_zone(
    read_list: ReadList, choice: str, places: list[list[str]], verdicts: list[tuple[int, str, str]]
) -> None:
    read = read_list(f"id,Phone\n1,+882 16 1234 5678\n2,{GOOD}\n", no_time_zone=choice, channel=Channel.ANY)

    found = [read.places[contact.zone_set] for contact in read.contacts if contact.external_id == "1"]
    assert (found, read.verdicts) == (places, verdicts)


def test_records_expire(read_list: ReadList) -> None:
    moment = datetime.fromtimestamp(NOW / 1e6, tz=UTC).replace(microsecond=0)
    later = (moment + timedelta(days=2)).date()
    rows = [
        f"1,{GOOD},{(moment - timedelta(hours=1)).isoformat()}",
        f"2,{OTHER},{(moment + timedelta(hours=1)).isoformat()}",
        f"3,{JAPANESE},{later:%Y/%m/%d}",
        "4,212 555 2674,31.12.2030",
        "5,212 555 2675,",
    ]

    read = read_list("id,Phone,Expires\n" + "".join(row + "\n" for row in rows))

    assert read.verdicts == [(2, "ExpirationDate", "expired"), (5, "ExpirationDate", "invalid_expiration")]
    in_tokyo = datetime.combine(later + timedelta(days=1), datetime.min.time(), ZoneInfo("Asia/Tokyo"))
    assert {contact.external_id: contact.expires_at for contact in read.contacts} == {
        "2": int((moment + timedelta(hours=1)).timestamp()) * 1_000_000,
        "3": int(in_tokyo.timestamp()) * 1_000_000,
        "5": None,
    }


# ------------------------------------------------------------------ of which phone type the texted number is

TYPES = "id,Mobile,Work phone,Home phone\n"


def test_the_phone_type_is_that_of_the_number_that_is_texted(read_list: ReadList) -> None:
    """The field first, then the header where that is another name."""
    rows = f"1,{GOOD},212 555 2681,212 555 2682\n2,,{OTHER},212 555 2683\n3,,,212 555 2684\n4,,n/a,212 555 2685\n"

    read = read_list(TYPES + rows)

    assert read.phone_types == {
        "1": ("SMSPhoneNumber", "Mobile"),
        "2": ("PhoneNumber", "Work phone"),
        "3": ("Home phone",),
        "4": ("Home phone",),
    }


def test_a_landline_in_front_is_not_what_is_texted(read_list: ReadList) -> None:
    read = read_list(TYPES + f"1,,03 1234 5678,{JAPANESE}\n", region="JP")
    assert read.phone_types == {"1": ("Home phone",)}


def test_a_list_of_one_phone_column_has_one_phone_type(read_list: ReadList) -> None:
    rows = f"1,{GOOD},\n2,{OTHER},\n3,{JAPANESE},\n"
    for text in (f"id,Work phone\n{rows}".replace(",\n", "\n"), f"id,Work phone,Home phone\n{rows}"):
        read = read_list(text)
        assert set(read.phone_types.values()) == {("PhoneNumber", "Work phone")}
        assert len(read.checked.zone_sets) == len(read.places) == 3


def test_places_are_counted_whatever_the_phone_type(read_list: ReadList) -> None:
    rows = f"1,{GOOD},,\n2,,212 555 2672,\n3,,,212 555 2673\n4,,{JAPANESE},\n"

    read = read_list(TYPES + rows)

    assert len(read.checked.zone_sets) == 4
    assert read.checked.zone_groups == [(["US-NY America/New_York"], 3), (["JP Asia/Tokyo"], 1)]
    by_position = sorted(read.contacts, key=lambda contact: contact.position)
    for zone_set, first, last in read.checked.zone_ranges:
        assert {contact.zone_set for contact in by_position[first : last + 1]} == {zone_set}


def test_a_date_ends_in_the_zone_whatever_the_phone_type(read_list: ReadList) -> None:
    read = read_list(f"id,Work phone,Home phone,Expiry\n1,{GOOD},,2030-06-01\n2,,212 555 2672,2030-06-01\n")
    assert {contact.expires_at for contact in read.contacts} == {1_906_603_200 * 1_000_000}  # midnight in New York
    assert len(read.contacts) == 2
