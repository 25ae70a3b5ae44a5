"""SKU holdouts: the effect that was put in comes out within strata, p and intervals say the same."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.panel import Panel
from measurement.core.strata_reading import analyze_strata
from tenants.core.problems import InvalidInput


def shelf(*, strata=8, per=4, periods=40, test=10, effect=0.0, spend=0.0, noise=0.1, seed=1, empty=0):
    """SKUs in strata of like size; one of each is held out in the last periods, which changes its sales."""
    rng = np.random.default_rng(seed)
    size = np.sort(rng.lognormal(3.0, 1.0, strata))[::-1].repeat(per) * rng.uniform(0.8, 1.2, strata * per)
    trend = 1.0 + 0.01 * np.arange(periods) * rng.uniform(-1.0, 1.0, strata).repeat(per)[:, None]
    outcome = size[:, None] * trend * np.exp(rng.normal(0.0, noise, (strata * per, periods)))
    held = np.arange(strata) * per + rng.integers(0, per, strata)
    outcome[held, -test:] *= 1.0 + effect
    outcome[held[:empty], -test:] = 0.0
    cost = np.zeros_like(outcome)
    cost[:, :] = 0.1 * size[:, None]
    cost[held, -test:] += spend * size[held][:, None]
    names = [f"sku{place:02d}" for place in range(strata * per)]
    panel = Panel(
        units=tuple(names), periods=tuple(range(1, periods + 1)), outcome=outcome, cost=cost if spend else None
    )
    groups = [
        ([names[one]], [names[other] for other in range(number * per, number * per + per) if other != one])
        for number, one in enumerate(held.tolist())
    ]
    return panel, groups


@pytest.mark.parametrize("growth", ["log", "share"])
def test_what_was_taken_away_comes_out(growth):
    panel, strata = shelf(effect=-0.2, spend=-0.1, noise=0.03)
    reading = analyze_strata(panel, strata=strata, start=30, growth=growth)
    assert reading.lift.low < -0.2 < reading.lift.high < 0
    assert reading.p_value < 0.01
    held = [panel.place[group[0][0]] for group in strata]
    true = panel.outcome[held, 30:].sum() * (1 - 1 / 0.8)
    assert reading.incremental.low < true < reading.incremental.high
    assert reading.cumulative[-1] == pytest.approx(reading.incremental.value)
    assert reading.cost == pytest.approx(-0.1 * sum(panel.cost[row, 0] / 0.1 for row in held) * 10)
    assert 0 < reading.iroas.low < reading.iroas.high


@pytest.mark.parametrize("growth", ["log", "share"])
@pytest.mark.parametrize("seed", range(8))
def test_no_interval_contradicts_the_p_value(growth, seed):
    panel, strata = shelf(effect=-0.05, seed=seed)
    reading = analyze_strata(panel, strata=strata, start=30, growth=growth)
    for value in (reading.lift, reading.att, reading.incremental):
        assert (reading.p_value < 0.05) == (value.low > 0 or value.high < 0)


def test_false_positives_and_coverage():
    """200 tests each of seven strata of three; 99 % bands."""
    wrong = covered = 0
    for seed in range(200):
        panel, strata = shelf(strata=7, per=3, test=3, periods=20, seed=seed)
        wrong += analyze_strata(panel, strata=strata, start=17).p_value < 0.05
        panel, strata = shelf(strata=7, per=3, test=3, periods=20, effect=0.3, seed=seed)
        lift = analyze_strata(panel, strata=strata, start=17).lift
        covered += lift.low <= 0.3 <= lift.high
    assert wrong / 200 <= 0.09
    assert covered / 200 >= 0.91


def test_an_empty_shelf_is_a_number():
    panel, strata = shelf(effect=-0.3, empty=1)
    reading = analyze_strata(panel, strata=strata, start=30)
    assert reading.details["growth"] == "share"
    assert any("shares of sales before" in warning for warning in reading.warnings)
    with pytest.raises(InvalidInput, match="sold nothing in the test"):
        analyze_strata(panel, strata=strata, start=30, growth="log")


def test_two_strata_say_that_they_cannot_tell():
    panel, strata = shelf(strata=2, effect=-0.5)
    reading = analyze_strata(panel, strata=strata, start=30)
    assert reading.lift.low is None
    assert any("only 16 assignments" in warning for warning in reading.warnings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strata": []}, "no stratum"),
        ({"strata": [(["sku00"], [])]}, "One arm is empty"),
        ({"strata": [(["sku00"], ["sku99"])]}, "'sku99' is not in the panel"),
        ({"strata": [(["sku00"], ["sku01"]), (["sku01"], ["sku02"])]}, "'sku01' stands there twice"),
        ({"start": 0}, "does not lie within"),
        ({"start": 35, "cooldown": 9}, "does not lie within"),
    ],
)
def test_what_cannot_be_tested_is_named(change, words):
    panel, strata = shelf()
    with pytest.raises(InvalidInput, match=words):
        analyze_strata(panel, **{"strata": strata, "start": 30, **change})


def test_a_sku_that_never_sold_is_named():
    panel, strata = shelf()
    panel.outcome[panel.place["sku05"], :30] = 0.0
    with pytest.raises(InvalidInput, match="'sku05' sold nothing before"):
        analyze_strata(panel, strata=strata, start=30)
