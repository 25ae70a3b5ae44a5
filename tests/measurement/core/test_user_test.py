"""User tests from summaries: published answers, simulated error rates, and what files may say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from measurement.core.user_test import Group, analyze_users, group_of_shares, group_of_sums
from measurement.core.user_test_file import read_user_summary
from tenants.core.problems import InvalidInput

_A = {"n": 3407, "sum": 1396.87, "sum_squares": 52377.9767}
_B = {"n": 3461, "sum": 2422.7, "sum_squares": 134698.29}


def group(values):
    return group_of_sums(n=len(values), total=float(values.sum()), squares=float((values**2).sum()))


def test_two_sided_t_as_published():
    found = read_user_summary(json.dumps({"control": _A, "treatment": _B}).encode())
    reading = analyze_users(found.control, found.treatment)
    assert reading.relative.value == pytest.approx(0.70732, abs=5e-6)
    assert (reading.relative.low, reading.relative.high) == pytest.approx((-0.03526, 1.44989), abs=5e-6)
    assert reading.p_value == pytest.approx(0.06191, abs=5e-6)
    assert not reading.sample_ratio.mismatch


def test_difference_is_welch_on_the_users_themselves():
    rng = np.random.default_rng(1)
    one, two = rng.gamma(2.0, 5.0, 400), rng.gamma(2.0, 6.0, 250)
    reading = analyze_users(group(one), group(two))
    welch = stats.ttest_ind(two, one, equal_var=False)
    ends = welch.confidence_interval(0.95)
    assert reading.absolute_p_value == pytest.approx(welch.pvalue)
    assert (reading.absolute.low, reading.absolute.high) == pytest.approx((ends.low, ends.high))


def test_shares():
    reading = analyze_users(group_of_shares(n=1000, converted=100), group_of_shares(n=1000, converted=130))
    assert reading.relative.value == pytest.approx(0.3)
    assert reading.absolute.value == pytest.approx(0.03)
    assert reading.absolute_p_value == pytest.approx(0.0355, abs=1e-3)


@pytest.mark.parametrize("method", ["delta", "fieller"])
@pytest.mark.parametrize("seed", range(20))
def test_interval_leaves_out_zero_exactly_where_p_is_below_alpha(method, seed):
    rng = np.random.default_rng(seed)
    reading = analyze_users(group(rng.normal(5, 4, 200)), group(rng.normal(5.8, 4, 200)), method=method)
    low, high = reading.relative.low, reading.relative.high
    assert (reading.p_value < 0.05) == (low > 0 or high < 0)


@pytest.mark.parametrize("method", ["delta", "fieller"])
def test_false_positives_and_coverage(method):
    """2,000 tests of 300 skewed users a side; 99 % bands of 5 % and 95 %."""
    rng = np.random.default_rng(8)
    wrong = covered = 0
    for _ in range(2000):
        one, two = rng.exponential(10.0, 300), rng.exponential(10.0, 300)
        wrong += analyze_users(group(one), group(two), method=method).p_value < 0.05
        lift = analyze_users(group(one), group(two * 1.2), method=method).relative
        covered += lift.low <= 0.2 <= lift.high
    assert 0.037 <= wrong / 2000 <= 0.063
    assert 0.937 <= covered / 2000 <= 0.963


def test_a_control_near_zero_has_no_interval_by_fieller():
    control, treatment = group_of_sums(n=50, total=5.0, squares=400.0), group_of_sums(n=50, total=60.0, squares=500.0)
    reading = analyze_users(control, treatment, method="fieller")
    assert (reading.relative.low, reading.relative.high) == (None, None)
    assert "not told from zero" in reading.warnings[0]
    assert any("prefer Fieller" in warning for warning in analyze_users(control, treatment).warnings)


def test_an_interval_by_fieller_of_very_sure_means_is_that_of_the_delta_method():
    control, treatment = Group(10**9, 3.7, 1e-9), Group(10**9, 4.1, 1e-9)
    reading, delta = (analyze_users(control, treatment, method=method) for method in ("fieller", "delta"))
    assert (reading.relative.low, reading.relative.high) == pytest.approx((delta.relative.low, delta.relative.high))
    assert reading.relative.low < reading.relative.value < reading.relative.high


@pytest.mark.parametrize("seed", range(6))
def test_a_control_near_zero_rules_out_a_gap_by_fieller(seed):
    """The gap is what the test of each lift rejects, and holds zero exactly where p is below alpha."""
    rng = np.random.default_rng(seed)
    one, two = group(rng.normal(0.1, 4.0, 80)), group(rng.normal(2.0 * (seed % 3), 4.0, 80))
    reading = analyze_users(one, two, method="fieller")
    if reading.gap is None:
        assert reading.p_value >= 0.05
        return
    degrees = float(reading.procedure.split("with ")[1].split(" degrees")[0])
    for lift in (*np.linspace(-40, 40, 17), reading.gap[0] + 1e-6, reading.gap[0] - 1e-6, reading.gap[1] - 1e-6):
        error = np.sqrt(two.of_mean + (1 + lift) ** 2 * one.of_mean)
        rejected = abs(two.mean - (1 + lift) * one.mean) > stats.t.isf(0.025, degrees) * error
        assert rejected == (reading.gap[0] < lift < reading.gap[1]) or abs(lift - reading.gap[0]) < 1e-3
    assert (reading.p_value < 0.05) == (reading.gap[0] < 0.0 < reading.gap[1])
    assert reading.as_dict()["ci_outside_of"] == list(reading.gap)
    assert "above" in reading.warnings[0]


def test_groups_of_the_wrong_size_are_warned_of():
    lost = analyze_users(group_of_shares(n=50_000, converted=500), group_of_shares(n=48_900, converted=480))
    assert lost.sample_ratio.mismatch
    assert "do not use" in lost.warnings[0]
    planned = analyze_users(
        group_of_shares(n=10_000, converted=500),
        group_of_shares(n=90_000, converted=4_800),
        shares={"control": 1, "treatment": 9},
    )
    assert not planned.sample_ratio.mismatch


@pytest.mark.parametrize(
    "document",
    [
        {"a": {"n": 3407, "sum": 1396.87, "ss": 52377.9767}, "b": _B},
        {"groups": [_A, _B]},
        {"groups": {"Control": _A, "Treated": _B}, "metric": "sales", "alpha": 0.05},
        {"control": {"n": 3407, "mean": 0.41, "variance": 15.21}, "treatment": {"n": 3461, "mean": 0.7, "sd": 6.2}},
    ],
)
def test_a_summary_can_be_written_in_several_ways(document):
    found = read_user_summary(json.dumps(document).encode())
    assert analyze_users(found.control, found.treatment).p_value == pytest.approx(0.06191, abs=5e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "not JSON"),
        ({"control": _A}, "There is no treatment"),
        ({"control": _A, "treatment": _B, "method": "bayes"}, "'bayes' is no method"),
        ({"control": _A, "a": _A, "treatment": _B}, "Two groups are the control"),
        ({"control": _A, "holdback": _B}, "'holdback' is no group"),
        ({"groups": [_A]}, "There are 1 groups"),
        ({"control": {**_A, "median": 3}, "treatment": _B}, "'median' is not known"),
        ({"control": {"n": 10, "sum": 3}, "treatment": _B}, "n with sum does not make"),
        ({"control": {**_A, "n": 1}, "treatment": _B}, r"1 user"),
        ({"control": {**_A, "n": 10.5}, "treatment": _B}, "no whole number"),
        ({"control": {**_A, "n": "many"}, "treatment": _B}, "is no number"),
        ({"control": {**_A, "sum": True}, "treatment": _B}, "is no number"),
        ({"control": {**_A, "sum_squares": 100.0}, "treatment": _B}, "too small for 3407 users"),
        ({"control": {"n": 10, "converted": 11}, "treatment": _B}, "11 of 10 users"),
        ({"control": {"n": 10, "mean": 1, "sd": -1}, "treatment": _B}, "negative"),
        ('{"control": {"n": ' + "9" * 400 + ', "converted": 1}}', "There is no treatment"),
        ('{"a": {"n": ' + "9" * 400 + ', "converted": 1}, "b": {"n": 2, "converted": 1}}', "no finite"),
        ('{"control": {"n": ' + "9" * 5000 + "}}", "not JSON"),
        ('{"control": {"n": 10, "sum": NaN, "sum_squares": 1}, "treatment": {"n": 2, "converted": 1}}', "no finite"),
    ],
)
def test_what_a_summary_lacks_is_named(content, words):
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(InvalidInput, match=words):
        read_user_summary(text.encode())


@pytest.mark.parametrize(
    ("control", "treatment", "options", "words"),
    [
        (group_of_shares(n=10, converted=0), group_of_shares(n=10, converted=0), {}, "the same value"),
        (group_of_shares(n=10, converted=0), group_of_shares(n=10, converted=4), {}, "mean is zero"),
        (group_of_shares(n=10, converted=1), group_of_shares(n=10, converted=0), {}, "No user of the treatment"),
        (group_of_shares(n=10, converted=2), group_of_shares(n=10, converted=4), {"alpha": 1.0}, "alpha"),
        (Group(10, 1e200, 1.0), Group(10, 1.0, 1.0), {}, "too large"),
        (Group(10, 1.0, 1.0), Group(10, 1.0, 1e308), {}, "too large"),
        (Group(10, 1.0, float("inf")), Group(10, 1.0, 1.0), {}, "too large"),
        (Group(10**16, 1.0, 1.0), Group(10, 1.0, 1.0), {}, "too large"),
        (Group(10, 1e-200, 1.0), Group(10, 1.0, 1.0), {}, "zero but for rounding"),
        (Group(10, 1.0, 1e-200), Group(10, 1.0, 1e-200), {}, "the same value"),
    ],
)
def test_what_cannot_be_tested_is_named(control, treatment, options, words):
    with pytest.raises(InvalidInput, match=words):
        analyze_users(control, treatment, **options)
