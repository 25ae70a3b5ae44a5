"""Switchback analysis against its definition, on effects that carry over, and its error rates."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from measurement.core.switchback import analyze_switchback
from measurement.core.switchback_design import design_switchback, draw_assignment
from tenants.core.problems import InvalidInput


def log(periods, *, carryover=2, effect=0.0, level=0.0, noise=1.0, seed=1, labels=None, share=None):
    """Treatment by the optimal design, and outcomes with noise that lasts; the effect comes in evenly over m + 1."""
    treated = draw_assignment(design_switchback(periods=periods, carryover=carryover), seed=seed, labels=labels)
    weights = np.full(carryover + 1, 1 / (carryover + 1)) if share is None else np.array(share)
    came = np.convolve(treated, weights)[:periods]
    rng = np.random.default_rng(1000 + seed)
    shocks = rng.normal(0.0, noise, periods)
    for period in range(1, periods):
        shocks[period] += 0.5 * shocks[period - 1]
    return treated, level + shocks + effect * came


def readable(treated):
    """Whether three periods in a row are treated, and three untreated."""
    return {"111", "000"} <= {"".join(map(str, treated[at : at + 3])) for at in range(len(treated) - 2)}


def statistic(treated, outcome, blocks, carryover):
    """Horvitz-Thompson, from its definition."""
    total = 0.0
    for last in range(carryover, len(treated)):
        window = treated[last - carryover : last + 1]
        tossed = len(set(blocks[last - carryover : last + 1]))
        total += outcome[last] * 2.0**tossed * (float(all(window)) - float(not any(window)))
    return total / (len(treated) - carryover)


def test_effect_and_p_are_those_of_the_definition():
    treated, outcome = np.repeat([1, 0, 1, 0], (4, 2, 2, 4)), np.array([5, 7, 6, 8, 3, 2, 6, 5, 1, 2, 4, 1.0])
    blocks = np.repeat(range(4), (4, 2, 2, 4))
    reading = analyze_switchback(treated, outcome, carryover=2)
    seen = statistic(treated, outcome, blocks, 2)
    every = [
        statistic(np.repeat(coins, (4, 2, 2, 4)), outcome, blocks, 2) for coins in itertools.product((0, 1), repeat=4)
    ]
    above, below = np.mean(np.array(every) >= seen - 1e-12), np.mean(np.array(every) <= seen + 1e-12)
    assert reading.design.randomise_at == (1, 5, 7, 9)
    assert reading.chosen.effect.value == pytest.approx(seen)
    assert reading.chosen.p_value == pytest.approx(min(1.0, 2 * min(above, below)))


def test_carryover_is_missed_without_burn_in_and_found_with_it():
    """True effect 1.0, of which .4 comes one period later; a coin each period, 400 periods, 60 logs."""
    without, after = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        treated = rng.integers(0, 2, 400)
        outcome = rng.normal(0.0, 0.5, 400) + np.convolve(treated, [0.6, 0.4])[:400]
        points = range(1, 401)
        for carryover, kept in ((0, without), (1, after)):
            reading = analyze_switchback(
                treated, outcome, carryover=carryover, randomise_at=points, estimator="burn_in", draws=9
            )
            kept.append(reading.chosen.effect.value)
    assert np.mean(without) == pytest.approx(0.60, abs=0.03)
    assert np.mean(after) == pytest.approx(1.00, abs=0.03)


@pytest.mark.parametrize("estimator", ["horvitz_thompson", "burn_in"])
@pytest.mark.parametrize("seed", range(8))
def test_interval_leaves_out_zero_exactly_where_p_is_below_alpha(estimator, seed):
    treated, outcome = log(36, effect=1.5, seed=seed)
    reading = analyze_switchback(treated, outcome, carryover=2, estimator=estimator)
    effect = reading.chosen.effect
    outside = (effect.low is not None and effect.low > 0) or (effect.high is not None and effect.high < 0)
    assert (reading.chosen.p_value < 0.05) == outside


@pytest.mark.parametrize("estimator", ["horvitz_thompson", "burn_in"])
def test_false_positives_and_coverage(estimator):
    """300 logs each of 24 periods; 99 % band of 5 % and of 95 %, the noise lasting."""
    read = wrong = covered = 0
    for seed in range(300):
        treated, outcome = log(24, seed=seed)
        if estimator == "burn_in" and not readable(treated):
            continue
        read += 1
        wrong += analyze_switchback(treated, outcome, carryover=2, estimator=estimator).chosen.p_value < 0.05
        treated, outcome = log(24, effect=2.0, seed=seed)
        effect = analyze_switchback(treated, outcome, carryover=2, estimator=estimator).chosen.effect
        covered += (effect.low is None or effect.low <= 2.0) and (effect.high is None or effect.high >= 2.0)
    assert wrong / read <= 0.083
    assert covered / read >= 0.917


def test_means_after_burn_in_do_not_carry_the_level():
    low = analyze_switchback(*log(80, effect=1.0, level=0.0), carryover=2)
    assert low.estimator == "horvitz_thompson"
    high = analyze_switchback(*log(80, effect=1.0, level=500.0), carryover=2)
    assert high.burn_in.effect.value == pytest.approx(low.burn_in.effect.value)
    assert abs(high.horvitz_thompson.effect.value - low.horvitz_thompson.effect.value) > 1.0
    assert any("carries their level" in warning for warning in high.warnings)
    assert high.estimator == "burn_in"
    assert high.lift.value == pytest.approx(high.burn_in.effect.value / 500, rel=0.01)


def test_the_test_draws_other_coins_than_the_design_did():
    """The same seed for both: an effect beyond all chance has the smallest p there is, 2 of 10,000."""
    found = analyze_switchback(*log(80, effect=9.0, noise=0.1, seed=1), carryover=2, seed=1)
    assert found.burn_in.p_value == pytest.approx(2 / 10_000, rel=0.01)


def test_balanced_draws_are_read_as_such():
    weekdays = [str(day % 7) for day in range(56)]
    treated, outcome = log(56, carryover=1, effect=2.0, noise=0.5, labels=weekdays)
    outcome = outcome + 3.0 * (np.arange(56) % 7 >= 5)
    reading = analyze_switchback(treated, outcome, carryover=1, labels=weekdays, estimator="burn_in")
    assert reading.chosen.p_value < 0.05
    assert reading.chosen.effect.low < 2.0 < reading.chosen.effect.high


def test_few_blocks_are_not_compared_by_a_t_test():
    few = analyze_switchback(*log(28), carryover=2).block_means
    assert few.p_value is None
    assert "fewer than 12" in few.refused
    many = analyze_switchback(*log(160, effect=3.0), carryover=2).block_means
    assert many.effect.low < 3.0 < many.effect.high


def test_changes_elsewhere_are_read_as_a_regular_coin_and_said():
    treated = np.repeat([1, 0, 0, 1, 0, 1, 1, 0], 3)
    reading = analyze_switchback(treated, np.arange(24.0) % 5, carryover=2)
    assert reading.design.randomise_at == tuple(range(1, 25, 3))
    assert "every 3 periods" in reading.warnings[0]


def test_a_draw_without_a_treated_window_still_has_its_unbiased_estimate():
    treated = np.repeat([0, 0, 1, 0, 1, 0, 0, 0, 0], (4, 2, 2, 4, 2, 2, 2, 2, 4))
    reading = analyze_switchback(treated, np.arange(24.0) % 7, carryover=2)
    assert reading.burn_in is None
    assert reading.windows[0] == 0
    assert any("only Horvitz-Thompson" in warning for warning in reading.warnings)


def test_one_kind_of_window_far_from_zero_is_told_where_it_is_asked_for():
    treated, outcome = [0, 0, 0, 1, 0, 1] * 4, np.arange(24.0) % 5 + 90.0
    reading = analyze_switchback(treated, outcome, carryover=2, estimator="horvitz_thompson")
    assert any("windows of the other kind alone" in warning for warning in reading.warnings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treated": [0, 2] * 12}, "neither 0 nor 1"),
        ({"treated": [1] * 24}, "All periods are treated"),
        ({"treated": [0, 1] * 12, "estimator": "burn_in"}, "no run of 3 periods"),
        ({"treated": [0, 1] * 12}, "no run of 3 periods treated or untreated: the effect is not in the log"),
        ({"treated": [0, 1] * 12, "estimator": "horvitz_thompson"}, "treated or untreated"),
        (
            {"treated": [0, 0, 0, 1, 0, 1] * 4, "outcome": np.arange(24.0) % 5 + 90.0},
            "There is no run of . periods? treated",
        ),
        ({"outcome": [1.0] * 24}, "All outcomes are the same"),
        ({"outcome": [1.0] * 23}, "24 treatments stand against 23"),
        ({"outcome": [float("nan"), *range(23)]}, "no finite number"),
        ({"carryover": 24}, "carry-over of 24"),
        ({"alpha": 0.0}, "alpha"),
        ({"randomise_at": [1, 7, 13, 19]}, "changes at period 4, where no coin"),
        ({"labels": ["mon"]}, "1 label for 24"),
    ],
)
def test_what_cannot_be_read_is_named(change, words):
    good = {"treated": np.repeat([1, 0, 0, 1, 0, 1, 1, 0], 3), "outcome": np.arange(24.0) % 5, "carryover": 2}
    given = {**good, **change}
    with pytest.raises(InvalidInput, match=words):
        analyze_switchback(given.pop("treated"), given.pop("outcome"), **given)
