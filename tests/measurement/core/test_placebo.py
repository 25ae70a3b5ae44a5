"""The placebo test and its inversion: p below alpha exactly where the interval leaves out zero, exact level."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from measurement.core.placebo import invert, placebo_sets, shares_of


def test_sets_are_drawn_once_and_lead_with_the_treated() -> None:
    sets = placebo_sets(30, [4, 2], count=100, seed=3)
    assert sets.shape == (101, 2)
    assert sets[0].tolist() == [2, 4]
    assert len({tuple(row) for row in sets.tolist()}) == 101
    assert np.array_equal(sets, placebo_sets(30, [2, 4], count=100, seed=3))
    assert not np.array_equal(sets, placebo_sets(30, [2, 4], count=100, seed=4))


def test_all_sets_where_there_are_few() -> None:
    assert len(placebo_sets(8, [1, 5], count=400, seed=1)) == comb(8, 2)
    assert len(placebo_sets(8, [1], count=400, seed=1)) == 8


def test_admissible_sets_alone_where_they_are_told() -> None:
    sets = placebo_sets(8, [0, 1], count=400, seed=1, admissible=[[1, 0], [2, 3], [5, 4], [3, 2]])
    assert sets.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert len(placebo_sets(8, [0, 1], count=2, seed=1, admissible=[[a, b] for a in range(8) for b in range(a)])) == 3


def test_shares_are_equal() -> None:
    assert shares_of(np.array([[0, 2]]), 4).tolist() == [[0.5, 0.0, 0.5, 0.0]]


def case(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Gaps, reaches and scales of all kinds: no overlap, much of it, steeper than the treated, all alike."""
    rng = np.random.default_rng(seed)
    sets = int(rng.integers(3, 60))
    gap = rng.normal(size=sets) * rng.choice([0.1, 1.0, 3.0])
    gap[0] += rng.choice([0.0, 1.0, 3.0])
    reach = rng.normal(size=sets) * rng.choice([0.0, 0.3, 2.0])
    reach[0] = abs(rng.normal()) + 0.1
    scale = rng.uniform(0.2, 2.0, sets)
    if seed % 5 == 0:
        reach[:], scale[:] = reach[0], 1.0
    return gap, reach, scale, float(rng.choice([0.05, 0.1, 0.2]))


@pytest.mark.parametrize("block", range(4))
def test_p_is_below_alpha_exactly_where_the_interval_leaves_out_zero(block: int) -> None:
    seen = set()
    for seed in range(block * 500, block * 500 + 500):
        gap, reach, scale, alpha = case(seed)
        found = invert(gap, reach, scale, alpha)
        assert found.low <= found.estimate <= found.high
        excluded = not found.low <= 0.0 <= found.high
        assert (found.p_value < alpha) == excluded, seed
        seen.add((excluded, bool(np.isfinite(found.low) and np.isfinite(found.high))))
    assert seen == {(False, False), (False, True), (True, True), (True, False)}


def test_the_interval_is_what_a_fine_grid_does_not_reject() -> None:
    grid = np.linspace(-40.0, 40.0, 8001) + 1e-7
    for seed in range(400):
        gap, reach, scale, alpha = case(seed)
        found = invert(gap, reach, scale, alpha)
        statistic = np.abs(gap[:, None] - grid * reach[:, None]) / scale[:, None]
        kept = grid[(statistic >= statistic[0]).mean(axis=0) >= alpha]
        if not len(kept):
            continue
        assert kept.min() >= found.low - 1e-9
        assert kept.max() <= found.high + 1e-9
        if found.low > -39.0:
            assert kept.min() - found.low <= 0.021
        if found.high < 39.0:
            assert found.high - kept.max() <= 0.021


def test_p_at_zero_is_never_below_the_plain_placebo_p() -> None:
    for seed in range(400):
        gap, reach, scale, alpha = case(seed)
        statistic = np.abs(gap) / scale
        assert invert(gap, reach, scale, alpha).p_value >= (statistic >= statistic[0]).mean() - 1e-12


def test_too_few_sets_leave_the_interval_open() -> None:
    found = invert(np.array([5.0, 0.1, -0.2]), np.array([1.0, 0.0, 0.0]), np.ones(3), 0.05)
    assert found.p_value == pytest.approx(1 / 3)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_the_level_is_exact_where_sets_are_drawn() -> None:
    """A contrast of heavy tails, every set as likely: the share of sets rejected is alpha at most, and near to it."""
    rng = np.random.default_rng(11)
    units = rng.standard_t(2, size=(1, 9))
    sets = placebo_sets(9, [0, 1, 2], count=400, seed=1)
    contrasts = shares_of(sets, 9) - (shares_of(sets, 9) == 0.0) / 6.0
    gaps = (contrasts @ units.T)[:, 0]
    rejected = []
    for own in range(len(sets)):
        order = [own, *(other for other in range(len(sets)) if other != own)]
        reach = contrasts[order][:, sets[own]].sum(axis=1)
        rejected.append(invert(gaps[order], reach, np.ones(len(sets)), 0.1).p_value < 0.1)
    assert 0.06 <= np.mean(rejected) <= 0.1
