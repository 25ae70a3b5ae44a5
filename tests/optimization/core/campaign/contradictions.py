"""Conflicts beside the definition: together they cannot be met, without any one of them they can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from optimization.core.conflicts import Member, without
from optimization.core.problem import BudgetProblem, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.solve import solve_budget
from tests.optimization.core.campaign.judge import bounds_allow_spend, violation
from tests.optimization.core.campaign.trees import CONCAVE, drawn_bounds, drawn_cells, met


def drawn_contradiction(seed: int, number: int) -> BudgetProblem:
    """A problem that mostly cannot be met: by its bounds where the number is even, by a limit where it is odd."""
    rng = np.random.default_rng((seed, number, 5))
    cells = drawn_cells(rng, CONCAVE, int(rng.choice([4, 8, 12])), commitment_share=0.2 if number % 4 == 0 else 0.0)
    room = sum(one.curve.k * 3.0 if one.max_spend is None else one.max_spend for one in cells)
    bounds = drawn_bounds(rng, cells)
    reserve = float(rng.choice([0.0, 0.1]))
    if number % 2 == 0:
        floors = [
            replace(one, min_spend=None if one.min_spend is None else one.min_spend * float(rng.uniform(1.0, 3.0)))
            for one in bounds
        ]
        return BudgetProblem.of(
            cells,
            room * float(rng.uniform(0.03, 0.3)),
            experiment_reserve_fraction=reserve,
            node_bounds=[replace(one, max_spend=_above(one)) for one in floors],
        )
    problem = met(BudgetProblem.of(cells, room * 0.4, experiment_reserve_fraction=reserve, node_bounds=bounds))
    # Floors under a return or cost that no allocation with them reaches.
    held = NodeBound(problem.paths[0][:1], 0.2 * problem.available, None)
    problem = met(replace(problem, node_bounds=(*(b for b in problem.node_bounds if b.path != held.path), held)))
    best = float(np.max(problem.responses.marginal(np.maximum(problem.responses.scale * 1e-3, problem.lower))))
    limit = (
        GlobalConstraint(GlobalKind.MIN_ROAS, best * float(rng.uniform(0.5, 1.5)))
        if rng.random() < 0.5
        else GlobalConstraint(GlobalKind.MAX_CPA, 0.4 / best * float(rng.uniform(0.5, 1.5)))
    )
    return replace(problem, global_constraints=(limit,))


def contradicted(seed: int, number: int) -> dict[str, Any]:
    """One problem: whether it is infeasible, and whether its conflict is what it is said to be."""
    problem = drawn_contradiction(seed, number)
    found: dict[str, Any] = {"number": number, "infeasible": False, "members": 0, "wrong": []}
    wrong: list[str] = found["wrong"]
    solved = solve_budget(problem)
    limited = bool(problem.global_constraints)
    if solved.conflict is None:
        if solved.spend is None or violation(problem, solved.spend) > 1e-9:
            wrong.append("neither an allocation nor a conflict")
        return found
    members = solved.conflict.members
    found |= {"infeasible": True, "members": len(members)}
    if not limited and bounds_allow_spend(problem):
        wrong.append("called infeasible, though its bounds can be met")
    if _can_be_met(only(problem, members)):
        wrong.append("the members alone can be met")
    for one in members:
        if not _can_be_met(only(problem, [other for other in members if other is not one])):
            wrong.append(f"without {one.kind} of {one.path} the others still cannot be met")
        if _can_be_met(without(problem, [one])) is not one.restores:
            wrong.append(f"{one.kind} of {one.path} is told to restore: {one.restores}")
    found["all_restore"] = all(one.restores for one in members)
    return found


def judge_contradictions(seed: int, infeasible: int, first: int = 0) -> dict[str, Any]:
    """Figures until as many infeasible problems were seen."""
    rows: list[dict[str, Any]] = []
    number = first
    while sum(row["infeasible"] for row in rows) < infeasible:
        rows.append(contradicted(seed, number))
        number += 1
    return conflict_summary(rows)


def conflict_summary(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Figures of judged problems; `wrong` names what does not hold."""
    rows = list(rows)
    seen = [row for row in rows if row["infeasible"]]
    return {
        "problems": len(rows),
        "infeasible": len(seen),
        "members": sum(row["members"] for row in seen),
        "every_member_restores_all": sum(row["all_restore"] for row in seen),
        "wrong": [f"problem {row['number']}: {text}" for row in rows for text in row["wrong"]],
    }


def only(problem: BudgetProblem, members: Sequence[Member]) -> BudgetProblem:
    """The problem with no other constraint than `members`; an empty shelf is a fact and stays."""
    kept = {(one.kind, one.path, one.cell) for one in members}
    cells = [
        replace(
            one,
            min_spend=one.min_spend if ("min_spend", one.path, one.id) in kept else 0.0,
            max_spend=one.max_spend if ("max_spend", one.path, one.id) in kept else None,
            min_spend_if_active=(one.min_spend_if_active if ("min_spend_if_active", one.path, one.id) in kept else 0.0),
        )
        for one in problem.cells
    ]
    bounds = [
        NodeBound(
            b.path,
            b.min_spend if ("min_spend", b.path, None) in kept else None,
            b.max_spend if ("max_spend", b.path, None) in kept else None,
        )
        for b in problem.node_bounds
    ]
    limits = [one for one in problem.global_constraints if (one.kind.value, one.scope, None) in kept]
    total = ("max_spend", (), None) in kept
    asked = sum((b.min_spend or 0.0) for b in problem.node_bounds) + sum(
        max(one.min_spend, one.min_spend_if_active) for one in problem.cells
    )
    return BudgetProblem.of(
        cells,
        problem.total_budget if total else 10.0 * (asked + problem.total_budget),
        experiment_reserve_fraction=problem.experiment_reserve_fraction if total else 0.0,
        node_bounds=bounds,
        global_constraints=limits,
    )


def _above(bound: NodeBound) -> float | None:
    """The cap of a bound, no lower than its floor: a bound that contradicts itself is too easy."""
    return None if bound.max_spend is None else max(bound.max_spend, bound.min_spend or 0.0)


def _can_be_met(problem: BudgetProblem) -> bool:
    """By HiGHS where only bounds are asked for, else by an allocation that keeps everything."""
    if not problem.global_constraints:
        return bounds_allow_spend(problem)
    solved = solve_budget(problem)
    return solved.spend is not None and violation(problem, solved.spend) <= 1e-9
