"""Accepted rows as contacts with their positions: grouped by zone set, in the order of the file within a group."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from todoke.pipeline.intake.mapping import Layout
from todoke.pipeline.intake.parts import Part, name
from todoke.pipeline.intake.system_fields import SystemField
from todoke.pipeline.intake.validation import generated_id
from todoke.store.hot.base import SEPARATOR
from todoke.store.lists.base import CONTACT_SCHEMA

_BLANKS = rf"\A\s|{SEPARATOR}\s|\s{SEPARATOR}|\s\z"  # around a value
_DTYPES: Any = dict(CONTACT_SCHEMA)


class Packer:
    """Gives out positions; `starts` has the first one by zone set number."""

    def __init__(self, layout: Layout, starts: Sequence[int]) -> None:
        self._next = list(starts)
        self._indexes = [column.index for column in layout.columns]
        external_id = layout.find(SystemField.EXTERNAL_ID)
        self._external_id = external_id.index if external_id else None

    def pack(self, part: Part, kept: pl.DataFrame) -> pl.DataFrame:
        """The contacts of the `kept` rows of the part, as `CONTACT_SCHEMA` and with their `phone` and `external` key,
        by position."""
        values = part.columns(self._indexes)
        if kept.height < values.height:
            values = values[kept["row"]]
        fields = values.select(pl.concat_str(pl.all(), separator=SEPARATOR)).to_series()
        if fields.str.contains(_BLANKS).any():
            values = values.select(pl.all().str.strip_chars())
            fields = values.select(pl.concat_str(pl.all(), separator=SEPARATOR)).to_series()
        generated = generated_id(pl.col("line"))
        if self._external_id is not None:
            given = pl.col(name(self._external_id))
            external_id = pl.when(given == "").then(generated).otherwise(given)
        else:
            external_id = generated
        added = [self._positions(kept["zone_set"]), fields.alias("fields")]
        if self._external_id is not None:
            added.append(values[name(self._external_id)])
        contacts = kept.hstack(added)
        return (
            contacts.select(
                *(pl.col(column) for column in ("position", "destination", "zone_set")),
                external_id.alias("external_id"),
                "fields",
                *(pl.col(column) for column in ("phones", "expires_at", "phone", "external")),
            )
            .cast(_DTYPES)
            .sort("position")
        )

    def _positions(self, zone_sets: pl.Series) -> pl.Series:
        counts = zone_sets.value_counts().rows()
        if len(counts) == 1:
            ((number, count),) = counts
            start = self._next[number]
            positions = pl.int_range(start, start + count, eager=True)
        else:
            starts = pl.Series(self._next, dtype=pl.Int64)
            within = zone_sets.to_frame().select(pl.int_range(pl.len()).over("zone_set")).to_series()
            positions = starts.gather(zone_sets) + within
        for number, count in counts:
            self._next[number] += count
        return positions.alias("position")
