"""Readings for the tests of what is made of them: drawn, consistent within themselves, and no analysis behind them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np

from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.readout import ExperimentFacts

STATES = ("AZ", "CO", "IN", "KY", "MN", "MO", "OR", "TN", "WI")
CONTROLS = ("AL", "AR", "CA", "CT", "DE", "FL", "GA", "ID", "IL", "IA", "KS", "LA", "MA", "MD", "MI", "NC", "NY", "OH")


def a_reading(*, lift: float = 0.084, seed: int = 3, treated: tuple[str, ...] = STATES, **changes: Any) -> PanelReading:
    """91 days before, 28 in the test, 14 of cool-down; about 140,000 a day, and `lift` more in the test."""
    rng = np.random.default_rng(seed)
    pre, test, cool = 91, 28, 14
    days = tuple(dt.date(2026, 6, 15) + dt.timedelta(days=day) for day in range(pre + test + cool))
    week = np.array([0.93, 0.90, 0.91, 0.96, 1.07, 1.15, 1.08])[np.arange(len(days)) % 7]
    without = 140_000 * week * np.exp(rng.normal(0, 0.012, len(days)))
    fitted = without * np.exp(rng.normal(0, 0.008, len(days)))
    effect = np.zeros(len(days))
    effect[pre : pre + test] = lift
    effect[pre + test :] = lift * 0.3 * np.exp(-np.arange(cool) / 4)
    observed = without * (1 + effect)
    placebos = rng.normal(0, 0.021, 59)
    spread = 0.041
    low, high = np.full(len(days), np.nan), np.full(len(days), np.nan)
    low[pre:], high[pre:] = fitted[pre:] * (1 - spread), fitted[pre:] * (1 + spread)
    gained = np.cumsum((observed - fitted)[pre:])
    wide = spread / 2 * np.sqrt(np.arange(1, test + cool + 1)) * float(fitted.mean()) * 3
    total, half = float(gained[-1]), float(wide[-1])
    base = float(fitted[pre : pre + test].sum())
    cost = 184_200.0
    shares = rng.dirichlet(np.full(len(treated), 5.0))
    units = tuple(
        UnitEffect(
            unit=name,
            lift=lift + float(rng.normal(0, 0.02)),
            observed=observed * share * np.exp(rng.normal(0, 0.02, len(days))),
            counterfactual=fitted * share,
        )
        for name, share in sorted(zip(treated, shares, strict=True), key=lambda one: -one[1])
    )
    made = PanelReading(
        method="sc",
        why_method="2 to a quarter of the units were treated: synthetic control with placebo in space.",
        procedure="placebo in space over 59 admissible assignments, interval by inverting the same test",
        evidence="experiment",
        alpha=0.05,
        p_value=1 / 60,
        att=Estimate(total / test / len(treated), (total - half) / test / len(treated), (total + half) / test / 9),
        lift=Estimate(total / base, (total - half) / base, (total + half) / base),
        incremental=Estimate(total, total - half, total + half),
        iroas=Estimate(total / cost, (total - half) / cost, (total + half) / cost),
        cost=cost,
        weights={"OH": 0.31, "MI": 0.22, "GA": 0.18, "NC": 0.14, "AL": 0.1, "KS": 0.05},
        l2_imbalance=12_345.6,
        scaled_l2=0.163,
        periods=days,
        start=pre,
        end=pre + test - 1,
        cooldown_end=len(days) - 1,
        treated=treated,
        controls=CONTROLS,
        observed=observed,
        counterfactual=fitted,
        low=low,
        high=high,
        cumulative=gained,
        cumulative_low=gained - wide,
        cumulative_high=gained + wide,
        placebos=placebos,
        by_unit=units,
        sensitivity=(
            Sensitivity("sdid", Estimate(0.081, 0.031, 0.13), 1 / 60),
            Sensitivity("did", Estimate(0.077, 0.012, 0.141), 2 / 60),
            Sensitivity("tbr", Estimate(0.088, 0.06, 0.117), 0.001, "for planning speed; its interval is too narrow"),
            Sensitivity("trimmed_match", None, None, "needs pairs"),
        ),
        warnings=("Sales of 2026-07-03 in KY lie far from its other days; they were kept.",),
        details={"placebos": 59, "as_extreme": 0, "seed": 1},
    )
    return replace(made, **changes)


def some_facts(**changes: Any) -> ExperimentFacts:
    """The test that the reading is of."""
    known: dict[str, Any] = {
        "name": "Walmart search heavy-up",
        "reference": "GT-0011",
        "brand": "Acme Chips",
        "retailer": "Walmart",
        "placement": "Search Ingrid",
        "design": "geo heavy-up",
        "unit": "state",
        "outcome": "sales",
        "currency": "USD",
        "plan_sha256": "ab" * 32,
        "registered": "registered 2 Sep 2026, before the start",
        "registered_late": False,
        "power": 0.82,
        "mde": 0.065,
        "left_out": ("AK", "HI", "WY"),
        "attribution": "14-day click, all sales of the brand, last touch",
    }
    return ExperimentFacts(**(known | changes))
