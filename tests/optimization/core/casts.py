"""Small problems that the optimiser's tests share."""

from __future__ import annotations

import numpy as np

from optimization.core.conflicts import find_bound_conflict, without
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, NodeBound
from optimization.core.responses import Family

CONCAVE = (Family.LOG, Family.POWER, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION)


def cell(
    name: str, a: float, k: float, *, path: tuple[str, ...] = (), cap: float | None = None, **more: object
) -> Cell:
    """A logarithmic cell under `path`, with 20 of revenue per conversion."""
    curve = Curve(Family.LOG, a, k, revenue_per_conversion=20.0)
    return Cell(name, (*path, name), curve, max_spend=cap, **more)  # type: ignore[arg-type]


def random_problem(
    seed: int,
    n: int = 24,
    families: tuple[Family, ...] = CONCAVE,
    limits: tuple[GlobalConstraint, ...] = (),
) -> BudgetProblem:
    """A tree of four levels with caps and floors that can be met."""
    rng = np.random.default_rng(seed)
    cells = []
    for i in range(n):
        family = families[int(rng.integers(len(families)))]
        k = float(np.exp(rng.normal(6.0, 0.7)))
        exponent = {Family.POWER: 0.5, Family.HILL: float(rng.uniform(1.3, 3.0))}.get(family, 1.0)
        cells.append(
            Cell(
                id=f"c{i}",
                path=(f"ch{rng.integers(2)}", f"r{rng.integers(2)}", f"p{rng.integers(2)}", f"s{i}"),
                curve=Curve(family, float(np.exp(rng.normal(1.2, 0.6))) * k, k, exponent, float(rng.uniform(10, 40))),
                min_spend=float(rng.choice([0.0, 0.0, 0.0, 40.0])),
                max_spend=float(k * rng.uniform(1.5, 5.0)),
                out_of_stock=bool(rng.random() < 0.08),
            )
        )
    total = 0.4 * sum(one.max_spend or 0.0 for one in cells)
    prefixes = sorted({one.path[:depth] for one in cells for depth in (1, 2, 3)})
    bounds = []
    for path in prefixes:
        size = sum(one.max_spend or 0.0 for one in cells if one.path[: len(path)] == path)
        draw = rng.random()
        if draw < 0.3:
            bounds.append(NodeBound(path, None, float(size * rng.uniform(0.15, 0.5))))
        elif draw < 0.5:
            bounds.append(NodeBound(path, float(size * rng.uniform(0.1, 0.6)), None))
    problem = BudgetProblem.of(cells, total, node_bounds=bounds)
    while (conflict := find_bound_conflict(problem, further=False)) is not None:
        problem = without(problem, [one for one in conflict.members if one.path] or list(conflict.members))
    return BudgetProblem.of(
        problem.cells, problem.total_budget, node_bounds=problem.node_bounds, global_constraints=limits
    )
