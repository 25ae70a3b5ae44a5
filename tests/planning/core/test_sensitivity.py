"""What a little more of a constraint earns, and what other allocations would have earned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimization.core.problem import Aim, BudgetProblem, Cell, Curve, Periods, TailObjective
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from planning.core import sensitivity
from planning.core.prices import Price
from planning.core.sensitivity import alternatives, quick_solves, sensitivities
from tenants.core.problems import Problem

BUDGET = Price(key="budget", field="budget", path=(), name="Total budget", words="Total budget", asked=200.0, price=1.0,
               lines=2)  # fmt: skip
NOW = {"a": 120.0, "b": 30.0}


def asked(aim: Aim = Aim.REVENUE) -> BudgetProblem:
    """A line that sells much and earns little, beside one that sells less and earns more."""
    cells = [
        Cell(id=name, path=("search", name, "top", "all", "SALT"), curve=Curve(Family.LOG, a, 50.0), margin=margin,
             incrementality=margin)
        for name, a, margin in (("a", 900.0, 0.1), ("b", 400.0, 0.9))
    ]  # fmt: skip
    return BudgetProblem.of(cells, 200.0, aim=aim)


def test_a_loosened_problem_without_an_answer_leaves_the_price(monkeypatch):
    problem = asked()
    solved = solve_budget(problem)

    def fails(_):
        raise Problem("No engine answers this.")

    monkeypatch.setattr(sensitivity, "solve_budget", fails)
    (told,) = sensitivities(problem, [BUDGET], spend=solved.spend, objective=solved.certificate.objective)
    assert told.gain is None
    assert told.first_order == pytest.approx(2.0)


@pytest.mark.parametrize("aim", list(Aim))
def test_others_are_judged_by_what_is_maximised(aim):
    problem = asked(aim)
    solved = solve_budget(problem)
    found = alternatives(problem, now=NOW, spend=solved.spend)
    earned = solved.certificate.objective
    assert len(found) == 4
    for one in found:
        assert one.worth + one.below == pytest.approx(earned)
        assert one.below > 0.0
    assert [one.worth for one in found] == sorted((one.worth for one in found), reverse=True)
    # Today's mix sells more than the answer where something else is maximised.
    scaled = next(one for one in found if one.name == "Current mix, scaled")
    sold = float(problem.responses.value(np.asarray(solved.spend)).sum())
    assert (scaled.sales < sold) == (aim is Aim.REVENUE)


def test_others_are_judged_by_the_worst_cases_where_these_count():
    rows = np.array([[1.0, 1.0], [0.4, 1.0], [1.6, 1.0], [1.0, 1.0]])
    problem = replace(asked(), tail=TailObjective(0.25, rows))
    solved = solve_budget(problem)
    found = alternatives(problem, now=NOW, spend=solved.spend)
    even = next(one for one in found if one.name == "Equal split")
    sold = problem.responses.value(np.array([100.0, 100.0]))
    assert even.worth == pytest.approx(0.4 * sold[0] + sold[1])
    assert even.worth + even.below == pytest.approx(solved.certificate.objective)
    assert all(one.below > -1e-6 for one in found)


def test_a_page_waits_for_no_more_than_a_few_general_solves():
    problem = asked()
    tail = replace(problem, tail=TailObjective(0.5, np.ones((2, 2))))
    many = replace(tail, cells=problem.cells * 100)
    by_week = replace(many, periods=Periods((50.0,) * 13, (1.0,) * 13))
    assert [quick_solves(one) for one in (problem, tail, many, by_week)] == [12, 12, 3, 0]
    assert quick_solves(replace(problem, cells=problem.cells * 100)) == 12
