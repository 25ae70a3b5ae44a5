"""The error of spend is part of an iROAS: the truth lies in the interval where spend moves by itself."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.answers import Estimate
from measurement.core.geo import analyze_geo
from measurement.core.panel import Panel
from measurement.core.returns import margin_of_changes, return_of
from measurement.core.treated_panel import UNCLEAR_SPEND

EXTRA, RETURN = 20.0, 2.0
PAIRS = [(f"u{2 * pair}", f"u{2 * pair + 1}") for pair in range(10)]


def panel_with_spend(seed: int, treated: list[str], noise: float) -> Panel:
    """Twenty units of 60 periods, spend of each moving by itself from period 46 on; the treated add 20 a period."""
    rng = np.random.default_rng(seed)
    outcome = 500.0 + rng.normal(0.0, 5.0, (20, 60))
    cost = 40.0 + rng.normal(0.0, noise, (20, 1)) * (np.arange(60) >= 45)
    rows = [int(unit[1:]) for unit in treated]
    cost[rows, 45:] += EXTRA
    outcome[rows, 45:] += EXTRA * RETURN
    return Panel(units=tuple(f"u{row}" for row in range(20)), periods=tuple(range(1, 61)), outcome=outcome, cost=cost)


@pytest.mark.parametrize(
    ("method", "treated"),
    [("pairs", [one for one, _ in PAIRS]), ("log_did", [f"u{row}" for row in range(6)]), ("sc_t", ["u1", "u2"])],
)
def test_intervals_of_the_return_hold_it_where_spend_moves_by_itself(method: str, treated: list[str]) -> None:
    held = told = 0
    for seed in range(40):
        reading = analyze_geo(
            panel_with_spend(seed, treated, 5.0), treated=treated, pairs=PAIRS if method == "pairs" else None, start=46,
            method=method, placebos=99, sensitivity=False,
        )  # fmt: skip
        if reading.iroas is None:
            assert UNCLEAR_SPEND in reading.warnings
            continue
        told += 1
        low, high = reading.iroas.low, reading.iroas.high
        held += (low is None or low <= RETURN) and (high is None or high >= RETURN)
    assert told >= 30
    assert held >= 0.9 * told


def test_spend_that_is_known_leaves_the_ends_as_they_are() -> None:
    assert margin_of_changes(np.array([30.0, 10.0]), np.zeros(8), 0.05) == 0.0
    assert return_of(Estimate(10.0, 5.0, 20.0), 5.0, 0.0) == Estimate(2.0, 1.0, 4.0)


def test_ends_are_the_furthest_of_both_intervals() -> None:
    assert return_of(Estimate(10.0, 5.0, 20.0), 5.0, 1.0) == Estimate(2.0, 5.0 / 6.0, 5.0)
    assert return_of(Estimate(10.0, -6.0, None), 5.0, 1.0) == Estimate(2.0, -1.5, None)


def test_spend_that_was_taken_away_turns_the_ends_round() -> None:
    assert return_of(Estimate(-10.0, -20.0, -5.0), -5.0, 1.0) == Estimate(2.0, 5.0 / 6.0, 5.0)


def test_spend_that_may_be_none_has_no_return() -> None:
    assert return_of(Estimate(10.0, 5.0, 20.0), 5.0, 5.0) is None
