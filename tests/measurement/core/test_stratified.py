"""Matched pairs, strata and the draws within them."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from measurement.core.assignment import Assigned, Assignment, InvalidDesign
from measurement.core.features import distances, features_of
from measurement.core.stratified import draw_pairs, draw_stratified, match_pairs
from tests.measurement.core.histories import history


def smallest_total(apart):
    """The smallest summed distance over all ways to pair, by trying them."""

    def best(left):
        if len(left) < 2:
            return 0.0
        first, rest = left[0], left[1:]
        return min(apart[first, other] + best([one for one in rest if one != other]) for other in rest)

    return best(list(range(len(apart))))


@pytest.mark.parametrize("seed", range(5))
def test_pairs_have_the_smallest_total_of_all_pairings(seed):
    panel = history(units=8, seed=seed)
    assert match_pairs(panel).distance.sum() == pytest.approx(smallest_total(distances(features_of(panel.outcome))))


@pytest.mark.parametrize("seed", range(3))
def test_odd_unit_is_the_one_without_which_the_rest_is_nearest(seed):
    panel = history(units=7, seed=seed)
    apart = distances(features_of(panel.outcome))
    matched = match_pairs(panel)
    without = [smallest_total(np.delete(np.delete(apart, unit, 0), unit, 1)) for unit in range(7)]
    assert matched.left_out.keys() == {panel.units[int(np.argmin(without))]}
    assert matched.distance.sum() == pytest.approx(min(without))


def test_twins_find_each_other():
    panel = history(units=10, noise=0.0)
    twins = replace(
        panel,
        units=(*panel.units, *(f"twin of {unit}" for unit in panel.units)),
        outcome=np.vstack([panel.outcome, panel.outcome * 1.0001]),
    )
    assert {frozenset(pair) for pair in match_pairs(twins).pairs} == {
        frozenset({unit, f"twin of {unit}"}) for unit in panel.units
    }


def test_many_units_are_matched_as_well_as_with_all_edges(monkeypatch):
    panel = history(units=30, seed=4)
    complete = match_pairs(panel).distance.sum()
    monkeypatch.setattr("measurement.core.stratified._ALL_EDGES", 10)
    monkeypatch.setattr("measurement.core.stratified._NEAREST", 8)
    assert match_pairs(panel).distance.sum() == pytest.approx(complete)


def test_few_near_edges_fall_back_to_all(monkeypatch):
    """With one neighbour each, three mutually near units leave one that nobody chose."""
    monkeypatch.setattr("measurement.core.stratified._ALL_EDGES", 2)
    monkeypatch.setattr("measurement.core.stratified._NEAREST", 1)
    assert len(match_pairs(history(units=12, seed=2)).pairs) == 6


def test_thinning_takes_the_worst_pairs_and_says_so():
    panel = history(units=12)
    full, thinned = match_pairs(panel), match_pairs(panel, thin=2)
    assert thinned.pairs == full.pairs[:4]
    assert thinned.left_out.keys() == {unit for pair in full.pairs[4:] for unit in pair}
    assert all("deviations apart" in why for why in thinned.left_out.values())
    limit = float(full.distance[2])
    assert match_pairs(panel, farthest=limit).pairs == full.pairs[:3]


def test_draw_treats_one_of_each_pair_and_repeats_by_seed():
    matched = match_pairs(history(units=13))
    drawn = draw_pairs(matched, seed=7)
    assert drawn == draw_pairs(matched, seed=7)
    assert len({draw_pairs(matched, seed=seed).of("treated") for seed in range(20)}) > 10
    assert {frozenset(pair) for pair in drawn.pairs} == {frozenset(pair) for pair in matched.pairs}
    assert len(drawn.of("treated")) == len(drawn.of("control")) == 6
    assert len(drawn.of("excluded")) == 1


def test_coins_are_fair():
    matched = match_pairs(history(units=8))
    first = [draw_pairs(matched, seed=seed).pairs[0][0] == matched.pairs[0][0] for seed in range(400)]
    assert 0.42 < np.mean(first) < 0.58


def test_few_pairs_are_told_what_they_cannot_show():
    assert "0.125" in draw_pairs(match_pairs(history(units=8)), seed=1).notes[0]
    assert draw_pairs(match_pairs(history(units=16)), seed=1).notes == ()


def test_excluded_units_are_in_no_pair():
    panel = history(units=12)
    drawn = draw_pairs(match_pairs(panel, exclude=["M03", "m04"]), seed=1)
    assert set(drawn.of("excluded")) == {"m03", "m04"}


@pytest.mark.parametrize("share", [0.2, 1 / 3, 0.5, 0.7])
def test_stratified_draw_treats_the_share_and_both_arms_in_each_stratum(share):
    panel = history(units=40)
    drawn = draw_stratified(panel, seed=3, treated_share=share)
    assert len(drawn.of("treated")) == round(40 * share)
    for stratum in {row.stratum for row in drawn.rows}:
        assert {row.group for row in drawn.rows if row.stratum == stratum} == {"treated", "control"}


def test_stratified_draws_are_nearer_in_sales_than_plain_ones():
    panel = history(units=40, seed=9)
    mean = dict(zip(panel.units, np.log(panel.outcome.mean(axis=1)), strict=True))

    def gap(treated):
        rest = [mean[unit] for unit in panel.units if unit not in treated]
        return abs(np.mean([mean[unit] for unit in treated]) - np.mean(rest))

    stratified = np.mean([gap(draw_stratified(panel, seed=seed).of("treated")) for seed in range(60)])
    plain = np.mean([gap(np.random.default_rng(seed).permutation(panel.units)[:20]) for seed in range(60)])
    assert stratified < plain / 2


def test_every_unit_is_as_likely_as_the_share():
    panel = history(units=16)
    times = dict.fromkeys(panel.units, 0)
    for seed in range(400):
        for unit in draw_stratified(panel, seed=seed, treated_share=0.25).of("treated"):
            times[unit] += 1
    assert all(abs(count - 100) < 4 * np.sqrt(400 * 0.25 * 0.75) for count in times.values())


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda panel: draw_stratified(panel, seed=1, treated_share=1.0), "leaves no arm"),
        (lambda panel: draw_stratified(panel, seed=1, strata=7), "cannot each hold both arms"),
        (lambda panel: draw_stratified(panel, seed=1, treated_share=0.01), "cannot be split"),
        (lambda panel: draw_stratified(panel, seed=1, exclude=["nowhere"]), "no unit 'nowhere'"),
        (lambda panel: match_pairs(panel, exclude=panel.units[:9]), "No two pairs can be made of 3 units"),
        (lambda panel: match_pairs(panel, farthest=0.0), "0 pairs left"),
        (lambda panel: match_pairs(panel, thin=5), "1 pair left"),
        (lambda panel: match_pairs(replace(panel, outcome=panel.outcome[:, :3])), "3 periods"),
        (lambda panel: match_pairs(replace(panel, outcome=panel.outcome * 0.0)), "without sales"),
    ],
)
def test_what_cannot_be_drawn(ask, words):
    with pytest.raises(InvalidDesign, match=words):
        ask(history(units=12))


def test_features_do_not_depend_on_the_unit_of_money():
    outcome = history(units=6).outcome
    assert features_of(outcome) == pytest.approx(features_of(outcome * 1000.0))


def test_flat_series_have_no_variation_to_divide_by():
    flat = np.tile(np.array([[1.0], [2.0], [4.0]]), (1, 10))
    assert np.isfinite(features_of(flat)).all()
    assert (features_of(flat)[:, 1:] == 0.0).all()


def test_order_of_units_does_not_matter_to_pairs():
    panel = history(units=6)
    found = {frozenset(map(frozenset, match_pairs(panel).pairs))}
    for order in list(permutations(range(6)))[::97]:
        turned = replace(panel, units=tuple(panel.units[at] for at in order), outcome=panel.outcome[list(order)])
        found.add(frozenset(map(frozenset, match_pairs(turned).pairs)))
    assert len(found) == 1


def test_a_unit_has_one_place():
    with pytest.raises(InvalidDesign, match="assigned twice"):
        Assignment(rows=(Assigned(unit="a", group="treated"), Assigned(unit="A", group="control")))
