"""Covariates: the variance that is saved, intervals that hold, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measurement.core.regression import adjusted_effect, cuped
from tenants.core.problems import InvalidInput


def users(rng, n, *, rho=0.0, effect=0.0, share=0.5):
    before = rng.normal(10.0, 2.0, n)
    outcome = 10.0 + rho * (before - 10.0) + rng.normal(0.0, 2.0 * np.sqrt(1 - rho**2), n)
    treated = rng.permutation((np.arange(n) < share * n).astype(int))
    return outcome + effect * treated, treated, before


def test_variance_left_is_one_less_the_squared_correlation():
    """Variance of the estimates themselves over 3,000 tests of 200 users, for CUPED and for Lin."""
    rng, rho = np.random.default_rng(2), 0.6
    plain, lin, pooled = [], [], []
    for _ in range(3000):
        outcome, treated, before = users(rng, 200, rho=rho)
        plain.append(outcome[treated == 1].mean() - outcome[treated == 0].mean())
        lin.append(adjusted_effect(outcome, treated, before).effect.value)
        pooled.append(cuped(outcome, treated, before).effect.value)
    for adjusted in (lin, pooled):
        assert np.var(adjusted) / np.var(plain) == pytest.approx(1 - rho**2, abs=0.03)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_reported_variance_ratio_is_that_too(rho):
    outcome, treated, before = users(np.random.default_rng(3), 20_000, rho=rho)
    found = cuped(outcome, treated, before)
    assert found.rho == pytest.approx(rho, abs=0.03)
    assert found.variance_ratio == pytest.approx(1 - rho**2, abs=0.03)
    assert adjusted_effect(outcome, treated, before).variance_ratio == pytest.approx(1 - rho**2, abs=0.03)


def test_without_covariates_it_is_welch():
    outcome, treated, _ = users(np.random.default_rng(4), 300, effect=0.5)
    found = adjusted_effect(outcome, treated)
    welch = stats.ttest_ind(outcome[treated == 1], outcome[treated == 0], equal_var=False)
    assert found.effect.value / found.std_error == pytest.approx(welch.statistic)
    assert found.p_value == pytest.approx(welch.pvalue, rel=1e-2)
    assert found.lift.value == pytest.approx(found.effect.value / outcome[treated == 0].mean())


def test_degrees_of_freedom_are_those_of_the_definition():
    """Bell and McCaffrey: squared trace over trace of squares of the matrix that makes HC2 of the errors."""
    outcome, treated, before = users(np.random.default_rng(5), 24, rho=0.5, share=0.25)
    centred = before - before.mean()
    design = np.column_stack([np.ones(24), treated, centred, centred * treated])
    bread = np.linalg.inv(design.T @ design)
    hat = design @ bread @ design.T
    pull = (design @ bread[:, 1]) / np.sqrt(1 - np.diag(hat))
    matrix = (np.eye(24) - hat) @ np.diag(pull)
    squares = matrix.T @ matrix
    degrees = np.trace(squares) ** 2 / np.trace(squares @ squares)
    assert adjusted_effect(outcome, treated, before).degrees == pytest.approx(degrees)


@pytest.mark.parametrize(("n", "share"), [(24, 0.25), (40, 0.5)])
def test_false_positives_and_coverage_with_few_units(n, share):
    """1,000 tests; the 99 % band of 5 % is .032 to .068."""
    rng = np.random.default_rng(6)
    wrong = covered = 0
    for _ in range(1000):
        outcome, treated, before = users(rng, n, rho=0.7, share=share)
        wrong += adjusted_effect(outcome, treated, before).p_value < 0.05
        effect = adjusted_effect(outcome + 2.0 * treated, treated, before).effect
        covered += effect.low <= 2.0 <= effect.high
    assert 0.03 <= wrong / 1000 <= 0.068
    assert 0.932 <= covered / 1000 <= 0.97


def test_hc3_is_refused_for_few_treated_units():
    outcome, treated, before = users(np.random.default_rng(7), 40, share=0.1)
    with pytest.raises(InvalidInput, match="HC3 errors of 4 units"):
        adjusted_effect(outcome, treated, before, errors="hc3")
    outcome, treated, before = users(np.random.default_rng(7), 40, share=0.5)
    assert adjusted_effect(outcome, treated, before, errors="hc3").std_error > (
        adjusted_effect(outcome, treated, before).std_error
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": [1.0, 2.0]}, "do not fit"),
        ({"treated": [1] * 12}, "12 units treated and 0 not"),
        ({"treated": [2] * 12}, "neither 0 nor 1"),
        ({"outcome": [float("nan")] * 12}, "no finite number"),
        ({"outcome": [3.0] * 12}, "does not vary"),
        ({"covariates": np.ones(12)}, "repeat each other"),
        ({"covariates": np.column_stack([np.arange(12.0)] * 2)}, "repeat each other"),
        ({"covariates": np.eye(12)[:, :1]}, "alone|repeat"),
        ({"alpha": 2.0}, "alpha"),
    ],
)
def test_what_cannot_be_estimated_is_named(change, words):
    good = {"outcome": np.random.default_rng(1).normal(size=12), "treated": [0, 1] * 6, "covariates": None}
    given = {**good, **change}
    with pytest.raises(InvalidInput, match=words):
        adjusted_effect(**given)


def test_a_covariate_without_spread_is_named():
    with pytest.raises(InvalidInput, match="does not vary within"):
        cuped([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], [5.0] * 4)
