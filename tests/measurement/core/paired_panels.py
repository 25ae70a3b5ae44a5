"""Panels of matched pairs with a known effect: a shared season, markets of different size, noise that lasts."""

from __future__ import annotations

import numpy as np

from measurement.core.panel import Panel


def paired_panel(*, pairs=10, periods=90, test=15, lift=0.0, spend=0.0, noise=0.05, seed=1):
    """Panel and its pairs `(a1, b1), ...`; which of the two was treated was a coin's decision.

    The treated sell `1 + lift` times as much in the last `test` periods, and spend `spend` of their base more there.
    """
    rng = np.random.default_rng(seed)
    size = np.repeat(rng.lognormal(4.0, 0.6, pairs), 2)
    season = 1.0 + 0.1 * np.sin(np.arange(periods) / 7.0) + 0.002 * np.arange(periods)
    shocks = rng.normal(0.0, noise, (2 * pairs, periods))
    for period in range(1, periods):
        shocks[:, period] += 0.5 * shocks[:, period - 1]
    outcome = size[:, None] * season * np.exp(shocks)
    treated = 2 * np.arange(pairs) + rng.integers(0, 2, pairs)
    outcome[treated, -test:] *= 1.0 + lift
    cost = np.zeros_like(outcome)
    cost[treated, -test:] = spend * size[treated][:, None]
    names = tuple(f"{'ab'[place % 2]}{place // 2 + 1}" for place in range(2 * pairs))
    panel = Panel(
        units=names, periods=tuple(range(1, periods + 1)), outcome=outcome, cost=cost if spend else None, currency=""
    )
    return panel, [(names[row], names[row ^ 1]) for row in treated]
