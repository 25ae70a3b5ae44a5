"""The power of a drawn design is that of the analysis: held against simulated tests."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.assignment import Assignment, InvalidDesign
from measurement.core.drawn_power import drawn_power
from measurement.core.pairs import analyze_pairs
from measurement.core.panel import Panel
from measurement.core.stratified import draw_pairs, draw_stratified, match_pairs

UNITS = tuple(f"unit {at:02d}" for at in range(24))


def panel(rng: np.random.Generator, periods: int = 112) -> Panel:
    level = rng.lognormal(5, 0.6, (24, 1))
    shared = 1 + 0.1 * np.sin(np.arange(periods) / 7 * 2 * np.pi)
    drift = np.exp(0.004 * rng.standard_normal((24, periods)).cumsum(axis=1))
    return Panel(
        units=UNITS, periods=tuple(range(1, periods + 1)),
        outcome=level * shared * drift * (1 + 0.05 * rng.standard_normal((24, periods))),
    )  # fmt: skip


def paired(history: Panel, seed: int = 1) -> Assignment:
    return draw_pairs(match_pairs(history), seed=seed)


def test_the_lift_it_names_is_found_with_the_power_it_names():
    """40 tests of nothing with the MDE put in; the last 28 of 112 periods are the test."""
    found = []
    for seed in range(40):
        whole = panel(np.random.default_rng(seed))
        history = Panel(units=UNITS, periods=whole.periods[:84], outcome=whole.outcome[:, :84])
        assignment = paired(history, seed)
        (told,) = drawn_power(history, lambda one, seed=seed: paired(one, seed), [28], alpha=0.05, power=0.8)
        outcome = whole.outcome.copy()
        rows = [whole.place[unit] for unit in assignment.of("treated")]
        outcome[rows, 84:] *= 1 + told.mde
        read = analyze_pairs(
            Panel(units=UNITS, periods=whole.periods, outcome=outcome), pairs=assignment.pairs, start=84, seed=seed
        )
        found.append(read.p_value < 0.05)
    # 99 % of a binomial with 40 trials at .8 lie from .62 to .95.
    assert 0.62 <= np.mean(found) <= 0.95


def test_power_grows_with_the_effect_and_is_alpha_without_one():
    history = panel(np.random.default_rng(1))
    (told,) = drawn_power(history, lambda one: draw_stratified(one, seed=1), [14], alpha=0.05, power=0.8)
    assert told.power(0.0, 0.05) == pytest.approx(0.05)
    assert told.power(told.mde, 0.05) == pytest.approx(0.8, abs=0.003)
    assert told.power(2 * told.mde, 0.05) > 0.95


def test_a_short_history_and_a_dead_unit_are_refused():
    history = panel(np.random.default_rng(2), periods=30)
    with pytest.raises(InvalidDesign, match="too short"):
        drawn_power(history, paired, [14], alpha=0.05, power=0.8)
    dead = history.outcome.copy()
    dead[3, 10:] = 0.0
    with pytest.raises(InvalidDesign, match="unit 03"):
        drawn_power(Panel(units=UNITS, periods=history.periods, outcome=dead), paired, [7], alpha=0.05, power=0.8)
