"""Equal S-curves and commitments: the answer of enumeration, after a countable amount of work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optimization.core import multipliers
from optimization.core.branching import Branched, BranchSearch
from optimization.core.domains import bounded_cells
from optimization.core.limit_conflicts import limits_can_be_met
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from optimization.core.tree import Tree
from tests.optimization.core.campaign.judge import enumerated, on_grid, violation
from tests.optimization.core.casts import cell

A, K, N = 600.0, 100.0, 3.0


def twins(count: int, budget: float, nodes: int = 1, caps: tuple[float, ...] = (500.0,)) -> BudgetProblem:
    """Cells of one S-curve, under nodes that get at most 45 % each."""
    cells = [
        Cell(f"c{i}", (f"x{i % nodes}", f"c{i}"), Curve(Family.HILL, A, K, N), max_spend=caps[i % len(caps)])
        for i in range(count)
    ]
    bounds = [NodeBound((f"x{j}",), None, 0.45 * budget) for j in range(nodes)] if nodes > 1 else []
    return BudgetProblem.of(cells, budget, node_bounds=bounds)


def searched(problem: BudgetProblem) -> tuple[Branched, BranchSearch]:
    search = BranchSearch(Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem), problem.commitments)
    found = search.run()
    assert isinstance(found, Branched)
    return found, search


@pytest.mark.parametrize("budget", [166.0, 418.0, 922.0])
def test_equal_s_curves_are_solved_as_enumeration_has_it_in_a_few_relaxations(budget: float) -> None:
    found, search = searched(twins(12, budget))
    best = max(active * A * (budget / active) ** N / (K**N + (budget / active) ** N) for active in range(1, 13))
    assert found.point.value == pytest.approx(best, rel=1e-9)
    assert best * (1.0 - 1e-12) <= found.bound <= best * (1.0 + 1e-5)
    assert search.fillings <= 40
    assert found.programmes <= 10


@pytest.mark.parametrize(("count", "nodes", "caps"), [(40, 4, (500.0, 300.0)), (60, 6, (500.0, 200.0, 150.0))])
def test_equal_s_curves_under_many_nodes_are_counted_not_tried_one_by_one(
    count: int, nodes: int, caps: tuple[float, ...]
) -> None:
    found, search = searched(twins(count, 1500.0, nodes, caps))
    assert found.bound <= found.point.value * (1.0 + 2e-5)
    assert search.fillings <= 60
    assert found.programmes <= 17


@pytest.mark.parametrize("seed", range(6))
def test_tied_curves_and_commitments_earn_what_enumeration_finds(seed: int) -> None:
    """Two curves over nine cells, capped, committed or free, under two nodes."""
    cells = [
        Cell(
            f"c{i}",
            (f"x{(i + seed) % 2}", f"c{i}"),
            Curve(Family.HILL, A + 90.0 * (i % 2), K, N) if i % 3 else Curve(Family.LOG, 150.0 + 20.0 * seed, K),
            max_spend=(160.0, 220.0, 300.0)[(i + seed) % 3],
            min_spend_if_active=80.0 if i % 3 == 0 else 0.0,
        )
        for i in range(9)
    ]
    bounds = [NodeBound(("x0",), None, 310.0 + 10.0 * seed), NodeBound(("x1",), 90.0, None)]
    problem = on_grid(BudgetProblem.of(cells, 520.0 + 37.0 * seed, node_bounds=bounds))
    solved = solve_budget(problem)
    best = enumerated(problem)
    assert solved.spend is not None
    assert solved.certificate is not None
    assert violation(problem, solved.spend) <= 1e-9
    assert best * (1.0 - 1e-9) <= solved.objective_revenue <= best * 1.01
    assert solved.certificate.dual_bound >= best * (1.0 - 1e-9)
    assert solved.certificate.gap <= 2e-5


def test_commitments_that_cannot_be_combined_are_found_out() -> None:
    """A node held at 100: two commitments of 60 are too much, one alone is capped below."""
    cells = [
        cell(name, 900.0, 100.0, path=("ch",), cap=cap, min_spend_if_active=60.0)
        for name, cap in (("alice", 70.0), ("bob", 80.0))
    ]
    held = BudgetProblem.of(cells, 500.0, node_bounds=[NodeBound(("ch",), 100.0, 100.0)])
    assert not limits_can_be_met(held)
    assert limits_can_be_met(replace(held, node_bounds=(NodeBound(("ch",), 75.0, 75.0),)))
    assert limits_can_be_met(replace(held, node_bounds=(NodeBound(("ch",), 120.0, 130.0),)))
    assert not limits_can_be_met(replace(held, node_bounds=(NodeBound(("ch",), 151.0, None),)))


def test_naming_a_conflict_costs_a_countable_number_of_fillings(monkeypatch: pytest.MonkeyPatch) -> None:
    fillings = 0
    fill = multipliers.fill_tree

    def counted(*args: object, **more: object) -> object:
        nonlocal fillings
        fillings += 1
        return fill(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(multipliers, "fill_tree", counted)
    cells = [cell(f"c{i}", 300.0 + 10.0 * i, 100.0, path=(f"x{i % 4}",), cap=400.0, min_spend=5.0) for i in range(40)]
    limits = [GlobalConstraint(GlobalKind.MIN_ROAS, 4.0), GlobalConstraint(GlobalKind.MAX_CPA, 7.0)]
    floors = [NodeBound((f"x{j}",), 900.0, None) for j in range(4)]
    solved = solve_budget(BudgetProblem.of(cells, 6000.0, node_bounds=floors, global_constraints=limits))
    assert solved.conflict is not None
    assert {one.kind for one in solved.conflict.members} >= {"min_spend"}
    assert all(one.needed is not None for one in solved.conflict.members if one.is_global)
    assert fillings <= 80
