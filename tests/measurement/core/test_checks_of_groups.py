"""Sizes of groups and p-values of several cells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measurement.core.multiplicity import holm, max_t
from measurement.core.sample_ratio import check_sample_ratio
from tenants.core.problems import InvalidInput


def test_a_lost_twentieth_is_seen():
    found = check_sample_ratio({"control": 50_000, "treatment": 48_900})
    assert found.mismatch
    assert found.p_value == pytest.approx(stats.chisquare([50_000, 48_900]).pvalue)
    assert "do not use" in found.text


def test_shares_that_were_assigned_unequal():
    assert not check_sample_ratio({"a": 9_020, "b": 980}, {"a": 0.9, "b": 0.1}).mismatch
    assert check_sample_ratio({"a": 9_020, "b": 980}).mismatch


def test_fair_coins_raise_one_alarm_in_a_thousand():
    rng = np.random.default_rng(1)
    alarms = sum(
        check_sample_ratio({"a": int(n), "b": 10_000 - int(n)}).mismatch for n in rng.binomial(10_000, 0.5, 4000)
    )
    assert alarms <= 12


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ({"a": 5}, None),
        ({"a": 5, "b": -1}, None),
        ({"a": 0, "b": 0}, None),
        ({"a": 5, "b": 5}, {"a": 1.0}),
        ({"a": 5, "b": 5}, {"a": 1.0, "b": 0.0}),
    ],
)
def test_impossible_groups_are_named(counts, shares):
    with pytest.raises(InvalidInput):
        check_sample_ratio(counts, shares)


def test_holm_as_published():
    """Holm's own steps: .01, .04, .03, .005 of four cells become .03, .06, .06, .02."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def cells(rng, effects):
    """t statistics of three cells against one control of 12, and those of 199 reassignments of all."""
    data = rng.normal(0.0, 1.0, (4, 12))
    data[1:] += np.array(effects)[:, None]

    def statistics(all_units):
        groups = all_units.reshape(4, 12)
        spread = np.sqrt((groups[1:].var(axis=1, ddof=1) + groups[0].var(ddof=1)) / 12)
        return (groups[1:].mean(axis=1) - groups[0].mean()) / spread

    flat = data.ravel()
    return statistics(flat), np.array([statistics(rng.permutation(flat)) for _ in range(199)])


def test_max_t_keeps_the_error_of_all_cells_and_sees_more_than_holm():
    rng = np.random.default_rng(9)
    wrong, by_max, by_holm = 0, 0, 0
    for _ in range(300):
        wrong += (max_t(*cells(rng, [0.0, 0.0, 0.0])) < 0.05).any()
        observed, drawn = cells(rng, [1.1, 1.1, 1.1])
        single = (1 + (np.abs(drawn) >= np.abs(observed)).sum(axis=0)) / 200
        by_max += (max_t(observed, drawn) < 0.05).sum()
        by_holm += (holm(single) < 0.05).sum()
    assert wrong / 300 <= 0.083
    assert by_max > by_holm


@pytest.mark.parametrize("drawn", [np.zeros((0, 2)), np.zeros((5, 3)), np.full((5, 2), np.nan)])
def test_statistics_that_do_not_fit_are_named(drawn):
    with pytest.raises(InvalidInput):
        max_t(np.array([1.0, 2.0]), drawn)


def test_p_values_out_of_range_are_named():
    with pytest.raises(InvalidInput):
        holm(np.array([0.1, 1.2]))
