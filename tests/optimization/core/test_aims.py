"""Profit, incremental revenue and targets of return: optimal, proven, and told apart from attributed revenue."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from optimization.core.convex import solve_conic
from optimization.core.domains import bounded_cells
from optimization.core.instance import parse_problem
from optimization.core.instance_writer import problem_sha256, write_problem
from optimization.core.limits import GlobalSet
from optimization.core.problem import (
    Aim,
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    NodeBound,
)
from optimization.core.reasons import ReasonKind
from optimization.core.responses import Family
from optimization.core.solve import Solution, solve_budget
from optimization.core.tree import Tree
from tests.optimization.core.casts import cell, random_problem


def proven(solution: Solution, gap: float = 1e-9) -> Solution:
    """The solution, after checking its certificate."""
    assert solution.certificate is not None
    assert -1e-12 <= solution.certificate.gap <= gap
    assert solution.certificate.violation <= 1e-9
    return solution


def worth(problem: BudgetProblem, spend: np.ndarray) -> float:
    """The objective, from the words of the problem."""
    revenue, total = 0.0, 0.0
    for one, x, r in zip(problem.cells, spend, problem.responses.value(spend), strict=True):
        factor = {Aim.REVENUE: 1.0, Aim.INCREMENTAL: one.incrementality, Aim.PROFIT: one.margin}[problem.aim]
        assert factor is not None
        revenue += factor * r - (x if problem.aim is Aim.PROFIT else 0.0)
        total += x
    return revenue - problem.hurdle * total


def conic(problem: BudgetProblem) -> float:
    """The best objective that Clarabel finds."""
    answer = solve_conic(problem, Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem))
    assert answer.status == "optimal"
    return worth(problem, answer.spend)


def with_factors(problem: BudgetProblem, aim: Aim, **more: Any) -> BudgetProblem:
    rng = np.random.default_rng(len(problem.cells))
    cells = [
        replace(one, margin=float(rng.uniform(0.1, 0.6)), incrementality=float(rng.uniform(0.2, 1.1)))
        for one in problem.cells
    ]
    terms = {"node_bounds": problem.node_bounds, "global_constraints": problem.global_constraints, "aim": aim} | more
    budget = terms.pop("total_budget", problem.total_budget)
    return BudgetProblem.of(cells, budget, **terms)


@pytest.mark.parametrize("aim", [Aim.INCREMENTAL, Aim.PROFIT])
@pytest.mark.parametrize("seed", range(8))
def test_random_trees_agree_with_clarabel(seed: int, aim: Aim) -> None:
    problem = with_factors(random_problem(seed), aim)
    solved = proven(solve_budget(problem))
    assert solved.certificate is not None
    assert solved.spend is not None
    assert solved.certificate.objective == pytest.approx(worth(problem, solved.spend), rel=1e-12)
    assert solved.certificate.objective == pytest.approx(conic(problem), rel=1e-6)


def test_profit_leaves_money_unspent_and_says_why() -> None:
    """By hand: margin 0.5, R' = 300 / (100 + x) = 2 where the next unit earns what it costs: x = 50."""
    problem = BudgetProblem.of([cell("a", 300.0, 100.0, margin=0.5)], 1000.0, aim=Aim.PROFIT)
    solved = proven(solve_budget(problem))
    assert solved.spend == pytest.approx([50.0], rel=1e-9)
    assert solved.unspent is not None
    assert solved.unspent[0] == pytest.approx(950.0)
    assert "earn back" in solved.unspent[1]
    assert solved.reasons["a"].kind is ReasonKind.NOT_WORTH_MORE
    assert "margin of 50.0%" in solved.reasons["a"].text
    answer = solved.as_dict()
    assert answer["objective_kind"] == "profit"
    assert answer["objective_revenue"] == pytest.approx(300.0 * np.log(1.5))
    assert answer["objective"] == pytest.approx(150.0 * np.log(1.5) - 50.0)


def test_incremental_revenue_moves_money_to_what_would_not_have_sold_anyway() -> None:
    twins = [cell("a", 300.0, 100.0, incrementality=0.2), cell("b", 300.0, 100.0, incrementality=0.8)]
    solved = proven(solve_budget(BudgetProblem.of(twins, 300.0, aim=Aim.INCREMENTAL)))
    # 60 / (100 + x) = 240 / (100 + 300 - x), so x = 0: a gets nothing before b has 300.
    assert solved.spend == pytest.approx([0.0, 300.0], abs=1e-9)
    assert solved.earned == pytest.approx(240.0 * np.log(4.0))
    assert solved.objective_revenue == pytest.approx(300.0 * np.log(4.0))


def test_s_curves_and_commitments_are_enumerated_alike() -> None:
    cells = [
        Cell(f"h{i}", ("s", f"h{i}"), Curve(Family.HILL, 900.0 + 70.0 * i, 100.0, 2.0), max_spend=300.0, margin=0.5)
        for i in range(3)
    ]
    cells.append(cell("m", 400.0, 80.0, path=("s",), cap=300.0, margin=0.4, min_spend_if_active=60.0))
    problem = BudgetProblem.of(cells, 420.0, aim=Aim.PROFIT)
    solved = proven(solve_budget(problem), gap=1e-3)
    grid = np.linspace(0.0, 300.0, 151)
    values = [
        np.where(
            (grid == 0.0) | (grid >= one.min_spend_if_active),
            (one.margin or 0.0) * BudgetProblem.of([one], 1.0).responses.take(np.zeros(151, dtype=np.intp)).value(grid)
            - grid,
            -np.inf,
        )
        for one in cells
    ]
    best = np.full(211, 0.0)
    for value in values:
        best = np.array([max(value[j] + best[i - j] for j in range(min(i, 150) + 1)) for i in range(211)])
    assert solved.certificate is not None
    assert solved.certificate.objective >= best[-1] * (1.0 - 1e-9)
    assert best[-1] >= solved.certificate.objective * (1.0 - 5e-3)


def test_a_target_of_marginal_return_stops_at_it_in_every_line() -> None:
    problem = replace(random_problem(3), node_bounds=())
    target = 1.7
    solved = proven(solve_budget(BudgetProblem.of(problem.cells, None, hurdle=target)))
    assert solved.spend is not None
    marginal = problem.responses.marginal(solved.spend)
    inner = (solved.spend > problem.lower) & (solved.spend < problem.upper)
    assert inner.sum() > 5
    assert marginal[inner] == pytest.approx(target, rel=1e-6)
    assert np.all(marginal[(solved.spend <= problem.lower) & (problem.upper > 0.0)] <= target * (1.0 + 1e-9))
    assert np.all(marginal[(solved.spend >= problem.upper) & (problem.upper > 0.0)] >= target * (1.0 - 1e-9))
    assert solved.unspent is None  # there was no budget


@pytest.mark.parametrize("seed", range(4))
def test_a_target_of_marginal_return_under_a_budget_agrees_with_clarabel(seed: int) -> None:
    base = random_problem(seed)
    problem = BudgetProblem.of(base.cells, base.total_budget, node_bounds=base.node_bounds, hurdle=1.2)
    solved = proven(solve_budget(problem))
    assert solved.certificate is not None
    assert solved.certificate.objective == pytest.approx(conic(problem), rel=1e-6)


def test_a_target_of_return_spends_until_the_whole_just_reaches_it() -> None:
    cells = [cell("a", 300.0, 100.0), cell("b", 500.0, 200.0)]
    target = 1.5
    limit = GlobalConstraint(GlobalKind.MIN_ROI, target)
    solved = proven(solve_budget(BudgetProblem.of(cells, None, global_constraints=[limit])))
    assert solved.objective_revenue == pytest.approx(target * solved.total_spend, rel=1e-9)

    def short(x: np.ndarray) -> float:
        return -float(300.0 * np.log1p(x[0] / 100.0) + 500.0 * np.log1p(x[1] / 200.0))

    free = {"type": "ineq", "fun": lambda x: -short(x) - target * float(x.sum())}
    judge = minimize(short, [10.0, 10.0], constraints=[free], bounds=[(0.0, None)] * 2, options={"ftol": 1e-14})
    assert judge.success
    assert solved.objective_revenue == pytest.approx(-judge.fun, rel=1e-6)


@pytest.mark.parametrize("aim", list(Aim))
def test_an_absent_budget_is_one_that_never_binds(aim: Aim) -> None:
    base = random_problem(5)
    limit = GlobalConstraint(GlobalKind.MIN_ROI, 0.4 if aim is Aim.PROFIT else 1.6)
    free = replace(base, node_bounds=(), cells=tuple(replace(one, max_spend=None) for one in base.cells))
    solved = proven(solve_budget(with_factors(free, aim, total_budget=None, global_constraints=[limit])))
    wide = solve_budget(with_factors(free, aim, total_budget=100.0 * solved.total_spend, global_constraints=[limit]))
    assert solved.total_spend < solved.problem.total_budget * 0.999
    assert solved.earned == pytest.approx(wide.earned, rel=1e-9)


def test_min_iroas_counts_incremental_revenue_and_min_roas_attributed() -> None:
    cells = [cell("a", 300.0, 100.0, incrementality=0.5), cell("b", 300.0, 100.0, incrementality=0.5)]
    for kind, factor in ((GlobalKind.MIN_ROAS, 1.0), (GlobalKind.MIN_IROAS, 0.5)):
        limit = GlobalConstraint(kind, 1.0)
        solved = proven(solve_budget(BudgetProblem.of(cells, 5000.0, global_constraints=[limit])))
        assert factor * solved.objective_revenue == pytest.approx(solved.total_spend, rel=1e-9)
        assert kind.value in solved.multipliers
        assert solved.reasons["a"].kind == kind.value


@pytest.mark.parametrize("aim", [Aim.REVENUE, Aim.INCREMENTAL])
def test_min_iroas_may_count_a_lower_factor_than_the_aim(aim: Aim) -> None:
    """One line is sure and one is not: the limit holds by what both are at least, the aim by what is expected."""
    limit = GlobalConstraint(GlobalKind.MIN_IROAS, 1.0)
    cells = [
        cell("a", 300.0, 100.0, incrementality=0.6, incrementality_low=0.58),
        cell("b", 300.0, 100.0, incrementality=0.6, incrementality_low=0.3),
    ]
    problem = BudgetProblem.of(cells, 5000.0, global_constraints=[limit], aim=aim)
    solved, plain = proven(solve_budget(problem)), proven(solve_budget(replace(problem, cells=tuple(
        replace(one, incrementality_low=None) for one in cells
    ))))  # fmt: skip
    sold = {line.cell: line.revenue_proposed for line in solved.lines}
    assert 0.58 * sold["a"] + 0.3 * sold["b"] == pytest.approx(solved.total_spend, rel=1e-6)
    assert solved.total_spend < plain.total_spend
    earned = sum(sold.values()) * (0.6 if aim is Aim.INCREMENTAL else 1.0)
    assert solved.earned == pytest.approx(earned, rel=1e-6)


def test_a_target_out_of_reach_is_named_with_the_best_there_is() -> None:
    cells = [cell("a", 600.0, 100.0, margin=0.4)]
    limit = GlobalConstraint(GlobalKind.MIN_ROI, 1.2)
    problem = BudgetProblem.of(
        cells, 500.0, aim=Aim.PROFIT, global_constraints=[limit], node_bounds=[NodeBound(("a",), 50.0)]
    )
    solved = solve_budget(problem)
    assert solved.conflict is not None
    assert {(one.kind, one.path) for one in solved.conflict.members} == {("min_roi", ()), ("min_spend", ("a",))}
    # a profit of 0.4 * 600 ln(1.5) - 50 on 50
    assert solved.conflict.best_attainable == pytest.approx((240.0 * np.log(1.5) - 50.0) / 50.0, rel=1e-6)


def test_money_times_a_thousand_scales_the_answer() -> None:
    small = with_factors(random_problem(2), Aim.PROFIT)
    large = BudgetProblem.of(
        [
            replace(
                one,
                curve=replace(one.curve, a=1e3 * one.curve.a, k=1e3 * one.curve.k),
                min_spend=1e3 * one.min_spend,
                max_spend=None if one.max_spend is None else 1e3 * one.max_spend,
            )
            for one in small.cells
        ],
        1e3 * small.total_budget,
        node_bounds=[
            NodeBound(b.path, b.min_spend and 1e3 * b.min_spend, b.max_spend and 1e3 * b.max_spend)
            for b in small.node_bounds
        ],
        aim=Aim.PROFIT,
    )
    assert solve_budget(large).earned == pytest.approx(1e3 * solve_budget(small).earned, rel=1e-9)


FILE: dict[str, Any] = {
    "schema": "rmn-budget-instance/1",
    "total_budget": 200.0,
    "cells": [
        {
            "id": name,
            "path": ["onsite", "walmart", "search", "all", name],
            "response": {"family": "log", "params": {"a": 300.0, "k": 100.0}},
            "margin": 0.5,
            "incrementality": 0.7,
        }
        for name in ("a", "b")
    ],
}


def given(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(FILE) | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": {"kind": "profit"}},
        {"objective": {"kind": "incremental"}},
        {"mode": {"kind": "target_roi", "target": 2.0}, "total_budget": None},
        {"mode": {"kind": "target_marginal_roi", "target": 2.0}},
        {"mode": {"kind": "incremental_only"}, "current": {"a": 20.0}},
        {"fixed": [{"path": ["onsite", "walmart", "search", "all", "a"], "spend": 30.0}]},
        {"constraints": [{"kind": "max_share", "scope": ["onsite"], "within": [], "value": 1.0}]},
        {"constraints": [{"kind": "min_part", "level": "sku", "value": 0.5}]},
        {"constraints": [{"kind": "linear", "terms": [{"scope": ["onsite"], "coef": 2.0}], "value": 300.0}]},
        {"periods": {"budgets": [100.0, 100.0], "season": [1.0, 2.0]}},
    ],
)
def test_what_is_written_reads_as_the_same_problem(changes: dict[str, Any]) -> None:
    problem = parse_problem(given(**changes))
    again = parse_problem(json.loads(json.dumps(write_problem(problem))))
    assert problem_sha256(again) == problem_sha256(problem)
    assert problem_sha256(problem) != problem_sha256(parse_problem(FILE))
    assert replace(again, name="") == replace(problem, name="")


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"mode": {"kind": "guess"}}, "mode kind", "'guess' is not known"),
        ({"mode": {"kind": "target_roi"}}, "mode target", "has no target"),
        ({"mode": {"kind": "target_roi", "target": 0.0}}, "mode target", "target is 0"),
        ({"mode": {"kind": "target_roi", "target": float("inf")}}, "global_constraints[0]", "inf"),
        ({"mode": {"kind": "target_marginal_roi", "target": float("nan")}}, "mode target", "nan"),
        ({"mode": {"kind": "fixed_budget", "target": 1.0}}, "mode target", "takes no target"),
        ({"mode": {"kind": "incremental_only"}}, "current", "current spend is not told"),
        ({"mode": {"kind": "incremental_only"}, "total_budget": None}, "total_budget", "extra money"),
        ({"mode": {"kind": "incremental_only"}, "current": {"a": 1.0}, "total_budget": -5.0},
         "total_budget", "extra money is -5"),
        ({"mode": {"kind": "incremental_only"}, "current": {"a": 1.0}, "experiment_reserve_fraction": 1.5},
         "experiment_reserve_fraction", "reserve is 1.5"),
        ({"mode": {"kind": "incremental_only"}, "current": {"a": -1.0}}, "current['a']", "'a' is -1"),
        ({"mode": {"kind": "incremental_only"}, "current": {"a": float("nan")}}, "current['a']", "'a' is nan"),
        ({"mode": {"kind": "incremental_only"}, "current": {"z": 1.0}}, "current['z']", "'z', which is not"),
        ({"mode": 3}, "mode", "object is expected"),
        ({"total_budget": None}, "total_budget", "nothing else ends the spending"),
        ({"total_budget": None, "objective": {"kind": "profit"}, "experiment_reserve_fraction": 0.1},
         "experiment_reserve_fraction", "no budget"),
        ({"objective": {"kind": "glory"}}, "objective", "'glory' is not known"),
        ({"fixed": [{"path": ["offsite"], "spend": 1.0}]}, "offsite", "No cell lies under offsite"),
        ({"fixed": [{"path": ["onsite"]}]}, "fixed[0] onsite", "not told"),
        ({"fixed": [{"path": ["onsite"], "spend": -1.0}]}, "onsite", "-1"),
        ({"fixed": [{"path": ["onsite"], "spend": 1.0}], "node_bounds": [{"path": ["onsite"], "max_spend": 3.0}]},
         "fixed[0] onsite", "has another bound"),
        ({"cells": [FILE["cells"][0] | {"margin": 1.5}]}, "cells[0] 'a'", "margin is 1.5"),
        ({"cells": [FILE["cells"][0] | {"margin": None}], "objective": {"kind": "profit"}}, "cells", "no margin"),
        ({"cells": [FILE["cells"][0] | {"incrementality": -0.1}]}, "cells[0] 'a'", "incrementality is -0.1"),
    ],
)  # fmt: skip
def test_bad_terms_are_refused_with_place_and_fix(changes: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InvalidProblem) as refusal:
        parse_problem(given(**changes))
    told = refusal.value.as_dict()
    assert where in told["where"]
    assert said in told["detail"]
    assert told["fix"]


def test_only_the_extra_money_is_allocated_and_nobody_loses() -> None:
    base = random_problem(7)
    cells = [replace(one, min_spend=0.0) for one in base.cells]
    rng = np.random.default_rng(7)
    now = {one.id: float(0.3 * (one.max_spend or 0.0) * rng.random()) for one in cells}
    document = write_problem(BudgetProblem.of([_five(one) for one in cells], 700.0))
    problem = parse_problem(document | {"mode": {"kind": "incremental_only"}, "current": now})
    solved = proven(solve_budget(problem, current=now))
    assert solved.spend is not None
    stays = np.array([not one.out_of_stock for one in cells])
    before = np.array([now[one.id] for one in cells])
    assert (~stays).any()
    assert np.all(solved.spend[stays] >= before[stays] * (1.0 - 1e-12))
    assert solved.total_spend - before[stays].sum() == pytest.approx(700.0, rel=1e-9)
    # the increment goes where it earns most: no line that got some returns less than one that got none
    marginal, gained = problem.responses.marginal(solved.spend), solved.spend > before * (1.0 + 1e-9)
    room = stays & (solved.spend < problem.upper * (1.0 - 1e-9))
    assert marginal[gained].min() >= marginal[room].max() * (1.0 - 1e-6)


def _five(one: Cell) -> Cell:
    """With all five levels, as files have them."""
    return replace(one, path=(*one.path[:-1], "all", one.path[-1]))


def test_the_reserve_is_a_share_of_the_extra_money() -> None:
    document = given(mode={"kind": "incremental_only"}, current={"a": 50.0}, experiment_reserve_fraction=0.1)
    assert solve_budget(parse_problem(document)).total_spend == pytest.approx(50.0 + 0.9 * 200.0, rel=1e-12)


def test_a_line_above_its_cap_cannot_keep_its_money() -> None:
    document = given(mode={"kind": "incremental_only"}, current={"a": 50.0})
    document["cells"][0]["max_spend"] = 40.0
    with pytest.raises(InvalidProblem, match="spends 50 now, but at most 40"):
        parse_problem(document)


def test_a_node_is_held_at_what_it_spends_now() -> None:
    path = ["onsite", "walmart", "search", "all", "a"]
    solved = proven(solve_budget(parse_problem(given(fixed=[{"path": path}], current={"a": 33.0, "b": 1.0}))))
    assert solved.spend == pytest.approx([33.0, 167.0], rel=1e-12)


def test_what_a_line_without_stock_spends_now_is_not_held() -> None:
    document = given(fixed=[{"path": ["onsite"]}], current={"a": 60.0, "b": 40.0})
    document["cells"][1]["out_of_stock"] = True
    solved = proven(solve_budget(parse_problem(document)))
    assert solved.spend == pytest.approx([60.0, 0.0], rel=1e-12)


@pytest.mark.parametrize(("own", "kept"), [(1.5, 2.0), (2.5, 2.5)])
def test_of_a_target_and_a_least_return_the_stricter_counts(own: float, kept: float) -> None:
    limits = [{"kind": "min_roi", "value": own}, {"kind": "min_roi", "value": 1.2, "scope": ["onsite"]}]
    problem = parse_problem(given(mode={"kind": "target_roi", "target": 2.0}, global_constraints=limits))
    assert [(one.value, one.scope) for one in problem.global_constraints] == [(kept, ()), (1.2, ("onsite",))]
    assert problem_sha256(problem) == problem_sha256(parse_problem(write_problem(problem)))
