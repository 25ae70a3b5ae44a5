"""Histories of markets for the tests of designs: shared weeks and shocks, sizes that differ, noise that is known."""

from __future__ import annotations

import datetime as dt

import numpy as np

from measurement.core.panel import Panel


def history(units=12, periods=70, *, seed=1, noise=0.05, cost=False, names="m{:02d}"):
    """Log-normal sales with a week, a slow common path that markets load on differently, and noise of their own."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(7.0, 0.6, units))
    common = np.cumsum(rng.normal(0.0, 0.02, periods))
    loading = rng.uniform(0.5, 1.5, units)
    week = 0.15 * np.sin(2 * np.pi * np.arange(periods) / 7)
    own = rng.normal(0.0, noise, (units, periods))
    outcome = size[:, None] * np.exp(loading[:, None] * common + week + own)
    start = dt.date(2026, 1, 5)
    return Panel(
        units=tuple(names.format(number) for number in range(units)),
        periods=tuple(start + dt.timedelta(days=day) for day in range(periods)),
        outcome=outcome,
        cost=outcome * 0.1 if cost else None,
        currency="USD" if cost else "",
    )
