"""Factors of all cells from the tests of some: against exact answers, and where one number must beat another."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from measurement.core.calibration import AGAIN, CLEAR, CellTest, calibrate
from measurement.core.factor_model import Prior, Readings, believe
from tenants.core.problems import InvalidInput

RETAILERS, PLACEMENTS = ("Amazon", "Walmart", "Target"), ("search", "display", "video")
CELLS = tuple(product(RETAILERS, PLACEMENTS))
GT7 = CellTest(id="EX-0007", retailer="Amazon", placement="search", iroas=1.2, se=0.12, attributed=4.0)


def test_without_tests_all_cells_have_the_prior():
    found = calibrate(CELLS, [])
    assert {one.source for one in found.factors} == {"prior"}
    assert len({round(one.value, 9) for one in found.factors}) == 1
    one = found.factors[0]
    assert one.low < 0.6 < one.high
    assert one.rests_on == ()


def test_given_the_spreads_it_is_the_textbook_gaussian_posterior():
    """All spreads at one point of the grid: the answer of conditioning a normal by hand, two tests, three cells."""
    prior = Prior(spread=1e-9)
    clear = replace(GT7, se=0.02)
    tests = [clear, replace(clear, id="EX-0008", placement="display", iroas=2.0, se=0.2 / 6.0, attributed=5.0)]
    found = calibrate(CELLS[:3], tests, prior=prior)
    # Each a sixtieth of its return: the mean of its logarithm lies 1.5 / 3600 under that of what was read.
    y = np.array([math.log(0.3), math.log(0.4)]) - 1.5 / 3600
    variance = 1 / 3600 + AGAIN**2
    precision = 1.0 + 2 / variance
    mean = (math.log(0.6) + y.sum() / variance) / precision
    for one in found.factors:
        assert one.value == pytest.approx(math.exp(mean), rel=1e-5)
        assert found.belief.factor[0] == pytest.approx(math.exp(mean + 0.5 / precision), rel=1e-5)
        assert one.high == pytest.approx(math.exp(mean + 1.6448536 / math.sqrt(precision)), rel=1e-5)


def test_a_test_speaks_loudest_of_its_own_cell_then_of_its_neighbours():
    found = calibrate(CELLS, [GT7])
    own, shelf, bread, far = (
        found.of(cell) for cell in (GT7.cell, ("Amazon", "display"), ("Walmart", "search"), ("Walmart", "display"))
    )
    assert own.value == pytest.approx(GT7.factor, rel=0.1)
    assert own.influence[0] > shelf.influence[0] > far.influence[0] > 0.3
    assert shelf.influence[0] == pytest.approx(bread.influence[0], rel=1e-3)
    assert own.high - own.low < shelf.high - shelf.low < far.high - far.low
    assert [one.source for one in (own, shelf, far)] == ["experiment", "proxy", "proxy"]
    assert own.rests_on == far.rests_on == ("EX-0007",)


def test_cells_that_agree_are_taken_for_alike_and_cells_that_do_not_are_not():
    def told(factors):
        tests = [
            CellTest(id=f"EX-{at}", retailer=cell[0], placement=cell[1], iroas=4.0 * factor, se=0.2, attributed=4.0)
            for at, (cell, factor) in enumerate(zip(CELLS[:6], factors, strict=True))
        ]
        return calibrate(CELLS, tests).of(("Target", "display"))

    alike, unlike = told([0.5] * 6), told([0.2, 1.0, 0.4, 0.9, 0.25, 0.6])
    assert alike.high - alike.low < 0.5 * (unlike.high - unlike.low)


@pytest.mark.parametrize(("iroas", "se"), [(1.2, 0.5), (0.3, 0.5), (0.0, 0.4), (-0.5, 0.5)])
def test_a_return_near_or_below_zero_is_weighed_without_a_logarithm(iroas, se):
    """Against the exact posterior of one cell, by quadrature over the whole prior."""
    one = np.zeros(1, dtype=np.int64)
    nothing = Readings(one[:0], np.zeros(0, dtype=bool), *[np.zeros(0)] * 4)
    weak = Readings(one, np.array([False]), np.array([iroas]), np.array([se]), np.array([3.0]), np.zeros(1))
    prior, belief = believe(one, one, nothing), believe(one, one, weak)
    phi = np.linspace(-12.0, 6.0, 40_001)
    sd = np.sqrt(prior.variance[:, 0])[:, None]
    density = prior.weight @ (np.exp(-0.5 * ((phi - prior.mean[:, :1]) / sd) ** 2) / sd)
    density = density * np.exp(-0.5 * ((iroas - 3.0 * np.exp(phi)) / se) ** 2)
    density /= density.sum()
    exact = float(density @ np.exp(phi))
    assert belief.factor[0] == pytest.approx(exact, rel=0.05)
    share = density[(np.exp(phi) >= belief.quantile(0.05)[0]) & (np.exp(phi) <= belief.quantile(0.95)[0])].sum()
    assert 0.88 < share < 0.97


def test_a_loss_pulls_down_and_stays_above_nothing():
    lost = calibrate(CELLS, [replace(GT7, iroas=-0.4, se=0.4)]).of(GT7.cell)
    flat = calibrate(CELLS, [replace(GT7, iroas=0.1, se=0.4)]).of(GT7.cell)
    assert 0.0 < lost.low < lost.value < flat.value < 0.3


@pytest.mark.parametrize("factor", [0.033, 0.15, 0.6, 2.5])
@pytest.mark.parametrize("age", [0, 730])
@pytest.mark.parametrize("others", [(), (0.1, 1.2)])
def test_both_ways_of_weighing_agree_where_they_meet(factor, age, others):
    """Just above and just below the border, alone and against tests that say otherwise: no end moves by 0.2 %."""
    known = [replace(GT7, id=f"EX-{at}", retailer="Walmart", iroas=4.0 * other) for at, other in enumerate(others)]
    at = replace(GT7, iroas=4.0 * factor, se=4.0 * factor / CLEAR, age_days=age)
    below, above = (calibrate(CELLS, [replace(at, se=at.se * part), *known], draws=1) for part in (1.00001, 0.99999))
    assert (below.tests[0].clear, above.tests[0].clear) == (False, True)
    for one, other in zip(below.factors, above.factors, strict=True):
        for told in ("value", "low", "high", "cautious"):
            assert getattr(one, told) == pytest.approx(getattr(other, told), rel=0.002), (one.cell, told)


def test_a_surer_reading_moves_its_factor_without_a_step():
    """From two to forty standard errors above zero, in steps of 1 % of the error."""
    errors = GT7.iroas / np.geomspace(2.0, 40.0, 301)
    found = [calibrate(CELLS[:1], [replace(GT7, se=float(se))], draws=1).factors[0] for se in errors]
    for told in ("value", "low", "high"):
        logs = np.log([getattr(one, told) for one in found])
        # What a step would add to the change from one to the next, which changes little itself.
        assert np.abs(np.diff(logs, n=2)).max() < 0.002, told


def _exact(tests: list[CellTest], grid: np.ndarray) -> np.ndarray:
    """Likelihood of tests of one cell at each phi: N(iROAS | ROAS exp(phi + d), SE), averaged over d by quadrature."""
    nodes, part = np.polynomial.hermite_e.hermegauss(120)
    told = np.zeros(grid.size)
    for test in tests:
        true = test.attributed * np.exp(grid[:, None] + test.blur * nodes)
        density = np.exp(-0.5 * ((test.iroas - true) / test.se) ** 2) @ part
        told += np.log(np.maximum(density, 1e-300))
    return np.exp(told - told.max())


def _drawn(rng: np.random.Generator, retailer: str) -> list[CellTest]:
    """One to four tests of one cell that may contradict each other, none of them clear."""
    tests = []
    for at in range(int(rng.integers(1, 5))):
        se = float(rng.uniform(0.15, 1.0))
        iroas = se * float(rng.uniform(-4.0, 7.5))
        tests.append(CellTest(
            id=f"{retailer}-{at}", retailer=retailer, placement="search", iroas=iroas, se=se,
            attributed=float(rng.uniform(1.0, 5.0)), age_days=int(rng.integers(0, 900)),
        ))  # fmt: skip
    assert not any(test.clear for test in tests)
    return tests


@pytest.mark.parametrize("seed", range(24))
def test_weak_tests_of_one_cell_are_their_posterior_on_a_grid(seed):
    tests = _drawn(np.random.default_rng(seed), "Amazon")
    found = calibrate(CELLS[:1], tests)
    prior = calibrate(CELLS[:1], []).belief
    grid = np.arange(-12.0, 6.0, 0.004)
    sd = np.sqrt(prior.variance[:, 0])[:, None]
    density = prior.weight @ (np.exp(-0.5 * ((grid - prior.mean[:, :1]) / sd) ** 2) / sd) * _exact(tests, grid)
    density /= density.sum()
    mean = float(density @ grid)
    spread = math.sqrt(float(density @ (grid - mean) ** 2))
    one = found.factors[0]
    assert abs(math.log(one.value) - mean) < 0.02 * spread
    inside = float(density[(np.exp(grid) >= one.low) & (np.exp(grid) <= one.high)].sum())
    assert 0.87 < inside < 0.97
    assert np.isfinite(found.draws).all()


@pytest.mark.parametrize("seed", range(6))
def test_weak_tests_of_two_cells_are_their_posterior_on_a_grid(seed):
    """Both cells at once, over every pair of grid points and all spreads."""
    rng = np.random.default_rng(100 + seed)
    one, two = _drawn(rng, "Amazon"), _drawn(rng, "Walmart")
    cells = [("Amazon", "search"), ("Walmart", "search")]
    found, prior = calibrate(cells, [*one, *two]), calibrate(cells, []).belief
    grid = np.arange(-9.0, 5.0, 0.06)
    off = grid - prior.mean[0, 0]
    density = np.zeros((grid.size, grid.size))
    for weight, covariance in zip(prior.weight, prior.covariance, strict=True):
        pull = np.linalg.inv(covariance)
        square = pull[0, 0] * off[:, None] ** 2 + 2 * pull[0, 1] * np.outer(off, off) + pull[1, 1] * off**2
        density += weight * np.exp(-0.5 * square) / math.sqrt(np.linalg.det(covariance))
    density *= np.outer(_exact(one, grid), _exact(two, grid))
    density /= density.sum()
    for factor, own in zip(found.factors, (density.sum(axis=1), density.sum(axis=0)), strict=True):
        mean = float(own @ grid)
        spread = math.sqrt(float(own @ (grid - mean) ** 2))
        assert abs(math.log(factor.value) - mean) < 0.12 * spread


@pytest.mark.parametrize("se", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("again", [2, 6])
def test_tests_that_contradict_each_other_are_weighed_and_not_believed_both(se, again):
    """A loss and a gain of the same cell, again and again: the answer lies between what each says."""
    both = [replace(GT7, id=f"EX-{at}", iroas=(-1.0, 2.0)[at % 2], se=se, attributed=1.0) for at in range(again)]
    gain, loss = (calibrate(CELLS, [one]).of(GT7.cell).value for one in (both[1], both[0]))
    found = calibrate(CELLS, both)
    own = found.of(GT7.cell)
    assert loss < own.value < gain
    assert own.low < own.value < own.high < 2.0
    assert all(0.0 < one.value < 2.0 for one in found.factors)
    assert set(own.rests_on) == {one.id for one in both}


@pytest.mark.parametrize(
    "worse", [{"age_days": 730}, {"spend_ratio": 4.0}, {"spend_ratio": 0.25}, {"days": 5}, {"attributed_se": 0.8}]
)
def test_age_other_spend_and_few_days_make_a_test_less_sure(worse):
    plain, stale = (calibrate(CELLS, [one]).of(GT7.cell) for one in (GT7, replace(GT7, **worse)))
    assert stale.high - stale.low > 1.05 * (plain.high - plain.low)
    weak = replace(GT7, iroas=0.2, se=0.3)
    assert replace(weak, **worse).blur > weak.blur
    plain, stale = (calibrate(CELLS, [one]).of(GT7.cell) for one in (weak, replace(weak, age_days=4000)))
    assert math.log(stale.high / stale.low) > 1.02 * math.log(plain.high / plain.low)


def test_a_cell_that_spends_nothing_now_is_less_sure_than_one_that_spends_little():
    widths = []
    for ratio in (1.0, 0.1, 1 / 64, 1e-300, 0.0):
        own = calibrate(CELLS, [replace(GT7, spend_ratio=ratio)]).of(GT7.cell)
        widths.append(math.log(own.high / own.low))
    assert widths == sorted(widths)
    assert widths[2] == pytest.approx(widths[-1])
    assert widths[-1] < 2.2, "and still rests on its test"


def test_many_tests_of_a_cell_are_named_by_the_strongest():
    """Sixty of them: each moves the cell by less than is named of one, all together move everything."""
    tests = [replace(GT7, id=f"EX-{at}") for at in range(60)]
    found = calibrate(CELLS, tests)
    assert found.of(GT7.cell).source == "experiment"
    assert len(found.of(GT7.cell).rests_on) == 3
    for one in found.factors:
        if one.cell != GT7.cell:
            assert one.source == "proxy"
            assert one.rests_on


@pytest.mark.parametrize(
    "odd",
    [
        {"se": 1e300}, {"attributed_se": 1e300}, {"age_days": 10**9}, {"iroas": -1.0, "se": 1e-300},
        {"iroas": -1e6, "se": 1.0}, {"iroas": 0.0, "se": 1e-12}, {"iroas": 1e4, "se": 5e3}, {"iroas": 1e12},
        {"attributed": 1e-9, "iroas": 0.1, "se": 0.1},
    ],
)  # fmt: skip
def test_odd_tests_give_finite_factors(odd):
    found = calibrate(CELLS, [replace(GT7, **odd)])
    for one in found.factors:
        assert 0.0 <= one.low < one.value < one.high < math.inf
    assert np.isfinite(found.draws).all()


def test_the_same_test_does_not_count_twice():
    with pytest.raises(InvalidInput, match="EX-0007 is listed 2 times for Amazon search"):
        calibrate(CELLS, [GT7, GT7])
    assert calibrate(CELLS, [GT7, replace(GT7, placement="display")]), "a test of two cells has one name"


def test_draws_are_the_belief():
    found = calibrate(CELLS, [GT7], draws=40_000, seed=3)
    assert found.draws.mean(axis=0) == pytest.approx(found.belief.factor, rel=0.03)
    assert np.exp(np.log(found.draws).mean(axis=0)) == pytest.approx(found.value, rel=0.03)
    assert np.quantile(found.draws[:, 0], 0.05) == pytest.approx(found.factors[0].low, rel=0.02)
    assert np.array_equal(found.draws, calibrate(CELLS, [GT7], draws=40_000, seed=3).draws)
    # The tested cell and its neighbour go up and down together.
    assert np.corrcoef(np.log(found.draws[:, 1]), np.log(found.draws[:, 2]))[0, 1] > 0.3


def test_a_test_outside_the_cells_counts_too():
    elsewhere = replace(GT7, retailer="Kroger", iroas=0.4, se=0.04)
    found = calibrate(CELLS, [elsewhere])
    assert len(found.factors) == found.draws.shape[1] == len(CELLS)
    assert found.of(("Amazon", "search")).value < found.of(("Amazon", "display")).value < 0.6


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"se": 0.0}, "no standard error"),
        ({"se": math.nan}, "no standard error"),
        ({"iroas": math.inf}, "no standard error"),
        ({"attributed": 0.0}, "attribute nothing"),
        ({"days": 0}, "no days"),
        ({"spend_ratio": -1.0}, "less than nothing"),
    ],
)
def test_a_test_that_cannot_be_weighed_is_refused(bad, said):
    with pytest.raises(InvalidInput, match=said) as caught:
        calibrate(CELLS, [replace(GT7, **bad)])
    assert "EX-0007" in caught.value.where


def test_cells_are_named_once():
    with pytest.raises(InvalidInput, match="twice"):
        calibrate([CELLS[0], CELLS[0]], [])
