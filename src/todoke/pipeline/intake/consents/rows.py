"""A row of a file of consents, read into a record: pure, with a sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from todoke.model.clock import Micros, from_datetime
from todoke.model.consent import ANY, CHANNEL, COLUMNS, KINDS, Act, Kind, Record
from todoke.pipeline.intake.reasons import PHONE_REASONS, Reason
from todoke.sms.phone import PhoneError

_TEXTS = (
    *("seller", "programme", "purpose", "disclosure", "version", "signed", "source", "reference", "double_opt_in"),
    *("jurisdiction", "method", "words", "scope", "confirmation"),
)
LONGEST = 1_000
LONGEST_TEXT = 20_000  # of a disclosure and of words
SKEW = 600 * 1_000_000  # a clock elsewhere may be ahead of ours


class Fault(StrEnum):
    """What a row of consents can be rejected for beside what a list's row can, in the file of rejected rows."""

    UNKNOWN_ACT = "unknown_act"
    MISSING_KIND = "missing_kind"
    UNKNOWN_KIND = "unknown_kind"
    MISSING_MOMENT = "missing_moment"
    INVALID_MOMENT = "invalid_moment"
    FUTURE_MOMENT = "future_moment"
    NEVER_HELD = "never_held"
    ANY_PURPOSE = "any_purpose"
    MISSING_EVIDENCE = "missing_evidence"


FAULTS: dict[str, str] = {
    Fault.UNKNOWN_ACT: "the act is neither given nor revoked",
    Fault.MISSING_KIND: "the kind of consent is missing",
    Fault.UNKNOWN_KIND: "there is no such kind of consent",
    Fault.MISSING_MOMENT: "the moment is missing",
    Fault.INVALID_MOMENT: "this is no moment such as 2026-01-31T17:30:00+09:00",
    Fault.FUTURE_MOMENT: "the moment is in the future",
    Fault.NEVER_HELD: "it lapsed before it was given",
    Fault.ANY_PURPOSE: "a star stands for no purpose or programme that somebody agreed to",
    Fault.MISSING_EVIDENCE: "express written consent needs the text that was shown, and how it was signed",
    Reason.NO_TIME_ZONE: "the moment says no time zone",
}
"""The codes of this file alone, and those that mean something of its own here, in a sentence."""


class BadRow(ValueError):
    """`column` says where, `code` why, the message what is wrong."""

    def __init__(self, column: str, code: Fault | Reason, sentence: str = "") -> None:
        super().__init__(sentence or FAULTS[code])
        self.column = column
        self.code = code.value


def read(row: Mapping[str, str], parse: Callable[[str], int], now: Micros, zone: str = "") -> Record:
    """The record of a row; `BadRow`. `parse` reads a number into E.164 digits or raises PhoneError. `zone`: of moments
    that say none.
    """
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name, text in value.items():
        most = LONGEST_TEXT if name in ("disclosure", "words") else LONGEST
        if len(text) > most:
            raise BadRow(name, Reason.TOO_LONG, f"it has {len(text):,} characters; {most:,} are possible")
    if not value["number"]:
        raise BadRow("number", Reason.MISSING_PHONE, "there is no number")
    try:
        phone = parse(value["number"])
    except PhoneError as error:
        raise BadRow("number", PHONE_REASONS[error.reason], str(error)) from None
    act = _act(value["act"])
    kind = _kind(value["kind"], act)
    own_zone = value["zone"] or zone  # of moments that say none
    at = _moment("at", value["at"], own_zone)
    if at > now + SKEW:
        raise BadRow("at", Fault.FUTURE_MOMENT)
    expires = _moment("expires", value["expires"], own_zone) if value["expires"] else None
    if expires is not None and expires <= at:
        raise BadRow("expires", Fault.NEVER_HELD, "it is not after the moment of the consent")
    if act is Act.GIVEN and ANY in (value["purpose"], value["programme"]):
        raise BadRow("purpose", Fault.ANY_PURPOSE)
    if kind is Kind.EXPRESS_WRITTEN:
        for name in ("disclosure", "signed"):
            if not value[name]:
                raise BadRow(name, Fault.MISSING_EVIDENCE)
    offset = _instant(value["at"]).tzinfo
    shown = value["zone"] or (zone if offset is None else str(offset))
    channel = value["channel"] or CHANNEL
    return Record(
        phone, act, kind, at, **{name: value[name] for name in _TEXTS}, zone=shown, channel=channel, expires_at=expires
    )


def _act(text: str) -> Act:
    try:
        return Act(text.casefold()) if text else Act.GIVEN
    except ValueError:
        raise BadRow("act", Fault.UNKNOWN_ACT, f"{text!r} is neither given nor revoked") from None


def _kind(text: str, act: Act) -> Kind | None:
    if act is Act.REVOKED:
        return None
    kind = KINDS.get(text.casefold().replace(" ", "_").replace("-", "_"))
    if kind is None:
        said = f"{text!r} is no kind of consent" if text else FAULTS[Fault.MISSING_KIND]
        code = Fault.UNKNOWN_KIND if text else Fault.MISSING_KIND
        raise BadRow("kind", code, f"{said}: {', '.join(KINDS)}")
    return kind


def _moment(column: str, text: str, zone: str) -> Micros:
    if not text:
        raise BadRow(column, Fault.MISSING_MOMENT)
    try:
        moment = _instant(text)
    except ValueError:
        raise BadRow(column, Fault.INVALID_MOMENT, f"{text!r} is no moment such as 2026-01-31T17:30:00+09:00") from None
    info = None
    if zone:
        info = _zone(zone)
        if info is None:
            raise BadRow("zone", Reason.INVALID_TIME_ZONE, f"{zone!r} is no time zone such as America/New_York")
    if moment.tzinfo is None:
        if info is None:
            raise BadRow(column, Reason.NO_TIME_ZONE, "it says no time zone: write an offset, or name a zone")
        moment = moment.replace(tzinfo=info)
    return from_datetime(moment)


@lru_cache(4096)
def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@lru_cache(1024)
def _zone(name: str) -> tzinfo | None:
    if name.startswith("UTC") and len(name) in (3, 9):  # as `datetime` writes an offset: UTC, UTC-05:00
        if name == "UTC":
            return ZoneInfo("UTC")
        try:
            hours, minutes = int(name[3:6]), int(name[7:])
            return timezone(timedelta(hours=hours, minutes=-minutes if hours < 0 else minutes))
        except ValueError:
            return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
