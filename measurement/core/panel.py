"""A panel: one outcome of several units (markets, SKUs) by period, complete and checked."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from tenants.core.problems import InvalidInput

#: Amounts beyond this, or all below its inverse, are no money or units sold: sums of their squares leave the floats.
_LARGEST: Final = 1e90


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


def require_scale(panel: Panel) -> None:
    """That the amounts can be reckoned with.

    Raises:
        InvalidInput: an amount above 1e90, or none above 1e-90 but zero.
    """
    for name, amounts in (("outcome", panel.outcome), ("cost", panel.cost)):
        if amounts is not None:
            require_amounts(amounts, name)


def require_amounts(amounts: Floats, name: str) -> None:
    """That amounts can be reckoned with, whatever their shape.

    Raises:
        InvalidInput: one above 1e90, or none above 1e-90 but zero.
    """
    largest = float(np.abs(amounts).max(initial=0.0))
    if largest > _LARGEST or 0.0 < largest < 1.0 / _LARGEST:
        raise InvalidInput(
            f"The largest {name} is {largest:g}.", where=name, fix="Check the column, or give it in another unit."
        )


def last_days(periods: Sequence[dt.date | int]) -> list[dt.date]:
    """Last day of each period that is named by its first: of days itself, of weeks six days later, of months the day
    before the next one; the step is the commonest. Periods that are numbers have none."""
    days = [one for one in periods if isinstance(one, dt.date)]
    steps = [(later - earlier).days for earlier, later in pairwise(days)]
    if steps and all(28 <= step <= 31 for step in steps) and len({day.day for day in days}) == 1:
        return [day + dt.timedelta(days=monthrange(day.year, day.month)[1] - 1) for day in days]
    usual = min(Counter(steps).items(), key=lambda one: (-one[1], one[0]))[0] if steps else 1
    return [day + dt.timedelta(days=usual - 1) for day in days]
