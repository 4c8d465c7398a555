"""Where contacts may be: the set of their candidate zones, from what a row says and what its number tells."""

from __future__ import annotations

from collections.abc import Sequence

from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.reasons import Reason
from todoke.pipeline.intake.rules import HOLD, REJECT, Rules
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.time_zone_names import TimeZoneNames
from todoke.pipeline.intake.verdicts import verdict
from todoke.pipeline.intake.zones import ZoneSet, ZoneSets

_COLUMNS = (SystemField.TIME_ZONE,)


class Places:
    """Asked once for each combination of what the `columns` of a row hold, its number's region and its zones."""

    def __init__(self, layout: Layout, rules: Rules, zone_sets: ZoneSets) -> None:
        found = [column for field in _COLUMNS if (column := layout.find(field))]
        self.columns = [column.index for column in found]
        self._rules = rules
        self._zone_sets = zone_sets
        self._zone_names = TimeZoneNames()

    def find(self, values: Sequence[str], region: str, zones: ZoneSet) -> tuple[int, int]:
        """The number of the zone set and 0, or anything and the verdict on the row; `values` in the order of
        `columns`, stripped."""
        explicit = values[0] if values else ""
        if explicit:
            zone = self._zone_names.read(explicit, region)
            if zone is None:
                return 0, verdict(Reason.INVALID_TIME_ZONE, self.columns[0])
            zones = (zone,)
        if not zones and self._rules.no_time_zone != HOLD:
            if self._rules.no_time_zone == REJECT:
                return 0, verdict(Reason.NO_TIME_ZONE, self.columns[0] if self.columns else None)
            zones = (self._rules.no_time_zone,)
        return self._zone_sets.number(zones), 0
