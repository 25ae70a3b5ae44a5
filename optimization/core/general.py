"""Problems whose linear constraints cut across the tree: solved as a conic programme, proven by prices like the others.

Clarabel gives an allocation and a multiplier for every limit and every linear constraint. Under these multipliers the
problem is one on the tree again, so one filling prices its nodes and the certificate bounds the optimum, whatever the
conic solver thinks of its own answer. What its rounding has put outside the constraints is put back by the smallest
change of the cells that have room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from optimization.core.convex import solve_conic
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling
from optimization.core.problem import BudgetProblem
from optimization.core.responses import Floats
from optimization.core.tree import Tree

_NEAR = 1e-6
_STEPS = 12
#: A budget that tells what the first unit earns, over the smallest k.
_NEXT_TO_NOTHING = 1e-7


@dataclass(frozen=True, eq=False)
class GeneralAnswer:
    """An allocation within the constraints with the prices that bound it; `status` as of the conic solver."""

    status: str
    spend: Floats
    price: Floats
    multipliers: Floats
    tilt: Floats | None = None


def solve_general(problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet) -> GeneralAnswer:
    """Solve a concave problem with linear constraints.

    Raises:
        InvalidProblem: S-curves, commitments, or too many cells.
    """
    if tree.upper[0] <= 0.0:
        return _nothing_to_spend(problem, tree, cells, limits)
    answer = solve_conic(problem, tree, cells, limits)
    if answer.status != "optimal" or answer.multipliers is None:
        return GeneralAnswer(answer.status, answer.spend, np.zeros(tree.nodes), np.zeros(len(limits)))
    point = LimitedFilling(tree, cells, limits, answer.tilt).at(answer.multipliers)
    price = point.filled.price
    weights, costs = limits.lagrangian(answer.multipliers, answer.tilt)
    spend = put_back(tree, cells, limits, at_ends(cells, answer.spend, weights, costs + price[tree.owner]))
    return GeneralAnswer("optimal", spend, price, answer.multipliers, answer.tilt)


def _nothing_to_spend(problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet) -> GeneralAnswer:
    """No budget: nothing is spent, and the prices are those of next to nothing, so that they tell the first unit."""
    top = tree.upper.copy()
    top[0] = _NEXT_TO_NOTHING * float(cells.curves.scale.min())
    few = solve_conic(problem, replace(tree, upper=top), cells, limits)
    multipliers = np.zeros(len(limits))
    if few.multipliers is not None:
        # What has slack where nothing is spent has no price there.
        multipliers = np.where(limits.rhs > 0.0, 0.0, few.multipliers)
    price = LimitedFilling(tree, cells, limits, few.tilt).at(multipliers).filled.price
    return GeneralAnswer("optimal", np.zeros(len(cells)), price, multipliers, few.tilt)


def at_ends(cells: BoundedResponses, spend: Floats, weights: Floats, asked: Floats) -> Floats:
    """Cells that the prices send to a bound, put there where the conic solver left them a rounding error beside it."""
    near = 1e-5 * (cells.upper - cells.lower)
    with np.errstate(invalid="ignore", divide="ignore"):
        first = weights * cells.curves.marginal(cells.lower)
        last = weights * cells.curves.marginal(cells.upper)
    low = (spend <= cells.lower + near) & (first < asked * (1.0 - 1e-6))
    high = (spend >= cells.upper - near) & (last > asked * (1.0 + 1e-6))
    return np.where(low, cells.lower, np.where(high, cells.upper, spend))


def put_back(tree: Tree, cells: BoundedResponses, limits: GlobalSet, spend: Floats) -> Floats:
    """The spend moved into all constraints by the smallest change, each cell's measured by its room.

    A Newton step on the constraints that are broken, with those that are nearly binding held as they are.
    """
    money = max(float(tree.upper[0]), float(cells.lower.sum()), 1e-12)
    under = membership(tree)
    x = np.clip(spend, cells.lower, cells.upper)
    for _ in range(_STEPS):
        room = np.minimum(x - cells.lower, cells.upper - x)
        revenue = cells.curves.value(x)
        sums = under @ x
        slack = np.concatenate([tree.upper - sums, sums - tree.lower, limits.slack(x, revenue)])
        size = np.concatenate(
            [np.full(2 * tree.nodes, money), np.maximum(limits.slack_scale(x, revenue), 1e-12 * money)]
        )
        if np.all(slack >= -1e-15 * size):
            break
        near = np.flatnonzero(slack <= _NEAR * size)
        with np.errstate(invalid="ignore"):
            slope = np.where(room > 0.0, np.nan_to_num(cells.curves.marginal(x), posinf=0.0), 0.0)
        rows = _gradients(under, limits, slope, near, tree.nodes)
        wanted = np.maximum(-slack[near], 0.0) * (1.0 + 1e-9)
        scaled = rows * room
        weight = 1.0 / np.maximum(np.abs(scaled).sum(axis=1), 1e-300)
        pushed = np.linalg.lstsq((scaled * weight[:, None]), wanted * weight, rcond=1e-12)[0]
        step = room * pushed
        with np.errstate(divide="ignore", invalid="ignore"):
            most = np.min(np.where(np.abs(step) > 0.0, room / np.abs(step), np.inf), initial=np.inf)
        x = np.clip(x + min(1.0, 0.99 * float(most)) * step, cells.lower, cells.upper)
    return x


def membership(tree: Tree) -> csr_array:
    """1 where a cell lies under a node, shape (m, n)."""
    rows, columns = [], []
    for depth in range(tree.depths):
        node = tree.ancestors[depth][tree.owner]
        inside = np.flatnonzero(node >= 0)
        rows.append(node[inside])
        columns.append(inside)
    row, column = np.concatenate(rows), np.concatenate(columns)
    return csr_array((np.ones(row.size), (row, column)), shape=(tree.nodes, tree.owner.size))


def _gradients(under: csr_array, limits: GlobalSet, slope: Floats, near: np.ndarray, nodes: int) -> Floats:
    """How each of the constraints `near` gains slack with each cell's spend, shape (len(near), n)."""
    caps, floors, rest = near[near < nodes], near[(near >= nodes) & (near < 2 * nodes)], near[near >= 2 * nodes]
    bent = limits.gain[rest - 2 * nodes] * slope - limits.cost[rest - 2 * nodes]
    return np.vstack([-under[caps].toarray(), under[floors - nodes].toarray(), bent])
