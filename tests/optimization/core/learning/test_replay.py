"""A log decides again as it was, and tells what other policies would have earned."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from optimization.core.learning.log import LearningLog, UnusableLog, log_density
from optimization.core.learning.policies import RECOMMENDED, Learner, LearningSettings, ObservedWeek
from optimization.core.learning.replay import estimate_revenue, replay
from optimization.core.learning.simulator import TRUTH, Market
from optimization.core.learning.trial import run_trial

BOLD = replace(RECOMMENDED, temperature=1.0, shared=False, reserve=0.3, outlook=100.0, forgetting=0.0)


def logged(market: Market, settings: LearningSettings = RECOMMENDED, seed: int = 1) -> LearningLog:
    trial = run_trial(market, Learner(market.allocator, TRUTH, settings, (seed,)))
    return LearningLog(TRUTH, settings, (seed,), trial.events)


def test_a_log_survives_its_file_and_decides_again_as_it_was() -> None:
    market = Market.drawn(1, weeks=6)
    log = logged(market)
    read = LearningLog.from_lines(log.to_lines())
    assert read.settings == log.settings
    assert read.prior == log.prior
    for again, week in zip(replay(read, market.allocator), log.decisions, strict=True):
        assert np.array_equal(again.spend, week.decision.spend)
        assert np.array_equal(again.draw, week.decision.draw)
    for one, other in zip(read.decisions, log.decisions, strict=True):
        assert np.array_equal(one.decision.probed, other.decision.probed)
    assert read.observed.keys() == log.observed.keys()
    for week, seen in read.observed.items():
        assert np.array_equal(seen.sales, log.observed[week].sales)
        assert np.array_equal(seen.features, log.observed[week].features)


def test_a_log_that_was_touched_is_found_out_by_week() -> None:
    market = Market.drawn(1, weeks=6)
    log = logged(market)
    touched = tuple(
        replace(one, sales=one.sales * 1.5) if isinstance(one, ObservedWeek) and one.week == 2 else one
        for one in log.events
    )
    with pytest.raises(UnusableLog, match="Week 4 is decided otherwise"):
        replay(replace(log, events=touched), market.allocator)


def test_restated_sales_leave_what_was_decided_before_them_as_it_was() -> None:
    market = Market.drawn(1, weeks=8)
    log = logged(market)
    events = list(log.events)
    first = log.observed[0]
    restated = replace(first, sales=first.sales * 2.0)
    at = next(number for number, one in enumerate(events) if not isinstance(one, ObservedWeek) and one.week == 6)
    learner = Learner(market.allocator, TRUTH, RECOMMENDED, (1,))
    for one in (*events[:at], restated):
        if isinstance(one, ObservedWeek):
            learner.observe(one)
    again = learner.decide(6, market.features[6])
    assert not np.array_equal(again.spend, log.decisions[6].decision.spend)
    events[at : at + 1] = [restated, replace(log.decisions[6], decision=again)]
    replay(replace(log, events=tuple(events[: at + 2])), market.allocator)


def test_the_propensity_is_the_density_of_the_draw() -> None:
    market = Market.drawn(2, weeks=2)
    log = logged(market)
    decision = log.decisions[1].decision
    heat = RECOMMENDED.temperature
    sd = heat * decision.sd
    middle = decision.mean + 0.5 * (1.0 - heat**2) * decision.sd**2
    assert log_density(decision, heat) == pytest.approx(norm.logpdf(decision.draw, middle, sd))
    assert json.loads(log.to_lines()[2])["log_density"] == pytest.approx(log_density(decision, heat))


def value_of(market: Market, log: LearningLog, temperature: float, *, even: bool) -> float:
    """True mean revenue of another policy in the logged weeks, by the simulator, under the beliefs of the log."""
    quiet = not market.shocks.any()
    learner = Learner(market.allocator, log.prior, log.settings, log.seed)
    rng, found = np.random.default_rng([*log.seed, 9]), []
    for event in log.events:
        if isinstance(event, ObservedWeek):
            learner.observe(event)
            continue
        number = event.week
        decision = learner.decide(number, event.features)
        chance = np.full(100, decision.probe_chance.mean()) if even else decision.probe_chance
        belief = learner.posterior(number, event.features)
        for _ in range(3):
            made = learner.allocate(belief, rng.standard_normal(100), temperature, chance, rng.random())
            found.append(market.sales(number, made.spend).sum() if quiet else market.revenue(number, made.spend))
    return float(np.mean(found))


def test_a_cooler_policy_is_judged_by_the_log_of_a_hotter_one() -> None:
    """Without noise in the sales, so that what is left is the chance of the draws: that is what weights correct."""
    off, plain, errors = [], [], []
    for seed in range(4):
        market = Market.drawn(3000 + seed, weeks=20)
        market = replace(market, shocks=np.zeros_like(market.shocks))
        log = logged(market, BOLD, seed)
        truth = value_of(market, log, 0.5, even=False)
        found = estimate_revenue(log, market.allocator, temperature=0.5, draws=8)
        assert found.mean_weight == pytest.approx(1.0, abs=0.05)
        off.append(found.revenue / truth - 1.0)
        plain.append(found.logged / truth - 1.0)
        errors.append(found.standard_error / truth)
        assert abs(off[-1]) < 3.0 * errors[-1]
    assert abs(np.mean(off)) < 2.5 * np.mean(errors) / np.sqrt(len(off))
    assert np.median(errors) < 0.08
    # A hotter policy earns less: the estimate must not fall for what was logged.
    assert np.mean(plain) < np.mean(off) - 0.01


def test_even_probes_are_judged_by_the_log_of_aimed_ones() -> None:
    market = Market.drawn(3001, weeks=24)
    log = logged(market, BOLD)
    truth = value_of(market, log, 1.0, even=True)
    found = estimate_revenue(log, market.allocator, even_probes=True, draws=8)
    assert abs(found.revenue - truth) < 3.0 * found.standard_error
    assert found.standard_error < 0.08 * truth
    assert found.largest_weight > 1.2


def test_the_logged_policy_itself_is_what_was_logged() -> None:
    market = Market.drawn(3, weeks=4)
    found = estimate_revenue(logged(market), market.allocator)
    assert found.revenue == pytest.approx(found.logged)
    assert found.largest_weight == 1.0


def test_what_a_log_cannot_tell_is_refused() -> None:
    market = Market.drawn(4, weeks=3)
    log = logged(market)
    with pytest.raises(UnusableLog, match="cannot be judged"):
        estimate_revenue(log, market.allocator, temperature=0.5)
    with pytest.raises(UnusableLog, match="Fewer than two"):
        estimate_revenue(replace(log, events=log.events[:1]), market.allocator)
    random = logged(market, replace(RECOMMENDED, random_weeks=1.0))
    with pytest.raises(UnusableLog, match="spent at random"):
        estimate_revenue(random, market.allocator)
    with pytest.raises(UnusableLog, match="not drawn"):
        log_density(random.decisions[0].decision, 0.1)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda lines: [], "Line 1"),
        (lambda lines: lines[1:], "Line 1"),
        (lambda lines: [lines[0], "{"], "Line 2"),
        (lambda lines: [lines[0], lines[1], json.dumps({"spend": [1.0]})], "Line 3"),
        (lambda lines: [lines[0].replace('"seed"', '"sown"'), *lines[1:]], "Line 1"),
    ],
)
def test_a_damaged_log_is_named_by_line(damage: object, says: str) -> None:
    lines = logged(Market.drawn(5, weeks=2)).to_lines()
    with pytest.raises(UnusableLog, match=says):
        LearningLog.from_lines(damage(lines))  # type: ignore[operator]
