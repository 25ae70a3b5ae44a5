"""Whatever is wrong with a question, it ends in an exact message or in a certified answer; never in NaN."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimization.core.command import answer_file
from optimization.core.problem import (
    BudgetProblem,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    NodeBound,
    TailObjective,
)
from optimization.core.responses import Family
from optimization.core.solve import Solution, solve_budget
from tests.optimization.core.campaign.judge import violation
from tests.optimization.core.casts import cell
from tests.optimization.core.test_instances import changed

ALICE, BOB = cell("alice", 900.0, 100.0, path=("ch",)), cell("bob", 300.0, 100.0, path=("ch",))
NO_NUMBERS = [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (-1.0, "-1")]


def certified(problem: BudgetProblem) -> Solution:
    """An answer with its proof, within the constraints, without a NaN anywhere."""
    solved = solve_budget(problem)
    assert solved.spend is not None
    assert solved.certificate is not None
    assert solved.certificate.gap <= 1e-9
    assert violation(problem, solved.spend) <= 1e-9
    json.dumps(solved.as_dict(), allow_nan=False)
    assert all(np.isfinite(line.proposed) for line in solved.lines)
    return solved


def refused(where: str, message: str, *cells: Cell, budget: float = 100.0, **more: Any) -> None:
    """The problem is refused at `where` with exactly `message`, and with a way out."""
    with pytest.raises(InvalidProblem) as caught:
        BudgetProblem.of(cells or (ALICE, BOB), budget, **more)
    assert (caught.value.where, caught.value.detail) == (where, message)
    assert caught.value.fix


@pytest.mark.parametrize(("value", "said"), NO_NUMBERS)
def test_amounts_that_are_none(value: float, said: str) -> None:
    refused("total_budget", f"total budget is {said}.", budget=value)
    for name in ("min_spend", "max_spend", "min_spend_if_active"):
        refused("cells[1] 'bob'", f"{name} is {said}.", ALICE, replace(BOB, **{name: value}))
    for name in ("min_spend", "max_spend"):
        bound = replace(NodeBound(("ch",)), **{name: value})
        refused("node_bounds[0] ch", f"{name} is {said}.", node_bounds=[bound])
    for kind in GlobalKind:
        limit = GlobalConstraint(kind, value)
        refused(f"global_constraints[0] {kind}", f"value is {said}.", global_constraints=[limit])


@pytest.mark.parametrize(("value", "said"), NO_NUMBERS)
def test_parameters_of_curves_that_are_none(value: float, said: str) -> None:
    for name in ("a", "k"):
        broken = replace(BOB, curve=replace(BOB.curve, **{name: value}))
        refused("cells[1] 'bob'", f"response parameter {name} is {said}.", ALICE, broken)
    hill = replace(BOB, curve=Curve(Family.HILL, 1.0, 1.0, value))
    refused("cells[1] 'bob'", f"response parameter n is {said}.", ALICE, hill)
    rate = replace(BOB, curve=replace(BOB.curve, revenue_per_conversion=value))
    refused("cells[1] 'bob'", f"revenue_per_conversion is {said}.", ALICE, rate)


@pytest.mark.parametrize("share", [math.nan, math.inf, -0.1, 1.1])
def test_a_reserve_that_is_no_share(share: float) -> None:
    message = f"The experiment reserve is {share:g}, but a share lies between 0 and 1."
    refused("experiment_reserve_fraction", message, experiment_reserve_fraction=share)


def test_a_power_that_grows_without_end() -> None:
    line = Cell("alice", ("ch", "alice"), Curve(Family.POWER, 1.0, 1.0, 1.5))
    refused("cells[0] 'alice'", "The power curve has p = 1.5: its return would grow without end.", line)


def test_amounts_that_no_arithmetic_holds() -> None:
    said = "which no arithmetic of amounts holds."
    refused("total_budget", f"total budget is 1e+308, {said}", budget=1e308)
    refused(
        "cells[0] 'alice'",
        f"response parameter a is 1e+300, {said}",
        replace(ALICE, curve=replace(ALICE.curve, a=1e300)),
    )
    refused(
        "cells[0] 'alice'",
        f"response parameter k is 1e-308, {said}",
        replace(ALICE, curve=replace(ALICE.curve, k=1e-308)),
    )
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 1e308)
    refused("global_constraints[0] min_roas", f"value is 1e+308, {said}", global_constraints=[limit])
    tail = TailObjective(0.5, np.array([[1.0, 1.0], [1.0, math.nan]]))
    refused("scenarios[1][1]", "A scenario multiplier is nan.", tail=tail)
    refused("scenarios[0][1]", "A scenario multiplier is -1.", tail=TailObjective(0.5, np.array([[1.0, -1.0]])))


def test_an_empty_tree() -> None:
    with pytest.raises(InvalidProblem, match=r"There are no cells to allocate to\.") as caught:
        BudgetProblem.of([], 100.0)
    assert caught.value.where == "cells"


def test_duplicate_ids_and_bounds() -> None:
    refused("cells", "The cell id 'alice' occurs 2 times.", ALICE, ALICE)
    twice = [NodeBound(("ch",), None, 5.0), NodeBound(("ch",), 1.0, None)]
    refused("node_bounds", "The bound on 'ch' occurs 2 times.", node_bounds=twice)
    limits = [GlobalConstraint(GlobalKind.MIN_ROAS, 1.0), GlobalConstraint(GlobalKind.MIN_ROAS, 2.0)]
    said = "The constraint 'min_roas over the total' occurs 2 times."
    refused("global_constraints", said, global_constraints=limits)


def test_a_bound_outside_the_tree() -> None:
    refused("node_bounds[0] ch > carol", "No cell lies under ch > carol.", node_bounds=[NodeBound(("ch", "carol"))])
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 1.0, ("attic",))
    refused("global_constraints[0] min_roas", "No cell lies under attic.", global_constraints=[limit])


def test_a_cell_outside_the_tree() -> None:
    refused("cells[0] 'alice'", "The path of the cell has an empty level.", replace(ALICE, path=()))
    refused("cells[0] 'alice'", "The path of the cell has an empty level.", replace(ALICE, path=("ch", "")))
    with pytest.raises(InvalidProblem, match=r"The path is not complete\."):
        answer_file(json.dumps(changed(cells__0__path=["ch", "r"])), as_json=True)


def test_contradictory_bounds_of_one_cell() -> None:
    said = "The cell must spend at least 60 but at most 50."
    refused("cells[0] 'alice'", said, replace(ALICE, min_spend=60.0, max_spend=50.0))


def test_contradictory_bounds_of_one_node() -> None:
    answer = solve_budget(BudgetProblem.of([ALICE], 100.0, node_bounds=[NodeBound(("ch",), 60.0, 50.0)])).as_dict()
    assert answer["minimal_conflict"] == [
        {"path": ["ch"], "kind": "max_spend", "value": 50.0},
        {"path": ["ch"], "kind": "min_spend", "value": 60.0},
    ]
    assert answer["shortfall"] == pytest.approx(10.0)


def test_a_floor_above_the_budget() -> None:
    answer = solve_budget(BudgetProblem.of([replace(ALICE, min_spend=150.0)], 100.0)).as_dict()
    assert [(m["kind"], m["value"]) for m in answer["minimal_conflict"]] == [("max_spend", 100.0), ("min_spend", 150.0)]


def test_an_unattainable_roas() -> None:
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 1e6)
    held = replace(ALICE, min_spend=50.0)
    answer = solve_budget(BudgetProblem.of([held, BOB], 100.0, global_constraints=[limit])).as_dict()
    assert answer["status"] == "infeasible"
    assert answer["minimal_conflict"] == [
        {"scope": [], "kind": "min_roas", "value": 1e6},
        {"path": ["ch", "alice"], "kind": "min_spend", "value": 50.0, "cell": "alice"},
    ]
    assert answer["best_attainable"] < 9.0


def test_an_unattainable_roas_without_floors_spends_nothing() -> None:
    """Where nothing must be spent, spending nothing keeps any return."""
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 1e6)
    solved = certified(BudgetProblem.of([ALICE, BOB], 100.0, global_constraints=[limit]))
    assert solved.total_spend == pytest.approx(0.0, abs=1e-9)


def test_a_zero_budget() -> None:
    solved = certified(BudgetProblem.of([ALICE, BOB], 0.0))
    assert list(solved.spend) == [0.0, 0.0]


def test_a_reserve_of_everything() -> None:
    solved = certified(BudgetProblem.of([ALICE, BOB], 100.0, experiment_reserve_fraction=1.0))
    assert list(solved.spend) == [0.0, 0.0]
    assert solved.reasons["alice"].kind == "experiment_reserve"


@pytest.mark.parametrize("family", list(Family))
def test_flat_curves(family: Family) -> None:
    flat = [Cell(n, ("ch", n), Curve(family, 0.0, 10.0, 1.0), min_spend=least) for n, least in (("a", 5.0), ("b", 0.0))]
    solved = certified(BudgetProblem.of(flat, 100.0))
    assert solved.objective_revenue == 0.0
    assert solved.spend[0] >= 5.0


def test_all_out_of_stock() -> None:
    shelf = [replace(one, out_of_stock=True, min_spend=10.0) for one in (ALICE, BOB)]
    solved = certified(BudgetProblem.of(shelf, 100.0))
    assert list(solved.spend) == [0.0, 0.0]
    assert {reason.kind for reason in solved.reasons.values()} == {"out_of_stock"}


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e10])
@pytest.mark.parametrize("family", list(Family))
def test_amounts_of_a_trillion_and_of_a_hundredth(factor: float, family: Family) -> None:
    exponent = {Family.POWER: 0.5, Family.HILL: 2.0}.get(family, 1.0)
    cells = [
        Cell(f"c{i}", ("ch", f"c{i}"), Curve(family, 40.0 * (i + 2) * factor, 25.0 * factor, exponent))
        for i in range(4)
    ]
    solved = certified(BudgetProblem.of(cells, 100.0 * factor, node_bounds=[NodeBound(("ch",), None, 90.0 * factor)]))
    assert solved.total_spend == pytest.approx(90.0 * factor, rel=1e-12)


def test_amounts_that_differ_by_fourteen_orders() -> None:
    cells = [
        Cell("cent", ("ch", "cent"), Curve(Family.LOG, 0.05, 0.01)),
        Cell("trillion", ("ch", "trillion"), Curve(Family.LOG, 3e12, 1e12)),
    ]
    solved = certified(BudgetProblem.of(cells, 1e12))
    assert solved.spend[0] > 0.0


def test_no_bound_is_changed_in_silence() -> None:
    """The problem of an answer is the one that was asked."""
    asked = BudgetProblem.of([replace(ALICE, max_spend=0.1), BOB], 1e9, node_bounds=[NodeBound(("ch",), 0.2, 0.3)])
    solved = certified(asked)
    assert solved.problem is asked
    assert solved.spend == pytest.approx([0.1, 0.2])
