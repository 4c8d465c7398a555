"""A row of a file of consents, read into a record: pure, with a sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from todoke.model.clock import Micros, from_datetime
from todoke.model.consent import ANY, CHANNEL, KINDS, Act, Kind, Record
from todoke.sms.phone import PhoneError

# The columns of a file, in the order in which they are exported. Only `number`, `kind` and `at` are needed.
COLUMNS = (
    *("number", "act", "kind", "at", "seller", "programme", "purpose", "channel", "disclosure", "version", "signed"),
    *("zone", "source", "reference", "double_opt_in", "jurisdiction", "expires", "method", "words", "scope"),
    "confirmation",
)
_TEXTS = (
    *("seller", "programme", "purpose", "disclosure", "version", "signed", "source", "reference", "double_opt_in"),
    *("jurisdiction", "method", "words", "scope", "confirmation"),
)
LONGEST = 1_000
LONGEST_TEXT = 20_000  # of a disclosure and of words
SKEW = 600 * 1_000_000  # a clock elsewhere may be ahead of ours


class BadRow(ValueError):
    """`column` says where, the message what is wrong."""

    def __init__(self, column: str, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column


def read(row: Mapping[str, str], parse: Callable[[str], int], now: Micros, zone: str = "") -> Record:
    """The record of a row; `BadRow`. `parse` reads a number into E.164 digits or raises PhoneError. `zone`: of moments
    that say none.
    """
    value = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name, text in value.items():
        most = LONGEST_TEXT if name in ("disclosure", "words") else LONGEST
        if len(text) > most:
            raise BadRow(name, f"it has {len(text):,} characters; {most:,} are possible")
    if not value["number"]:
        raise BadRow("number", "there is no number")
    try:
        phone = parse(value["number"])
    except PhoneError as error:
        raise BadRow("number", str(error)) from None
    act = _act(value["act"])
    kind = _kind(value["kind"], act)
    own_zone = value["zone"] or zone
    at = _moment("at", value["at"], own_zone)
    if at > now + SKEW:
        raise BadRow("at", "it is in the future")
    expires = _moment("expires", value["expires"], own_zone) if value["expires"] else None
    if expires is not None and expires <= at:
        raise BadRow("expires", "it is not after the moment of the consent")
    if act is Act.GIVEN and ANY in (value["purpose"], value["programme"]):
        raise BadRow("purpose", "a star stands for no purpose or programme that somebody agreed to")
    if kind is Kind.EXPRESS_WRITTEN:
        for name in ("disclosure", "signed"):
            if not value[name]:
                raise BadRow(name, "express written consent needs the text that was shown, and how it was signed")
    shown = own_zone or str(_instant(value["at"]).tzinfo)
    channel = value["channel"] or CHANNEL
    return Record(
        phone, act, kind, at, **{name: value[name] for name in _TEXTS}, zone=shown, channel=channel, expires_at=expires
    )


def _act(text: str) -> Act:
    try:
        return Act(text.casefold()) if text else Act.GIVEN
    except ValueError:
        raise BadRow("act", f"{text!r} is neither given nor revoked") from None


def _kind(text: str, act: Act) -> Kind | None:
    if act is Act.REVOKED:
        return None
    kind = KINDS.get(text.casefold().replace(" ", "_").replace("-", "_"))
    if kind is None:
        said = f"{text!r} is no kind of consent" if text else "the kind of consent is missing"
        raise BadRow("kind", f"{said}: {', '.join(KINDS)}")
    return kind


def _moment(column: str, text: str, zone: str) -> Micros:
    if not text:
        raise BadRow(column, "the moment is missing")
    try:
        moment = _instant(text)
    except ValueError:
        raise BadRow(column, f"{text!r} is no moment such as 2026-01-31T17:30:00+09:00") from None
    info = None
    if zone:
        info = _zone(zone)
        if info is None:
            raise BadRow("zone", f"{zone!r} is no time zone such as America/New_York")
    if moment.tzinfo is None:
        if info is None:
            raise BadRow(column, "it says no time zone: write an offset, or name a zone")
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
