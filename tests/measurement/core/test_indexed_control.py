"""Synthetic control of indexed sales: markets of any size that grow alike stand for each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.core.geo import analyze_geo
from measurement.core.geo_methods import NoIndex
from tests.measurement.core.geo_panels import factor_panel, lifted, panel_of

TREATED = ["m03", "m11"]


def analyse(panel, **options):
    return analyze_geo(panel, **{"treated": TREATED, "start": 46, "placebos": 99, "sensitivity": False, **options})


def proportional_panel(seed: int):
    """Sizes far apart and one trend that moves all in proportion, but for noise in all markets but the first four."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(7.0, 1.0, 20))
    size[[3, 11]] = [60_000.0, 90_000.0]
    noise = 0.01 * rng.standard_normal((20, 60))
    noise[[0, 1, 3, 11]] = 0.0
    return panel_of(size[:, None] * np.exp(np.cumsum(rng.normal(0.0, 0.03, 60)) + noise))


def test_the_largest_markets_are_followed_by_small_ones_that_grow_alike() -> None:
    panel = lifted(proportional_panel(1), TREATED, 45, 0.08)
    reading = analyse(panel)
    assert reading.method == "sc_indexed"
    assert reading.lift.value == pytest.approx(0.08, abs=1e-4)
    sold = panel.outcome[[3, 11], 45:].sum()
    assert reading.incremental.value == pytest.approx(sold * 0.08 / 1.08, rel=1e-2)
    assert reading.att.value == pytest.approx(reading.incremental.value / 30)
    assert reading.cumulative[-1] == pytest.approx(reading.incremental.value)
    assert sum(reading.weights.values()) == pytest.approx(1.0, abs=1e-4)
    assert all(one.lift == pytest.approx(0.08, abs=1e-3) for one in reading.by_unit)
    # Fitted to sales as they are no small market reaches so far.
    assert abs(analyse(panel, method="sc").lift.value - 0.08) > 0.01


def test_what_is_counted_in_another_unit_changes_nothing() -> None:
    """A control told in thousands weighs as much as before: neither p nor effect moves."""
    panel = lifted(factor_panel(3, units=24), ["m03"], 45, 0.1)
    other = panel.outcome.copy()
    other[0] *= 1000.0
    one, two = analyse(panel, treated=["m03"]), analyse(panel_of(other), treated=["m03"])
    assert one.method == two.method == "sc_indexed"
    assert two.p_value == one.p_value
    assert two.incremental.value == pytest.approx(one.incremental.value, rel=1e-6)
    assert two.weights == pytest.approx(one.weights, abs=1e-5)


def test_the_effect_is_that_of_the_treated_together() -> None:
    """A lift in the larger one alone counts by its sales: it is no mean of the markets' lifts."""
    panel = proportional_panel(2)
    reading = analyse(lifted(panel, ["m11"], 45, 0.1))
    sold = panel.outcome[[3, 11], 45:].sum(axis=1)
    assert reading.lift.value == pytest.approx(0.1 * sold[1] / sold.sum(), abs=1e-3)


def test_spend_that_follows_size_is_known() -> None:
    panel = lifted(factor_panel(4), TREATED, 45, 0.1)
    cost = np.zeros_like(panel.outcome)
    cost[[3, 11], 45:] = [[200.0], [700.0]]
    reading = analyse(replace(panel, cost=cost))
    assert reading.cost == pytest.approx(900.0 * 15)
    assert reading.iroas.value == pytest.approx(reading.incremental.value / reading.cost)
    assert reading.iroas.low == pytest.approx(reading.incremental.low / reading.cost)
    assert reading.iroas.high == pytest.approx(reading.incremental.high / reading.cost)


def test_a_control_without_sales_before_is_left_out() -> None:
    """A store that opens in the test changes nothing but the count of controls; least of all the method."""
    panel = lifted(factor_panel(2), TREATED, 45, 0.1)
    launched = np.vstack([panel.outcome, np.zeros(60)])
    launched[20, 50:] = 7.0
    with pytest.raises(NoIndex, match="'m20'"):
        analyse(panel_of(launched), method="sc_indexed")
    with_it, without = analyse(panel_of(launched), sensitivity=True), analyse(panel, sensitivity=True)
    assert with_it.method == "sc_indexed"
    assert with_it.incremental == without.incremental
    assert with_it.p_value == without.p_value
    assert with_it.sensitivity == without.sensitivity
    assert with_it.controls == without.controls
    assert "1 control left out, for nothing was sold there in sum before the test: m20." in with_it.warnings
    drawn = [[f"m{one:02d}", f"m{other:02d}"] for one in range(10) for other in range(10, 21)]
    read = analyse(panel_of(launched), admissible=drawn, randomised=True)
    assert read.method == "sc_indexed"
    assert read.details["placebos"] == 99


def test_a_control_without_sales_is_left_out_where_many_are_treated() -> None:
    outcome = factor_panel(2).outcome.copy()
    outcome[5, :45] = 0.0
    reading = analyse(panel_of(outcome), treated=[f"m{one:02d}" for one in range(10, 18)])
    assert reading.method == "log_did"
    assert "m05" not in reading.controls


def test_a_treated_market_without_sales_before_is_refused() -> None:
    outcome = factor_panel(2).outcome.copy()
    outcome[3, :45] = 0.0
    with pytest.raises(NoIndex, match="'m03'") as caught:
        analyse(panel_of(outcome))
    assert "sc fits sales as they are" in caught.value.fix
    assert analyse(panel_of(outcome), method="sc").method == "sc"


def test_markets_at_an_end_of_the_sizes_are_warned_of_unless_drawn() -> None:
    panel = panel_of(factor_panel(2).outcome * np.exp(np.linspace(-2.0, 2.0, 20))[:, None])
    order = [panel.units[row] for row in np.argsort(panel.outcome[:, :45].mean(axis=1))]

    def told(treated, **options):
        said = " ".join(analyse(panel, treated=treated, **options).warnings)
        return next((end for end in ("smallest", "largest") if f"among the {end} and were not drawn" in said), None)

    assert told(order[:2]) == told(order[:1], method="sc") == "smallest"
    assert told(order[-2:]) == "largest"
    assert told(order[:2], randomised=True) is None
    assert told([order[0], order[-1]]) is None
    assert told(order[9:11]) is None


def test_who_wants_no_unit_effects_gets_sales_as_they_are() -> None:
    reading = analyse(factor_panel(2), unit_effects=False)
    assert reading.method == "sc"
    assert reading.att == analyse(factor_panel(2), method="sc", unit_effects=False).att


def test_an_earlier_default_can_be_named() -> None:
    reading = analyse(factor_panel(2), weighed_by="sc")
    assert reading.method == "sc"
    assert "as the plan was registered" in reading.why_method
