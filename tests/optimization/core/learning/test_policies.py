"""What the learner decides, and what its regret is beside others'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benches.learning import SCENARIOS, regrets
from optimization.core.learning.policies import (
    EPSILON_GREEDY,
    GREEDY,
    RECOMMENDED,
    TEXTBOOK_THOMPSON,
    Decision,
    Learner,
    LearningSettings,
    ObservedWeek,
    UnusableFeedback,
)
from optimization.core.learning.probing import probe_chances, probe_gains, systematic
from optimization.core.learning.simulator import TRUTH, Market
from optimization.core.learning.trial import run_trial
from optimization.core.responses import Floats


def learner(market: Market, settings: LearningSettings = RECOMMENDED, seed: int = 1) -> Learner:
    return Learner(market.allocator, TRUTH, settings, seed)


def test_the_same_seed_decides_the_same_and_another_draws_otherwise() -> None:
    market = Market.drawn(1, weeks=6)
    one, again, other = (run_trial(market, learner(market, seed=seed)) for seed in (1, 1, 2))
    for week, same, drawn in zip(one.weeks, again.weeks, other.weeks, strict=True):
        assert np.array_equal(week.decision.spend, same.decision.spend)
        assert not np.array_equal(week.decision.draw, drawn.decision.draw)


@pytest.mark.parametrize("settings", [RECOMMENDED, GREEDY, TEXTBOOK_THOMPSON, EPSILON_GREEDY])
def test_every_week_spends_the_budget(settings: LearningSettings) -> None:
    market = Market.drawn(2, weeks=10)
    for week in run_trial(market, learner(market, settings)).weeks:
        assert week.decision.spend.sum() == pytest.approx(market.allocator.budget)
        assert (week.decision.spend >= 0.0).all()


class Recorder:
    """Spends evenly and writes down what it is told, and when."""

    def __init__(self, inner: Learner) -> None:
        self.inner, self.weeks = inner, 0
        self.told: list[tuple[int, ObservedWeek]] = []

    def decide(self, week: int, features: Floats) -> Decision:
        self.weeks += 1
        return self.inner.decide(week, features)

    def observe(self, seen: ObservedWeek) -> None:
        self.told.append((self.weeks, seen))


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_sales_are_told_late_in_order_and_once(delay: int) -> None:
    market = Market.drawn(3, weeks=8)
    recorder = Recorder(learner(market))
    run_trial(market, recorder, delay=delay)
    assert [decided for decided, _ in recorder.told] == list(range(1 + delay, 8))
    for week, (_, seen) in enumerate(recorder.told):
        assert seen.week == week
        assert np.array_equal(seen.features, market.features[week])


def test_the_first_weeks_are_decided_before_anything_is_known() -> None:
    market = Market.drawn(3, weeks=4)
    first, second, third, _ = run_trial(market, learner(market, GREEDY)).weeks
    nothing = learner(market, GREEDY)
    assert np.array_equal(first.decision.spend, nothing.decide(0, first.features).spend)
    assert np.array_equal(second.decision.spend, nothing.decide(1, second.features).spend)
    assert not np.array_equal(third.decision.spend, nothing.decide(2, third.features).spend)


def test_probes_get_their_floor_and_take_no_more_than_the_reserve() -> None:
    market = Market.drawn(4, weeks=20)
    one = learner(market, replace(RECOMMENDED, reserve=0.05))
    weeks = run_trial(market, one).weeks
    counts = []
    for week in weeks:
        probed = week.decision.probed
        assert probed is not None
        assert probed.sum() * one.floor <= 0.05 * market.allocator.budget * (1.0 + 1e-9)
        assert (week.decision.spend[probed] >= one.floor * (1.0 - 1e-9)).all()
        counts.append(int(probed.sum()))
    assert max(counts) > 5
    assert counts[-1] < max(counts), "fewer lines are worth a probe as less is left to learn"


def test_a_reading_is_worth_most_of_lines_that_get_nothing_and_may_be_good() -> None:
    market = Market.drawn(5, weeks=1)
    one = learner(market)
    belief = one.posterior(0, market.features[0])
    gains = probe_gains(market.allocator, belief, one.floor, noise=0.35, weeks=12.0)
    spend = market.allocator.allocate(belief.factor)
    assert (gains[spend >= one.floor] == 0.0).all(), "these are read anyway"
    assert gains.max() > 0.0
    longer = probe_gains(market.allocator, belief, one.floor, noise=0.35, weeks=24.0)
    assert (longer >= gains).all()
    sure = replace(belief, covariance=1e-8 * np.eye(100))
    assert (probe_gains(market.allocator, sure, one.floor, noise=0.35, weeks=12.0) <= 0.0).all()


def test_probes_go_where_most_is_to_be_gained() -> None:
    chance = probe_chances(np.array([4.0, 2.0, 1.0, 1.0]), 2)
    assert chance.sum() == pytest.approx(2.0)
    assert chance[0] > chance[1] > chance[2] == chance[3]
    assert ((chance > 0.0) & (chance < 1.0)).all()
    assert probe_chances(np.zeros(4), 2) == pytest.approx(np.full(4, 0.5))
    assert not probe_chances(np.ones(4), 0).any()
    assert probe_chances(np.ones(2), 5) == pytest.approx([1.0, 1.0])
    closed = probe_chances(np.array([4.0, 2.0, 1.0, 1.0]), 2, np.array([False, True, True, True]))
    assert closed[0] == 0.0
    assert closed.sum() == pytest.approx(2.0)


def test_probes_are_drawn_with_their_chances() -> None:
    chance = probe_chances(np.random.default_rng(5).random(100), 10)
    starts = (np.arange(200) + 0.5) / 200
    drawn = [systematic(chance, start) for start in starts]
    assert {int(one.sum()) for one in drawn} == {10}
    assert np.mean(drawn, axis=0) == pytest.approx(chance, abs=0.01)


def seen(market: Market, week: int, spend: Floats, sales: Floats) -> ObservedWeek:
    return ObservedWeek(week, market.features[week], spend, sales)


def test_a_line_without_spend_teaches_nothing() -> None:
    market = Market.drawn(6, weeks=1)
    one = learner(market)
    before = one.posterior(0, market.features[0])
    one.observe(seen(market, 0, np.zeros(100), np.zeros(100)))
    after = one.posterior(0, market.features[0])
    assert np.array_equal(before.mean, after.mean)
    assert (after.sd >= before.sd).all()


def test_spend_that_sold_nothing_counts_against_the_line() -> None:
    market = Market.drawn(6, weeks=1)
    one = learner(market, GREEDY)
    before = one.posterior(0, market.features[0]).mean
    spend = np.zeros(100)
    spend[:2] = market.allocator.mean_line
    one.observe(seen(market, 0, spend, np.zeros(100)))
    after = one.posterior(0, market.features[0]).mean
    assert (after[:2] < before[:2] - 1.0).all()
    assert np.array_equal(after[2:], before[2:])


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_amounts_that_are_none_are_refused_by_line(wrong: float) -> None:
    market = Market.drawn(6, weeks=1)
    sales = np.ones(100)
    sales[3] = wrong
    with pytest.raises(UnusableFeedback, match="sales of line 3"):
        learner(market).observe(seen(market, 0, np.ones(100), sales))


def test_beliefs_are_a_fold_over_the_weeks_whenever_they_are_told() -> None:
    """Late, out of order, restated, with a week that never came: the beliefs are those of the weeks as they stand."""
    market = Market.drawn(8, weeks=6)
    spend = np.full(100, market.allocator.mean_line)
    weeks = {week: seen(market, week, spend, market.sales(week, spend)) for week in (0, 1, 2, 4)}
    once, jumbled = learner(market), learner(market)
    for one in weeks.values():
        once.observe(one)
    jumbled.observe(replace(weeks[1], sales=weeks[1].sales * 3.0))
    jumbled.observe(weeks[4])
    jumbled.decide(5, market.features[5])
    for week in (0, 2, 1):
        jumbled.observe(weeks[week])
    expected, found = (one.posterior(5, market.features[5]) for one in (once, jumbled))
    assert np.array_equal(expected.mean, found.mean)
    assert np.array_equal(expected.covariance, found.covariance)
    assert np.array_equal(once.decide(5, market.features[5]).spend, jumbled.decide(5, market.features[5]).spend)


def test_cells_that_are_not_told_teach_nothing() -> None:
    market = Market.drawn(8, weeks=2)
    spend = np.full(100, market.allocator.mean_line)
    sales = market.sales(0, spend)
    told = np.arange(100) < 60
    part, whole = learner(market, GREEDY), learner(market, GREEDY)
    part.observe(replace(seen(market, 0, spend, np.where(told, sales, np.nan)), told=told))
    whole.observe(seen(market, 0, spend, sales))
    before = learner(market, GREEDY).posterior(1, market.features[1]).mean
    after = part.posterior(1, market.features[1]).mean
    assert np.array_equal(after[~told], before[~told])
    assert np.array_equal(after[told], whole.posterior(1, market.features[1]).mean[told])


def test_beliefs_come_near_the_truth_and_know_how_near() -> None:
    market = Market.drawn(7, weeks=30)
    one = learner(market, replace(RECOMMENDED, forgetting=0.0))
    run_trial(market, one)
    posterior = one.posterior(29, market.features[-1])
    off = (market.theta[-1] - posterior.mean) / posterior.sd
    assert 0.6 < np.sqrt(np.mean(off**2)) < 1.4
    assert posterior.sd.mean() < 0.3


@pytest.mark.parametrize(("scenario", "most"), [("calibrated", 0.85), ("pessimistic", 0.75), ("drifting", 0.9)])
def test_regret_is_below_greedy_and_far_below_what_does_not_learn(scenario: str, most: float) -> None:
    """A slice of the benchmark: two markets of half a year."""
    lost = {name: values.mean() for name, values in regrets(SCENARIOS[scenario], seeds=2, weeks=26).items()}
    assert lost["recommended"] < most * lost["greedy"]
    assert lost["greedy"] < lost["textbook Thompson"]
    assert lost["greedy"] < lost["epsilon-greedy"] < lost["equal split"]
    assert lost["recommended"] < 1.1 * lost["greedy, shared beliefs"]
