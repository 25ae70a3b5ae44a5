"""A panel: one outcome of several units (markets, SKUs) by period, complete and checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from measurement.core.arrays import Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """Complete: every unit has every period and all numbers are finite.

    Periods are in order, at one step but for gaps that `notes` tell.

    Attributes:
        units: names, shape [units]. periods: dates or whole numbers, shape [periods].
        outcome: shape [units, periods]. cost: spend in the same money as iROAS is asked in, same shape, or None.
        currency: of outcome and cost where told, else empty.
        notes: what was done to the rows on reading, each a sentence; never silent.
    """

    units: tuple[str, ...]
    periods: tuple[dt.date | int, ...]
    outcome: Floats
    cost: Floats | None = None
    currency: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def place(self) -> dict[str, int]:
        """Unit -> row, by case-folded name."""
        return {unit.casefold(): row for row, unit in enumerate(self.units)}
