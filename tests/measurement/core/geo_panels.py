"""Small panels with known truth for the tests of geo analysis."""

from __future__ import annotations

import datetime as dt

import numpy as np

from measurement.core.panel import Panel


def factor_panel(seed: int, *, units: int = 20, periods: int = 60, noise: float = 0.05) -> Panel:
    """Sizes far apart, two common factors with different loadings, errors with memory (.6), a weekly season."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(7.0, 0.8, units))
    factors = np.zeros((2, periods))
    errors = np.zeros((units, periods))
    for t in range(1, periods):
        factors[:, t] = 0.8 * factors[:, t - 1] + rng.normal(0.0, 0.04, 2)
        errors[:, t] = 0.6 * errors[:, t - 1] + rng.normal(0.0, noise, units)
    season = 0.15 * np.sin(2.0 * np.pi * np.arange(periods) / 7.0)
    outcome = size[:, None] * np.maximum(1.0 + rng.normal(1.0, 0.3, (units, 2)) @ factors + errors + season, 0.02)
    return panel_of(outcome)


def panel_of(outcome: np.ndarray, *, cost: np.ndarray | None = None) -> Panel:
    first = dt.date(2026, 1, 5)
    return Panel(
        units=tuple(f"m{number:02d}" for number in range(len(outcome))),
        periods=tuple(first + dt.timedelta(days=day) for day in range(outcome.shape[1])),
        outcome=outcome,
        cost=cost,
    )


def lifted(panel: Panel, treated: list[str], start: int, lift: float) -> Panel:
    """The panel with the treated units raised from position `start` on."""
    outcome = panel.outcome.copy()
    outcome[[panel.place[name] for name in treated], start:] *= 1.0 + lift
    return panel_of(outcome, cost=panel.cost)


def as_csv(panel: Panel, separator: str = ",") -> bytes:
    rows = [separator.join(["geo", "date", "sales"])]
    rows += [
        separator.join([unit, str(period), repr(float(panel.outcome[row, t]))])
        for row, unit in enumerate(panel.units)
        for t, period in enumerate(panel.periods)
    ]
    return "\n".join(rows).encode()
