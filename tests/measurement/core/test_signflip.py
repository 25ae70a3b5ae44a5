"""The sign-flip test against its definition, and its interval against its p-values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measurement.core.signflip import least_p, sign_flip
from tenants.core.problems import InvalidInput

_NUMBERS = st.floats(-5.0, 5.0).map(lambda value: round(value, 3))


def by_definition(differences, effect):
    """Share of the 2^n sign vectors whose mean of `signs * (d - effect)` is at least as far from zero as observed."""
    rest = np.asarray(differences) - effect
    seen = abs(rest.sum())
    far = [abs((np.array(signs) * rest).sum()) >= seen - 1e-9 for signs in itertools.product((1, -1), repeat=len(rest))]
    return float(np.mean(far))


@pytest.mark.parametrize("effect", [-0.4, 0.0, 0.1, 0.35])
def test_p_is_that_of_the_definition(effect):
    differences = np.array([0.12, -0.31, 0.44, 0.27, 0.83, -0.05, 0.61])
    assert sign_flip(differences).p_value(effect) == pytest.approx(by_definition(differences, effect), abs=1e-12)


@given(st.lists(_NUMBERS, min_size=2, max_size=9), st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]))
@settings(deadline=None, max_examples=150)
def test_interval_leaves_out_zero_exactly_where_p_is_below_alpha(differences, alpha):
    test = sign_flip(np.array(differences))
    low, high = test.interval(alpha)
    outside = (low is not None and low > 0) or (high is not None and high < 0)
    assert (test.p_value(0.0) < alpha) == outside


@given(st.lists(_NUMBERS, min_size=17, max_size=24), st.sampled_from([0.05, 0.1]), st.integers(1, 5))
@settings(deadline=None, max_examples=25)
def test_so_it_does_where_reassignments_are_drawn(differences, alpha, seed):
    test = sign_flip(np.array(differences), seed=seed, draws=999)
    low, high = test.interval(alpha)
    assert not test.exact
    assert (test.p_value(0.0) < alpha) == (low > 0 or high < 0)


def test_ends_belong_to_the_interval_and_nothing_beyond_them_does():
    test = sign_flip(np.array([0.12, -0.31, 0.44, 0.27, 0.83, -0.05, 0.61, 0.2]))
    low, high = test.interval(0.05)
    assert min(test.p_value(low), test.p_value(high)) >= 0.05
    assert max(test.p_value(low - 1e-9), test.p_value(high + 1e-9)) < 0.05


def test_five_pairs_cannot_show_five_percent():
    test = sign_flip(np.array([1.0, 1.1, 0.9, 1.2, 0.8]))
    assert test.p_value() == least_p(5) == 0.0625
    assert test.interval(0.05) == (None, None)


def test_drawn_and_complete_agree():
    differences = np.random.default_rng(3).normal(0.3, 1.0, 16)
    drawn = sign_flip(np.append(differences, 0.3), seed=7)
    again = sign_flip(np.append(differences, 0.3), seed=7)
    assert drawn.p_value() == again.p_value()
    assert drawn.p_value() == pytest.approx(sign_flip(differences).p_value(), abs=0.06)


def test_false_positives_are_nominal():
    """2,000 draws of nine skewed pairs without an effect; 99 % band of 5 %, the test's grid being 2/512."""
    rng = np.random.default_rng(11)
    draws = rng.exponential(1.0, (2000, 9)) * rng.choice([-1.0, 1.0], (2000, 9))
    assert 0.036 <= np.mean([sign_flip(row).p_value() < 0.05 for row in draws]) <= 0.063


@pytest.mark.parametrize("bad", [[1.0], [1.0, float("nan")]])
def test_too_few_and_no_numbers_are_named(bad):
    with pytest.raises(InvalidInput):
        sign_flip(np.array(bad))
