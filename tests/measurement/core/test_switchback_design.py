"""Switchback designs: published points and risk, the same by trying all designs, and balanced draws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from measurement.core.switchback_design import (
    coin_draws,
    design_switchback,
    draw_assignment,
    given_design,
    is_admissible,
    worst_case_risk,
)
from tenants.core.problems import InvalidInput


def test_twelve_periods_with_carryover_two_as_published():
    design = design_switchback(periods=12, carryover=2)
    assert design.randomise_at == (1, 5, 7, 9)
    assert design.risk == pytest.approx(2.56, abs=1e-12)


@pytest.mark.parametrize(("blocks", "carryover"), [(4, 1), (9, 1), (5, 3), (8, 4), (40, 7)])
def test_published_points_for_multiples(blocks, carryover):
    points = [1, *(step * carryover + 1 for step in range(2, blocks - 1))]
    assert design_switchback(periods=blocks * carryover, carryover=carryover).randomise_at == tuple(points)


@pytest.mark.parametrize(
    ("periods", "carryover"), [(8, 2), (9, 2), (11, 2), (12, 2), (12, 3), (13, 3), (14, 3), (7, 1)]
)
def test_no_design_at_all_risks_less(periods, carryover):
    others = itertools.chain.from_iterable(
        itertools.combinations(range(2, periods + 1), size) for size in range(periods)
    )
    least = min(worst_case_risk((1, *rest), periods=periods, carryover=carryover) for rest in others)
    assert design_switchback(periods=periods, carryover=carryover).risk == pytest.approx(least)


def test_risk_is_the_expected_square_at_the_worst_outcome():
    """All outcomes 1, so that the true effect is 0: the mean square of the estimate over all 16 assignments."""
    design = design_switchback(periods=12, carryover=2)
    squares = []
    for coins in itertools.product((0, 1), repeat=4):
        treated = np.repeat(coins, design.lengths)
        estimate = 0.0
        for last in range(2, 12):
            window = treated[last - 2 : last + 1]
            tossed = len(set(design.block_of()[last - 2 : last + 1]))
            estimate += 2**tossed * (float(window.all()) - float(not window.any())) / 10
        squares.append(estimate**2)
    assert np.mean(squares) == pytest.approx(design.risk)


def test_without_carryover_every_period_is_tossed():
    design = design_switchback(periods=10, carryover=0)
    assert design.randomise_at == tuple(range(1, 11))
    assert design.risk == pytest.approx(worst_case_risk(design.randomise_at, periods=10, carryover=0))


def test_draws_follow_the_seed_and_the_points():
    design = design_switchback(periods=24, carryover=2)
    drawn = draw_assignment(design, seed=3)
    assert (drawn == draw_assignment(design, seed=3)).all()
    assert {tuple(draw_assignment(design, seed=seed)) for seed in range(20)} != {tuple(drawn)}
    changes = {place + 1 for place in range(1, 24) if drawn[place] != drawn[place - 1]}
    assert changes <= set(design.randomise_at)


@pytest.mark.parametrize("periods", [28, 84])
def test_weekdays_are_treated_evenly(periods):
    design = design_switchback(periods=periods, carryover=1)
    weekdays = [str(day % 7) for day in range(periods)]

    def unevenness(treated):
        return sum(abs(sum(2 * treated[day::7] - 1)) for day in range(7))

    plain = np.mean([unevenness(draw_assignment(design, seed=seed)) for seed in range(40)])
    even = np.mean([unevenness(draw_assignment(design, seed=seed, labels=weekdays)) for seed in range(40)])
    assert even < 0.8 * plain
    drawn, _ = coin_draws(design, seed=1, labels=weekdays)
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert all(is_admissible(design, row, weekdays) for row in drawn[:20])
    everything_treated = np.ones(len(design.randomise_at), bool)
    assert not is_admissible(design, everything_treated, weekdays)


@pytest.mark.parametrize(("periods", "carryover"), [(7, 2), (3, 0), (12, -1), (20_001, 1)])
def test_impossible_designs_are_named(periods, carryover):
    with pytest.raises(InvalidInput):
        design_switchback(periods=periods, carryover=carryover)


@pytest.mark.parametrize("points", [(), (2, 5), (1, 5, 5), (1, 13)])
def test_impossible_points_are_named(points):
    with pytest.raises(InvalidInput, match="do not rise"):
        given_design(periods=12, carryover=2, randomise_at=points)


def test_labels_of_another_length_are_named():
    with pytest.raises(InvalidInput, match="7 labels for 12 periods"):
        draw_assignment(design_switchback(periods=12, carryover=2), seed=1, labels=list("abcdefg"))
