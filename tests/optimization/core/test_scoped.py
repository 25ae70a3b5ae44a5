"""Returns and costs over parts of the tree: what cannot be paid gets nothing, and the gap closes all the same."""

from __future__ import annotations

import numpy as np
import pytest

from optimization.core.domains import bounded_cells
from optimization.core.limits import GlobalSet
from optimization.core.presolve import Narrowed
from optimization.core.problem import BudgetProblem, Cell, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from optimization.core.tree import Tree
from tests.optimization.core.campaign.scoped import SHAPES, drawn_scoped, scoped_judged, scoped_summary, shape_of
from tests.optimization.core.casts import cell, random_problem

SEED = 1
#: Each ended with a certified gap above 1e-9, some above 1e-2, and beside them two of every shape.
HARD = [7, 12, 27, 36, 47, 59, 63, 76, 83, 93, 103, 108, 123, 127, 131, 139, 141, 147]
SLICE = [0, 16, 5, 21, 2, 10, 6, 14]


def test_limits_over_scopes_are_met_and_proven() -> None:
    rows = [scoped_judged(SEED, number) for number in (*HARD, *SLICE)]
    found = scoped_summary(rows)
    assert found["wrong"] == []
    assert found["infeasible"] <= 4
    assert found["worst_gap_concave"] <= 1e-9
    assert {row["shape"] for row in rows} >= set(SHAPES) - {"floors"}


def narrowed(problem: BudgetProblem) -> Narrowed:
    return Narrowed.of(Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem), problem.commitments)


def roas(value: float, *scope: str) -> GlobalConstraint:
    return GlobalConstraint(GlobalKind.MIN_ROAS, value, scope)


def test_a_scope_that_never_pays_is_closed_and_its_neighbour_is_not() -> None:
    """The first unit of alice returns 3; bob's returns 5."""
    cells = [cell("alice", 300.0, 100.0, path=("a",)), cell("bob", 500.0, 100.0, path=("b",))]
    problem = BudgetProblem.of(cells, 100.0, global_constraints=[roas(3.2, "a"), roas(4.0, "b")])
    found = narrowed(problem)
    assert found.cells.upper[0] == 0.0
    assert found.cells.upper[1] > 100.0
    assert found.by.tolist() == [0, -1]


def test_a_return_and_a_cost_that_no_line_meets_together_close_their_scope() -> None:
    """Alice returns enough and costs too much an order, bob the other way round; no mixture of both keeps both."""
    alice, bob = cell("alice", 500.0, 100.0), cell("bob", 200.0, 100.0)
    lines = [
        Cell("alice", ("a", "alice"), type(alice.curve)(Family.LOG, 500.0, 100.0, revenue_per_conversion=100.0)),
        Cell("bob", ("a", "bob"), type(bob.curve)(Family.LOG, 200.0, 100.0, revenue_per_conversion=10.0)),
    ]
    # Alice: 5 a unit, 20 an order. Bob: 2 a unit, 5 an order.
    limits = [roas(4.9, "a"), GlobalConstraint(GlobalKind.MAX_CPA, 5.1, ("a",))]
    problem = BudgetProblem.of(lines, 100.0, global_constraints=limits)
    found = narrowed(problem)
    assert found.cells.upper.tolist() == [0.0, 0.0]
    solved = solve_budget(problem)
    assert solved.certificate is not None
    assert solved.certificate.gap == 0.0
    assert solved.total_spend == 0.0


def test_what_is_cut_off_is_never_part_of_an_allocation_within_the_limits() -> None:
    """Random spends that keep the limits, on scales from nothing up, all lie in the narrowed domains."""
    kept = closed = 0
    for number in range(3, 67, 8):
        problem = drawn_scoped(SEED, number)
        found, limits, whole = narrowed(problem), GlobalSet.of(problem), bounded_cells(problem)
        closed += int(np.count_nonzero(found.cells.upper < whole.upper))
        rng = np.random.default_rng(number)
        for _ in range(400):
            spend = whole.upper * 10.0 ** rng.uniform(-12.0, 0.0, len(whole)) * (rng.random(len(whole)) < 0.5)
            revenue = whole.curves.value(spend)
            if np.all(limits.slack(spend, revenue) >= 0.0):
                kept += 1
                assert np.all(spend <= found.cells.upper * (1.0 + 1e-12))
    assert closed >= 8
    assert kept >= 100


def test_problems_whose_scopes_pay_are_left_as_they_are() -> None:
    for seed in range(4):
        problem = random_problem(seed, limits=(roas(1.0), roas(1.0, "ch0")))
        assert narrowed(problem).by.max() == -1


@pytest.mark.parametrize("floor", [10.0, 1e-3])
def test_a_floor_in_a_scope_that_cannot_pay_is_named(floor: float) -> None:
    cells = [cell("alice", 300.0, 100.0, path=("a",)), cell("bob", 500.0, 100.0, path=("b",))]
    bounds = [NodeBound(("a",), floor, None)]
    problem = BudgetProblem.of(cells, 100.0, node_bounds=bounds, global_constraints=[roas(3.2, "a"), roas(2.0)])
    solved = solve_budget(problem)
    assert solved.conflict is not None
    assert {(one.kind, one.path) for one in solved.conflict.members} == {("min_roas", ("a",)), ("min_spend", ("a",))}


def test_a_closed_line_is_told_which_limit_closed_it() -> None:
    cells = [cell("alice", 300.0, 100.0, path=("a",), cap=50.0), cell("bob", 500.0, 100.0, path=("b",))]
    solved = solve_budget(BudgetProblem.of(cells, 100.0, global_constraints=[roas(3.2, "a")]))
    reason = solved.reasons["alice"]
    assert (reason.kind.value, reason.path) == ("min_roas", ("a",))
    assert "3.2" in reason.text


def test_every_shape_is_drawn() -> None:
    assert {shape_of(number) for number in range(16)} == set(SHAPES)
