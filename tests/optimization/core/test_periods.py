"""Budgets per period: unspent money rolls forward, none is spent before it is there, and the answer is proven."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from optimization.core.instance import parse_problem
from optimization.core.period_solution import PeriodSolution
from optimization.core.problem import (
    BudgetProblem,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    NodeBound,
    Periods,
)
from optimization.core.solve import solve_budget
from tests.optimization.core.casts import cell

LINES = [(300.0, 100.0, "x"), (500.0, 200.0, "x"), (200.0, 50.0, "y")]


def problem(
    budgets: list[float], season: list[float] | None = None, bounds: tuple[NodeBound, ...] = (), **more: Any
) -> BudgetProblem:
    cells = [cell(f"c{i}", a, k, path=(node,), cap=more.pop("cap", None)) for i, (a, k, node) in enumerate(LINES)]
    periods = Periods(tuple(budgets), tuple(season or [1.0] * len(budgets)))
    return BudgetProblem.of(cells, periods.total(None), node_bounds=bounds, periods=periods, **more)


def solved(asked: BudgetProblem, gap: float = 1e-9) -> PeriodSolution:
    answer = solve_budget(asked)
    assert isinstance(answer, PeriodSolution)
    assert answer.certificate is not None
    assert -1e-12 <= answer.certificate.gap <= gap
    assert answer.certificate.violation <= 1e-9
    return answer


def judge(asked: BudgetProblem) -> float:
    """The best revenue by Clarabel, written from the words of the problem."""
    assert asked.periods is not None
    budgets, season = np.array(asked.periods.budgets), asked.periods.season
    money = float(budgets.sum())
    x = cp.Variable((len(budgets), len(LINES)), nonneg=True)
    revenue = sum(
        season[t] * a * cp.log1p(x[t, i] * (money / k))
        for t in range(len(budgets))
        for i, (a, k, _) in enumerate(LINES)
    )
    share = 1.0 - asked.experiment_reserve_fraction
    rules = [cp.sum(x[: t + 1]) <= share * budgets[: t + 1].sum() / money for t in range(len(budgets))]
    for bound in asked.node_bounds:
        columns = [i for i, line in enumerate(LINES) if not bound.path or line[2] == bound.path[0]]
        part = x[:, columns] if bound.period == 0 else x[bound.period - 1, columns]
        if bound.max_spend is not None:
            rules.append(cp.sum(part) <= bound.max_spend / money)
        if bound.min_spend is not None:
            rules.append(cp.sum(part) >= bound.min_spend / money)
    programme = cp.Problem(cp.Maximize(revenue), rules)
    return float(programme.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10))


def test_even_weeks_share_evenly() -> None:
    answer = solved(problem([100.0, 100.0, 100.0]))
    assert answer.engine == "laminar"
    assert answer.by_period.sum(axis=1) == pytest.approx([100.0] * 3, rel=1e-9)
    assert answer.by_period[0] == pytest.approx(answer.by_period[2], rel=1e-9)
    assert answer.spend == pytest.approx(answer.by_period.sum(axis=0))


def test_money_rolls_forward_and_never_back() -> None:
    """Money that comes early is spread; money that comes late cannot be spent before."""
    early, late = solved(problem([300.0, 0.0, 0.0])), solved(problem([0.0, 0.0, 300.0]))
    assert early.by_period.sum(axis=1) == pytest.approx([100.0] * 3, rel=1e-9)
    assert [row["rolled_on"] for row in early.periods] == pytest.approx([200.0, 100.0, 0.0], abs=1e-6)
    assert [row["rolled_in"] for row in early.periods] == pytest.approx([0.0, 200.0, 100.0], abs=1e-6)
    assert late.by_period.sum(axis=1) == pytest.approx([0.0, 0.0, 300.0], abs=1e-9)
    assert late.objective_revenue < early.objective_revenue


def test_money_is_saved_for_the_season() -> None:
    answer = solved(problem([100.0] * 4, [1.0, 1.0, 1.0, 3.0]))
    weeks = answer.by_period.sum(axis=1)
    assert weeks[3] > 150.0
    # KKT by hand: every line that is on in two periods earns the same with its next unit in both
    slope = np.array([[s * a / (k + x) for (a, k, _), x in zip(LINES, row, strict=True)]
                      for s, row in zip((1.0, 1.0, 1.0, 3.0), answer.by_period, strict=True)])  # fmt: skip
    assert slope[answer.by_period > 1e-6] == pytest.approx(answer.periods[0]["price"], rel=1e-7)


def test_the_price_of_early_money_is_higher_where_it_is_scarce() -> None:
    answer = solved(problem([10.0, 100.0, 400.0]))
    prices = [row["price"] for row in answer.periods]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] > prices[2] * 1.01
    more = solved(problem([10.1, 100.0, 400.0]))
    assert more.objective_revenue - answer.objective_revenue == pytest.approx(0.1 * prices[0], rel=2e-2)


@pytest.mark.parametrize("seed", range(6))
def test_random_weeks_agree_with_clarabel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weeks = int(rng.integers(2, 6))
    budgets = [float(v) for v in rng.uniform(0.0, 300.0, weeks)]
    bounds = (
        NodeBound(("x",), None, float(rng.uniform(20.0, 80.0)), period=2),
        NodeBound(("y",), float(0.1 * budgets[0]), None, period=1),
    )
    asked = problem(budgets, [float(v) for v in rng.uniform(0.5, 2.0, weeks)], bounds)
    asked = replace(asked, experiment_reserve_fraction=0.05)
    answer = solved(asked)
    assert answer.engine == "laminar"
    assert answer.objective_revenue == pytest.approx(judge(asked), rel=1e-6)


@settings(max_examples=25, deadline=None)
@drawn(
    st.lists(st.floats(0.0, 1e4), min_size=1, max_size=8),
    st.integers(0, 10**6),
)
def test_nothing_is_spent_before_it_is_there(budgets: list[float], seed: int) -> None:
    season = [float(v) for v in np.random.default_rng(seed).uniform(0.0, 2.0, len(budgets))]
    answer = solved(problem(budgets, season))
    through = np.cumsum(answer.by_period.sum(axis=1))
    assert np.all(through <= np.cumsum(budgets) * (1.0 + 1e-9) + 1e-12)


def test_a_return_over_the_horizon_is_kept() -> None:
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 2.6)
    answer = solved(problem([400.0] * 3, global_constraints=[limit]))
    assert answer.objective_revenue == pytest.approx(2.6 * answer.total_spend, rel=1e-9)
    assert answer.multipliers["min_roas"] > 0.0
    assert answer.unspent is not None


def test_a_floor_before_the_money_is_there_is_named_with_its_period() -> None:
    bounds = (NodeBound(("x",), 150.0, None, period=2),)
    answer = solve_budget(problem([50.0, 50.0, 500.0], bounds=bounds))
    assert answer.conflict is not None
    told = [one.as_dict() for one in answer.conflict.members]
    assert {"path": [], "kind": "max_spend", "value": 100.0, "through_period": 2} in told
    assert {"path": ["x"], "kind": "min_spend", "value": 150.0, "period": 2} in told
    assert answer.conflict.shortfall == pytest.approx(50.0)


def test_reasons_speak_of_periods() -> None:
    answer = solved(problem([10.0, 100.0, 400.0], bounds=(NodeBound(("y",), None, 20.0, period=3),)))
    assert answer.reasons["c2"].path in {("y",), ()}
    assert answer.reasons["c0"].text.startswith("Period 3: ")
    assert "through" not in " ".join(one.text for one in answer.reasons.values())
    assert all(len(one.path) <= 2 for one in answer.node_shadow_prices)


def test_the_current_spend_of_a_period_is_compared_over_all() -> None:
    asked = problem([100.0] * 3)
    now = {"c0": 10.0, "c1": 20.0}
    answer = solve_budget(asked, current=now)
    assert answer.current == pytest.approx([30.0, 60.0, 0.0])
    assert answer.current_revenue == pytest.approx(3 * (300.0 * np.log1p(0.1) + 500.0 * np.log1p(0.1)))
    assert answer.lines[0].now == pytest.approx(30.0)
    assert answer.lines[0].proposed == pytest.approx(float(answer.spend[0]))  # type: ignore[index]
    with pytest.raises(InvalidProblem, match="'z'"):
        solve_budget(asked, current={"z": 1.0})


FILE: dict[str, Any] = {
    "schema": "rmn-budget-instance/1",
    "cells": [
        {
            "id": name,
            "path": ["onsite", "walmart", "search", "all", name],
            "response": {"family": "log", "params": {"a": 300.0, "k": 100.0}},
        }
        for name in ("a", "b")
    ],
    "periods": {"budgets": [100.0, 50.0], "season": [1.0, 2.0]},
}


def test_a_file_answers_per_cell_and_week() -> None:
    document = copy.deepcopy(FILE) | {"node_bounds": [{"path": ["onsite"], "max_spend": 90.0, "period": "each"}]}
    answer = solve_budget(parse_problem(document)).as_dict()
    assert set(answer["spend_by_period"]) == {"a", "b"}
    assert sum(map(sum, answer["spend_by_period"].values())) == pytest.approx(answer["total_spend"])
    assert [row["period"] for row in answer["periods"]] == [1, 2]
    assert answer["periods"][1]["spend"] == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"periods": {"budgets": []}}, "periods budgets", "0 periods"),
        ({"periods": {"budgets": [1.0, -1.0]}}, "periods budgets[1]", "-1"),
        ({"periods": {"budgets": [1.0, float("nan")]}}, "periods budgets[1]", "nan"),
        ({"periods": {"budgets": [1.0], "season": [1.0, 1.0]}}, "periods season", "2 seasonal indices for 1"),
        ({"periods": {"budgets": [1.0], "season": [float("inf")]}}, "periods season[0]", "inf"),
        ({"periods": {"budget": [1.0]}}, "periods", "'budget' is not known"),
        ({"total_budget": 10.0}, "total_budget", "add up to 150, but total_budget is 10"),
        ({"node_bounds": [{"path": ["onsite"], "max_spend": 1.0, "period": 3}]}, "node_bounds[0] period", "is 3"),
        ({"node_bounds": [{"path": ["onsite"], "max_spend": 1.0, "period": 1}], "periods": None, "total_budget": 1.0},
         "node_bounds[0] period", "no periods"),
    ],
)  # fmt: skip
def test_bad_periods_are_refused_with_place_and_fix(changes: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InvalidProblem) as refusal:
        parse_problem(copy.deepcopy(FILE) | changes)
    told = refusal.value.as_dict()
    assert where in told["where"]
    assert said in told["detail"]
    assert told["fix"]
