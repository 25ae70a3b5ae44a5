"""Conformal inference for synthetic control, as the popular tools report it. An alternative, never the default.

Under the hypothesis of an effect the weights are refitted on ALL periods with that effect taken off, and the mean
absolute residual of the test is placed among its permutations over time: of single periods (iid) or shifted round
(block). Errors of neighbouring days are alike, so single periods permuted reject too often; few blocks leave little
power. A p-value only: the hypothesis is one effect alike in every period, and the set of those not rejected can be
empty.

Source: Chernozhukov, Wuthrich, Zhu (2021); the permutations as in augsynth (Ben-Michael), whose figures these
reproduce.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.treated_panel import TreatedPanel

Permutations = Literal["iid", "block"]
DRAWS: Final = 5000


def conformal_p_value(
    test: TreatedPanel, *, effect: float, permutations: Permutations, seed: int, draws: int = DRAWS
) -> float:
    """p of the hypothesis that the mean treated outcome was raised by `effect` in each period of the window."""
    residuals = np.abs(_residuals(test, effect))
    count, stop = test.length, test.cooldown_end + 1
    own = residuals[test.start : stop].sum()
    if permutations == "block":
        rounds = np.concatenate([residuals, residuals[: count - 1]])
        sums = np.convolve(rounds, np.ones(count), mode="valid")
    else:
        rng = np.random.default_rng(seed)
        sums = rng.permuted(np.tile(residuals, (draws, 1)), axis=1)[:, :count].sum(axis=1)
        sums = np.append(sums, own)
    return float(np.mean(sums >= own * (1.0 - 1e-12)))


def _residuals(test: TreatedPanel, effect: float) -> Floats:
    """Gap of every period, weights fitted on all of them with the effect taken off the window."""
    stop = test.cooldown_end + 1
    outcome = test.outcome[:, :stop].copy()
    outcome[test.treated, test.start :] -= effect
    shares = np.zeros((1, len(outcome)))
    shares[0, test.treated] = 1.0 / len(test.treated)
    centred = demeaned(outcome, slice(0, stop))
    contrast = shares - simplex_weights(centred @ centred.T, shares, shares == 0.0).weights
    return np.asarray((contrast @ centred)[0], dtype=np.float64)
