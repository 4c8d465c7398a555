"""How many of a number's first digits decide what the numbering library says of it.

Almost every pattern of the library's metadata ends in digits that may be anything. So two numbers of one length that
begin alike are both valid or both not, of one kind, region and zones; this proves for which beginnings that holds. It
asks nothing of the library but its metadata, and where it cannot prove it, it says no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any, cast

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.tzdata import TIMEZONE_DATA

from todoke.sms.digit_patterns import SOME, Pattern, State

_TYPES = (
    *("general_desc", "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)
_AREA_CODE = 3  # digits of North America that decide the zones
_STRIPPED = 4  # a prefix is taken off twice at most; more is not believed

_Node = tuple[tuple[Pattern, State, bool], ...]


class DecidingDigits:
    """For numbers written with a plus, and without one for `region` (None: none is set)."""

    def __init__(self, region: str | None) -> None:
        self._metadata: Any = PhoneMetadata.metadata_for_region(region, None) if region else None

    def decide(self, plus: bool, digits: str, known: int) -> bool:
        """Whether every number of as many digits that begins with the first `known` of these is read alike: refused
        for one reason, or of one kind, region, zones and country code, with as many digits taken off its front.
        """
        known = min(known, len(digits))
        if plus:
            return self._international(digits, known)
        for abroad in ("00", "011"):  # what is no number of the region is read as dialled abroad
            if digits.startswith(abroad) and not self._international(digits[len(abroad) :], known - len(abroad)):
                return False
        if self._metadata is None:
            return known >= len("011")
        dialled: str | None = self._metadata.international_prefix
        if dialled is not None:
            pattern = _pattern(dialled)
            if pattern.may_match_later(pattern.after(digits[:known]), len(digits) - known):
                return False
            if found := re.match(dialled, digits):
                if found.end() >= known:
                    return False
                if digits[found.end()] != "0":
                    return self._international(digits[found.end() :], known - found.end())
        code = str(self._metadata.country_code)
        offsets = {0}
        if digits.startswith(code):
            offsets.add(len(code))
        return known >= len(code) and self._national(self._metadata, offsets, digits, known)

    def _international(self, digits: str, known: int) -> bool:
        code = _country_code(digits[: max(0, known)])
        if code is None:
            return False
        main = _country(code).main
        return self._national(main, {len(str(code))}, digits, known)

    def _national(self, metadata: Any, offsets: set[int], digits: str, known: int) -> bool:
        """Whether it is decided from each place where the national number may begin."""
        country = _country(metadata.country_code)
        todo, seen = list(offsets), set(offsets)
        while todo:
            offset = todo.pop()
            if offset >= known or len(seen) > _STRIPPED:
                return False
            if not country.decides(digits[offset:known], len(digits) - known):
                return False
            for plan in (metadata, country.main):
                end = _prefix_end(plan, digits[offset:], known - offset)
                if end is None:
                    return False
                if end and offset + end not in seen:
                    seen.add(offset + end)
                    todo.append(offset + end)
        return True


class _Country:
    """The plans of one country code."""

    def __init__(self, code: int) -> None:
        self._code = code
        regions = COUNTRY_CODE_TO_REGION_CODE[code]
        plans: list[Any] = [PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions]
        self.main: Any = plans[0]
        whole = {
            described.national_number_pattern
            for plan in plans
            for described in (getattr(plan, kind) for kind in _TYPES)
            if described is not None and described.national_number_pattern
        }
        leading = {plan.leading_digits for plan in plans if plan.leading_digits}
        self._nodes: dict[str, _Node] = {
            "": (
                *((pattern, pattern.start, False) for pattern in map(_pattern, sorted(whole))),
                *((pattern, pattern.start, True) for pattern in map(_pattern, sorted(leading))),
            )
        }
        self._decided: dict[tuple[str, int], bool] = {}

    def decides(self, beginning: str, more: int) -> bool:
        """Whether kind, region and zones are the same for all national numbers with this beginning and `more` digits
        behind it."""
        key = beginning, more
        found = self._decided.get(key)
        if found is None:
            found = self._decided[key] = self._zones_decided(beginning, more) and all(
                not pattern.may_match_later(state, more) if leads else pattern.share(state, more) != SOME
                for pattern, state, leads in self._node(beginning)
            )
        return found

    def _node(self, beginning: str) -> _Node:
        """The patterns that may still match, each with its state. One of leading digits is settled by its match."""
        found = self._nodes.get(beginning)
        if found is None:
            before, digit = self._node(beginning[:-1]), beginning[-1]
            steps = ((pattern, pattern.step(state, digit), leads) for pattern, state, leads in before)
            found = self._nodes[beginning] = tuple(
                (pattern, state, leads)
                for pattern, state, leads in steps
                if state and not (leads and pattern.matches(state))
            )
        return found

    def _zones_decided(self, beginning: str, more: int) -> bool:
        if self._code == 1:
            return len(beginning) >= _AREA_CODE or more == 0
        return more == 0 or f"{self._code}{beginning}" not in self._longer_rows

    @cached_property
    def _longer_rows(self) -> frozenset[str]:
        """Beginnings of numbers that have a longer row in the table of zones; none where all rows say the same."""
        rows = {row: zones for row, zones in TIMEZONE_DATA.items() if row.startswith(str(self._code))}
        if len(set(rows.values())) <= 1 and str(self._code) in rows:
            return frozenset()
        return frozenset(row[:length] for row in rows for length in range(len(row)))


def _prefix_end(plan: Any, digits: str, known: int) -> int | None:
    """How many digits the national prefix takes off, where that is decided and nothing else is done to the number."""
    prefix: str | None = plan.national_prefix_for_parsing
    if not prefix:
        return 0
    pattern = _pattern(prefix)
    if pattern.may_match_later(pattern.after(digits[:known]), len(digits) - known):
        return None
    found = re.match(prefix, digits)
    if found is None:
        return 0
    if plan.national_prefix_transform_rule and found.re.groups and found.groups()[-1] is not None:
        return None
    return found.end()


def _country_code(digits: str) -> int | None:
    for length in range(1, 4):
        beginning = digits[:length]
        if len(beginning) == length and beginning[0] != "0" and int(beginning) in COUNTRY_CODE_TO_REGION_CODE:
            return int(beginning)
    return None


@lru_cache(maxsize=512)
def _country(code: int) -> _Country:
    return _Country(code)


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> Pattern:
    return Pattern(pattern)


def all_patterns() -> Iterable[str]:
    """Every pattern of the library's metadata that may have to be read."""
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            plan = cast(Any, PhoneMetadata.metadata_for_region_or_calling_code(code, region))
            described = (getattr(plan, kind) for kind in _TYPES)
            yield from (one.national_number_pattern for one in described if one and one.national_number_pattern)
            more = (plan.leading_digits, plan.national_prefix_for_parsing, plan.international_prefix)
            yield from (pattern for pattern in more if pattern)
