"""Sample sizes: published answers, and the power that simulated tests really have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measurement.core import power
from tenants.core.problems import InvalidInput


@pytest.mark.parametrize(("target", "size"), [(0.8, 63.77), (0.9, 85.03), (0.95, 104.93)])
def test_half_a_standard_deviation(target, size):
    """63.77 is published; the others follow from the same noncentral t."""
    found = power.size_for_means(0.5, power=target)
    assert found.n_per_group == pytest.approx(size, abs=0.005)
    assert power.power_for_means(0.5, found.n_per_group) == pytest.approx(target, abs=1e-9)
    assert power.effect_for_means(found.n_per_group, power=target) == pytest.approx(0.5, abs=1e-9)


def test_ten_against_twelve_percent():
    found = power.size_for_proportions(0.10, 0.12)
    assert found.n_per_group == pytest.approx(3840.8, abs=0.05)
    assert found.n_total == 2 * 3841
    assert power.size_for_proportions(0.12, 0.10).n_per_group == pytest.approx(3840.8, abs=0.05)
    assert power.effect_for_proportions(0.10, found.n_per_group) == pytest.approx(0.12, abs=1e-4)


@pytest.mark.parametrize(("effect", "n"), [(0.5, 64), (0.3, 120), (1.2, 8)])
def test_simulated_t_tests_have_the_power_that_is_reckoned(effect, n):
    rng = np.random.default_rng(4)
    one, two = rng.normal(0, 1, (40_000, n)), rng.normal(effect, 1, (40_000, n))
    spread = np.sqrt((one.var(axis=1, ddof=1) + two.var(axis=1, ddof=1)) / n)
    seen = np.abs(two.mean(axis=1) - one.mean(axis=1)) / spread > stats.t.isf(0.025, 2 * n - 2)
    assert seen.mean() == pytest.approx(power.power_for_means(effect, n), abs=0.01)


@pytest.mark.parametrize(("p1", "p2", "n"), [(0.10, 0.12, 3841), (0.05, 0.06, 5000), (0.3, 0.36, 700)])
def test_simulated_z_tests_have_the_power_that_is_reckoned(p1, p2, n):
    rng = np.random.default_rng(5)
    one, two = rng.binomial(n, p1, 100_000) / n, rng.binomial(n, p2, 100_000) / n
    mean = (one + two) / 2
    seen = np.abs(two - one) / np.sqrt(mean * (1 - mean) * 2 / n) > stats.norm.isf(0.025)
    assert seen.mean() == pytest.approx(power.power_for_proportions(p1, p2, n), abs=0.01)


def test_clusters_multiply_the_size():
    deff = power.design_effect(cluster_size=20, icc=0.05)
    assert deff == pytest.approx(1.95)
    plain, grouped = power.size_for_means(0.5), power.size_for_means(0.5, deff=deff)
    assert grouped.n_per_group == pytest.approx(1.95 * plain.n_per_group)
    assert power.power_for_means(0.5, grouped.n_per_group, deff=deff) == pytest.approx(0.8)


def test_simulated_clusters_have_the_power_that_is_reckoned():
    """30 clusters of 20 a side, ICC .05; the t test is on cluster means."""
    rng = np.random.default_rng(6)
    clusters, size, icc, effect = 30, 20, 0.05, 0.3

    def means(shift):
        own = rng.normal(0, np.sqrt(icc), (30_000, clusters))
        return shift + own + rng.normal(0, np.sqrt((1 - icc) / size), (30_000, clusters))

    one, two = means(0.0), means(effect)
    spread = np.sqrt((one.var(axis=1, ddof=1) + two.var(axis=1, ddof=1)) / clusters)
    seen = np.abs(two.mean(axis=1) - one.mean(axis=1)) / spread > stats.t.isf(0.025, 2 * clusters - 2)
    reckoned = power.power_for_means(effect, clusters * size, deff=power.design_effect(cluster_size=size, icc=icc))
    assert seen.mean() == pytest.approx(reckoned, abs=0.02)


def test_a_covariate_saves_what_it_explains():
    assert power.size_for_means(0.1, rho=0.7).n_per_group == pytest.approx(
        0.51 * power.size_for_means(0.1).n_per_group, rel=0.01
    )


def test_unequal_groups():
    found = power.size_for_means(0.5, ratio=2.0)
    assert found.n_per_group == pytest.approx(63.77 * 0.75, abs=1.0)
    assert power.power_for_means(0.5, found.n_per_group, ratio=2.0) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: power.size_for_means(0.0), "effect"),
        (lambda: power.size_for_means(float("nan")), "effect"),
        (lambda: power.size_for_means(0.5, alpha=0.0), "alpha"),
        (lambda: power.size_for_means(0.5, power=1.0), "power"),
        (lambda: power.size_for_means(0.5, power=0.04), "power"),
        (lambda: power.size_for_means(0.5, sd=-1.0), "sd"),
        (lambda: power.size_for_means(0.5, rho=1.0), "rho"),
        (lambda: power.size_for_means(1e-9), "effect"),
        (lambda: power.power_for_means(0.5, 1), "n"),
        (lambda: power.power_for_means(float("nan"), 100), "effect"),
        (lambda: power.power_for_means(float("inf"), 100), "effect"),
        (lambda: power.power_for_means(1.0, 3, deff=50.5), "n"),
        (lambda: power.effect_for_means(3, deff=50.5), "n"),
        (lambda: power.size_for_proportions(0.1, 0.1), "p2"),
        (lambda: power.size_for_proportions(0.0, 0.1), "p1"),
        (lambda: power.size_for_proportions(0.1, 1.2), "p2"),
        (lambda: power.effect_for_proportions(0.5, 2), "n"),
        (lambda: power.design_effect(cluster_size=0.5), "cluster_size"),
        (lambda: power.design_effect(icc=1.5), "icc"),
    ],
)
def test_numbers_out_of_range_are_named(call, where):
    with pytest.raises(InvalidInput) as told:
        call()
    assert told.value.where == where
