"""Which header is which field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.model.errors import Invalid
from todoke.pipeline.intake.mapping import MAX_COLUMNS, map_headers, require
from todoke.pipeline.intake.system_fields import SystemField
from todoke.sms.templates import parse


@pytest.mark.parametrize("field", list(SystemField))
def test_every_system_field_is_found_by_its_name_however_written(field: SystemField) -> None:
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in field.value).strip()
    for header in (field.value, field.value.upper(), field.value.lower(), f" {spaced} ", spaced.replace(" ", "_")):
        assert list(map_headers([header]).mapping.values()) == [field.value]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("SMS", "SMSPhoneNumber"),
        ("sms_number", "SMSPhoneNumber"),
        ("Mobile", "SMSPhoneNumber"),
        ("mobilePhone", "SMSPhoneNumber"),
        ("Mobile Phone No.", "SMSPhoneNumber"),
        ("Cell #", "SMSPhoneNumber"),
        ("Employee cell phone", "SMSPhoneNumber"),
        ("携帯電話", "SMSPhoneNumber"),
        ("携帯電話番号", "SMSPhoneNumber"),
        ("お客様の携帯", "SMSPhoneNumber"),
        ("Phone", "PhoneNumber"),
        ("Home phone", "PhoneNumber"),
        ("TEL", "PhoneNumber"),
        ("ＴＥＬ", "PhoneNumber"),
        ("電話番号", "PhoneNumber"),
        ("ご自宅の電話", "PhoneNumber"),
        ("id", "ExternalId"),
        ("Employee ID", "ExternalId"),
        ("employee_no", "ExternalId"),
        ("CustomerNumber", "ExternalId"),
        ("社員番号", "ExternalId"),
        ("調査員番号", "ExternalId"),
        ("Name", "FirstName"),
        ("Given name", "FirstName"),
        ("Customer first name", "FirstName"),
        ("名前", "FirstName"),
        ("氏名", "FirstName"),
        ("名", "FirstName"),
        ("姓", "LastName"),
        ("surname", "LastName"),
        ("Customer last name", "LastName"),
        ("Postal code", "Zip"),
        ("郵便番号", "Zip"),
        ("住所", "Address"),
        ("TZ", "TimeZone"),
        ("Local time zone", "TimeZone"),
    ],
)
def test_what_lists_call_the_fields(header: str, field: str) -> None:
    assert list(map_headers([header]).mapping.values()) == [field]


@pytest.mark.parametrize(
    "header",
    [
        "SMS consent", "smsOptIn", "Phone type", "Mobile carrier", "Email address", "E-mail", "IP address",
        "Company name", "Hiragana name", "氏名カナ", "フリガナ", "Site ID",
        "Statement", "Velocity", "Valid", "Paid", "Shift bonus",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_field_stays_itself(header: str) -> None:
    (column,) = map_headers([header]).columns

    assert (column.name, column.system, column.phone) == (header, None, False)


def test_exact_names_come_before_parts_whatever_the_order() -> None:
    mapping = map_headers(["Old mobile", "SMSPhoneNumber", "My phone", "PhoneNumber", "Site id", "ExternalId"]).mapping

    assert mapping["SMSPhoneNumber"] == "SMSPhoneNumber"
    assert mapping["Old mobile"] == "Old mobile"
    assert mapping["PhoneNumber"] == "PhoneNumber"
    assert mapping["ExternalId"] == "ExternalId"


def test_further_numbers_are_phone_types_of_their_own() -> None:
    layout = map_headers(["Mobile", "Home phone", "Work phone", "Phone type"])

    assert [column.name for column in layout.phones] == ["SMSPhoneNumber", "PhoneNumber", "Work phone"]


def test_what_is_given_counts_before_all_else() -> None:
    layout = map_headers(
        ["Mobile", "Other", "Code", "Name"],
        {"other": "smsphonenumber", "Code": "ExternalId", "Name": "", "Mobile": "Old mobile"},
    )

    assert layout.mapping == {"Mobile": "Old mobile", "Other": "SMSPhoneNumber", "Code": "ExternalId", "Name": "Name"}


def test_a_mapping_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Invalid, match=r"no column 'Moblie'.*'Mobile'"):
        map_headers(["Mobile", "id"], {"Moblie": "SMSPhoneNumber"})
    with pytest.raises(Invalid, match="would be the field 'ExternalId'"):
        map_headers(["a", "b"], {"a": "ExternalId", "b": "ExternalId"})


def test_headers_that_occur_twice_are_refused_with_their_columns() -> None:
    with pytest.raises(Invalid, match="Columns 1 and 3 are both called 'Phone'"):
        map_headers(["Phone", "id", " Phone "])


def test_a_header_without_a_name_is_called_by_its_number() -> None:
    assert map_headers(["id", "", "Phone", "  "]).names == ["ExternalId", "Column 2", "PhoneNumber", "Column 4"]


def test_a_header_is_always_the_name_of_a_merge_field() -> None:
    layout = map_headers(["\ufeffBonus {JPY}|net", "two\nlines"])

    assert layout.names == ["Bonus (JPY)/net", "two lines"]


@given(st.lists(st.text(max_size=12), max_size=8))
def test_every_field_can_be_merged(header: list[str]) -> None:
    try:
        names = map_headers(header).names
    except Invalid:
        return
    for name in names:
        assert parse("{" + name + "}").fields == (name,)


def test_our_own_columns_are_left_out() -> None:
    layout = map_headers(["id", "Phone", "todoke_line", "todoke_field", "todoke_reason", "todoke_detail"])

    assert (layout.names, layout.width) == (["ExternalId", "PhoneNumber"], 6)


def test_a_header_that_is_no_header_is_refused() -> None:
    with pytest.raises(Invalid, match="more than 200 characters"):
        map_headers(["x" * 201])
    with pytest.raises(Invalid, match="columns"):
        map_headers([str(number) for number in range(MAX_COLUMNS + 1)])


def test_a_list_needs_a_phone_and_an_external_id() -> None:
    with pytest.raises(Invalid, match="No column holds phone numbers"):
        require(map_headers(["id", "Name"]), generate_external_ids=False, where="x")
    with pytest.raises(Invalid, match="No column is the external id"):
        require(map_headers(["Phone", "Name"]), generate_external_ids=False, where="x")
    require(map_headers(["Phone"]), generate_external_ids=True, where="x")
