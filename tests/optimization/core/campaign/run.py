"""The campaigns: what is claimed of answers, prices and conflicts, over problems by their number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from optimization.core.convex import solve_conic
from optimization.core.domains import bounded_cells
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem
from optimization.core.solve import Solution, solve_budget
from optimization.core.tree import Tree
from tests.optimization.core.campaign.judge import bounds_allow_spend, enumerated, objective, on_grid, violation
from tests.optimization.core.campaign.trees import JUMPING, SMOOTH, drawn_tree, kind_of

#: Largest certified gap of each kind of problem; of those with jumps also the median is bounded.
WORST_GAP = dict.fromkeys(SMOOTH, 1e-09) | dict.fromkeys(JUMPING, 0.001) | {"tail": 1e-6}
MEDIAN_GAP = 1e-5
WORST_VIOLATION = 1e-9


def judged(seed: int, number: int) -> dict[str, Any]:
    """One random tree: what the answer is, and what is wrong with it (nothing, it is hoped)."""
    problem, kind = drawn_tree(seed, number), kind_of(number)
    found: dict[str, Any] = {"number": number, "kind": kind, "cells": len(problem.cells), "wrong": []}
    wrong: list[str] = found["wrong"]
    solved = solve_budget(problem)
    found["status"] = solved.status
    if solved.spend is None or solved.certificate is None:
        if not problem.global_constraints and bounds_allow_spend(problem):
            wrong.append("called infeasible, though its bounds can be met")
        return found
    proof = solved.certificate
    found |= {"gap": proof.gap, "violation": violation(problem, solved.spend), "engine": solved.engine}
    if found["violation"] > WORST_VIOLATION:
        wrong.append(f"breaks a constraint by {found['violation']:.1e} of the budget")
    if not -1e-12 <= proof.gap <= WORST_GAP[kind]:
        wrong.append(f"gap {proof.gap:.1e}")
    told = abs(proof.objective - objective(problem, solved.spend))
    if told > 1e-12 * abs(proof.objective):
        wrong.append("the objective told is not that of the allocation")
    if kind in SMOOTH:
        found["conic"] = _beside_conic(problem, solved, wrong)
    elif kind in ("s_curves", "ties", "commitments") and len(problem.cells) <= 12:
        found["enumerated"] = _beside_enumeration(problem, wrong)
    return found


def judge_trees(seed: int, numbers: Iterable[int]) -> dict[str, Any]:
    """Figures over many, and every wrong one by its number."""
    rows = [judged(seed, number) for number in numbers]
    return summary(rows)


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of judged trees; `wrong` names what does not hold."""
    solved = [row for row in rows if row["status"] == "optimal"]
    wrong = [f"tree {row['number']} ({row['kind']}): {text}" for row in rows for text in row["wrong"]]
    jumping = [row["gap"] for row in solved if row["kind"] in JUMPING]
    median = float(np.median(jumping)) if jumping else 0.0
    if median > MEDIAN_GAP:
        wrong.append(f"the median gap of problems with jumps is {median:.1e}")

    def worst(key: str, kinds: Iterable[str]) -> float:
        return max((row[key] for row in solved if row["kind"] in kinds), default=0.0)

    return {
        "trees": len(rows),
        "infeasible": len(rows) - len(solved),
        "worst_violation": worst("violation", WORST_GAP),
        "worst_gap_concave": worst("gap", SMOOTH),
        "worst_gap_tail": worst("gap", ("tail",)),
        "median_gap_jumps": median,
        "worst_gap_jumps": max(jumping, default=0.0),
        "beside_clarabel": sum(row.get("conic") is not None for row in rows),
        "worst_from_clarabel": max((row["conic"] for row in rows if row.get("conic") is not None), default=0.0),
        "beside_enumeration": sum(row.get("enumerated") is not None for row in rows),
        "wrong": wrong,
    }


def _beside_conic(problem: BudgetProblem, solved: Solution, wrong: list[str]) -> float | None:
    """Relative distance to Clarabel's optimum where it has one that keeps the constraints."""
    answer = solve_conic(problem, Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem))
    if answer.status != "optimal" or violation(problem, answer.spend) > 1e-7:
        return None
    apart = abs(solved.objective_revenue - answer.revenue) / max(answer.revenue, 1e-300)
    if apart > 1e-6:
        wrong.append(f"differs from Clarabel by {apart:.1e}")
    return apart


def _beside_enumeration(problem: BudgetProblem, wrong: list[str]) -> float | None:
    """How much more the answer earns than the best allocation on a fine grid: never less, and hardly more."""
    gridded = on_grid(problem)
    best = enumerated(gridded)
    solved = solve_budget(gridded)
    if not np.isfinite(best):
        return None
    if solved.spend is None:
        wrong.append("called infeasible, though the grid has an allocation")
        return None
    more = solved.objective_revenue / best - 1.0 if best > 0.0 else 0.0
    if more < -1e-9:
        wrong.append(f"earns {-more:.1e} less than an allocation on the grid")
    if more > 1e-2:
        wrong.append(f"earns {more:.1e} more than enumeration, which cannot be")
    return more
