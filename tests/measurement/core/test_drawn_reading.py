"""Readings of drawn units: the course that is shown adds up to the effect, and other methods stand beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Estimate
from measurement.core.log_effects import over_rest
from measurement.core.pair_panel import unpaired
from measurement.core.pairs import analyze_pairs
from measurement.core.strata_reading import analyze_strata
from measurement.core.trimmed_match_reading import analyze_trimmed_match
from tests.measurement.core.geo_panels import panel_of
from tests.measurement.core.paired_panels import paired_panel
from tests.measurement.core.test_strata_reading import shelf


def readings(seed, noise=0.2):
    panel, pairs = paired_panel(pairs=9, periods=40, test=10, lift=0.1, spend=0.1, noise=noise, seed=seed)
    yield analyze_pairs(panel, pairs=pairs, start=30, end=37, cooldown=2, seed=seed)
    yield analyze_trimmed_match(panel, pairs=pairs, start=30, end=37, cooldown=2)
    panel, strata = shelf(effect=-0.2, spend=-0.1, noise=noise, seed=seed)
    for growth in ("log", "share"):
        yield analyze_strata(panel, strata=strata, start=30, end=37, cooldown=2, growth=growth, seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_the_course_adds_up_to_the_effect(seed):
    for reading in readings(seed):
        window = slice(reading.start, reading.cooldown_end + 1)
        beyond = (reading.observed - reading.counterfactual)[window]
        assert beyond.sum() == pytest.approx(reading.incremental.value, rel=1e-9), reading.method
        assert reading.cumulative[-1] == pytest.approx(reading.incremental.value)
        last = (reading.cumulative_low[-1], reading.cumulative_high[-1])
        assert last == pytest.approx((reading.incremental.low, reading.incremental.high), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_single_periods_have_ends_about_the_course(seed):
    for reading in readings(seed):
        window = slice(reading.start, reading.cooldown_end + 1)
        low, middle, high = (
            line[window] for line in (reading.low, reading.counterfactual, reading.high)
        )  # fmt: skip
        assert np.isfinite(low).all(), reading.method
        assert np.isfinite(high).all()
        assert (low <= middle + 1e-9).all()
        assert (middle <= high + 1e-9).all()
        assert np.isnan(reading.low[: reading.start]).all()


@pytest.mark.parametrize("seed", [0, 39, 112])
def test_running_sums_lie_within_their_ends(seed):
    """Each is the estimate of the test that its ends are of; effects and spend differ much between pairs."""
    rng = np.random.default_rng(seed)
    size = np.sort(np.exp(rng.normal(4.0, 1.5, 20)))
    outcome = size[:, None] * np.exp(rng.normal(0.0, 0.1, (20, 50)) + rng.normal(0.0, 0.05, 50))
    cost, pairs = np.full((20, 50), 5.0), []
    for pair in range(10):
        one, other = rng.permutation([2 * pair, 2 * pair + 1])
        pairs.append((f"m{one:02d}", f"m{other:02d}"))
        outcome[one, 40:] *= 1.0 + rng.choice([0.0, 0.1, 0.5]) * rng.random()
        cost[one, 40:] += rng.uniform(5.0, 60.0)
    panel = panel_of(outcome, cost=cost)
    for analyze in (analyze_pairs, analyze_trimmed_match):
        reading = analyze(panel, pairs=pairs, start=40)
        slack = 1e-9 * abs(reading.incremental.value)
        assert (np.nan_to_num(reading.cumulative_low, nan=-np.inf) <= reading.cumulative + slack).all(), reading.method
        assert (np.nan_to_num(reading.cumulative_high, nan=np.inf) >= reading.cumulative - slack).all(), reading.method


def test_ends_of_a_period_are_those_of_its_own_test():
    """Moved with the course: what is seen beyond them is what the test of that period alone rejects."""
    panel, pairs = paired_panel(pairs=9, periods=40, test=1, lift=0.1, spend=0.1, seed=3)
    for analyze in (analyze_pairs, analyze_trimmed_match):
        reading = analyze(panel, pairs=pairs, start=39)
        ends = reading.observed[39] - reading.high[39], reading.observed[39] - reading.low[39]
        assert ends == pytest.approx((reading.incremental.low, reading.incremental.high))


def test_a_period_without_sales_has_no_ends_and_that_is_said():
    panel, pairs = paired_panel(pairs=9, lift=0.1)
    outcome = panel.outcome.copy()
    outcome[panel.place[pairs[0][0]], 80] = 0.0
    reading = analyze_pairs(replace(panel, outcome=outcome), pairs=pairs, start=75)
    assert np.isnan(reading.low[80])
    assert np.isfinite(reading.low[81])
    assert (reading.observed - reading.counterfactual)[75:].sum() == pytest.approx(reading.incremental.value)
    assert any("have no interval" in warning for warning in reading.warnings)


def test_ends_of_a_lift_stand_in_order_though_more_came_back_than_was_sold():
    sold = over_rest(Estimate(2.0, 1.0, 3.0), 20.0)
    assert (sold.low, sold.value, sold.high) == pytest.approx((1 / 19, 2 / 18, 3 / 17))
    back = over_rest(Estimate(-22.0, -23.0, -21.0), -20.0)
    assert (back.low, back.value, back.high) == pytest.approx((-21.0, -11.0, -23 / 3))
    nothing = over_rest(Estimate(2.0, 1.0, 3.0), -20.0)
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (None, None)


def test_trimmed_match_of_net_returns_has_its_lift_in_order():
    panel, pairs = paired_panel(pairs=9, lift=-0.2, spend=0.1, noise=0.02)
    back = replace(panel, outcome=-panel.outcome)
    reading = analyze_trimmed_match(back, pairs=pairs, start=75)
    lift = reading.lift
    assert np.isnan(lift.value) or lift.low < lift.value < lift.high


def test_other_methods_stand_beside_pairs():
    panel, pairs = paired_panel(pairs=10, lift=0.1, spend=0.1, noise=0.03)
    reading = analyze_pairs(panel, pairs=pairs, start=75)
    assert [other.method for other in reading.sensitivity] == ["did", "trimmed_match", "ancova"]
    trimmed = analyze_trimmed_match(panel, pairs=pairs, start=75)
    assert [other.method for other in trimmed.sensitivity] == ["pairs", "did", "ancova"]
    for told, own in ((reading.sensitivity[1].lift, trimmed.lift), (trimmed.sensitivity[0].lift, reading.lift)):
        assert (told.low, told.value, told.high) == pytest.approx((own.low, own.value, own.high))
    assert (trimmed.sensitivity[0].p_value, reading.sensitivity[1].p_value) == (reading.p_value, trimmed.p_value)
    for other in (*reading.sensitivity, *trimmed.sensitivity):
        assert other.lift.low < 0.1 < other.lift.high, other.method
        assert (other.p_value < 0.05) == (other.lift.low > 0 or other.lift.high < 0)
    free = analyze_pairs(replace(panel, cost=None), pairs=pairs, start=75)
    assert [one.method for one in free.sensitivity] == ["did", "ancova"]
    assert analyze_pairs(panel, pairs=pairs, start=75, sensitivity=False).sensitivity == ()


def test_levels_beside_pairs_are_the_sum_of_their_differences():
    panel, pairs = paired_panel(pairs=10, lift=0.1, noise=0.03)
    reading = analyze_pairs(panel, pairs=pairs, start=75)
    outcome = panel.outcome
    rows = [(panel.place[one], panel.place[other]) for one, other in pairs]
    change = outcome[:, 75:].sum(axis=1) - 15 * outcome[:, :75].mean(axis=1)
    gained = sum(change[one] - change[other] for one, other in rows)
    assert reading.sensitivity[0].lift.value == pytest.approx(gained / (reading.observed[75:].sum() - gained))


def test_other_methods_stand_beside_strata():
    panel, strata = shelf(effect=-0.2, noise=0.03)
    logs = analyze_strata(panel, strata=strata, start=30)
    shares = analyze_strata(panel, strata=strata, start=30, growth="share")
    assert [other.method for other in logs.sensitivity] == ["strata_share", "did", "ancova"]
    assert [other.method for other in shares.sensitivity] == ["strata_log", "did", "ancova"]
    assert logs.sensitivity[0].lift == shares.lift
    assert shares.sensitivity[0].lift == logs.lift
    for other in (*logs.sensitivity, *shares.sensitivity):
        assert other.lift.low < -0.2 < other.lift.high, other.method
    panel, strata = shelf(empty=1)
    empty = analyze_strata(panel, strata=strata, start=30)
    assert empty.sensitivity[0].lift is None
    assert "no log" in empty.sensitivity[0].note


def test_spend_that_moves_by_itself_widens_the_return_of_strata():
    panel, strata = shelf(effect=-0.2, spend=-0.1, noise=0.03)
    known = analyze_strata(panel, strata=strata, start=30)
    moved = panel.cost * np.exp(np.random.default_rng(1).normal(0.0, 0.1, (len(panel.units), 1)) * (panel.cost > -1))
    moved[:, :30] = panel.cost[:, :30]
    unsure = analyze_strata(replace(panel, cost=moved), strata=strata, start=30)
    assert unsure.iroas.high - unsure.iroas.low > 1.2 * (known.iroas.high - known.iroas.low)
    wild = np.random.default_rng(2).lognormal(0.0, 1.0, panel.cost.shape)
    noise = analyze_strata(replace(panel, cost=wild), strata=strata, start=30)
    assert noise.iroas is None
    assert any("did not change spend clearly" in warning for warning in noise.warnings)


def test_units_without_a_partner_are_named():
    assert unpaired(["york", "Bath", "hull"], [("york", "bath")]) == (
        "1 unit of the test without a partner, not read: hull."
    )
    assert unpaired(["york", "bath"], [("York", "bath")]) == ""
