"""A week that is good or bad for all lines moves no belief by much, and intervals keep what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from optimization.core.learning.beliefs import ScalePrior, Shared, SharedBelief
from optimization.core.learning.policies import RECOMMENDED, Learner, ObservedWeek
from optimization.core.learning.shocks import ShockedBelief, shock_loadings
from optimization.core.learning.simulator import TRUTH, Market
from optimization.core.learning.trial import run_trial

Z80 = 1.2815515655446004
INDEPENDENT = replace(RECOMMENDED, shock=0.0, retailer_shock=0.0, forgetting=0.0)
COMMON = replace(INDEPENDENT, shock=0.1, retailer_shock=0.05)


def covered(market: Market, settings: object) -> tuple[float, float]:
    """Share of the lines whose theta lies in its 80 % interval at the end, and how far off the mean line is in sd."""
    learner = Learner(market.allocator, TRUTH, settings, 1)
    run_trial(market, learner, delay=0)
    last = market.weeks - 1
    belief, truth = learner.posterior(last, market.features[last]), market.theta[last]
    even = np.full(truth.size, 1.0 / truth.size)
    off = float(even @ (truth - belief.mean)) / float(np.sqrt(even @ belief.covariance @ even))
    return float(np.mean(np.abs(truth - belief.mean) <= Z80 * belief.sd)), off


def test_intervals_keep_their_coverage_under_common_shocks_and_lose_it_without_them() -> None:
    markets = [Market.drawn(seed, weeks=10, shock=0.3) for seed in range(1000, 1010)]
    with_, without = ([covered(market, settings) for market in markets] for settings in (COMMON, INDEPENDENT))
    assert np.mean([share for share, _ in with_]) == pytest.approx(0.8, abs=0.08)
    assert np.mean([share for share, _ in without]) < 0.65
    # The level of the market: half a dozen shocks, not a thousand readings, say how well it can be known.
    assert np.sqrt(np.mean([off**2 for _, off in with_])) < 1.8
    assert np.sqrt(np.mean([off**2 for _, off in without])) > 4.0


def test_without_shocks_in_the_market_nothing_is_lost() -> None:
    markets = [Market.drawn(seed, weeks=10) for seed in range(1000, 1008)]
    assert np.mean([covered(market, COMMON)[0] for market in markets]) == pytest.approx(0.8, abs=0.07)


def test_one_bad_week_is_told_as_such() -> None:
    market = Market.drawn(9, weeks=8)
    market = replace(market, common=np.array([0.0] * 6 + [-0.7, 0.0]))
    moved = {}
    for name, settings in (("shared", COMMON), ("independent", INDEPENDENT)):
        learner = Learner(market.allocator, TRUTH, settings, 1)
        spend = market.allocator.allocate(np.exp(market.theta[0]))
        for week in range(7):
            before = learner.posterior(7, market.features[7]).mean
            learner.observe(ObservedWeek(week, market.features[week], spend, market.sales(week, spend)))
        moved[name] = float(np.mean(learner.posterior(7, market.features[7]).mean - before))
        found = learner.shocks.get(6)
    assert moved["independent"] < -0.07
    assert abs(moved["shared"]) < 0.4 * abs(moved["independent"])
    assert found is None, "nothing is looked for where a week's readings are taken as independent"


def test_shocks_are_found_by_size_and_retailer() -> None:
    market = Market.drawn(9, weeks=12)
    settings = replace(COMMON, retailer_shock=0.1)
    learner = Learner(market.allocator, TRUTH, settings, 1)
    lines = np.array([path[1] == "retailer2" for path in market.allocator.paths])
    spend = np.full(100, market.allocator.mean_line)
    for week in range(12):
        sales = market.sales(week, spend) * np.exp({8: -0.8, 10: 0.5}.get(week, 0.0))
        if week == 11:
            sales = np.where(lines, sales * np.exp(-0.8), sales)
        learner.observe(ObservedWeek(week, market.features[week], spend, sales))
    learner.posterior(12, market.features[11])
    assert learner.shocks[8].common < -0.5
    assert learner.shocks[10].common > 0.3
    assert min(learner.shocks[11].retailers, key=lambda name: learner.shocks[11].retailers[name]) == "retailer2"
    assert learner.shocks[11].retailers["retailer2"] < -0.3


def test_found_together_they_are_the_regression_with_shocks_as_terms() -> None:
    rng = np.random.default_rng(4)
    paths = [("search", "alice", "a"), ("search", "bob", "b"), ("display", "bob", "c")]
    prior = ScalePrior(1.0, 0.5, (0.1,), (0.2,), (0.3,), 0.6)
    belief, plain = SharedBelief(prior, paths), SharedBelief(prior, paths)
    features, reading, variance = rng.normal(size=(3, 1)), rng.normal(size=3), np.array([0.1, 0.2, 0.3])
    loads = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    assert np.array_equal(shock_loadings(paths)[0], loads)
    size = np.array([0.09, 0.04, 0.04])
    rows = np.hstack([features, np.ones((3, 1)), np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), np.eye(3), loads])
    mean = np.concatenate([plain.mean, np.zeros(3)])
    precision = np.diag(1.0 / np.concatenate([np.diagonal(plain.covariance), size]))
    after = np.linalg.inv(precision + rows.T @ np.diag(1.0 / variance) @ rows)
    expected = after @ (precision @ mean + rows.T @ (reading / variance))
    found = belief.update_shaken(features, np.arange(3), reading, variance, Shared(loads, np.zeros(3), size))
    assert belief.mean == pytest.approx(expected[:-3])
    assert belief.covariance == pytest.approx(after[:-3, :-3])
    assert found.mean == pytest.approx(expected[-3:])
    assert found.variance == pytest.approx(np.diagonal(after)[-3:])
    spread = rows[:, :-3] @ np.diag(np.diagonal(plain.covariance)) @ rows[:, :-3].T + np.diag(variance)
    spread = spread + loads @ np.diag(size) @ loads.T
    density = multivariate_normal(rows[:, :-3] @ plain.mean, spread).logpdf(reading)
    assert found.evidence - 1.5 * np.log(2.0 * np.pi) == pytest.approx(density)


def test_the_size_that_foretells_the_weeks_wins() -> None:
    for shock, likeliest in ((0.02, 0), (0.4, 2)):
        market = Market.drawn(12, weeks=15, shock=shock)
        belief = ShockedBelief(TRUTH, market.allocator.paths, 0.1, 0.05)
        rng = np.random.default_rng(1)
        for week in range(15):
            reading = market.theta[week] + market.common[week] + 0.35 * rng.standard_normal(100)
            belief.update(market.features[week], np.arange(100), reading, np.full(100, 0.35**2))
        assert int(np.argmax(belief.weights)) == likeliest
