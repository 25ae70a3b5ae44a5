"""Methods that weigh controls by the time before the test, read by placebo in space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from measurement.core.arrays import Floats, Ints
from measurement.core.placebo import shares_of
from measurement.core.placebo_finding import noise_scale, placebo_finding
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.treated_panel import Finding, TreatedPanel

PROCEDURE: Final = "placebo in space: the interval holds the effects that the test does not reject"

#: Sets solved between two reports of progress.
_BATCH: Final = 100

Progress = Callable[[int, int], None]


def synthetic_control(
    test: TreatedPanel, sets: Ints, *, alpha: float, unit_effects: bool = True, progress: Progress | None = None
) -> Finding:
    """Synthetic control with placebo in space over `sets` (shape [sets, size], the treated one first)."""
    shares = shares_of(sets, len(test.outcome))
    centred = demeaned(test.outcome, slice(0, test.start)) if unit_effects else test.outcome
    fitted = centred[:, : test.start]
    gram = fitted @ fitted.T
    found = np.empty_like(shares)
    for first in range(0, len(shares), _BATCH):
        some = slice(first, first + _BATCH)
        found[some] = simplex_weights(gram, shares[some], shares[some] == 0.0).weights
        if progress:
            progress(min(first + _BATCH, len(shares)), len(shares))
    contrasts = shares - found
    l2, scaled = imbalance(fitted, shares[0], found[0])
    return placebo_finding(
        test, sets, contrasts,
        scale=noise_scale(test, sets, contrasts, unit_effects=unit_effects), unit_effects=unit_effects, alpha=alpha,
        evidence="counterfactual", procedure=PROCEDURE, weights=found[0], l2=l2, scaled_l2=scaled,
    )  # fmt: skip


def imbalance(fitted: Floats, shares: Floats, weights: Floats) -> tuple[float, float]:
    """L2 misfit before the test, and its ratio to that of equal weights on all controls (augsynth's scaled L2)."""
    l2 = float(np.linalg.norm((shares - weights) @ fitted))
    donors = shares == 0.0
    equal = float(np.linalg.norm((shares - donors / donors.sum()) @ fitted))
    return l2, l2 / equal if equal > 0.0 else 0.0
