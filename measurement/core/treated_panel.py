"""A panel with its treated units and the periods of the test, and what a method finds in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from measurement.core.answers import Evidence
from measurement.core.arrays import Floats, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class TreatedPanel:
    """Units of a test by periods; every unit is treated or a control.

    Attributes:
        outcome: shape [units, periods]. cost: the same, or None.
        treated: rows of the treated units, ascending.
        start, end, cooldown_end: positions from 0, the last two inclusive. The effect is asked for over start to
            cooldown_end; the time before start is fitted to.
    """

    names: tuple[str, ...]
    outcome: Floats
    cost: Floats | None
    treated: Ints
    start: int
    end: int
    cooldown_end: int

    @cached_property
    def controls(self) -> Ints:
        """Rows of the controls."""
        return np.setdiff1d(np.arange(len(self.outcome)), self.treated)

    @property
    def window(self) -> slice:
        """Test and cool-down."""
        return slice(self.start, self.cooldown_end + 1)

    @property
    def length(self) -> int:
        """Periods of test and cool-down."""
        return self.cooldown_end + 1 - self.start

    @cached_property
    def pre(self) -> Floats:
        """Outcomes before the test, shape [units, start]."""
        return self.outcome[:, : self.start]

    @cached_property
    def observed(self) -> Floats:
        """Mean outcome of the treated units, shape [periods]."""
        return np.asarray(self.outcome[self.treated].mean(axis=0), dtype=np.float64)


#: Why there is an effect and no iROAS: the ratio would be unbounded on both sides of zero, which the effect is not.
UNCLEAR_SPEND: Final = (
    "The test did not change spend clearly beyond what it varies by anyway, so no iROAS is told. Give the spend of the "
    "test alone if it is known."
)


@dataclass(frozen=True, slots=True)
class Span:
    """Ends of an interval; infinite where the data do not bound it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one method finds, per treated unit and period where not said otherwise.

    Attributes:
        counterfactual: mean of the treated units had nothing been done, shape [periods].
        total: interval of the effect summed over the window, per treated unit.
        p_value: from the same procedure as all intervals.
        period_low, period_high: intervals of the effect in each period of the window, shape [length]; NaN where the
            procedure says nothing of single periods.
        cumulative_low, cumulative_high: of the effect summed from start, shape [length].
        placebos: lifts found where nothing had been done.
        weights: of all units; zeros where the method has none.
        l2, scaled_l2: root of the summed squared misfit before the test, and over that of equal weights.
        iroas: value and interval where the procedure gives one of its own, else it follows from `total`.
        extra_cost: spend that the test added, over treated units and window.
    """

    procedure: str
    evidence: Evidence
    counterfactual: Floats
    total: Span
    p_value: float
    period_low: Floats
    period_high: Floats
    cumulative_low: Floats
    cumulative_high: Floats
    placebos: Floats
    weights: Floats
    l2: float | None = None
    scaled_l2: float | None = None
    iroas: tuple[float, Span] | None = None
    extra_cost: float | None = None
    warnings: tuple[str, ...] = ()
    details: dict[str, float | int | str] = field(default_factory=dict)


def clear_of_rounding(extra: float, cost: Floats) -> float:
    """Extra spend, zero where it is no more than the rounding of sums of the costs that it was made of."""
    return extra if abs(extra) > 1e-9 * float(np.abs(cost).sum()) else 0.0
