"""Trimmed match: published answers, the definition it solves, and its error rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from measurement.core.trimmed_match import trimmed_match
from measurement.core.trimmed_match_reading import analyze_trimmed_match
from tenants.core.problems import InvalidInput
from tests.measurement.core.paired_panels import paired_panel


def test_five_pairs_as_published():
    found = trimmed_match([1, 10, 3, 8, 5], [1, 5, 2, 5, 3], alpha=0.2)
    assert (found.iroas, found.low, found.high) == pytest.approx((1.600, 1.519, 1.657), abs=5e-4)


def test_four_pairs_as_published():
    """The published answer is of 90 %, trimming chosen up to a quarter; without trimming 1.692 [1.250, 1.905]."""
    found = trimmed_match([1, 10, 3, 8], [1, 5, 2, 5], alpha=0.1)
    assert (found.iroas, found.std_error, found.trim_rate) == pytest.approx((1.571, 0.041, 0.25), abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-29.374, 1.619), abs=5e-4)
    assert found.left_out == (0, 1)
    whole = trimmed_match([1, 10, 3, 8], [1, 5, 2, 5], alpha=0.1, trim_rate=0.0)
    assert (whole.iroas, whole.std_error, whole.low, whole.high) == pytest.approx(
        (1.692, 0.138, 1.250, 1.905), abs=5e-4
    )


@pytest.mark.parametrize(
    ("response", "spend", "iroas"),
    [([1, 2, 3, 4, 5], [1, 1, 1, 1, 1], 3.0), ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 1.0), ([1] * 5, [1] * 5, 1.0)],
)
def test_ties_are_no_trouble(response, spend, iroas):
    assert trimmed_match(response, spend).iroas == pytest.approx(iroas)


def studentised(response, spend, iroas, trimmed):
    """Trimmed mean over its error, straight from the definition (winsorised squares)."""
    rests = np.sort(response - iroas * spend)
    count = len(rests)
    body = rests[trimmed : count - trimmed]
    drawn_in = np.clip(rests, body[0], body[-1])
    left = count - 2 * trimmed
    return body.mean() / np.sqrt(((drawn_in - drawn_in.mean()) ** 2).sum() / left / (left - 1))


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.2]))
@settings(deadline=None, max_examples=40)
def test_estimate_ends_and_p_are_those_of_the_definition(seed, rate):
    rng = np.random.default_rng(seed)
    spend = rng.uniform(1.0, 4.0, 10)
    response = 2.0 * spend + rng.standard_t(3, 10)
    found = trimmed_match(response, spend, alpha=0.1, trim_rate=rate)
    assert np.sort(response - found.iroas * spend)[found.trimmed : 10 - found.trimmed].mean() == pytest.approx(
        0, abs=1e-9
    )
    limit = norm.ppf(0.95)
    for end, beyond in ((found.low, -1.0), (found.high, 1.0)):
        if end is not None:
            assert abs(studentised(response, spend, end, found.trimmed)) == pytest.approx(limit, abs=1e-6)
            further = [end + beyond * step for step in (1e-4, 0.1, 1.0, 40.0)]
            assert min(abs(studentised(response, spend, x, found.trimmed)) for x in further) > limit
    excluded = (found.low is not None and found.low > 0) or (found.high is not None and found.high < 0)
    assert (found.p_value < 0.1) == excluded


def test_one_wild_pair_does_not_carry_the_answer():
    rng = np.random.default_rng(2)
    spend = rng.uniform(5.0, 10.0, 12)
    response = 3.0 * spend + rng.normal(0.0, 1.0, 12)
    response[4] += 200.0
    found = trimmed_match(response, spend)
    assert 4 in found.left_out
    assert found.iroas == pytest.approx(3.0, abs=0.2)
    assert trimmed_match(response, spend, trim_rate=0.0).iroas > 4.0


def test_reading_of_a_panel():
    panel, pairs = paired_panel(pairs=14, lift=0.10, spend=0.05, noise=0.02)
    reading = analyze_trimmed_match(panel, pairs=pairs, start=75)
    treated = [panel.place[one] for one, _ in pairs]
    true = panel.outcome[treated, 75:].sum() * (1 - 1 / 1.1) / panel.cost.sum()
    assert reading.iroas.low < true < reading.iroas.high
    assert reading.incremental.value == pytest.approx(reading.iroas.value * reading.cost)
    assert reading.cumulative[-1] == pytest.approx(reading.incremental.value)
    assert (reading.p_value < 0.05) == (reading.lift.low > 0)


def test_false_positives_of_the_reading():
    """200 tests without an effect: not above the 99 % band of 5 %, for trimming pays for itself in the quantile."""
    wrong = 0
    for seed in range(200):
        panel, pairs = paired_panel(pairs=10, periods=40, test=10, spend=0.05, seed=seed)
        wrong += analyze_trimmed_match(panel, pairs=pairs, start=30).p_value < 0.05
    assert wrong / 200 <= 0.09


@pytest.mark.parametrize(
    ("response", "spend", "options", "words"),
    [
        ([1, 2, 3], [1, 2, 3], {}, "too few"),
        ([1, 2, 3, 4], [1, 2, 3], {}, "4 differences of response stand against 3"),
        ([1, 2, 3, 4], [0, 0, 0, 1e-15], {}, "No pair's spend differs"),
        ([1, 2, 3, float("nan")], [1, 2, 3, 4], {}, "no finite number"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"trim_rate": 0.5}, "fewer than two"),
        ([1, 2, 3, 4], [1, 2, 3, 5], {"alpha": 1.5}, "alpha"),
        ([1, 2, 3, 4], [-10, -1, 1, 10], {"trim_rate": 0.1}, "No iROAS"),
    ],
)
def test_what_cannot_be_estimated_is_named(response, spend, options, words):
    with pytest.raises(InvalidInput, match=words):
        trimmed_match(response, spend, **options)


def test_a_panel_without_cost_is_named():
    panel, pairs = paired_panel()
    with pytest.raises(InvalidInput, match="needs the spend"):
        analyze_trimmed_match(panel, pairs=pairs, start=75)
