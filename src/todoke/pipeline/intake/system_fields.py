"""The fields of a contact that Todoke knows, and the headers by which people's lists call them."""

from __future__ import annotations

import re
from enum import StrEnum


class SystemField(StrEnum):
    """Every one may be a merge field by its name; the first two kinds decide whom a list reaches."""

    SMS_PHONE_NUMBER = "SMSPhoneNumber"
    CALLER_ID = "CallerID"
    EXTERNAL_ID = "ExternalId"
    PHONE_NUMBER = "PhoneNumber"
    FIRST_NAME = "FirstName"
    LAST_NAME = "LastName"
    TIME_ZONE = "TimeZone"
    ZIP = "Zip"
    STATE = "State"
    CITY = "City"
    ADDRESS = "Address"
    PRIORITY = "Priority"
    SCORE = "Score"
    CONFIRMATION_REQUIRED = "ConfirmationRequired"
    COMPLIANCE = "Compliance"
    OVERRIDE_FINALIZATION_STATUSES = "OverrideFinalizationStatuses"
    CALL_REQUEST_DATE_TIME = "CallRequestDateTime"
    CALL_REQUEST_STALE_MINUTES = "CallRequestStaleMinutes"
    NOTES = "Notes"
    EXPIRATION_DATE = "ExpirationDate"
    AGENT = "Agent"
    CALLING_WINDOW = "CallingWindow"


PHONE_FIELDS = (SystemField.SMS_PHONE_NUMBER, SystemField.PHONE_NUMBER)

_PERSON = r"employee|staff|agent|member|customer|client|contact|person|user|patient|student|investigator|subscriber"
_PERSON_JA = "社員|従業員|職員|顧客|お客様|会員|管理|契約|受付|外部|整理|患者|学籍|調査員"

# Whole headers, in plain form (see `plain`), that mean the field as surely as its own name.
SYNONYMS: dict[SystemField, re.Pattern[str]] = {
    field: re.compile(pattern)
    for field, pattern in {
        SystemField.SMS_PHONE_NUMBER: (
            r"(sms|text|mobile|mobil|cell|cellular|movil|celular|portable|handy)(tele)?(phone|fon|fono)?(number|no|num)?"
            r"|携帯(電話)?(番号)?|ケータイ|スマホ|sms番号|sms送信先"
        ),
        SystemField.EXTERNAL_ID: (
            rf"id|externalid|extid|externalkey|uniqueid|recordid|crmid|({_PERSON})(id|no|number|num|code|key)"
            rf"|({_PERSON_JA})(番号|id|no|コード)|外部id|番号"
        ),
        SystemField.PHONE_NUMBER: (
            r"(tele)?phone(number|no|num|1)?|tel(no|number)?|telefon|telefono|電話(番号)?|連絡先電話番号"
        ),
        SystemField.FIRST_NAME: (
            r"name|fullname|first|firstname|fname|givenname|forename|vorname|prenom|nombre|名|名前|お名前|氏名"
        ),
        SystemField.LAST_NAME: r"last|lastname|lname|surname|familyname|nachname|nom|apellido|姓|苗字|名字",
        SystemField.TIME_ZONE: r"timezone|tz|timezonename|zeitzone|タイムゾーン|時間帯",
        SystemField.ZIP: r"zip|zipcode|postcode|postalcode|plz|郵便番号",
        SystemField.STATE: r"state|province|region|prefecture|都道府県|県",
        SystemField.CITY: r"city|town|ort|市区町村|市町村|市",
        SystemField.ADDRESS: r"address|streetaddress|street|住所",
        SystemField.NOTES: r"notes?|comments?|remarks?|備考|メモ",
        SystemField.EXPIRATION_DATE: r"expirationdate|expirydate|expires|expireson|expiry|有効期限",
        SystemField.CALLING_WINDOW: r"callingwindow|callinghours|contacthours|contactwindow|連絡可能時間(帯)?",
        SystemField.PRIORITY: r"priority|優先度",
        SystemField.SCORE: r"score|スコア",
    }.items()
}

# A part of a header is enough, in this order. Latin words stand by themselves (`state` is not in `statement`);
# Japanese has no spaces. An external id is unique to a person, so what names a group is none.
PARTS: tuple[tuple[SystemField, re.Pattern[str]], ...] = tuple(
    (field, re.compile(pattern))
    for field, pattern in (
        (
            SystemField.SMS_PHONE_NUMBER,
            r"\b(sms|mobile|cell|cellular|cellphone|mobilephone|smartphone)\b|携帯|ケータイ|スマホ",
        ),
        (SystemField.CALLER_ID, r"\bcaller ?id\b"),
        (
            SystemField.EXTERNAL_ID,
            r"\A(?!.*\b(site|store|shop|branch|office|team|group|campaign|template|list|device|order|tax|national)\b)"
            r".*(\b(id|externalid)\b|(番号|コード|(?<=[^\x00-\x7f])id)\Z)",
        ),
        (SystemField.PHONE_NUMBER, r"\b(phone|telephone|tel|phonenumber)\b|電話"),
        (SystemField.FIRST_NAME, r"\b(first|given) ?name\b"),
        (SystemField.LAST_NAME, r"\b(last|family|sur) ?name\b|苗字|名字"),
        (SystemField.FIRST_NAME, rf"\b(full|{_PERSON}) ?name\b|名前|氏名"),
        (SystemField.TIME_ZONE, r"\btime ?zone\b|タイムゾーン"),
        (SystemField.ZIP, r"\b(zip|postcode|postal code|post code)\b|郵便番号"),
        (SystemField.STATE, r"\b(state|province|prefecture)\b|都道府県"),
        (SystemField.CITY, r"\b(city|town)\b|市区町村"),
        (SystemField.ADDRESS, r"\b(street|address)\b|住所"),
        (SystemField.PRIORITY, r"\bpriority\b|優先"),
        (SystemField.SCORE, r"\bscore\b"),
        (SystemField.NOTES, r"\b(notes|remarks|comments)\b|備考"),
        (SystemField.EXPIRATION_DATE, r"\b(expiration|expiry|expires)\b|有効期限"),
    )
)

# A header with such a word is about the thing, not the thing: `SMS consent`, `Phone type`, `E-mail address`, 氏名カナ.
NOT_BY_PART = re.compile(
    r"\b(e ?mail|mail|ip|web|url|consent|opt|optin|opted|allowed|ok|permission|verified|valid|type|kind|status|carrier"
    r"|provider|country|extension|ext|model|label|plan|date|time of|last called|fax|company|user ?name|file|product"
    r"|hiragana|katakana|kana|furigana|reading|middle|maiden|nick|display)\b|カナ|かな|ふりがな|フリガナ|同意|メール|会社|種別"
)

# Any further number of a person: a phone type of the list's own.
PHONE_PART = re.compile(r"\b(phone|telephone|tel|mobile|cell|sms|handy|phonenumber)\b|電話|携帯")
