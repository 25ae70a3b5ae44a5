"""What effect a test finds, how often: power and minimum detectable effect from errors out of sample.

The published rule is MDE = (z(1 - alpha/2) + z(power)) x SE / baseline. A placebo test has no z in it: it rejects where
the statistic leaves those of the placebos behind. So the first term is the lift that the placebos ask for in each
window, and the second the error of the candidate itself, both out of sample; the MDE is where that power reaches its
aim. Where placebos and candidate err alike and normally, the two rules are one. Lifts are already over their baseline.
"""

from __future__ import annotations

from math import ceil, exp, sqrt
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, t

from measurement.core.arrays import Floats
from measurement.core.out_of_sample import Errors
from measurement.core.sc_ttest import BLOCKS

_DEGREES: Final = BLOCKS - 1
_MOST: Final = 9.0
_ALL_BUT: Final = 0.999
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
    # A candidate that is among the references is no placebo of itself.
    statistic[errors.own] = -1.0
    statistic = statistic[np.isfinite(statistic).all(axis=(1, 2))]
    if not len(statistic):
        return np.full_like(errors.found, np.inf)
    # Where the references are all sets, this is the very one that must be exceeded; else nearly its expected rank.
    place = min(level * len(statistic), len(statistic) - 1.0)
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


def placebo_mde(errors: Errors, deviations: Floats, level: float, power: float, sign: int = 1) -> Floats:
    """Size of the lift (of the loss, where `sign` is -1) that is found with a given power, shape [candidates].

    Infinite where none up to tenfold sales, or to the loss of all but a thousandth, is.
    """
    low, high = np.zeros(len(deviations)), np.full(len(deviations), _MOST if sign > 0 else _ALL_BUT)
    reached = placebo_power(errors, deviations, level, sign * high) >= power
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        enough = placebo_power(errors, deviations, level, sign * middle) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reached, high, np.inf)


def one_market_power(effect: float, deviation: float, alpha: float) -> float:
    """Chance that the synthetic-control t-test on one market finds an effect.

    Args:
        effect: a fraction above -1. deviation: of the lift without effect and without cross-fitting.
        alpha: two-sided.
    """
    return _noncentral_t(float(t.isf(alpha / 2.0, _DEGREES)), effect / (_cross_fitted(deviation) * (1.0 + effect)))


def one_market_mde(deviation: float, alpha: float, power: float) -> float:
    """The lift that the t-test on one market finds with a given power."""
    limit = float(t.isf(alpha / 2.0, _DEGREES))
    shift = brentq(lambda one: _noncentral_t(limit, one) - power, 0.0, 100.0 * (limit + 1.0))
    return float(shift) * _cross_fitted(deviation)


def _noncentral_t(limit: float, shift: float) -> float:
    """P(|T| > limit) of a noncentral t with two degrees of freedom.

    With two degrees the denominator is the root of an exponential variable, and the integral over it is closed; the
    general law of scipy loses its digits for the large limits of small alphas.
    """
    width = 2.0 + limit * limit

    def above(one: float) -> float:
        inside = limit / sqrt(width) * exp(-one * one / width) * float(norm.cdf(limit * one / sqrt(width)))
        return float(norm.cdf(one)) - inside

    return above(shift) + above(-shift)


def _cross_fitted(deviation: float) -> float:
    """Cross-fitting takes the mean of held-out blocks, each as noisy as the test, off the effect."""
    return max(deviation, 1e-12) * sqrt(1.0 + 1.0 / BLOCKS)


def _shift(errors: Errors, effect: float | Floats) -> Floats:
    """How far an effect moves `found`, shape [1, 1] or [candidates, 1]."""
    shift = np.atleast_1d(np.asarray(effect, dtype=np.float64))[:, None]
    return np.log1p(shift) if errors.logs else shift
