"""t-test for synthetic control by cross-fitting, for one treated market, where placebo sets are too few or too unlike.

The time before the test gives K blocks as long as the test (or as fits). For each block the weights are fitted
without it; the gap in the test less the gap in the block is free of the bias of the fit. The K values are as
independent draws, and their mean over its standard error follows t with K - 1 degrees of freedom. With K = 3 that is
few: the test holds its level and sees large effects only.

Source: Chernozhukov, Wuthrich, Zhu (2024), "A t-test for synthetic controls".
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import stats

from measurement.core.arrays import Bools, Floats
from measurement.core.synthetic_control import demeaned, simplex_weights
from measurement.core.treated_panel import Finding, Span, TreatedPanel

BLOCKS: Final = 3


def control_t_test(test: TreatedPanel, *, alpha: float, blocks: int = BLOCKS, unit_effects: bool = True) -> Finding:
    """The effect by the synthetic-control t-test with `blocks` blocks."""
    units = len(test.outcome)
    shares = np.zeros((1, units))
    shares[0, test.treated] = 1.0 / len(test.treated)
    length = min(test.start // blocks, test.length)
    first = test.start - blocks * length
    kept = np.ones(test.start, dtype=bool)
    values, contrasts = [], []
    for block in range(blocks):
        out = np.zeros(test.start, dtype=bool)
        out[first + block * length : first + (block + 1) * length] = True
        contrast = shares - _fit(test, shares, kept & ~out, unit_effects)
        gap = (contrast @ test.outcome)[0]
        values.append(float(gap[test.window].mean() - gap[: test.start][out].mean()))
        contrasts.append(contrast[0])
    effect = float(np.mean(values))
    spread = float(np.std(values, ddof=1))
    error = math.sqrt(1.0 + blocks * length / test.length) * spread / math.sqrt(blocks)
    quantile = float(stats.t.ppf(1.0 - alpha / 2.0, blocks - 1))
    whole = _fit(test, shares, kept, unit_effects)
    fitted = demeaned(test.outcome, slice(0, test.start))[:, : test.start] if unit_effects else test.pre
    mean = np.mean(contrasts, axis=0)
    gap = mean @ test.outcome
    # The path shown is the mean of the block fits, moved so that its effect over the window is the estimate.
    gap -= gap[test.window].mean() - effect
    nothing = np.full(test.length, np.nan)
    ends = nothing.copy(), nothing.copy()
    total = Span((effect - quantile * error) * test.length, (effect + quantile * error) * test.length)
    ends[0][-1], ends[1][-1] = total.low, total.high
    p_value = float(2.0 * stats.t.sf(abs(effect) / error, blocks - 1)) if error > 0.0 else float(effect == 0.0)
    return Finding(
        procedure=f"cross-fitted t-test with {blocks} blocks ({blocks - 1} degrees of freedom) and its t interval",
        evidence="counterfactual",
        counterfactual=test.observed - gap,
        total=total,
        p_value=p_value,
        period_low=nothing,
        period_high=nothing,
        cumulative_low=ends[0],
        cumulative_high=ends[1],
        placebos=np.empty(0),
        weights=whole[0],
        l2=float(np.linalg.norm((shares - whole)[0] @ fitted)),
        details={"blocks": blocks, "block_length": length},
    )


def _fit(test: TreatedPanel, shares: Floats, fitted: Bools, unit_effects: bool) -> Floats:
    pre = test.pre[:, fitted]
    centred = demeaned(pre, slice(None)) if unit_effects else pre
    return simplex_weights(centred @ centred.T, shares, shares == 0.0).weights
