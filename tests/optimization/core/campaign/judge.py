"""Answers judged by the words of the problem alone: nothing of the engine but its curves is used here."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from optimization.core.problem import BudgetProblem, GlobalKind, NodeBound
from optimization.core.responses import Floats

#: Steps of the grid on which allocations are enumerated.
STEPS = 1000


def violation(problem: BudgetProblem, spend: Floats) -> float:
    """The largest amount by which anything asked for is broken, as a share of the budget."""
    if not np.isfinite(spend).all():
        return math.inf
    revenue = problem.responses.value(spend)
    worst = max(0.0, float(-spend.min()), float(spend.sum()) - problem.available)
    for cell, amount in zip(problem.cells, spend, strict=True):
        if cell.out_of_stock:
            worst = max(worst, float(amount))
            continue
        worst = max(worst, cell.min_spend - amount, amount - (math.inf if cell.max_spend is None else cell.max_spend))
        if amount > 0.0:
            worst = max(worst, min(cell.min_spend_if_active - amount, amount))
    for bound in problem.node_bounds:
        inside = float(spend[problem.members(bound.path)].sum())
        worst = max(worst, (bound.min_spend or 0.0) - inside)
        worst = max(worst, inside - (math.inf if bound.max_spend is None else bound.max_spend))
    for one in problem.global_constraints:
        inside = problem.members(one.scope)
        spent = float(spend[inside].sum())
        if one.kind is GlobalKind.MIN_ROAS:
            worst = max(worst, one.value * spent - float(revenue[inside].sum()))
        else:
            orders = float((revenue[inside] / problem.revenue_per_conversion[inside]).sum())
            worst = max(worst, spent - one.value * orders)
    return worst / (problem.total_budget or 1.0)


def objective(problem: BudgetProblem, spend: Floats) -> float:
    """What was maximised, at `spend`: revenue, or the mean of the worst share of the scenarios."""
    revenue = problem.responses.value(spend)
    if problem.tail is None:
        return float(revenue.sum())
    outcomes = np.sort(problem.tail.scenarios @ revenue)
    mass = problem.tail.tail_fraction * outcomes.size
    return float(np.clip(mass - np.arange(outcomes.size), 0.0, 1.0) @ outcomes / mass)


def bounds_allow_spend(problem: BudgetProblem) -> bool:
    """True when some spend keeps all bounds and commitments, by the word of HiGHS; limits aside."""
    n, unit = len(problem.cells), problem.total_budget
    least, most = problem.lower / unit, np.minimum(problem.upper / unit, 2.0)
    spends, ones = np.eye(n), np.zeros((n, n))
    rows = [np.ones(n), *(problem.members(bound.path).astype(float) for bound in problem.node_bounds)]
    low = [0.0, *((bound.min_spend or 0.0) / unit for bound in problem.node_bounds)]
    high = [problem.available / unit]
    high += [math.inf if bound.max_spend is None else bound.max_spend / unit for bound in problem.node_bounds]
    tree = np.hstack([np.array(rows), np.zeros((len(rows), n))])
    # A switch per cell: off means nothing, on means at least the commitment.
    started = np.hstack([spends, ones - np.diag(problem.commitments / unit)])
    stopped = np.hstack([spends, ones - np.diag(most)])
    answer = milp(
        np.zeros(2 * n),
        constraints=[
            LinearConstraint(tree, np.array(low), np.array(high)),
            LinearConstraint(started, 0.0, np.inf),
            LinearConstraint(stopped, -np.inf, 0.0),
        ],
        bounds=Bounds(np.append(least, np.zeros(n)), np.append(most, np.ones(n))),
        integrality=np.append(np.zeros(n), np.ones(n)),
    )
    return bool(answer.status == 0)


def on_grid(problem: BudgetProblem) -> BudgetProblem:
    """The problem with every amount rounded to the grid: bounds down, floors and commitments down as well."""
    step = problem.available / STEPS

    def down(value: float) -> float:
        return math.floor(value / step + 1e-9) * step

    cells = [
        type(cell)(
            cell.id,
            cell.path,
            cell.curve,
            down(cell.min_spend),
            None if cell.max_spend is None else max(down(cell.max_spend), down(cell.min_spend)),
            cell.out_of_stock,
            down(cell.min_spend_if_active),
        )
        for cell in problem.cells
    ]
    bounds = [
        NodeBound(
            b.path,
            None if b.min_spend is None else down(b.min_spend),
            None if b.max_spend is None else down(b.max_spend),
        )
        for b in problem.node_bounds
    ]
    return BudgetProblem.of(
        cells,
        problem.total_budget,
        experiment_reserve_fraction=problem.experiment_reserve_fraction,
        node_bounds=bounds,
    )


def enumerated(problem: BudgetProblem) -> float:
    """The best revenue over every allocation on the grid; -inf where none is allowed.

    All amounts of the problem lie on the grid (`on_grid`). From the deepest level up, the best revenue of each node at
    each total is the best over all ways to share it among its children.
    """
    step = problem.available / STEPS
    grid = np.arange(STEPS + 1) * step
    bounds = {bound.path: bound for bound in problem.node_bounds}
    values: dict[tuple[str, ...], Floats] = {}
    for index, cell in enumerate(problem.cells):
        revenue = problem.responses.take(np.full(grid.size, index)).value(grid)
        near = 0.5 * step
        allowed = np.ones(grid.size, dtype=np.bool_)
        if cell.out_of_stock:
            allowed = grid == 0.0
        else:
            allowed &= grid >= cell.min_spend - near
            allowed &= grid <= (math.inf if cell.max_spend is None else cell.max_spend + near)
            allowed &= (grid == 0.0) | (grid >= cell.min_spend_if_active - near)
        values[cell.path] = _within(np.where(allowed, revenue, -np.inf), grid, bounds.get(cell.path), near)
    for depth in range(max(len(path) for path in values) - 1, -1, -1):
        above: dict[tuple[str, ...], Floats] = {}
        for path, value in values.items():
            if len(path) <= depth:
                above[path] = value
                continue
            parent = path[:depth]
            above[parent] = _shared(above[parent], value) if parent in above else value
        values = {
            path: _within(value, grid, bounds.get(path), 0.5 * step) if len(path) == depth else value
            for path, value in above.items()
        }
    return float(values[()].max())


def _within(value: Floats, grid: Floats, bound: NodeBound | None, near: float) -> Floats:
    if bound is None:
        return value
    low, high = bound.min_spend or 0.0, math.inf if bound.max_spend is None else bound.max_spend
    return np.where((grid >= low - near) & (grid <= high + near), value, -np.inf)


def _shared(first: Floats, second: Floats) -> Floats:
    """best[t] = max over s of first[s] + second[t - s]."""
    best = np.full(first.size, -np.inf)
    for spent in np.flatnonzero(np.isfinite(second)):
        best[spent:] = np.maximum(best[spent:], first[: first.size - spent] + second[spent])
    return best
