"""Of how many weeks a solved problem is, and what a week of it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from optimization.services import solve_inputs
from tenants.core.problems import InvalidInput
from tests.optimization.programme import BUDGET, solved, started


@pytest.fixture(autouse=True)
def _no_cache(fresh_cache: None) -> None:
    """Figures are kept under the version of the data, which starts anew in every test."""


def test_a_problem_of_four_weeks_is_a_quarter_of_its_money_a_week(market, alice):
    programme = started(market, alice, problem_weeks=4.0)
    assert programme.weekly_budget == Decimal("275.00")
    whole = programme.solve.problem["cells"][0]["response"]["params"]
    part = programme.problem["cells"][0]["response"]["params"]
    assert part["a"] == pytest.approx(whole["a"] / 4)
    assert part["k"] == pytest.approx(whole["k"] / 4)
    assert programme.problem["total_budget"] == BUDGET / 4


def test_how_many_weeks_a_problem_is_of_is_never_assumed(market, alice):
    with pytest.raises(InvalidInput, match="how many weeks") as caught:
        started(market, alice, problem_weeks=None)
    assert caught.value.where == "problem_weeks"
    of_four = solved(market, inputs=solve_inputs(weeks=4.0))
    assert started(market, alice, solve=of_four, problem_weeks=None).weekly_budget == Decimal("275.00")
    assert started(market, alice, solve=of_four, problem_weeks=2.0).weekly_budget == Decimal("550.00")
