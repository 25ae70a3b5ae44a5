"""What effect a test finds, how often: power and minimum detectable effect from errors out of sample.

The published rule is MDE = (z(1 - alpha/2) + z(power)) x SE / baseline. A placebo test has no z in it: it rejects where
the lift leaves those of the placebos behind. So the first term is the lift that the placebos ask for, and the second
the error of the candidate itself; where placebos and candidate err alike, the two rules are one. Lifts are already
over their baseline.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, norm, t

from measurement.core.arrays import Floats

#: Folds of the synthetic-control t-test; its degrees of freedom are one fewer.
FOLDS: Final = 3


def placebo_level(placebos: int, alpha: float) -> float | None:
    """Quantile of |placebo lifts| that a lift must exceed for p <= alpha; None where so few placebos never allow it.

    With R placebos p = (1 + those at least as large) / (R + 1), so at most floor(alpha (R + 1)) - 1 may be as large.
    """
    spare = int(np.floor(alpha * (placebos + 1) + 1e-9)) - 1
    return None if spare < 0 else (placebos - spare) / (placebos + 1)


def critical_lifts(lifts: Floats, level: float) -> Floats:
    """The lift that must be exceeded in each window; `lifts` of placebos, shape [placebos, windows]."""
    size = np.sort(np.abs(lifts), axis=0)
    # The quantile by expected ranks r / (n + 1), beyond whose last one there is only the largest.
    place = np.clip(level * (len(size) + 1) - 1.0, 0.0, len(size) - 1.0)
    low = int(np.floor(place))
    high = min(low + 1, len(size) - 1)
    found: Floats = size[low] + (place - low) * (size[high] - size[low])
    return found


def placebo_power(effect: float, error: float, critical: Floats) -> float:
    """Chance that a placebo test finds an effect, averaged over windows.

    A lift of `effect` multiplies the sales that the error has already moved: what is found is
    effect + error x (1 + effect).

    Args:
        effect: a fraction above -1. error: standard error of the lift without effect.
        critical: shape [windows].
    """
    spread = max(error, 1e-12) * (1.0 + effect)
    above = norm.sf((critical - effect) / spread)
    below = norm.cdf((-critical - effect) / spread)
    return float(np.mean(above + below))


def placebo_found(effect: float, lifts: Floats, critical: Floats) -> float:
    """Share of A/A lifts that would have been found with an effect put in, shape [sets, windows]: no normal law."""
    moved = (1.0 + effect) * (1.0 + lifts) - 1.0
    usable = np.isfinite(lifts)
    return float((np.abs(moved) > critical)[usable].mean()) if usable.any() else float("nan")


def placebo_mde(error: float, critical: Floats, power: float) -> float:
    """The lift that is found with a given power: what the placebos ask for, and the candidate's own error on top."""
    return float(critical.mean() + norm.ppf(power) * error)


def one_market_power(effect: float, error: float, alpha: float) -> float:
    """Chance that the synthetic-control t-test on one market finds an effect, by the noncentral t."""
    degrees = FOLDS - 1
    limit = float(t.isf(alpha / 2.0, degrees))
    shift = effect / (max(error, 1e-12) * (1.0 + effect))
    # Far out the law of scipy loses its digits; the test then finds everything.
    if abs(shift) > 35.0:
        return 1.0
    return float(nct.sf(limit, degrees, shift) + nct.cdf(-limit, degrees, shift))


def one_market_mde(error: float, alpha: float, power: float) -> float:
    """The lift that the t-test on one market finds with a given power."""
    degrees = FOLDS - 1
    limit = float(t.isf(alpha / 2.0, degrees))
    shift = brentq(
        lambda delta: float(nct.sf(limit, degrees, delta) + nct.cdf(-limit, degrees, delta)) - power, 0.0, 35.0
    )
    return float(shift * error)
