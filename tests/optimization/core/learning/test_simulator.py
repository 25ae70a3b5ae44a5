"""The market of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from optimization.core.learning.noise import NOISE, noise_variance
from optimization.core.learning.policies import EqualSplit
from optimization.core.learning.simulator import TRUTH, Market, pessimistic
from optimization.core.learning.trial import run_trial


def test_it_is_as_documented() -> None:
    market = Market.drawn(1)
    assert market.theta.shape == (52, 100)
    assert market.features.shape == (52, 100, 4)
    assert {len(path) for path in market.allocator.paths} == {5}
    assert market.allocator.budget == pytest.approx(0.4 * market.allocator.problem.responses.scale.sum())


def test_the_same_seed_is_the_same_market_and_drift_changes_the_drift_alone() -> None:
    one, again, other, moved = Market.drawn(1), Market.drawn(1), Market.drawn(2), Market.drawn(1, drift=0.06)
    assert np.array_equal(one.theta, again.theta)
    assert np.array_equal(one.shocks, again.shocks)
    assert not np.array_equal(one.theta, other.theta)
    assert np.array_equal(one.theta[0], moved.theta[0])
    steps = np.diff(moved.theta - one.theta, axis=0)
    assert steps.std() == pytest.approx(0.06, rel=0.03)


def test_curves_may_be_known_wrongly_while_the_truth_stays() -> None:
    one, off = Market.drawn(1), Market.drawn(1, bend_error=0.3)
    known = np.log(off.allocator.problem.responses.scale / off.true.problem.responses.scale)
    assert known.std() == pytest.approx(0.3, rel=0.2)
    assert one.allocator is one.true
    assert np.array_equal(one.theta, off.theta)
    assert np.array_equal(one.best, off.best)


def test_features_are_standardised() -> None:
    features = np.concatenate([Market.drawn(seed).features.reshape(-1, 4) for seed in range(8)])
    assert features.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.1)
    assert features.std(axis=0) == pytest.approx(np.ones(4), abs=0.1)


def test_markets_scatter_as_a_calibrated_prior_says() -> None:
    """Over many markets the offsets of a line have the variance that the prior gives them."""
    offsets = []
    for seed in range(60):
        market = Market.drawn(seed, weeks=2)
        # Two weeks differ in season and promotion alone, so only the expected weights can be taken away here.
        offsets.append(market.theta[0] - market.features[0] @ np.array(TRUTH.weights) - TRUTH.intercept)
    expected = TRUTH.intercept_sd**2 + sum(sd**2 for sd in (*TRUTH.weights_sd, *TRUTH.level_sd, TRUTH.cell_sd))
    assert np.mean(np.square(offsets)) == pytest.approx(expected, rel=0.12)


def test_sales_are_right_on_average_and_as_noisy_as_told() -> None:
    market = Market.drawn(3)
    n = len(market.allocator)
    spend = np.full(n, market.allocator.budget / n)
    ratio = np.array(
        [
            market.sales(week, spend) / market.allocator.revenue(np.exp(market.theta[week]), spend)
            for week in range(market.weeks)
        ]
    )
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
    assert ratio.std() == pytest.approx(NOISE, rel=0.05)


def test_little_spend_tells_little_and_none_sells_nothing() -> None:
    variance = noise_variance(np.array([100.0, 25.0, 2.5]), 100.0)
    assert variance == pytest.approx(NOISE**2 * np.array([1.0, 1.0, 10.0]))
    market = Market.drawn(3)
    spend = np.zeros(len(market.allocator))
    assert not market.sales(0, spend).any()


def test_nobody_beats_the_best_allocation_and_it_keeps_the_bounds() -> None:
    market = Market.drawn(4, weeks=6)
    rng = np.random.default_rng(0)
    for week in range(market.weeks):
        best = market.best_spend(week)
        assert best.sum() == pytest.approx(market.allocator.budget)
        assert best.max() <= 0.2 * market.allocator.budget * (1.0 + 1e-12)
        for channel in {path[:2] for path in market.allocator.paths}:
            inside = [path[:2] == channel for path in market.allocator.paths]
            assert best[inside].sum() <= 0.45 * market.allocator.budget * (1.0 + 1e-12)
        for _ in range(5):
            other = best * np.exp(rng.normal(0.0, 0.02, best.size))
            other *= market.allocator.budget / other.sum()
            assert market.revenue(week, other) <= market.best[week] * (1.0 + 1e-12)


def test_regret_is_told_in_weeks_of_best_revenue() -> None:
    market = Market.drawn(5, weeks=8)
    trial = run_trial(market, EqualSplit(market.allocator))
    equal = np.full(len(market.allocator), market.allocator.budget / len(market.allocator))
    lost = sum(market.best[week] - market.revenue(week, equal) for week in range(8))
    assert trial.weeks_lost == pytest.approx(lost / market.best.mean())
    assert (trial.regret > 0.0).all()


def test_a_pessimist_sees_every_line_at_a_quarter() -> None:
    assert np.exp(pessimistic(TRUTH).intercept - TRUTH.intercept) == pytest.approx(0.25)
    assert pessimistic(TRUTH).cell_sd == TRUTH.cell_sd


def test_a_shock_is_common_to_all_lines_and_fair_on_average() -> None:
    calm, shaken = Market.drawn(3), Market.drawn(3, shock=0.3)
    spend = np.full(100, calm.allocator.mean_line)
    ratio = np.array([shaken.sales(week, spend) / calm.sales(week, spend) for week in range(52)])
    assert ratio == pytest.approx(np.broadcast_to(ratio[:, :1], ratio.shape))
    assert np.log(ratio[:, 0]).std() == pytest.approx(0.3, rel=0.3)
    means = [np.exp(Market.drawn(seed, weeks=20, shock=0.3).common).mean() for seed in range(40)]
    assert np.mean(means) == pytest.approx(1.0, abs=0.04)
    assert np.array_equal(calm.best, shaken.best)
