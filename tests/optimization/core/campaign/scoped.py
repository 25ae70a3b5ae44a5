"""Random problems whose return and cost limits hold over parts of the tree, each made of its number alone.

Scopes lie inside one another, each with limits of its own: some bind, some do not, some cannot be paid at any spend
(their lines then stay at nothing), some are paid by the first unit of money and by no other. Floors, holds, empty
shelves, a reserve and S-curves come with them, one shape after the other over the numbers of a campaign.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from optimization.core.problem import BudgetProblem, GlobalConstraint, GlobalKind, NodeBound, Path
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from tests.optimization.core.campaign.judge import violation
from tests.optimization.core.campaign.trees import CONCAVE, Draw, drawn_bounds, drawn_cells, in_units, met

#: One after the other over the numbers of a campaign.
SHAPES = ("nested", "floors", "held", "hopeless", "just_pays", "ties", "s_curves", "every_level")
WORST_GAP = dict.fromkeys(SHAPES, 1e-9) | {"s_curves": 1e-3}
WORST_VIOLATION = 1e-9


def shape_of(number: int) -> str:
    """The shape of the problem with this number."""
    return SHAPES[number % len(SHAPES)]


def drawn_scoped(seed: int, number: int) -> BudgetProblem:
    """A problem whose bounds can be met, with limits over scopes that may or may not be."""
    rng, shape = np.random.default_rng((seed, number, 7)), shape_of(number)
    families = (*CONCAVE, Family.HILL) if shape == "s_curves" else CONCAVE
    size = int(rng.choice([4, 8, 12, 24]))
    cells = drawn_cells(rng, families, size)
    if shape not in ("floors", "held"):
        cells = [replace(one, min_spend=0.0) for one in cells]
    if shape == "ties":
        alike = [replace(cells[0].curve), replace(cells[-1].curve)]
        cells = [replace(one, curve=alike[i % 2]) for i, one in enumerate(cells)]
    room = sum(one.curve.k * 3.0 if one.max_spend is None else one.max_spend for one in cells)
    bounds = drawn_bounds(rng, cells)
    if shape not in ("floors", "held"):
        bounds = [NodeBound(one.path, None, one.max_spend) for one in bounds if one.max_spend is not None]
    if shape == "held":
        held = [one for one in bounds if one.max_spend is not None]
        bounds = [NodeBound(one.path, one.max_spend, one.max_spend) for one in held[::2]] + held[1::2]
    problem = met(
        BudgetProblem.of(
            cells,
            room * float(rng.uniform(0.05, 0.7)),
            experiment_reserve_fraction=float(rng.choice([0.0, 0.05, 0.2])),
            node_bounds=bounds,
        )
    )
    problem = replace(problem, global_constraints=_limits(rng, problem, shape))
    unit = float(10.0 ** rng.uniform(-2.0, 9.0))
    return in_units(problem, unit / problem.total_budget)


def _limits(rng: Draw, problem: BudgetProblem, shape: str) -> tuple[GlobalConstraint, ...]:
    """Limits over a line of scopes inside one another, and over others beside it, near what each earns or beyond."""
    free = solve_budget(problem)
    if free.spend is None:
        return ()
    revenue = problem.responses.value(free.spend)
    orders = revenue / problem.revenue_per_conversion
    scopes = _scopes(rng, problem, shape)
    # About what the first unit of money in a line returns; that of a power is infinite.
    first = problem.responses.marginal(np.full(len(problem.cells), 1e-4) * problem.responses.scale)
    found = []
    for scope in scopes:
        inside = problem.members(scope)
        spent, earned = float(free.spend[inside].sum()), float(revenue[inside].sum())
        usual = earned / spent if spent > 0.0 and earned > 0.0 else float(first[inside].min())
        per_order = spent / float(orders[inside].sum()) if spent > 0.0 and earned > 0.0 else 0.3 / usual
        best = float(first[inside].max())
        if shape == "hopeless" and scope and rng.random() < 0.5:
            found.append(GlobalConstraint(GlobalKind.MIN_ROAS, best * float(rng.uniform(1.01, 30.0)), scope))
            continue
        if shape == "just_pays" and scope and rng.random() < 0.6:
            nearly = float(rng.choice([1.0 - 1e-3, 1.0 - 1e-6, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, 1.0 + 1e-4]))
            found.append(GlobalConstraint(GlobalKind.MIN_ROAS, best * nearly, scope))
            continue
        if rng.random() < 0.75:
            found.append(GlobalConstraint(GlobalKind.MIN_ROAS, usual * float(rng.uniform(0.8, 1.6)), scope))
        if rng.random() < 0.5:
            found.append(GlobalConstraint(GlobalKind.MAX_CPA, per_order * float(rng.uniform(0.6, 1.2)), scope))
    return tuple(found)


def _scopes(rng: Draw, problem: BudgetProblem, shape: str) -> list[Path]:
    every = sorted({path[:depth] for path in problem.paths for depth in range(1, 6)})
    if shape == "every_level":
        chosen = [one for one in every if rng.random() < 0.4][:12]
    else:
        line = problem.paths[int(rng.integers(len(problem.paths)))]
        deep = [line[:depth] for depth in range(1, 6) if rng.random() < 0.6]
        beside = [every[int(rng.integers(len(every)))] for _ in range(int(rng.integers(1, 4)))]
        chosen = list(dict.fromkeys([*deep, *beside]))
    return [(), *chosen] if rng.random() < 0.3 else chosen


def scoped_judged(seed: int, number: int) -> dict[str, Any]:
    """One problem: what the answer is, and what is wrong with it (nothing, it is hoped)."""
    problem, shape = drawn_scoped(seed, number), shape_of(number)
    found: dict[str, Any] = {"number": number, "shape": shape, "limits": len(problem.global_constraints), "wrong": []}
    wrong: list[str] = found["wrong"]
    solved = solve_budget(problem)
    found["status"] = solved.status
    if solved.spend is None or solved.certificate is None:
        if violation(problem, problem.lower) == 0.0:
            wrong.append("called infeasible, though the floors alone keep everything")
        return found
    gap = solved.certificate.gap
    found |= {"gap": gap, "violation": violation(problem, solved.spend)}
    if found["violation"] > WORST_VIOLATION:
        wrong.append(f"breaks a constraint by {found['violation']:.1e} of the budget")
    if not -1e-12 <= gap <= WORST_GAP[shape]:
        wrong.append(f"gap {gap:.1e}")
    return found


def scoped_summary(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Figures of judged problems; `wrong` names what does not hold."""
    rows = list(rows)
    solved = [row for row in rows if row["status"] == "optimal"]

    def worst(key: str, *, jumps: bool) -> float:
        return max((row[key] for row in solved if (row["shape"] == "s_curves") is jumps), default=0.0)

    return {
        "problems": len(rows),
        "infeasible": len(rows) - len(solved),
        "limits": sum(row["limits"] for row in rows),
        "worst_gap_concave": worst("gap", jumps=False),
        "worst_gap_jumps": worst("gap", jumps=True),
        "worst_violation": max(worst("violation", jumps=False), worst("violation", jumps=True)),
        "wrong": [f"scoped {row['number']} ({row['shape']}): {text}" for row in rows for text in row["wrong"]],
    }
