"""The allocation is optimal, proven, within its constraints, and holds where tools of this kind were seen to fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimization.core.convex import solve_conic
from optimization.core.domains import bounded_cells
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound, TailObjective
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


def conic(problem: BudgetProblem) -> float:
    answer = solve_conic(problem, Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem))
    assert answer.status == "optimal"
    return answer.revenue


@pytest.mark.parametrize("seed", range(12))
def test_random_trees_agree_with_clarabel(seed: int) -> None:
    problem = random_problem(seed)
    ours = proven(solve_budget(problem)).objective_revenue
    assert ours == pytest.approx(conic(problem), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_return_and_cost_limits_agree_with_clarabel(seed: int) -> None:
    free = solve_budget(random_problem(seed))
    roas = free.objective_revenue / free.total_spend
    revenue = free.problem.responses.value(free.spend)
    cpa = free.total_spend / float((revenue / free.problem.revenue_per_conversion).sum())
    limits = (
        GlobalConstraint(GlobalKind.MIN_ROAS, 1.02 * roas),
        GlobalConstraint(GlobalKind.MAX_CPA, 0.99 * cpa, ("ch0",)),
    )
    problem = replace(free.problem, global_constraints=limits)
    solved = solve_budget(problem)
    if not solved.feasible:
        assert solved.conflict is not None
        assert any(member.is_global for member in solved.conflict.members)
        return
    assert proven(solved).objective_revenue == pytest.approx(conic(problem), rel=1e-6)
    assert sum(solved.multipliers.values()) > 0.0


def test_equal_split_is_not_passed_off_as_optimal() -> None:
    problem = BudgetProblem.of([cell("strong", 900.0, 100.0), cell("weak", 300.0, 100.0)], 400.0)
    strong, weak = proven(solve_budget(problem)).spend
    assert strong == pytest.approx(350.0)
    assert weak == pytest.approx(50.0)


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e6])
def test_money_in_other_units_scales_the_answer(factor: float) -> None:
    problem = random_problem(3)
    cells = [
        replace(
            one,
            curve=replace(one.curve, a=one.curve.a * factor, k=one.curve.k * factor),
            min_spend=one.min_spend * factor,
            max_spend=None if one.max_spend is None else one.max_spend * factor,
        )
        for one in problem.cells
    ]
    bounds = [
        NodeBound(b.path, b.min_spend and b.min_spend * factor, b.max_spend and b.max_spend * factor)
        for b in problem.node_bounds
    ]
    scaled = solve_budget(BudgetProblem.of(cells, problem.total_budget * factor, node_bounds=bounds))
    plain = solve_budget(problem)
    assert scaled.spend == pytest.approx(plain.spend * factor, rel=1e-8, abs=1e-8 * factor)
    assert scaled.budget_shadow_price == pytest.approx(plain.budget_shadow_price, rel=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_the_whole_budget_is_used_unless_caps_say_why_not(seed: int) -> None:
    solved = solve_budget(random_problem(seed))
    if solved.budget_shadow_price > 0.0:
        assert solved.total_spend == pytest.approx(solved.problem.available, rel=1e-12)
    else:
        kinds = {reason.kind.value for reason in solved.reasons.values()}
        assert kinds <= {"own_cap", "node_cap", "out_of_stock", "own_floor"}


def test_a_budget_beyond_all_caps_leaves_the_rest_and_says_why() -> None:
    problem = BudgetProblem.of([cell("a", 900.0, 100.0, cap=50.0), cell("b", 300.0, 100.0, cap=70.0)], 400.0)
    solved = proven(solve_budget(problem))
    assert list(solved.spend) == [50.0, 70.0]
    assert solved.budget_shadow_price == 0.0
    assert {reason.kind for reason in solved.reasons.values()} == {"own_cap"}


def test_the_experiment_reserve_is_not_allocated() -> None:
    problem = BudgetProblem.of([cell("a", 900.0, 100.0)], 400.0, experiment_reserve_fraction=0.05)
    solved = proven(solve_budget(problem))
    assert solved.total_spend == pytest.approx(380.0)
    assert "5.0% experiment reserve" in solved.reasons["a"].text


def test_zero_budget_gives_zeros() -> None:
    solved = proven(solve_budget(BudgetProblem.of([cell("a", 900.0, 100.0), cell("b", 3.0, 1.0, cap=5.0)], 0.0)))
    assert list(solved.spend) == [0.0, 0.0]
    assert solved.certificate.gap == 0.0


def test_all_out_of_stock_gives_zeros_and_voids_floors() -> None:
    shelf = [cell(name, 900.0, 100.0, min_spend=10.0, out_of_stock=True) for name in ("a", "b")]
    solved = proven(solve_budget(BudgetProblem.of(shelf, 400.0)))
    assert list(solved.spend) == [0.0, 0.0]
    assert {reason.kind for reason in solved.reasons.values()} == {"out_of_stock"}


def test_a_channel_held_fixed_keeps_its_spend() -> None:
    problem = random_problem(4)
    problem = replace(problem, node_bounds=(NodeBound(("ch0",), 900.0, 900.0),))
    solved = proven(solve_budget(problem))
    assert float(solved.spend[problem.members(("ch0",))].sum()) == pytest.approx(900.0, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_never_worse_than_the_current_spend(seed: int) -> None:
    problem = random_problem(seed, families=(*tuple(Family),))
    rng = np.random.default_rng(seed)
    base = solve_budget(problem)
    current = {name: float(x) for name, x in zip(problem.ids, base.spend * rng.uniform(0.9, 1.0), strict=True)}
    solved = solve_budget(problem, current=current)
    assert solved.current_revenue is not None
    assert solved.objective_revenue >= solved.current_revenue


def test_a_current_spend_at_the_optimum_is_kept() -> None:
    twins = [
        Cell(name, ("x", name), Curve(Family.HILL, 500.0, 100.0, 3.0), max_spend=400.0) for name in ("alice", "bob")
    ]
    problem = BudgetProblem.of(twins, 130.0)
    solved = solve_budget(problem, current={"bob": 130.0})
    assert list(solved.spend) == pytest.approx([0.0, 130.0])


def test_the_same_problem_twice_gives_the_same_answer() -> None:
    problem = random_problem(9, families=tuple(Family))
    first, second = solve_budget(problem), solve_budget(problem)
    assert np.array_equal(first.spend, second.spend)


@pytest.mark.parametrize("number", [1, 3, 7])
def test_equal_s_curves_are_not_all_left_halfway(number: int) -> None:
    """Twelve equal cells at one jump price: each is either off or past its tangent point, as enumeration has it."""
    k, n, a = 100.0, 3.0, 600.0
    twins = [Cell(f"c{i}", ("x", f"c{i}"), Curve(Family.HILL, a, k, n), max_spend=500.0) for i in range(12)]
    budget = number * 126.0 + 40.0
    solved = solve_budget(BudgetProblem.of(twins, budget))
    best = max(active * a * (budget / active) ** n / (k**n + (budget / active) ** n) for active in range(1, 13))
    assert solved.objective_revenue == pytest.approx(best, rel=1e-6)
    assert solved.certificate.dual_bound >= best * (1.0 - 1e-12)


def test_a_commitment_is_all_or_nothing() -> None:
    one = cell("committed", 500.0, 100.0, min_spend_if_active=300.0)
    rest = [cell(f"c{i}", 450.0, 100.0) for i in range(3)]
    solved = solve_budget(BudgetProblem.of([one, *rest], 400.0))
    spends = []
    for bounds in ({"min_spend": 300.0}, {"cap": 0.0}):
        fixed = cell("committed", 500.0, 100.0, **bounds)
        spends.append(solve_budget(BudgetProblem.of([fixed, *rest], 400.0)).objective_revenue)
    assert solved.spend[0] == 0.0 or solved.spend[0] >= 300.0
    assert solved.objective_revenue == pytest.approx(max(spends), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_few_s_curves_and_commitments_match_a_fine_grid(seed: int) -> None:
    """Dynamic programming over a grid of spend, which no allocation on the grid can beat."""
    rng = np.random.default_rng(seed)
    cells = [
        Cell(
            f"c{i}",
            ("x", f"c{i}"),
            Curve(Family.HILL, float(rng.uniform(300, 900)), float(rng.uniform(50, 150)), 2.5)
            if i % 2
            else Curve(Family.LOG, float(rng.uniform(100, 400)), float(rng.uniform(50, 150))),
            max_spend=300.0,
            min_spend_if_active=float(rng.choice([0.0, 80.0])),
        )
        for i in range(7)
    ]
    problem = BudgetProblem.of(cells, 400.0)
    grid = np.arange(401.0)
    best = np.zeros(401)
    for one in range(7):
        value = problem.responses.take(np.full(401, one)).value(grid)
        allowed = (grid <= 300.0) & ((grid == 0.0) | (grid >= problem.commitments[one]))
        value = np.where(allowed, value, -np.inf)
        best = np.array([np.max(best[: total + 1][::-1] + value[: total + 1]) for total in range(401)])
    solved = proven(solve_budget(problem), 1e-8)
    assert solved.objective_revenue >= best[-1]
    assert solved.objective_revenue <= best[-1] * 1.001
    assert np.all((problem.commitments == 0.0) | (solved.spend == 0.0) | (solved.spend >= problem.commitments - 1e-9))


@pytest.mark.parametrize("seed", range(3))
def test_the_shadow_price_predicts_one_percent_more_budget(seed: int) -> None:
    problem = random_problem(seed)
    solved = solve_budget(problem)
    more = solve_budget(replace(problem, total_budget=problem.total_budget * 1.001))
    gained = more.objective_revenue - solved.objective_revenue
    assert gained == pytest.approx(solved.budget_shadow_price * problem.total_budget * 0.001, rel=0.02)


@pytest.mark.parametrize("seed", range(6))
def test_the_shadow_price_of_every_node_predicts_its_relaxation(seed: int) -> None:
    problem = random_problem(seed)
    solved = solve_budget(problem)
    for priced in solved.node_shadow_prices:
        changed = []
        for bound in problem.node_bounds:
            if bound.path == priced.path:
                low, high = bound.min_spend, bound.max_spend
                if priced.kind == "max_spend":
                    step = high * 1e-6
                    bound = replace(bound, max_spend=high + step)
                else:
                    step = low * 1e-6
                    bound = replace(bound, min_spend=low - step)
            changed.append(bound)
        relaxed = solve_budget(replace(problem, node_bounds=tuple(changed)))
        assert relaxed.objective_revenue - solved.objective_revenue == pytest.approx(priced.value * step, rel=0.02)


def test_a_binding_roas_is_met_exactly_and_explained() -> None:
    cells = [cell("a", 900.0, 100.0), cell("b", 300.0, 100.0)]
    problem = BudgetProblem.of(cells, 4000.0, global_constraints=[GlobalConstraint(GlobalKind.MIN_ROAS, 2.5)])
    solved = proven(solve_budget(problem))
    assert solved.objective_revenue / solved.total_spend == pytest.approx(2.5, rel=1e-9)
    assert solved.reasons["a"].kind == "min_roas"
    assert solved.budget_shadow_price == 0.0


def test_a_tail_objective_is_certified_by_its_scenario_prices() -> None:
    cells = [cell("steady", 500.0, 100.0), cell("risky", 700.0, 100.0)]
    scenarios = np.array([[1.0, 1.6], [1.0, 0.2], [1.0, 1.2], [1.0, 1.0]])
    problem = BudgetProblem.of(cells, 300.0, tail=TailObjective(0.25, scenarios))
    solved = proven(solve_budget(problem), 1e-6)
    grid = np.linspace(0.0, 300.0, 3001)
    worst = [(scenarios @ problem.responses.value(np.array([300.0 - x, x]))).min() for x in grid]
    assert solved.certificate.objective == pytest.approx(max(worst), rel=1e-5)
    assert solved.engine == "cvxpy+clarabel"


def test_twenty_thousand_cells_take_well_under_a_second() -> None:
    rng = np.random.default_rng(1)
    cells = [
        cell(f"c{i}", float(a), float(k), path=(f"r{i % 7}", f"p{i % 91}"), cap=float(3 * k))
        for i, (a, k) in enumerate(zip(rng.uniform(1e3, 9e3, 20_000), rng.uniform(1e2, 2e3, 20_000), strict=True))
    ]
    caps = [NodeBound((f"r{i}",), None, 5e5) for i in range(7)]
    solved = proven(solve_budget(BudgetProblem.of(cells, 4e6, node_bounds=caps)))
    assert solved.seconds < 2.0
    assert solved.total_spend == pytest.approx(3.5e6, rel=1e-12)


@pytest.mark.parametrize("limit", [11.1803398875, 11.18033988749, 11.1803398])
def test_a_bound_is_never_told_below_what_is_attained(limit: float) -> None:
    curve = Curve(Family.POWER, 50.0, 20.0, 0.5)
    roas = GlobalConstraint(GlobalKind.MIN_ROAS, limit)
    solution = solve_budget(
        BudgetProblem.of([Cell("a", ("a",), curve, min_spend=1.0)], 300.0, global_constraints=[roas])
    )
    assert solution.certificate is not None
    assert 0.0 <= solution.certificate.gap <= 1e-9
    assert solution.certificate.dual_bound >= solution.certificate.objective
