"""From a test that rests on the draw of its units to the reading that people see; one for pairs, strata and trimming.

The course of the treated without the test is told so that it adds up: what they sold beyond it, summed over the test
and cool-down, is the effect. Each period and each sum up to a period has its own test, of the same kind as the whole;
the ends of a period are moved with the course. A running sum is the estimate of its own test, within its ends; the last
is the effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.arrays import Floats
from measurement.core.log_effects import scaled
from measurement.core.panel import Panel
from measurement.core.treated_panel import UNCLEAR_SPEND

#: Incremental sales of a window (first and last period, inclusive); None where the test cannot be taken there.
Sold = Callable[[int, int], Estimate | None]
NO_PERIODS: Final = "Some single periods or running sums have no interval: a unit sold nothing in them."


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DrawnTest:
    """What a test of drawn units found; attributes as those of `PanelReading`.

    Attributes:
        treated, controls: names. quiet: course of the treated by that of their controls, shape [periods].
        sold: the test of any window. is_share: whether the effect multiplies sales, so that the course is stretched to
            add up, and not shifted.
    """

    panel: Panel
    method: str
    why_method: str
    procedure: str
    alpha: float
    p_value: float
    start: int
    end: int
    cooldown_end: int
    treated: tuple[str, ...]
    controls: tuple[str, ...]
    lift: Estimate
    incremental: Estimate
    iroas: Estimate | None
    cost: float | None
    quiet: Floats
    sold: Sold
    is_share: bool
    by_unit: tuple[UnitEffect, ...]
    placebos: Floats
    sensitivity: tuple[Sensitivity, ...]
    warnings: Sequence[str]
    details: dict[str, float | int | str]


def drawn_reading(test: DrawnTest) -> PanelReading:
    """The reading, with its course by period."""
    panel = test.panel
    observed = panel.outcome[[panel.place[name.casefold()] for name in test.treated]].sum(axis=0)
    path = _path(test, observed)
    length = test.cooldown_end - test.start + 1
    said = list(test.warnings)
    if test.cost and test.iroas is None:
        said.append(UNCLEAR_SPEND)
    if path.is_torn:
        said.append(NO_PERIODS)
    return PanelReading(
        method=test.method,
        why_method=test.why_method,
        procedure=test.procedure,
        evidence="experiment",
        alpha=test.alpha,
        p_value=test.p_value,
        att=scaled(test.incremental, 1.0 / (len(test.treated) * length)),
        lift=test.lift,
        incremental=test.incremental,
        iroas=test.iroas,
        cost=test.cost,
        weights={},
        l2_imbalance=None,
        scaled_l2=None,
        periods=panel.periods,
        start=test.start,
        end=test.end,
        cooldown_end=test.cooldown_end,
        treated=test.treated,
        controls=test.controls,
        observed=observed,
        counterfactual=path.counterfactual,
        low=path.low,
        high=path.high,
        cumulative=path.cumulative,
        cumulative_low=path.cumulative_low,
        cumulative_high=path.cumulative_high,
        placebos=test.placebos,
        by_unit=test.by_unit,
        sensitivity=test.sensitivity,
        warnings=(*panel.notes, *said),
        details=test.details,
    )


class _Path:
    """Counterfactual and its ends, shape [periods], and running sums with their ends, shape [length]."""

    def __init__(self, quiet: Floats, length: int) -> None:
        self.counterfactual = quiet.copy()
        self.low, self.high = np.full(len(quiet), np.nan), np.full(len(quiet), np.nan)
        self.cumulative = np.full(length, np.nan)
        self.cumulative_low, self.cumulative_high = np.full(length, np.nan), np.full(length, np.nan)
        self.is_torn = False


def _path(test: DrawnTest, observed: Floats) -> _Path:
    length = test.cooldown_end - test.start + 1
    path = _Path(test.quiet, length)
    for step in range(length):
        period = test.start + step
        single, so_far = test.sold(period, period), test.sold(test.start, period)
        path.is_torn |= single is None or so_far is None
        if single is not None:
            path.counterfactual[period] = observed[period] - single.value
            # The larger the effect, the less would have been sold without it.
            path.low[period] = np.nan if single.high is None else observed[period] - single.high
            path.high[period] = np.nan if single.low is None else observed[period] - single.low
        if so_far is not None:
            path.cumulative[step] = so_far.value
            path.cumulative_low[step] = np.nan if so_far.low is None else so_far.low
            path.cumulative_high[step] = np.nan if so_far.high is None else so_far.high
    window = slice(test.start, test.cooldown_end + 1)
    told = float(path.counterfactual[window].sum())
    wanted = float(observed[window].sum()) - test.incremental.value
    for line in (path.counterfactual, path.low, path.high):
        if test.is_share and told > 0.0 and wanted > 0.0:
            line[window] *= wanted / told
        else:
            line[window] += (wanted - told) / length
    sums = np.cumsum((observed - path.counterfactual)[window])
    path.cumulative = np.where(np.isfinite(path.cumulative), path.cumulative, sums)
    path.cumulative[-1] = test.incremental.value
    return path
