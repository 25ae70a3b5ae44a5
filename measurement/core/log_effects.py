"""From an effect on the log of sales to what people read: lift, incremental sales, iROAS, each with its ends.

All of them rise with the effect, so that an interval of one is the interval of all, and none contradicts the p-value.
"""

from __future__ import annotations

import math

from measurement.core.answers import Estimate
from measurement.core.inversion import Reassigned


def effect_of(test: Reassigned, alpha: float) -> Estimate:
    """Estimate and inverted interval of a test, on its own scale."""
    low, high = test.interval(alpha)
    return Estimate(test.center, low, high)


def lift_of_log(effect: Estimate) -> Estimate:
    """The lift of an effect in logs."""
    return Estimate(
        math.expm1(effect.value),
        None if effect.low is None else math.expm1(effect.low),
        None if effect.high is None else math.expm1(effect.high),
    )


def sales_of_log(effect: Estimate, observed: float) -> Estimate:
    """Incremental sales of treated units that sold `observed` under an effect in logs."""

    def sales(end: float) -> float:
        return -observed * math.expm1(-end)

    return Estimate(
        sales(effect.value),
        None if effect.low is None else sales(effect.low),
        None if effect.high is None else sales(effect.high),
    )


def over_rest(incremental: Estimate, sold: float) -> Estimate:
    """Incremental sales over what would have been sold without them; NaN or no end where that is not positive."""

    def of(value: float | None) -> float | None:
        return None if value is None or sold - value <= 0.0 else value / (sold - value)

    value = of(incremental.value)
    ends = of(incremental.low), of(incremental.high)
    # Where less than nothing was sold in sum (returns), the lift falls as the effect rises.
    return Estimate(math.nan if value is None else value, *(ends if sold > 0.0 else reversed(ends)))


def scaled(value: Estimate, factor: float) -> Estimate:
    """Times a factor; a negative one turns the ends."""
    low = None if value.low is None else value.low * factor
    high = None if value.high is None else value.high * factor
    return Estimate(value.value * factor, *((low, high) if factor > 0 else (high, low)))
