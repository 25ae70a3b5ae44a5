"""What effect a test finds, how often: power and minimum detectable effect from errors out of sample.

The published rule is MDE = (z(1 - alpha/2) + z(power)) x SE / baseline. A placebo test has no z in it: it rejects where
the statistic leaves those of the placebos behind. So the first term is the lift that the placebos ask for in each
window, and the second the error of the candidate itself, both out of sample; the MDE is where that power reaches its
aim. Where placebos and candidate err alike and normally, the two rules are one. Lifts are already over their baseline.
"""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, norm, t

from measurement.core.arrays import Floats
from measurement.core.out_of_sample import Errors
from measurement.core.sc_ttest import BLOCKS

_DEGREES: Final = BLOCKS - 1
#: Beyond this noncentrality the law of scipy loses its digits, and the test finds everything.
_FAR: Final = 35.0
_MOST: Final = 9.0
_HALVINGS: Final = 24


def placebo_level(sets: int, alpha: float) -> float | None:
    """Quantile of placebo statistics that must be exceeded for p < alpha; None where so few sets never allow it.

    With M sets, the treated one counted, p = (1 + those at least as extreme) / M.

    Args:
        sets: M. alpha: two-sided.
    """
    spare = ceil(alpha * sets - 1e-9) - 2
    return None if spare < 0 else (sets - 1 - spare) / sets


def critical_lifts(errors: Errors, level: float, effect: float | Floats) -> Floats:
    """What each candidate's `found` must exceed in each window where it has the effect, shape [candidates, windows].

    References that share markets with the candidate, or weigh them, move with the effect, as they will in the
    analysis.

    Args:
        effect: one for all candidates, or shape [candidates].
    """
    shift = _shift(errors, effect)
    statistic = np.abs(errors.placebos[:, None, :] + errors.reach * shift)
    statistic = statistic[np.isfinite(statistic).all(axis=(1, 2))]
    if not len(statistic):
        return np.full_like(errors.found, np.inf)
    # The quantile by expected ranks r / (n + 1), beyond whose last there is only the largest.
    place = float(np.clip(level * (len(statistic) + 1) - 1.0, 0.0, len(statistic) - 1.0))
    low = int(place)
    ordered = np.sort(statistic, axis=0)
    high = ordered[min(low + 1, len(ordered) - 1)]
    found: Floats = (ordered[low] + (place - low) * (high - ordered[low])) * errors.scale
    return found


def placebo_power(errors: Errors, deviations: Floats, level: float, effect: float | Floats) -> Floats:
    """Chance that placebo in space finds an effect, averaged over windows, shape [candidates].

    A lift multiplies what the error has already moved: found is effect + error x (1 + effect); logarithms add.

    Args:
        deviations: of `found` without effect, shape [candidates].
        effect: one for all candidates, or shape [candidates].
    """
    critical = critical_lifts(errors, level, effect)
    shift = _shift(errors, effect)
    spread = np.maximum(deviations, 1e-12)[:, None] * (1.0 if errors.logs else 1.0 + shift)
    chance = norm.sf((critical - shift) / spread) + norm.cdf((-critical - shift) / spread)
    return np.asarray(chance.mean(axis=1))


def placebo_found(errors: Errors, level: float, effect: float) -> Floats:
    """Share of windows in which the effect, put into the past, would have been found, shape [candidates].

    No law of errors is assumed; there are as many values as windows.
    """
    shift = _shift(errors, effect)
    moved = errors.found + shift * (1.0 if errors.logs else 1.0 + errors.found)
    return np.asarray((np.abs(moved) > critical_lifts(errors, level, effect)).mean(axis=1))


def placebo_mde(errors: Errors, deviations: Floats, level: float, power: float) -> Floats:
    """The lift that is found with a given power, shape [candidates]; infinite where none up to tenfold sales is."""
    low, high = np.zeros(len(deviations)), np.full(len(deviations), _MOST)
    reached = placebo_power(errors, deviations, level, high) >= power
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        enough = placebo_power(errors, deviations, level, middle) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, high, np.inf)


def one_market_power(effect: float, deviation: float, alpha: float) -> float:
    """Chance that the synthetic-control t-test on one market finds an effect, by the noncentral t.

    Args:
        effect: a fraction above -1. deviation: of the lift without effect and without cross-fitting.
        alpha: two-sided.
    """
    limit = float(t.isf(alpha / 2.0, _DEGREES))
    shift = effect / (_cross_fitted(deviation) * (1.0 + effect))
    if abs(shift) > _FAR:
        return 1.0
    return float(nct.sf(limit, _DEGREES, abs(shift)) + nct.cdf(-limit, _DEGREES, abs(shift)))


def one_market_mde(deviation: float, alpha: float, power: float) -> float:
    """The lift that the t-test on one market finds with a given power."""
    limit = float(t.isf(alpha / 2.0, _DEGREES))

    def excess(shift: float) -> float:
        return float(nct.sf(limit, _DEGREES, shift) + nct.cdf(-limit, _DEGREES, shift)) - power

    if excess(_FAR) < 0.0:
        return float("inf")
    return float(brentq(excess, 0.0, _FAR)) * _cross_fitted(deviation)


def _cross_fitted(deviation: float) -> float:
    """Cross-fitting takes the mean of held-out blocks, each as noisy as the test, off the effect."""
    return max(deviation, 1e-12) * (1.0 + 1.0 / BLOCKS) ** 0.5


def _shift(errors: Errors, effect: float | Floats) -> Floats:
    """How far an effect moves `found`, shape [1, 1] or [candidates, 1]."""
    shift = np.atleast_1d(np.asarray(effect, dtype=np.float64))[:, None]
    return np.log1p(shift) if errors.logs else shift
