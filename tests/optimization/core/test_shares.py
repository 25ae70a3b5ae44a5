"""Shares, ratios, fair parts and linear limits: kept, optimal by another solver's judgement, and named in conflicts."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from optimization.core.branching import SolverFailed
from optimization.core.conflicts import Member, without
from optimization.core.instance import parse_problem
from optimization.core.linear import at_most, fair_parts, ratio_of, share_of
from optimization.core.problem import (
    Aim,
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    LinearConstraint,
    NodeBound,
    Periods,
    TailObjective,
)
from optimization.core.reasons import ReasonKind
from optimization.core.responses import Family
from optimization.core.solve import Solution, solve_budget
from tests.optimization.core.casts import cell, random_problem

MIX = [
    cell("a", 300.0, 100.0, path=("walmart", "search")),
    cell("b", 200.0, 150.0, path=("walmart", "display")),
    cell("c", 400.0, 120.0, path=("kroger", "search")),
    cell("d", 100.0, 80.0, path=("kroger", "display")),
]


def mix(*linear: LinearConstraint, budget: float = 400.0, **more: Any) -> BudgetProblem:
    return BudgetProblem.of(MIX, budget, linear=linear, **more)


def proven(solution: Solution, gap: float = 1e-6) -> Solution:
    assert solution.certificate is not None
    assert -1e-12 <= solution.certificate.gap <= gap
    assert solution.certificate.violation <= 1e-9
    assert solution.engine.startswith("cvxpy+clarabel")
    return solution


def under(problem: BudgetProblem, scope: tuple[str, ...]) -> np.ndarray:
    return np.array([float(one.path[: len(scope)] == scope) for one in problem.cells])


def rows_of(problem: BudgetProblem) -> tuple[np.ndarray, np.ndarray]:
    """All linear constraints of a problem as A x <= b, from their words."""
    rows, right = [under(problem, ())], [problem.available]
    for bound in problem.node_bounds:
        if bound.max_spend is not None:
            rows.append(under(problem, bound.path))
            right.append(bound.max_spend)
        if bound.min_spend is not None:
            rows.append(-under(problem, bound.path))
            right.append(-bound.min_spend)
    for one in problem.linear:
        rows.append(sum((t.coef * (one.value if t.times_value else 1.0) * under(problem, t.scope) for t in one.terms),
                        np.zeros(len(problem.cells))))  # fmt: skip
        right.append({None: one.value}.get(one.rhs, one.rhs))  # type: ignore[arg-type]
    return np.array(rows), np.array(right)


def slsqp(problem: BudgetProblem) -> float:
    """The best revenue another solver finds."""
    rows, right = rows_of(problem)
    money = problem.available
    rules = [{"type": "ineq", "fun": lambda y: right / money - rows @ y}]
    caps = np.minimum(problem.upper, money) / money
    best = -np.inf
    for start in (np.full(len(problem.cells), 0.5 / len(problem.cells)), np.full(len(problem.cells), 0.01)):
        found = minimize(
            lambda y: -float(problem.responses.value(np.maximum(y, 0.0) * money).sum()) / money,
            start,
            bounds=list(zip(problem.lower / money, caps, strict=True)),
            constraints=rules,
            options={"ftol": 1e-14, "maxiter": 2000},
        )
        if np.all(rows @ found.x <= right / money + 1e-8):
            best = max(best, -found.fun * money)
    return best


def can_be_met(problem: BudgetProblem) -> bool:
    rows, right = rows_of(problem)
    money = problem.total_budget
    bounds = [(low / money, None if np.isinf(high) else high / money) for low, high in
              zip(problem.lower, problem.upper, strict=True)]  # fmt: skip
    found = linprog(np.zeros(len(problem.cells)), A_ub=rows, b_ub=right / money, bounds=bounds, method="highs")
    return found.status == 0


@pytest.mark.parametrize(
    "linear",
    [
        [share_of(("walmart", "search"), ("walmart",), 0.3)],
        [share_of(("kroger",), (), 0.7, least=True)],
        [ratio_of(("walmart", "display"), ("kroger", "display"), 1.5)],
        [ratio_of(("kroger", "display"), ("kroger", "search"), 0.6, least=True)],
        [at_most([(("walmart",), 2.0), (("kroger",), 1.0)], 450.0, name="weighted")],
        fair_parts(MIX, 3, (), 0.6),
        fair_parts(MIX, 1, (), 0.9, {"a": 300.0, "c": 100.0}),
        [share_of(("walmart", "search"), ("walmart",), 0.3), ratio_of(("walmart",), ("kroger",), 1.0, least=True)],
    ],
)
def test_each_kind_is_kept_and_optimal(linear: list[LinearConstraint]) -> None:
    problem = mix(*linear)
    solved = proven(solve_budget(problem))
    assert solved.spend is not None
    rows, right = rows_of(problem)
    assert np.all(rows @ solved.spend <= right + 1e-9 * 400.0)
    assert solved.objective_revenue == pytest.approx(slsqp(problem), rel=1e-6)
    assert solved.objective_revenue < solve_budget(mix()).objective_revenue * (1.0 - 1e-6)  # it binds


@pytest.mark.parametrize("seed", range(10))
def test_random_mixes_on_random_trees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = random_problem(seed, n=14)
    free = solve_budget(base)
    assert free.spend is not None
    linear = []
    for channel in ("ch0", "ch1"):
        part = float(under(base, (channel,)) @ free.spend) / free.total_spend
        if 0.05 < part < 0.95:
            linear.append(share_of((channel,), (), part * float(rng.uniform(0.85, 0.98))))
            break
    linear.append(ratio_of(("ch0", "r0"), ("ch1",), float(rng.uniform(0.3, 2.0))))
    problem = replace(base, linear=tuple(one for one in linear if any(under(base, one.scope))))
    solved = solve_budget(problem)
    if not solved.feasible:
        assert not can_be_met(problem)
        return
    proven(solved)
    assert solved.objective_revenue == pytest.approx(slsqp(problem), rel=1e-5)


def test_kkt_by_hand() -> None:
    """Two lines, a at most a quarter of all: a gets 25, b 75, and a unit of slack is worth the difference in return."""
    cells = [cell("a", 300.0, 100.0), cell("b", 200.0, 100.0)]
    problem = BudgetProblem.of(cells, 100.0, linear=[share_of(("a",), (), 0.25)])
    solved = proven(solve_budget(problem))
    assert solved.spend == pytest.approx([25.0, 75.0], rel=1e-7)
    name = problem.linear[0].name
    assert solved.linear_prices[name] == pytest.approx(300.0 / 125.0 - 200.0 / 175.0, rel=1e-5)
    assert solved.as_dict()["constraint_prices"] == solved.linear_prices
    assert solved.reasons["a"].kind is ReasonKind.LINEAR
    assert "a at most 0.25 of the total" in solved.reasons["a"].text


def test_shares_beside_returns_profit_and_a_tail() -> None:
    share = share_of(("walmart", "search"), ("walmart",), 0.3)
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 2.2)
    kept = proven(solve_budget(mix(share, budget=900.0, global_constraints=[limit])))
    assert kept.objective_revenue == pytest.approx(2.2 * kept.total_spend, rel=1e-7)
    assert kept.multipliers["min_roas"] > 0.0

    cells = [replace(one, margin=0.9) for one in MIX]
    profit = proven(solve_budget(BudgetProblem.of(cells, 900.0, linear=[share], aim=Aim.PROFIT)))
    assert profit.unspent is not None
    assert profit.spend is not None
    assert profit.spend[0] == pytest.approx(0.3 * (profit.spend[0] + profit.spend[1]), rel=1e-6)

    rng = np.random.default_rng(0)
    tail = TailObjective(0.25, rng.uniform(0.5, 1.5, (40, 4)))
    safe = proven(solve_budget(mix(share, tail=tail)), gap=1e-5)
    assert safe.spend is not None
    assert safe.spend[0] <= 0.3 * (safe.spend[0] + safe.spend[1]) * (1.0 + 1e-7)


def test_a_bound_over_all_weeks_cuts_across_them() -> None:
    periods = Periods((100.0, 100.0, 100.0), (1.0, 1.0, 2.0))
    problem = BudgetProblem.of(MIX, 300.0, node_bounds=[NodeBound(("kroger",), None, 60.0)], periods=periods)
    solved = proven(solve_budget(problem))
    assert solved.spend is not None
    assert solved.spend[2] + solved.spend[3] == pytest.approx(60.0, rel=1e-7)
    assert "kroger over all periods at most" in solved.linear_prices


def test_an_impossible_mix_is_named_and_every_member_counts() -> None:
    problem = mix(
        share_of(("walmart",), (), 0.4),
        share_of(("kroger",), (), 0.9),
        budget=1000.0,
        node_bounds=[
            NodeBound(("walmart",), 200.0),
            NodeBound(("kroger",), None, 150.0),
            NodeBound(("walmart", "search"), None, 390.0),
        ],
    )
    answer = solve_budget(problem)
    assert answer.conflict is not None
    members = answer.conflict.members
    assert {(one.kind, one.path) for one in members} == {
        ("max_share", ("walmart",)),
        ("min_spend", ("walmart",)),
        ("max_spend", ("kroger",)),
    }
    assert not can_be_met(problem)
    assert all(one.restores and can_be_met(without(problem, [one])) for one in members)
    needed = {one.kind: one.needed for one in members}
    # 200 of at most 350, or 100 of the 250 that is 0.4 with kroger's 150, or 300 beside 200
    assert needed["max_share"] == pytest.approx(200.0 / 350.0, rel=1e-6)
    assert needed["min_spend"] == pytest.approx(100.0, rel=1e-6)
    assert needed["max_spend"] == pytest.approx(300.0, rel=1e-6)
    told = answer.as_dict()["minimal_conflict"]
    assert any(one.get("name") == "walmart at most 0.4 of the total" for one in told)


@pytest.mark.parametrize("seed", range(12))
def test_random_conflicts_are_minimal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, n=10)
    scopes = sorted({one.path[:depth] for one in problem.cells for depth in (1, 2)})
    linear: dict[str, LinearConstraint] = {}
    while can_be_met(replace(problem, linear=tuple(linear.values()))):
        first, second = (scopes[i] for i in rng.choice(len(scopes), 2, replace=False))
        one = (
            ratio_of(first, second, float(rng.uniform(0.1, 3.0)), least=bool(rng.integers(2)))
            if rng.random() < 0.5
            else share_of(first, (), float(rng.uniform(0.3, 0.9)), least=True)
        )
        linear[one.name] = one
        if len(linear) > 60:
            linear.clear()
            problem = replace(problem, node_bounds=(*problem.node_bounds, NodeBound((), 0.9 * problem.total_budget)))
    problem = replace(problem, linear=tuple(linear.values()))
    answer = solve_budget(problem)
    assert answer.conflict is not None
    members = list(answer.conflict.members)
    everything = [Member(one.kind, one.scope, one.value, name=one.name) for one in problem.linear]
    names = {one.name for one in members}
    spared = without(problem, [one for one in everything if one.name not in names])
    assert not can_be_met(spared)
    for one in members:
        assert can_be_met(without(spared, [one])) or not can_be_met(without(problem, [one]))


def test_a_return_and_a_share_that_exclude_each_other() -> None:
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 2.0)
    problem = mix(
        share_of(("kroger", "display"), (), 0.6, least=True),
        global_constraints=[limit],
        node_bounds=[NodeBound((), 300.0)],
    )
    answer = solve_budget(problem)
    assert answer.conflict is not None
    kinds = {one.kind for one in answer.conflict.members}
    assert {"min_share", "min_roas"} <= kinds
    assert answer.conflict.best_attainable is not None
    relaxed = solve_budget(
        replace(problem, global_constraints=(replace(limit, value=answer.conflict.best_attainable * (1.0 - 1e-6)),))
    )
    assert relaxed.feasible


@pytest.mark.parametrize("money", [1e-2, 1.0, 1e9])
def test_scaling_money_scales_the_answer(money: float) -> None:
    def scaled(factor: float) -> BudgetProblem:
        cells = [replace(one, curve=replace(one.curve, a=one.curve.a * factor, k=one.curve.k * factor)) for one in MIX]
        return BudgetProblem.of(cells, 400.0 * factor, linear=[share_of(("walmart", "search"), ("walmart",), 0.3)])

    assert proven(solve_budget(scaled(money))).objective_revenue == pytest.approx(
        money * solve_budget(scaled(1.0)).objective_revenue, rel=1e-7
    )


def test_s_curves_and_too_many_cells_are_told_what_would_work() -> None:
    share = share_of(("s",), (), 0.5)
    bent = Cell("h", ("s", "h"), Curve(Family.HILL, 300.0, 100.0, 2.0))
    with pytest.raises(InvalidProblem, match="no conic form") as refusal:
        solve_budget(BudgetProblem.of([bent, *MIX], 100.0, linear=[share]))
    assert "shares" in refusal.value.as_dict()["fix"]
    many = [cell(f"c{i}", 100.0, 10.0, path=("s" if i % 2 else "t",)) for i in range(5001)]
    with pytest.raises(InvalidProblem, match="up to 5000 cells, not 5001"):
        solve_budget(BudgetProblem.of(many, 100.0, linear=[share]))


FILE: dict[str, Any] = {
    "schema": "rmn-budget-instance/1",
    "total_budget": 100.0,
    "cells": [
        {
            "id": name,
            "path": [channel, "walmart", "search", "all", name],
            "response": {"family": "log", "params": {"a": 300.0, "k": 100.0}},
        }
        for name, channel in (("a", "onsite"), ("b", "offsite"))
    ],
}


@pytest.mark.parametrize(
    ("constraint", "where", "said"),
    [
        ({"kind": "half"}, "constraints[0]", "'half' is not known"),
        ({"kind": "max_share", "scope": ["onsite"]}, "constraints[0] value", "number is expected"),
        ({"kind": "max_share", "scope": ["onsite"], "value": 1.2}, "onsite at most", "share lies between 0 and 1"),
        ({"kind": "max_share", "scope": ["instore"], "value": 0.2}, "instore", "No cell lies under instore"),
        ({"kind": "max_share", "scope": ["onsite"], "other": [], "value": 0.2}, "constraints[0]", "'other'"),
        ({"kind": "max_ratio", "scope": ["onsite"], "other": ["offsite"], "value": -1.0}, "onsite", "-1"),
        ({"kind": "max_ratio", "scope": ["onsite"], "value": 1.0}, "constraints[0] other", "list is expected"),
        ({"kind": "min_part", "level": "brand", "value": 0.5}, "constraints[0]", "level is 'brand'"),
        ({"kind": "min_part", "level": "sku", "value": 0.5, "of": "luck"}, "constraints[0] of", "'luck'"),
        ({"kind": "min_part", "level": "sku", "value": 0.5, "of": "current"}, "constraints[0] of", "not told"),
        ({"kind": "min_part", "level": "channel", "within": ["onsite"], "value": 0.5}, "constraints", "under onsite"),
        ({"kind": "min_part", "scope": ["onsite"], "value": 0.5, "part": 1.5}, "constraints[0] part", "part is 1.5"),
        ({"kind": "min_part", "scope": ["onsite"], "value": 0.5, "part": -0.5}, "constraints[0] part", "part is -0.5"),
        (
            {"kind": "min_part", "scope": ["onsite"], "value": 0.5, "part": 0.5, "level": "sku"},
            "constraints[0]",
            "'level' says nothing",
        ),
        ({"kind": "min_part", "level": "sku", "value": 0.5, "part": 0.5}, "constraints[0]", "not whose"),
        ({"kind": "linear", "terms": [], "value": 3.0}, "constraints", "no terms"),
        (
            {"kind": "linear", "terms": [{"scope": ["onsite"], "coef": float("nan")}], "value": 3.0},
            "constraints",
            "nan",
        ),
        (
            {"kind": "linear", "terms": [{"scope": ["onsite"], "coef": 1.0}], "value": float("inf")},
            "constraints",
            "inf",
        ),
    ],
)
def test_bad_constraints_are_refused_with_place_and_fix(constraint: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InvalidProblem) as refusal:
        parse_problem(copy.deepcopy(FILE) | {"constraints": [constraint]})
    told = refusal.value.as_dict()
    assert where in told["where"]
    assert said in told["detail"]
    assert told["fix"]


def test_fair_parts_are_called_what_people_call_them() -> None:
    one = {"kind": "min_part", "scope": ["onsite"], "value": 0.5, "part": 0.5, "name": "onsite gets its due"}
    each = {"kind": "min_part", "level": "channel", "value": 0.5, "name": "fair"}
    problem = parse_problem(copy.deepcopy(FILE) | {"constraints": [one, each]})
    assert [kept.name for kept in problem.linear] == ["onsite gets its due", "fair: offsite", "fair: onsite"]


def test_two_constraints_of_one_name_are_refused() -> None:
    one = {"kind": "max_share", "scope": ["onsite"], "value": 0.5}
    with pytest.raises(InvalidProblem, match="occurs 2 times"):
        parse_problem(copy.deepcopy(FILE) | {"constraints": [one, one]})


def test_constraints_that_only_just_touch_are_answered_or_told_so() -> None:
    for slack in (0.0, 1e-12, 1e-9, 1e-7):
        both = [share_of(("walmart",), (), 0.4), share_of(("kroger",), (), 0.6 - slack)]
        problem = mix(*both, node_bounds=[NodeBound((), 400.0)])
        try:
            answer = solve_budget(problem)
        except SolverFailed as failure:
            assert "touch" in failure.as_dict()["fix"]  # noqa: PT017
            continue
        if answer.certificate is not None:
            assert answer.certificate.violation <= 1e-9 + slack
        else:
            assert answer.conflict is not None


def test_a_looser_share_never_earns_less() -> None:
    values = [
        solve_budget(mix(share_of(("walmart",), (), share))).objective_revenue for share in (0.1, 0.2, 0.3, 0.4, 0.5)
    ]
    assert all(later >= earlier * (1.0 - 1e-7) for earlier, later in pairwise(values))
