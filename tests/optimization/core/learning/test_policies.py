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
    UnusableFeedback,
    probe_chances,
)
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
        self.told: list[tuple[int, Floats]] = []

    def decide(self, features: Floats) -> Decision:
        self.weeks += 1
        return self.inner.decide(features)

    def learn(self, features: Floats, spend: Floats, sales: Floats) -> None:
        self.told.append((self.weeks, features))


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_sales_are_told_late_in_order_and_once(delay: int) -> None:
    market = Market.drawn(3, weeks=8)
    recorder = Recorder(learner(market))
    run_trial(market, recorder, delay=delay)
    assert [decided for decided, _ in recorder.told] == list(range(1 + delay, 8))
    for week, (_, features) in enumerate(recorder.told):
        assert np.array_equal(features, market.features[week])


def test_the_first_weeks_are_decided_before_anything_is_known() -> None:
    market = Market.drawn(3, weeks=4)
    first, second, third, _ = run_trial(market, learner(market, GREEDY)).weeks
    nothing = learner(market, GREEDY)
    assert np.array_equal(first.decision.spend, nothing.decide(first.features).spend)
    assert np.array_equal(second.decision.spend, nothing.decide(second.features).spend)
    assert not np.array_equal(third.decision.spend, nothing.decide(third.features).spend)


def test_probes_get_their_floor_and_are_as_many_as_set() -> None:
    market = Market.drawn(4, weeks=5)
    settings = replace(RECOMMENDED, reserve=0.1, probes=5)
    weeks = run_trial(market, learner(market, settings)).weeks
    for week in weeks:
        assert week.decision.probed is not None
        assert week.decision.probed.sum() == 5
    first, last = weeks[0].decision, weeks[-1].decision
    assert first.spend[first.probed].min() >= 0.02 * market.allocator.budget * (1.0 - 1e-9)
    # The reserve falls as less is left to learn.
    assert last.spend[last.probed].min() < 0.02 * market.allocator.budget


def test_probes_go_where_least_is_known() -> None:
    chance = probe_chances(np.array([4.0, 2.0, 1.0, 1.0]), 2)
    assert chance.sum() == pytest.approx(2.0)
    assert chance[0] > chance[1] > chance[2] == chance[3]
    assert ((chance > 0.0) & (chance < 1.0)).all()
    assert probe_chances(np.zeros(4), 2) == pytest.approx(np.full(4, 0.5))
    assert not probe_chances(np.ones(4), 0).any()
    assert probe_chances(np.ones(2), 5) == pytest.approx([1.0, 1.0])


def test_probes_are_drawn_with_their_chances() -> None:
    market = Market.drawn(5, weeks=1)
    one = learner(market, replace(RECOMMENDED, reserve=0.1, probes=10))
    belief = one.posterior(market.features[0])
    chance = probe_chances(belief.factor_sd, 10)
    starts = (np.arange(200) + 0.5) / 200
    drawn = [one.allocate(belief, np.zeros(100), 0.0, chance, start).probed for start in starts]
    assert np.mean(drawn, axis=0) == pytest.approx(chance, abs=0.01)


def test_a_line_without_spend_teaches_nothing() -> None:
    market = Market.drawn(6, weeks=1)
    one = learner(market)
    before = one.posterior(market.features[0])
    one.learn(market.features[0], np.zeros(100), np.zeros(100))
    after = one.posterior(market.features[0])
    assert np.array_equal(before.mean, after.mean)
    assert (after.sd >= before.sd).all()


def test_spend_that_sold_nothing_counts_against_the_line() -> None:
    market = Market.drawn(6, weeks=1)
    one = learner(market, GREEDY)
    before = one.posterior(market.features[0]).mean
    spend = np.zeros(100)
    spend[:2] = market.allocator.budget / 100
    one.learn(market.features[0], spend, np.zeros(100))
    after = one.posterior(market.features[0]).mean
    assert (after[:2] < before[:2] - 1.0).all()
    assert np.array_equal(after[2:], before[2:])


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_amounts_that_are_none_are_refused_by_line(wrong: float) -> None:
    market = Market.drawn(6, weeks=1)
    sales = np.ones(100)
    sales[3] = wrong
    with pytest.raises(UnusableFeedback, match="sales of line 3"):
        learner(market).learn(market.features[0], np.ones(100), sales)


def test_beliefs_come_near_the_truth_and_know_how_near() -> None:
    market = Market.drawn(7, weeks=30)
    one = learner(market, replace(RECOMMENDED, forgetting=0.0))
    run_trial(market, one)
    posterior = one.posterior(market.features[-1])
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
    # What probing and drawing cost beside the plug-in decision of the same beliefs stays small.
    assert lost["recommended"] < 1.2 * lost["greedy, shared beliefs"]
