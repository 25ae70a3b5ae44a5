"""A slice of the long proofs over random problems: `python -m proofs optimize` runs them all."""

from __future__ import annotations

import pytest

from optimization.core.solve import solve_budget
from tests.optimization.core.campaign.contradictions import judge_contradictions, only
from tests.optimization.core.campaign.judge import bounds_allow_spend, enumerated, on_grid, violation
from tests.optimization.core.campaign.prices import judge_prices
from tests.optimization.core.campaign.run import judged, summary
from tests.optimization.core.campaign.trees import KINDS, drawn_tree, kind_of

SEED = 7
#: Two of each kind, none that takes long.
SLICE = [24, 9, 2, 43, 12, 5, 6, 7, 32, 17, 10, 51, 20, 13, 14, 15]


def test_random_trees_of_every_kind_are_solved_and_proven() -> None:
    rows = [judged(SEED, number) for number in SLICE]
    assert {row["kind"] for row in rows} == set(KINDS)
    found = summary(rows)
    assert found["wrong"] == []
    assert found["beside_clarabel"] >= 3
    assert found["beside_enumeration"] >= 2
    assert found["infeasible"] <= 4


def test_shadow_prices_agree_with_solving_again() -> None:
    found = judge_prices(SEED, range(40, 48))
    assert found["wrong"] == []
    assert found["bounds"] >= 10
    assert found["limits"] >= 1


@pytest.mark.parametrize("first", [0, 40])
def test_a_conflict_is_minimal(first: int) -> None:
    found = judge_contradictions(SEED, 6, first)
    assert found["wrong"] == []
    assert found["members"] >= 12


def test_amounts_reach_from_cents_to_a_trillion() -> None:
    budgets = [drawn_tree(SEED, number).total_budget for number in range(0, 400, 8)]
    assert min(budgets) < 1.0
    assert max(budgets) > 1e11


def test_the_judge_sees_what_is_broken() -> None:
    """A judge that passes everything would prove nothing."""
    number = next(n for n in range(0, 400, 8) if drawn_tree(SEED, n).node_bounds and kind_of(n) == "bounds")
    problem = drawn_tree(SEED, number)
    solved = solve_budget(problem)
    assert solved.spend is not None
    assert violation(problem, solved.spend) <= 1e-9
    assert violation(problem, solved.spend * 1.5 + problem.available / 10) > 1e-3
    assert violation(problem, solved.spend * float("nan")) > 1.0
    gridded = on_grid(problem)
    if len(problem.cells) <= 12 and bounds_allow_spend(gridded):
        assert enumerated(gridded) <= solve_budget(gridded).objective_revenue * (1.0 + 1e-9)
    assert only(problem, []).node_bounds[0].max_spend is None
