"""The next test by what its answer is worth, and the attributed return that a factor is over."""

from __future__ import annotations

import numpy as np
import pytest

from measurement.core.calibration import CellTest, calibrate
from measurement.core.increments import attributed_of_all, attributed_of_extra
from measurement.core.next_test import Candidate, next_tests, suggested
from measurement.core.reallocation import Lines
from optimization.core.cells import CellKey
from optimization.core.problem import BudgetProblem, Cell, Curve
from optimization.core.responses import Family, Responses
from optimization.core.solve import solve_budget
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import InvalidInput

CELLS = (("Amazon", "search"), ("Amazon", "display"), ("Walmart", "search"), ("Walmart", "display"))
SPEND = np.array([1000.0, 1000.0, 1000.0, 50.0])


def lines(spend=SPEND):
    families = [Family.LOG, Family.MICHAELIS_MENTEN, Family.LOG, Family.EXP_SATURATION]
    return Lines(
        Responses.of([int(one) for one in families], 4.0 * spend, spend, np.ones(4)),
        np.arange(4), np.zeros(4), np.full(4, np.inf),
    )  # fmt: skip


def candidates(cost=100.0, log_se=0.3):
    return [Candidate(retailer=one[0], placement=one[1], cost=cost, log_se=log_se) for one in CELLS]


def by_cell(found):
    return {one.candidate.cell: one for one in found}


def test_the_budget_goes_where_the_optimiser_puts_it():
    factor = np.array([[0.4, 0.9, 0.6, 1.2]])
    mine = lines().allocate(factor, 2000.0)[0]
    held = lines().responses
    problem = BudgetProblem.of(
        [
            Cell("|".join(cell), ("rmn", *cell), Curve(Family(int(held.family[at])), a * factor[0, at], a / 4.0))
            for at, (cell, a) in enumerate(zip(CELLS, held.amplitude, strict=True))
        ],
        2000.0,
    )
    assert mine.sum() == pytest.approx(2000.0)
    assert mine == pytest.approx(np.array(solve_budget(problem).spend), abs=0.01)


def test_ends_of_lines_are_kept():
    held = lines()
    held = Lines(held.responses, held.cell, 0.5 * SPEND, 1.5 * SPEND)
    spend = held.allocate(np.array([[0.1, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]), float(SPEND.sum()))
    assert spend.sum(axis=1) == pytest.approx(SPEND.sum())
    assert ((spend >= 0.5 * SPEND - 1e-9) & (spend <= 1.5 * SPEND + 1e-9)).all()
    assert spend[0, 0] == pytest.approx(500.0)


def test_a_small_cell_is_not_worth_a_test_nor_is_a_known_one():
    unread = calibrate(CELLS, [])
    first = by_cell(next_tests(unread, lines(), float(SPEND.sum()), candidates(), reserve=1000.0))
    assert first["Walmart", "display"].value < 0.3 * first["Walmart", "search"].value
    known = [CellTest(id="EX-1", retailer="Walmart", placement="search", iroas=2.4, se=0.05, attributed=4.0)]
    later = by_cell(next_tests(calibrate(CELLS, known), lines(), float(SPEND.sum()), candidates(), reserve=1000.0))
    assert later["Walmart", "search"].value < 0.2 * later["Amazon", "search"].value


def test_what_is_worth_most_per_cost_and_fits_the_reserve_is_suggested():
    unread = calibrate(CELLS, [])
    given = candidates()
    given[0] = Candidate(retailer="Amazon", placement="search", cost=5000.0, log_se=0.3)
    given[1] = Candidate(retailer="Amazon", placement="display", cost=400.0, log_se=0.3)
    ranked = next_tests(unread, lines(), float(SPEND.sum()), given, reserve=1000.0)
    assert suggested(ranked).candidate.cell == ("Walmart", "search")
    assert (ranked[-1].candidate.cell, ranked[-1].affordable) == (("Amazon", "search"), False)
    assert suggested(next_tests(unread, lines(), float(SPEND.sum()), given, reserve=0.0)) is None


def test_a_test_that_tells_nothing_is_worth_nothing_and_none_is_worth_less():
    unread = calibrate(CELLS, [])
    sure = by_cell(next_tests(unread, lines(), float(SPEND.sum()), candidates(log_se=0.1), reserve=1000.0))
    vague = by_cell(next_tests(unread, lines(), float(SPEND.sum()), candidates(log_se=3.0), reserve=1000.0))
    for cell in CELLS:
        assert 0.0 <= vague[cell].value < 0.2 * sure[cell].value


def test_a_candidate_has_a_cell_a_cost_and_an_error():
    unread = calibrate(CELLS, [])
    for bad in (
        Candidate(retailer="Target", placement="search", cost=1.0, log_se=0.3),
        Candidate(retailer="Amazon", placement="search", cost=0.0, log_se=0.3),
        Candidate(retailer="Amazon", placement="search", cost=1.0, log_se=0.0),
    ):
        with pytest.raises(InvalidInput):
            next_tests(unread, lines(), 100.0, [bad], reserve=10.0)


def curve(sku, a=900.0, k=150.0, blur=0.0):
    return StoredCurve(key=CellKey("Amazon", "search", sku), family=Family.LOG, a=a, k=k, log_scale_sd=blur,
                       reference_spend=300.0)  # fmt: skip


def test_a_heavy_up_is_held_against_the_increment_of_the_curve():
    """One line at 450 a week of which 150 were added: by hand, and well below its average return."""
    sold = 900.0 * np.log1p(3.0)
    season = 1.3
    found = attributed_of_extra(4 * season * sold, 4 * 450.0, 4 * 150.0, [curve("A")], np.array([450.0]))
    by_hand = season * 900.0 * (np.log1p(3.0) - np.log1p(2.0)) / 150.0
    assert found.roas == pytest.approx(by_hand)
    assert found.roas < 0.7 * attributed_of_all(4 * season * sold, 4 * 450.0).roas
    assert found.se == 0.0


def test_an_unsure_bend_makes_the_increment_unsure():
    sharp, blurred = (
        attributed_of_extra(5000.0, 1800.0, 600.0, [curve("A", blur=blur), curve("B", 500.0, 200.0, blur)],
                            np.array([300.0, 150.0]))
        for blur in (0.1, 0.4)
    )  # fmt: skip
    assert 0.0 < sharp.se < blurred.se < 0.5 * blurred.roas


def test_a_change_without_spend_or_sales_is_refused():
    with pytest.raises(InvalidInput, match="Nothing was spent"):
        attributed_of_all(10.0, 0.0)
    for extra in (0.0, 1800.0, -5.0):
        with pytest.raises(InvalidInput, match="no spend to compare"):
            attributed_of_extra(5000.0, 1800.0, extra, [curve("A")], np.array([450.0]))
    with pytest.raises(InvalidInput, match="sell nothing"):
        attributed_of_extra(5000.0, 1800.0, 600.0, [curve("A", a=0.0)], np.array([450.0]))
