"""Where contacts may be: the number of their candidate places, from what a row says and what its number tells."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from todoke.model import schedule
from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.parts import name
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rules import HOLD, REJECT, Rules
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.verdicts import verdict
from todoke.pipeline.intake.zones import ZoneSets
from todoke.sms import places
from todoke.sms.phone_type import PhoneType, named

_FIELDS = (SystemField.TIME_ZONE, SystemField.ZIP, SystemField.STATE, SystemField.CALLING_WINDOW)
TOLD = ("area",)  # what of a number decides, beside its region and zones

# North America: +1 and an area code of three digits.
_FIRST, _LAST, _PER_AREA = 10_000_000_000, 19_999_999_999, 10_000_000
# The last digits of an American postcode tell nothing: so there are a thousand of them, not forty thousand.
_ZIP = r"\A([0-9]{3})[0-9]{2}(?:-?[0-9]{4})?\z"


class Places:
    """Asked once for each combination of what the `columns` of a row hold and what its number tells."""

    def __init__(self, layout: Layout, rules: Rules, zone_sets: ZoneSets) -> None:
        self._at = [column.index if (column := layout.find(field)) else None for field in _FIELDS]
        self.columns = [index for index in self._at if index is not None]
        self._rules = rules
        self._zone_sets = zone_sets

    def told(self, phone: pl.Expr) -> list[pl.Expr]:
        """What decides of the number of E.164 digits, as `TOLD`; and of columns no more than decides."""
        area = pl.when(phone.is_between(_FIRST, _LAST)).then(phone // _PER_AREA * _PER_AREA).otherwise(0)
        zip_ = self._at[1]
        shorter = [] if zip_ is None else [pl.col(name(zip_)).str.replace(_ZIP, "${1}00")]
        return [area.alias("area"), *shorter]

    def find(
        self, values: Sequence[str], area: int, region: str, zones: tuple[str, ...], phone_type: PhoneType
    ) -> tuple[int, int]:
        """The number of the places for that phone type and 0, or anything and the verdict on the row; `values` in the
        order of `columns`, stripped."""
        given = iter(values)
        time_zone, zip_, state, own = ("" if at is None else next(given) for at in self._at)
        window = schedule.kept(own)
        if window is None:
            return 0, verdict(Reason.INVALID_CALLING_WINDOW, self._at[3])
        found = places.candidates(time_zone, zip_, state, "", region, places.of_number(area, region, zones), window)
        if found is None:
            return 0, verdict(Reason.INVALID_TIME_ZONE, self._at[0])
        if not found and self._rules.no_time_zone != HOLD:
            if self._rules.no_time_zone == REJECT:
                return 0, verdict(Reason.NO_TIME_ZONE, self._at[0])
            number = places.of_number(area, region, ())
            found = places.candidates(self._rules.no_time_zone, zip_, state, "", region, number, window) or ()
        return self._zone_sets.number(named(found, phone_type)), 0
