"""What users of other optimisers report, each as a test here; and what must hold whatever is asked.

The numbers are those of the public issues of the projects named.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optimization.core.conflicts import relaxed
from optimization.core.problem import BudgetProblem, GlobalConstraint, GlobalKind, InvalidProblem, NodeBound
from optimization.core.solve import Solution, solve_budget
from tests.optimization.core.campaign.judge import violation
from tests.optimization.core.campaign.trees import drawn_tree, in_units, kind_of
from tests.optimization.core.casts import cell, random_problem

ROOT = Path(__file__).resolve().parents[3]


def answered(problem: BudgetProblem, current: dict[str, float] | None = None) -> Solution:
    """The solution, within its constraints by the problem's own words."""
    solved = solve_budget(problem, current=current)
    assert solved.spend is not None
    assert violation(problem, solved.spend) <= 1e-9
    return solved


def two(budget: float = 400.0, **more: object) -> BudgetProblem:
    """alice answers three times as strongly as bob."""
    return BudgetProblem.of(
        [cell("alice", 900.0, 100.0, path=("ch",)), cell("bob", 300.0, 100.0, path=("ch",))],
        budget,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("size", [3, 7, 40, 150])
def test_an_equal_split_is_not_returned_as_optimal(size: int) -> None:
    """PyMC-Marketing #1624, #1681, #1034: the solver stops where it began, at an equal split, and calls it optimal."""
    rng = np.random.default_rng(size)
    cells = [cell(f"c{i}", float(a), 100.0) for i, a in enumerate(rng.uniform(100.0, 2000.0, size))]
    solved = answered(BudgetProblem.of(cells, 50.0 * size))
    split = float(solved.problem.responses.value(np.full(size, 50.0)).sum())
    assert solved.objective_revenue > 1.01 * split
    assert solved.certificate is not None
    assert solved.certificate.gap <= 1e-12


def test_what_cannot_be_met_is_no_singular_matrix_and_no_nan() -> None:
    """PyMC-Marketing #1940, #1758; LightweightMMM #233, #42: "Singular matrix C in LSQ subproblem", or NaN."""
    asked = two(100.0, node_bounds=[NodeBound(("ch", "alice"), 80.0, None), NodeBound(("ch", "bob"), 50.0, None)])
    answer = solve_budget(asked).as_dict()
    assert answer["status"] == "infeasible"
    assert [(tuple(m["path"]), m["kind"], m["value"]) for m in answer["minimal_conflict"]] == [
        ((), "max_spend", 100.0),
        (("ch", "alice"), "min_spend", 80.0),
        (("ch", "bob"), "min_spend", 50.0),
    ]
    assert answer["shortfall"] == pytest.approx(30.0)
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("number", [16, 17, 18, 20, 22, 23])
def test_the_answer_is_never_worse_than_the_plan_it_started_from(number: int) -> None:
    """Robyn #1002: the optimised plan responds less than the initial one."""
    problem = drawn_tree(11, number)
    first = solve_budget(problem)
    if first.spend is None:
        assert first.conflict is not None
        return
    # A plan within all constraints: the answer to the same question under a smaller budget, or the answer itself.
    less = solve_budget(BudgetProblem.of(**{**_parts(problem), "total_budget": problem.total_budget * 0.8}))
    plan = first.spend if less.spend is None else less.spend
    solved = answered(problem, dict(zip(problem.ids, map(float, plan), strict=True)))
    assert solved.certificate is not None
    before = solve_budget(problem, current=dict(zip(problem.ids, map(float, plan), strict=True)))
    if problem.tail is None:
        assert solved.objective_revenue >= float(problem.responses.value(plan).sum()) * (1.0 - 1e-13)
    assert np.array_equal(before.spend, solved.spend)


def test_the_optimised_plan_is_not_the_initial_one() -> None:
    """Robyn #511, #409, #349: initial and optimised spend are the same in every channel."""
    current = {"alice": 200.0, "bob": 200.0}
    solved = answered(two(400.0), current)
    assert dict(zip(solved.problem.ids, solved.spend, strict=True)) == pytest.approx({"alice": 350.0, "bob": 50.0})
    assert solved.current_revenue is not None
    assert solved.objective_revenue > solved.current_revenue
    assert [line.change for line in solved.lines] == pytest.approx([150.0, -150.0])


def test_a_plan_that_stays_the_same_says_that_it_is_optimal() -> None:
    """Robyn #511, #409, #349, the other side: where nothing moves, the proof says that nothing should."""
    solved = answered(two(400.0), {"alice": 350.0, "bob": 50.0})
    assert [line.change for line in solved.lines] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert solved.engine.endswith("current kept")
    assert solved.certificate is not None
    assert solved.certificate.gap <= 1e-12


@pytest.mark.parametrize("number", [24, 25, 26, 28, 30, 31, 32, 33])
def test_the_budget_is_held(number: int) -> None:
    """Robyn #579, #744: the optimised spend adds up to more, or to less, than the budget."""
    problem = drawn_tree(11, number)
    solved = solve_budget(problem)
    if solved.spend is None:
        return
    assert solved.total_spend <= problem.available * (1.0 + 1e-12)
    if solved.budget_shadow_price > 1e-9 and kind_of(number) in ("bounds", "limits"):
        assert solved.total_spend == pytest.approx(problem.available, rel=1e-12)


@pytest.mark.parametrize("others", [0.0, 70.0])
def test_a_bound_of_exactly_the_current_spend_moves_nothing(others: float) -> None:
    """Robyn #134: lower and upper bounds of 1.0 times the current spend, and the spend still moved."""
    spends = [10.1, 23.7, 0.3, 99.0]
    held = [cell(f"c{i}", 100.0 * (i + 1), 50.0, min_spend=spend, cap=spend) for i, spend in enumerate(spends)]
    free = [cell("free", 500.0, 50.0)] if others else []
    solved = answered(BudgetProblem.of([*held, *free], 133.1 + others))
    assert list(solved.spend[:4]) == spends
    assert "Held at 23.70" in solved.reasons["c1"].text


def test_scenarios_are_solved_without_compiling_anything() -> None:
    """PyMC-Marketing #1142, #1386: every scenario compiles the model anew, for minutes."""
    script = (
        "import sys\n"
        "from tests.optimization.core.casts import random_problem\n"
        "from optimization.core.solve import solve_budget\n"
        "for seed in range(5): assert solve_budget(random_problem(seed)).feasible\n"
        "heavy = {'cvxpy', 'numba', 'jax', 'torch', 'pytensor', 'llvmlite'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("budget", [0.07, 3.33, 999.99, 123_456.789])
def test_no_part_of_the_budget_is_left_by_a_coarse_grid(budget: float) -> None:
    """Meridian: a greedy search over a grid of spend leaves up to 15 % unspent under its default tolerance."""
    cells = [cell(f"c{i}", 90.0 * (i + 1), 17.0) for i in range(9)]
    assert answered(BudgetProblem.of(cells, budget)).total_spend == pytest.approx(budget, rel=1e-13)


def test_only_the_extra_money_is_allocated() -> None:
    """Meridian discussion #1576: keep what is spent today, and allocate only what comes on top."""
    today = {"alice": 100.0, "bob": 180.0}
    cells = [
        cell("alice", 900.0, 100.0, min_spend=today["alice"]),
        cell("bob", 300.0, 100.0, min_spend=today["bob"]),
    ]
    solved = answered(BudgetProblem.of(cells, sum(today.values()) + 60.0), today)
    assert [line.change for line in solved.lines] == pytest.approx([60.0, 0.0])
    assert solved.reasons["bob"].kind == "own_floor"


def test_a_typed_plan_tells_the_effect_of_each_channel() -> None:
    """Robyn #694: what does each channel of a plan that somebody typed bring?"""
    plan = {"alice": 120.0, "bob": 30.0}
    solved = answered(two(400.0), plan)
    effects = {line.cell: line.revenue_now for line in solved.lines}
    assert effects == pytest.approx({"alice": 900.0 * np.log1p(1.2), "bob": 300.0 * np.log1p(0.3)})
    assert solved.current_revenue == pytest.approx(sum(value or 0.0 for value in effects.values()))


@pytest.mark.parametrize("seed", range(4))
def test_totals_reconcile_with_the_requested_budget(seed: int) -> None:
    """Robyn #1080: the total of the report is neither the budget asked for nor the sum of its lines."""
    problem = random_problem(seed)
    answer = solve_budget(problem).as_dict()
    assert answer["total_spend"] == pytest.approx(sum(answer["spend"].values()), rel=1e-14)
    lines = solve_budget(problem).lines
    assert sum(line.proposed for line in lines) == pytest.approx(answer["total_spend"], rel=1e-14)
    assert sum(line.revenue_proposed for line in lines) == pytest.approx(answer["objective_revenue"], rel=1e-14)
    unspent = problem.available - answer["total_spend"]
    assert unspent <= 1e-9 * problem.available or answer["budget_shadow_price"] == 0.0


def test_one_channel_is_held_fixed() -> None:
    """LightweightMMM #339: hold one channel where it is and optimise the others."""
    cells = [cell(n, a, 100.0, path=(p,)) for n, a, p in (("a", 900.0, "x"), ("b", 400.0, "x"), ("c", 500.0, "y"))]
    solved = answered(BudgetProblem.of(cells, 500.0, node_bounds=[NodeBound(("y",), 123.45, 123.45)]))
    assert solved.spend[2] == pytest.approx(123.45, rel=1e-14)
    assert solved.total_spend == pytest.approx(500.0, rel=1e-13)
    marginal = solved.problem.responses.marginal(solved.spend)
    assert marginal[0] == pytest.approx(marginal[1], rel=1e-9)


@pytest.mark.parametrize("number", [8, 9, 10, 12, 14, 15])
def test_a_thousand_times_the_money_is_a_thousand_times_the_answer(number: int) -> None:
    """Invariant: money in another unit scales the answer and leaves every price as it is."""
    problem = drawn_tree(11, number)
    plain, scaled = solve_budget(problem), solve_budget(in_units(problem, 1000.0))
    assert plain.status == scaled.status
    if plain.spend is not None:
        assert scaled.objective_revenue == pytest.approx(1000.0 * plain.objective_revenue, rel=1e-6)
        assert scaled.total_spend == pytest.approx(1000.0 * plain.total_spend, rel=1e-6)


@pytest.mark.parametrize("number", [40, 41, 42, 44, 46, 47])
def test_the_same_question_gives_the_same_answer(number: int) -> None:
    """Invariant: nothing in the engine is drawn, timed or kept between calls."""
    first, second = solve_budget(drawn_tree(11, number)), solve_budget(drawn_tree(11, number))
    one, other = first.as_dict(), second.as_dict()
    assert one | {"seconds": 0} == other | {"seconds": 0}


@pytest.mark.parametrize("number", [0, 8, 16, 24, 32])
def test_unspent_money_is_explained(number: int) -> None:
    """Invariant: the full budget is used unless a constraint or a price says why not."""
    solved = answered(drawn_tree(11, number))
    if solved.total_spend < solved.problem.available * (1.0 - 1e-9):
        assert solved.budget_shadow_price == 0.0
        kinds = {reason.kind.value for reason in solved.reasons.values()}
        assert kinds <= {"own_cap", "node_cap", "out_of_stock", "own_floor", "node_floor"}


def test_an_infeasible_question_names_the_smallest_relaxation() -> None:
    """Invariant: the conflict, what is missing, and the nearest value of each member that resolves it."""
    asked = two(100.0, node_bounds=[NodeBound(("ch",), 130.0, None)])
    solved = solve_budget(asked)
    assert solved.conflict is not None
    assert solved.conflict.shortfall == pytest.approx(30.0)
    for member in solved.conflict.members:
        assert member.needed is not None
        assert solve_budget(relaxed(asked, member, member.needed)).feasible
        short = member.needed + 0.5 * (member.value - member.needed)
        assert not solve_budget(relaxed(asked, member, short)).feasible


def test_a_roas_out_of_reach_says_the_best_there_is() -> None:
    """Invariant: beside the conflict stands the best attainable return."""
    asked = two(400.0, global_constraints=[GlobalConstraint(GlobalKind.MIN_ROAS, 50.0)])
    solved = solve_budget(BudgetProblem.of([*asked.cells, cell("held", 90.0, 10.0, min_spend=50.0)], 400.0,
                                           global_constraints=asked.global_constraints))  # fmt: skip
    assert solved.conflict is not None
    best = solved.conflict.best_attainable
    assert best is not None
    assert best < 50.0
    leading = solved.conflict.members[0]
    assert solve_budget(relaxed(solved.problem, leading, best * (1.0 - 1e-9))).feasible
    assert not solve_budget(relaxed(solved.problem, leading, best * (1.0 + 1e-6))).feasible


def test_an_unknown_cell_in_the_current_plan_is_refused() -> None:
    """Nothing of a plan is dropped in silence."""
    with pytest.raises(InvalidProblem, match="'carol', which is not in the problem"):
        solve_budget(two(), current={"carol": 5.0})


def _parts(problem: BudgetProblem) -> dict[str, object]:
    return {
        "cells": problem.cells,
        "total_budget": problem.total_budget,
        "experiment_reserve_fraction": problem.experiment_reserve_fraction,
        "node_bounds": problem.node_bounds,
        "global_constraints": problem.global_constraints,
        "tail": problem.tail,
    }
