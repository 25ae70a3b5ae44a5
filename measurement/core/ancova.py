"""Analysis of covariance of a drawn test on a panel: one figure per unit, its own past as the covariate."""

from __future__ import annotations

import math

import numpy as np

from measurement.core.answers import Sensitivity
from measurement.core.arrays import Bools, Floats
from measurement.core.log_effects import over_rest, scaled
from measurement.core.regression import adjusted_effect
from tenants.core.problems import Problem


def ancova_row(outcome: Floats, treated: Bools, *, start: int, last: int, alpha: float) -> Sensitivity:
    """Lin's regression of the mean in the test on the mean before, HC2 errors; what it says beside another method.

    Args:
        outcome: of the units of the test, shape [units, periods]. treated: shape [units].
        start, last: of the test and its cool-down, positions from 0, inclusive.
    """
    window = outcome[:, start : last + 1]
    try:
        found = adjusted_effect(
            window.mean(axis=1), treated.astype(np.int64), outcome[:, :start].mean(axis=1), alpha=alpha
        )
    except Problem as problem:
        return Sensitivity("ancova", None, None, str(problem))
    effect = scaled(found.effect, float(treated.sum() * window.shape[1]))
    lift = over_rest(effect, float(window[treated].sum()))
    if not math.isfinite(lift.value):
        return Sensitivity("ancova", None, found.p_value, "no lift: nothing would have been sold by this method")
    return Sensitivity("ancova", lift, found.p_value, "over single units, HC2 errors: the pairs or strata left aside")
