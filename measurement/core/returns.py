"""iROAS where a method has an interval for the effect and none for the ratio: the error of the spend is not left out.

The extra spend is a difference between units like the effect, and as uncertain where units' spend moves by itself. The
ends of the ratio are the furthest that both intervals allow together: never too narrow, wider than needed where the
spend varies much.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from measurement.core.answers import Estimate
from measurement.core.arrays import Floats


def margin_of_changes(treated: Floats, controls: Floats, alpha: float) -> float:
    """Half-width of the interval of the summed change of the treated beyond that of the controls.

    Args:
        treated, controls: change of spend of each unit; spread is that of the controls, for the test moves the treated.
    """
    if len(controls) < 2:
        return 0.0
    size, count = len(treated), len(controls)
    error = float(np.std(controls, ddof=1)) * np.sqrt(1.0 / size + 1.0 / count) * size
    return float(stats.t.ppf(1.0 - alpha / 2.0, count - 1) * error)


def return_of(effect: Estimate, cost: float, margin: float) -> Estimate | None:
    """The effect over the spend with what both intervals allow; None where the spend may as well be none."""
    if abs(cost) <= margin:
        return None
    spends = (cost - margin, cost + margin)
    low, high = (effect.low, effect.high) if cost > 0.0 else (effect.high, effect.low)
    return Estimate(
        effect.value / cost,
        None if low is None else min(low / spend for spend in spends),
        None if high is None else max(high / spend for spend in spends),
    )
