"""Few groups: error rates of both procedures, and the bootstrap against one that refits every sample."""

from __future__ import annotations

import math

import numpy as np
import pytest

from measurement.core.few_clusters import _Bootstrap, _Groups, randomisation_inference, wild_cluster_bootstrap
from tenants.core.problems import InvalidInput


def stores(rng, *, groups=14, treated=5, size=12, effect=0.0, strata=1):
    """Units of stores that share a shock; which stores are treated is drawn within strata."""
    kinds = np.zeros(groups, int)
    level = np.arange(groups) % strata
    for stratum in range(strata):
        members = np.flatnonzero(level == stratum)
        kinds[rng.choice(members, treated // strata, replace=False)] = 1
    code = np.repeat(np.arange(groups), size)
    before = rng.normal(0.0, 1.0, groups)
    shared = 0.8 * before + rng.normal(0.0, 0.6, groups) + 5.0 * level
    outcome = shared[code] + rng.normal(0.0, 1.0, groups * size) + effect * kinds[code]
    return outcome, kinds[code], code, level[code], before[code]


@pytest.mark.parametrize("seed", range(10))
def test_interval_leaves_out_zero_exactly_where_p_is_below_alpha(seed):
    outcome, treated, code, strata, before = stores(np.random.default_rng(seed), effect=1.0)
    for options in ({}, {"before": before}, {"strata": strata}):
        found = randomisation_inference(outcome, treated, code, **options)
        assert (found.p_value < 0.05) == (found.effect.low > 0 or found.effect.high < 0)
    boot = wild_cluster_bootstrap(outcome, treated, code, draws=399)
    assert (boot.p_value < 0.05) == (boot.effect.low > 0 or boot.effect.high < 0)


def test_randomisation_inference_keeps_its_error_and_strata_sharpen_it():
    rng = np.random.default_rng(1)
    wrong, plain, stratified = 0, 0, 0
    for _ in range(250):
        outcome, treated, code, strata, _ = stores(rng, groups=16, treated=4, strata=2, size=4)
        wrong += randomisation_inference(outcome, treated, code, strata=strata).p_value < 0.05
        outcome = outcome + 2.0 * treated
        stratified += randomisation_inference(outcome, treated, code, strata=strata).p_value < 0.05
        plain += randomisation_inference(outcome, treated, code).p_value < 0.05
    assert wrong / 250 <= 0.086
    assert stratified > plain + 50


def test_bootstrap_keeps_its_error():
    """300 tests of 14 stores, 6 treated: at most the 99 % band of 5 %."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(300):
        outcome, treated, code, _, _ = stores(rng, treated=6)
        groups = _Groups(outcome, treated, code, None, None)
        boot = _Bootstrap(groups, np.zeros((len(outcome), 0)), np.random.default_rng(1), 399)
        wrong += boot.p_value(0.0) < 0.05
    assert wrong / 300 <= 0.083


def test_bootstrap_is_the_one_that_refits_every_sample():
    outcome, treated, code, _, before = stores(np.random.default_rng(3), treated=6, effect=0.7)
    covariate = before + np.random.default_rng(4).normal(size=len(before))
    boot = _Bootstrap(_Groups(outcome, treated, code, None, None), covariate[:, None], np.random.default_rng(9), 60)
    others = np.column_stack([np.ones(len(outcome)), covariate])
    full = np.column_stack([others, treated])

    def clustered_t(values, effect):
        bread = np.linalg.inv(full.T @ full)
        found = bread @ full.T @ values
        scores = np.array([full[code == g].T @ (values - full @ found)[code == g] for g in range(14)])
        return (found[2] - effect) / math.sqrt((bread @ scores.T @ scores @ bread)[2, 2])

    imposed = 0.3
    base = np.linalg.lstsq(others, outcome - imposed * treated, rcond=None)[0]
    rests = outcome - imposed * treated - others @ base
    seen = abs(clustered_t(outcome, imposed))
    drawn = [
        abs(clustered_t(others @ base + imposed * treated + weights[code] * rests, imposed)) for weights in boot.weights
    ]
    assert boot.p_value(imposed) == pytest.approx((1 + np.sum(np.array(drawn) >= seen)) / 61)


def test_the_bootstrap_is_refused_for_few_treated_groups():
    outcome, treated, code, _, _ = stores(np.random.default_rng(1), treated=3)
    with pytest.raises(InvalidInput, match="3 groups in an arm are too few"):
        wild_cluster_bootstrap(outcome, treated, code)
    assert randomisation_inference(outcome, treated, code).p_value > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treated": [0, 1] * 6}, "Some units are treated"),
        ({"treated": [1] * 12}, "one arm"),
        ({"treated": [0, 2] * 6}, "neither 0 nor 1"),
        ({"outcome": [1.0] * 11}, "not equally long"),
        ({"outcome": [float("inf")] * 12}, "no finite number"),
        ({"strata": list("abababababab")}, "two strata"),
    ],
)
def test_what_cannot_be_tested_is_named(change, words):
    good = {"outcome": np.arange(12.0), "treated": [0] * 6 + [1] * 6, "clusters": [place // 2 for place in range(12)]}
    with pytest.raises(InvalidInput, match=words):
        randomisation_inference(**{**good, **change})
