"""Matched pairs: the effect that was put in comes out, p and intervals say the same, and error rates are nominal."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.pairs import analyze_pairs
from tenants.core.problems import InvalidInput
from tests.measurement.core.paired_panels import paired_panel

_TEST = {"start": 75, "end": 89}


def test_effect_and_iroas_come_out():
    panel, pairs = paired_panel(pairs=14, lift=0.10, spend=0.05, noise=0.02)
    reading = analyze_pairs(panel, pairs=pairs, **_TEST)
    assert reading.lift.low < 0.10 < reading.lift.high
    assert reading.lift.value == pytest.approx(0.10, abs=0.02)
    treated = [panel.place[one] for one, _ in pairs]
    true = panel.outcome[treated, 75:].sum() * (1 - 1 / 1.1)
    assert reading.incremental.low < true < reading.incremental.high
    assert reading.cost == pytest.approx(panel.cost.sum())
    assert reading.iroas.value == pytest.approx(reading.incremental.value / panel.cost.sum())
    assert reading.att.value * 14 * 15 == pytest.approx(reading.incremental.value)
    assert reading.cumulative[-1] == pytest.approx(reading.incremental.value)
    assert (reading.cumulative_low[-1], reading.cumulative_high[-1]) == (
        reading.incremental.low,
        reading.incremental.high,
    )
    assert reading.p_value < 0.01
    assert reading.evidence == "experiment"


@pytest.mark.parametrize("seed", range(12))
def test_no_interval_contradicts_the_p_value(seed):
    panel, pairs = paired_panel(pairs=9, lift=0.02, spend=0.02, noise=0.04, seed=seed)
    reading = analyze_pairs(panel, pairs=pairs, **_TEST)
    for value in (reading.lift, reading.att, reading.incremental, reading.iroas):
        assert (reading.p_value < 0.05) == (value.low > 0 or value.high < 0)


def test_false_positives_and_coverage():
    """400 tests each; 99 % bands of 5 % and 95 %. `proofs/measurement.py` draws more."""
    wrong = covered = 0
    for seed in range(400):
        panel, pairs = paired_panel(pairs=8, periods=40, test=10, seed=seed)
        wrong += analyze_pairs(panel, pairs=pairs, start=30).p_value < 0.05
        panel, pairs = paired_panel(pairs=8, periods=40, test=10, lift=0.1, seed=1000 + seed)
        lift = analyze_pairs(panel, pairs=pairs, start=30).lift
        covered += lift.low <= 0.1 <= lift.high
    assert 0.022 <= wrong / 400 <= 0.078
    assert 0.922 <= covered / 400 <= 0.978


def test_cool_down_counts_to_the_test_in_every_figure():
    panel, pairs = paired_panel(pairs=10, lift=0.1, noise=0.01)
    whole = analyze_pairs(panel, pairs=pairs, start=75, end=89)
    cooled = analyze_pairs(panel, pairs=pairs, start=75, end=84, cooldown=5)
    assert (cooled.lift, cooled.p_value, cooled.incremental) == (whole.lift, whole.p_value, whole.incremental)
    assert len(cooled.cumulative) == 15
    assert (cooled.end, cooled.cooldown_end) == (84, 89)


def test_going_dark_reads_a_positive_return_on_spend_taken_away():
    panel, pairs = paired_panel(pairs=10, lift=-0.1, spend=-0.05, noise=0.01)
    reading = analyze_pairs(panel, pairs=pairs, **_TEST)
    assert reading.incremental.value < 0
    assert reading.cost < 0
    assert 0 < reading.iroas.low < reading.iroas.value < reading.iroas.high


def test_five_pairs_say_that_they_cannot_tell():
    panel, pairs = paired_panel(pairs=5, lift=0.3)
    reading = analyze_pairs(panel, pairs=pairs, **_TEST)
    assert (reading.lift.low, reading.lift.high) == (None, None)
    assert any("cannot show" in warning for warning in reading.warnings)


def test_quiet_periods_before_the_test_read_as_placebos():
    panel, pairs = paired_panel(pairs=10, lift=0.2)
    placebos = analyze_pairs(panel, pairs=pairs, **_TEST).placebos
    assert len(placebos) == 4
    assert np.abs(placebos).max() < 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pairs": [("a1", "b1")]}, "1 pair"),
        ({"pairs": [("a1", "b1"), ("a2", "nowhere")]}, "'nowhere' is not in the panel"),
        ({"pairs": [("a1", "b1"), ("b1", "a2")]}, "'b1' stands in pair 1 too"),
        ({"start": 0}, "Nothing lies before"),
        ({"start": 80, "end": 95}, "does not lie within"),
        ({"cooldown": 5, "end": 88}, "does not lie within"),
    ],
)
def test_what_cannot_be_tested_is_named(change, words):
    panel, pairs = paired_panel()
    with pytest.raises(InvalidInput, match=words):
        analyze_pairs(panel, **{"pairs": pairs, **_TEST, **change})


def test_a_unit_without_sales_is_named():
    panel, pairs = paired_panel()
    panel.outcome[panel.place["b3"], 75:] = 0.0
    with pytest.raises(InvalidInput, match="'b3' sold nothing in the test"):
        analyze_pairs(panel, pairs=pairs, **_TEST)
