"""The general path: the same problem as a conic programme, solved by Clarabel through CVXPY.

It takes a tail objective, which the tree alone does not, and serves as the second opinion in tests and benches. It is
orders of magnitude slower than the filling of the tree and meant for up to a few thousand cells. Money is scaled by the
budget before it reaches the solver: conic solvers stop at absolute tolerances near 1e-9.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import cvxpy
import numpy as np

from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, InvalidProblem
from optimization.core.responses import Family, Floats, Index
from optimization.core.tree import Tree

#: CVXPY builds its functions at import time, which a type checker cannot see.
cp: Any = cvxpy

Rows = np.ndarray[tuple[int], np.dtype[np.intp]]

#: Beyond this many cells the conic form takes minutes or fails.
MOST_CELLS = 5_000
#: Up to this spend over k a curve is its parabola at zero, relative to 1e-8 or better; cones lose that to rounding.
_STRAIGHT = 1e-4
#: And up to this one a Michaelis-Menten curve is told as a fraction.
_NEARLY = 0.1
#: Second derivative at zero, as a R''(0) = -2 bend a / k^2.
_BEND = {Family.LOG: 0.5, Family.MICHAELIS_MENTEN: 1.0, Family.EXP_SATURATION: 0.5}
_NEEDS_IT = "what needs the general path: a tail objective, shares, ratios, fair parts, bounds over all periods"


@dataclass(frozen=True, eq=False)
class ConicAnswer:
    """What the conic solver found.

    Attributes:
        status: `optimal`, `infeasible`, or the solver's own word for a failure.
        spend: money per cell, shape (n,); zeros when there is none.
        revenue: sum of the curves at `spend`, money.
        tilt: for a tail objective the mixture of scenarios that prices it, shape (n,), else None.
        multipliers: of the limits, money of the objective per unit of each, shape (j,); None when there is no answer.
    """

    status: str
    spend: Floats
    revenue: float
    tilt: Floats | None = None
    multipliers: Floats | None = None


def check_conic(cells: BoundedResponses) -> None:
    """Refuse what has no conic form or would take too long.

    Raises:
        InvalidProblem: a curve is S-shaped, a cell has a minimum commitment, or there are too many cells.
    """
    n = len(cells)
    if cells.gapped.any() or np.any((cells.curves.family == Family.HILL) & (cells.upper > cells.lower)):
        raise InvalidProblem(
            "Hill curves and minimum commitments have no conic form.",
            where="cells",
            fix=f"Use concave families without min_spend_if_active, or drop {_NEEDS_IT}.",
        )
    if n > MOST_CELLS:
        raise InvalidProblem(
            f"The general path takes up to {MOST_CELLS} cells, not {n}.",
            where="cells",
            fix=f"Merge cells, or drop {_NEEDS_IT}.",
        )


def solve_conic(problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet) -> ConicAnswer:
    """Solve a concave problem as a conic programme.

    Raises:
        InvalidProblem: a curve is S-shaped, a cell has a minimum commitment, or there are too many cells.
    """
    check_conic(cells)
    n = len(cells)
    money = max(float(tree.upper[0]), float(cells.lower.sum()), 1e-12)
    x = cp.Variable(n)
    # What the money can earn, not what the curves could: their ends may lie orders of magnitude beyond it.
    worth = max(float(cells.curves.value(np.minimum(cells.upper, money)).sum()), 1e-12)
    parts, order = _revenue(x, cells, money, worth)
    revenue = parts[np.argsort(order)]
    rules = _bound_rules(tree, cells, x, money)
    limit_rules = [slack >= 0.0 for slack in _slacks(limits, x, revenue, money, worth)]
    rules += limit_rules
    tail_rule = None
    if problem.tail is None:
        goal = limits.weight @ revenue - (limits.charge * money / worth) * cp.sum(x)
    else:
        # Spend is certain, so only what revenue counts for the objective has a tail. What the scenarios have in common
        # is taken out and the rest told by its size: rows that hardly differ are no programme for a conic solver.
        rows, share = problem.tail.scenarios * limits.weight, problem.tail.tail_fraction
        least = rows.min(axis=0)
        size = max(float((rows - least).max()), 1e-12)
        level, short = cp.Variable(), cp.Variable(rows.shape[0], nonneg=True)
        tail_rule = short >= level - ((rows - least) / size) @ revenue
        rules.append(tail_rule)
        worst = least @ revenue + size * (level - cp.sum(short) / (share * rows.shape[0]))
        goal = worst - (limits.charge * money / worth) * cp.sum(x)
    programme = cp.Problem(cp.Maximize(goal), rules)
    try:
        _run(programme)
    except cp.error.SolverError:
        try:
            # Where full steps run into the edge of a cone, shorter ones arrive.
            _run(programme, max_step_fraction=0.9)
        except cp.error.SolverError as failure:
            return ConicAnswer(f"failed: {failure}", np.zeros(n), 0.0)
    if x.value is None:
        status = "infeasible" if "infeasible" in programme.status else programme.status
        return ConicAnswer(status, np.zeros(n), 0.0)
    spend = np.clip(x.value * money, cells.lower, cells.upper)
    tilt = None
    if problem.tail is not None and tail_rule is not None:
        tilt = _mixture(np.asarray(tail_rule.dual_value), problem.tail.tail_fraction) @ problem.tail.scenarios
    multipliers = np.zeros(len(limits))
    for row, rule in enumerate(limit_rules):
        multipliers[row] = max(float(np.ravel(rule.dual_value)[0]), 0.0) * worth / _size(limits.cost[row], money)
    return ConicAnswer("optimal", spend, float(cells.curves.value(spend).sum()), tilt, multipliers)


def _mixture(odds: Floats, share: float) -> Floats:
    """The weights of scenarios nearest to a solver's, shape (s,): they add to 1, and none has more than the share has.

    A mixture that gives one scenario a trace more than that proves a bound that is a trace too low.
    """
    most = 1.0 / (share * odds.size)
    kept = np.clip(odds / max(float(np.maximum(odds, 0.0).sum()), 1e-300), 0.0, most)
    room = most - kept
    lacking = 1.0 - float(kept.sum())
    return kept + room * min(lacking / float(room.sum()), 1.0) if room.any() else kept


def _run(programme: Any, **settings: float) -> None:
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # A solution short of the tolerance is used all the same: the certificate says how good it is.
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        programme.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10, **settings)


def least_shortfall(tree: Tree, cells: BoundedResponses, limits: GlobalSet, money: float) -> float:
    """The least share of `money` by which some spend within the bounds misses its worst limit; 0 where all can be met.

    Raises:
        InvalidProblem: as `solve_conic`.
    """
    check_conic(cells)
    x, missed = cp.Variable(len(cells)), cp.Variable(nonneg=True)
    # What the money can earn, not what the curves could: their ends may lie orders of magnitude beyond it.
    worth = max(float(cells.curves.value(np.minimum(cells.upper, money)).sum()), 1e-12)
    parts, order = _revenue(x, cells, money, worth)
    slacks = _slacks(limits, x, parts[np.argsort(order)], money, worth)
    rules = [*_bound_rules(tree, cells, x, money), *(slack + missed >= 0.0 for slack in slacks)]
    programme = cp.Problem(cp.Minimize(missed), rules)
    try:
        with warnings.catch_warnings(), np.errstate(invalid="ignore"):
            warnings.filterwarnings("ignore", message="Solution may be inaccurate")
            programme.solve(solver=cp.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    except cp.error.SolverError:
        return float("inf")
    return float("inf") if missed.value is None else max(float(missed.value), 0.0)


def _bound_rules(tree: Tree, cells: BoundedResponses, x: Any, money: float) -> list[Any]:
    # Where nothing is left to decide, two bounds that touch would leave the programme no inside.
    held = cells.upper <= cells.lower
    shut, free = np.flatnonzero(held), np.flatnonzero(~held)
    rules = [x[free] >= cells.lower[free] / money, x[free] <= cells.upper[free] / money] if free.size else []
    if shut.size:
        rules.append(x[shut] == cells.lower[shut] / money)
    for node in range(tree.nodes):
        under = cp.sum(x[np.flatnonzero(tree.under(node))])
        if tree.upper[node] < np.inf:
            rules.append(under <= tree.upper[node] / money)
        if tree.lower[node] > 0.0:
            rules.append(under >= tree.lower[node] / money)
    return rules


def _slacks(limits: GlobalSet, x: Any, revenue: Any, money: float, worth: float) -> list[Any]:
    """What each limit has left, as a share of the money times its largest coefficient."""
    found = []
    for gain, cost, rhs in zip(limits.gain, limits.cost, limits.rhs, strict=True):
        size = _size(cost, money)
        earned = (gain * worth / size) @ revenue if gain.any() else 0.0
        found.append(earned + rhs / size - (cost * money / size) @ x)
    return found


def _size(cost: Floats, money: float) -> float:
    return max(float(np.abs(cost).max()) * money, 1e-12)


def _revenue(x: Any, cells: BoundedResponses, money: float, worth: float) -> tuple[Any, Rows]:
    """Revenue per cell as a share of `worth`, family by family, with the order of the cells in it."""
    parts, order = [], []
    held = cells.upper <= cells.lower
    if held.any():
        parts.append(cp.Constant(cells.curves.value(cells.lower)[held] / worth))
        order.append(np.flatnonzero(held))
    most = np.minimum(cells.upper, money) / cells.curves.scale
    for family, index in cells.curves.groups:
        rows = _rows(index, len(cells))
        rows = rows[~held[rows]]
        # Cells that can have nothing are left in the form that the others have.
        straight = (most[rows] > 0.0) & (most[rows] <= _STRAIGHT) & (family in _BEND)
        nearly = ~straight & (most[rows] > 0.0) & (most[rows] <= _NEARLY) & (family is Family.MICHAELIS_MENTEN)
        for form, inside in ((_parabola, straight), (_fraction, nearly), (_curve, ~straight & ~nearly)):
            if inside.any():
                parts.append(form(family, x, cells, rows[inside], money, worth))
                order.append(rows[inside])
    return cp.hstack(parts), np.concatenate(order)


def _parabola(family: Family, x: Any, cells: BoundedResponses, rows: Rows, money: float, worth: float) -> Any:
    """A curve of which only the beginning is in reach: as a/k, for either alone may be far from the money."""
    slope = cells.curves.amplitude[rows] / cells.curves.scale[rows] * (money / worth)
    bend = slope * (_BEND[family] * money / cells.curves.scale[rows])
    return cp.multiply(slope, x[rows]) - cp.multiply(bend, cp.square(x[rows]))


def _fraction(family: Family, x: Any, cells: BoundedResponses, rows: Rows, money: float, worth: float) -> Any:
    """r / (1 + r) as r - r^2 / (1 + r), which does not cancel where r is small."""
    slope = cells.curves.amplitude[rows] / cells.curves.scale[rows] * (money / worth)
    k = cells.curves.scale[rows] / money
    return cp.hstack(
        [slope[at] * (x[row] - cp.quad_over_lin(x[row], k[at] + x[row])) for at, row in enumerate(rows.tolist())]
    )


def _curve(family: Family, x: Any, cells: BoundedResponses, rows: Rows, money: float, worth: float) -> Any:
    k, n = cells.curves.scale[rows] / money, cells.curves.exponent[rows]
    a, spend = cells.curves.amplitude[rows] / worth, x[rows]
    if family is Family.LOG:
        return cp.multiply(a, cp.log1p(cp.multiply(1.0 / k, spend)))
    if family is Family.MICHAELIS_MENTEN:
        return cp.multiply(a, 1.0 - cp.inv_pos(1.0 + cp.multiply(1.0 / k, spend)))
    if family is Family.EXP_SATURATION:
        return cp.multiply(a, 1.0 - cp.exp(cp.multiply(-1.0 / k, spend)))
    # Against k, or where that is out of reach against the most there can be: cones lose what is far from 1.
    most = np.minimum(cells.upper[rows], money) / money
    unit = np.where((most > 0.0) & (most < 0.01 * k), most, k)
    size, part = a * (unit / k) ** n, cp.multiply(1.0 / unit, spend)
    return cp.hstack([size[i] * cp.power(part[i], float(n[i]), approx=False) for i in range(rows.size)])


def _rows(index: Index, n: int) -> Rows:
    return np.arange(n)[index]
