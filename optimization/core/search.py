"""Which method answers which problem, and the best allocation they find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.branching import BranchSearch, SolverFailed
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Unattainable
from optimization.core.problem import BudgetProblem
from optimization.core.reachable import within_bounds
from optimization.core.responses import Floats
from optimization.core.tree import Tree


@dataclass(frozen=True, eq=False)
class Candidate:
    """An allocation with the prices that bound how much better another could be.

    Attributes:
        spend: money per cell, shape (n,).
        price: inside each node, shape (m,).
        multipliers: of the global constraints, shape (j,).
        engine: what found it.
        tilt: mixture of scenarios per cell that prices a tail objective, shape (n,), or None.
        objective: value of what was maximised where that is not the sum of revenue.
        bound: a bound proven by branching, money, or None.
    """

    spend: Floats
    price: Floats
    multipliers: Floats
    engine: str
    tilt: Floats | None = None
    objective: float | None = None
    bound: float | None = None


class NothingMeetsAll:
    """No allocation meets the linear constraints with all others."""


def search_allocation(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet
) -> Candidate | Unattainable | NothingMeetsAll:
    """Find the allocation; the bounds of cells and nodes are known to be satisfiable."""
    if problem.linear:
        return _general_candidate(problem, tree, cells, limits)
    if problem.tail is not None:
        return _tail_candidate(problem, tree, cells, limits)
    suffix = "+multipliers" if len(limits) else ""
    if not cells.gapped.any():
        found = LimitedFilling(tree, cells, limits).best()
        if isinstance(found, Unattainable):
            return found
        return Candidate(found.spend, found.filled.price, found.multipliers, f"laminar{suffix}")
    branched = BranchSearch(tree, cells, limits, problem.commitments).run()
    if isinstance(branched, Unattainable):
        return branched
    if branched is None:
        return Unattainable(np.zeros(len(limits)), LimitedFilling(tree, cells, limits).at(np.zeros(len(limits))))
    point = branched.point
    engine = f"laminar{suffix}+branching" + ("+highs" if branched.programmes else "")
    return Candidate(point.spend, point.filled.price, point.multipliers, engine, bound=branched.bound)


def tail_value(problem: BudgetProblem, spend: Floats) -> float:
    """Mean of the objective over the worst share of the scenarios at `spend`, money; a fraction of a scenario counts
    as such."""
    if problem.tail is None:
        raise AssertionError("a tail value needs a tail objective")
    outcomes = np.sort(problem.tail.scenarios @ (problem.aim_weights * problem.responses.value(spend)))
    mass = problem.tail.tail_fraction * outcomes.size
    weights = np.clip(mass - np.arange(outcomes.size), 0.0, 1.0)
    return float(weights @ outcomes / mass) - (problem.aim_cost + problem.hurdle) * float(spend.sum())


def _tail_candidate(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet
) -> Candidate | Unattainable:
    """A tail objective: the conic solver gives the allocation, the tree at its scenario prices the bound.

    The tail mean is the least over all mixtures of the worst scenarios, so under any one mixture the expected revenue
    that the tree can reach is an upper bound.
    """
    # CVXPY takes a second to import; only tail objectives pay for it.
    from optimization.core.convex import solve_conic

    reachable = LimitedFilling(tree, cells, limits).best()
    if isinstance(reachable, Unattainable):
        return reachable
    answer = solve_conic(problem, tree, cells, limits)
    if answer.status != "optimal" or answer.tilt is None:
        raise SolverFailed(
            f"The conic solver gave up: {answer.status}.",
            where="objective",
            fix="Maximise expected revenue instead, or drop scenarios that differ by orders of magnitude.",
        )
    priced = LimitedFilling(tree, cells, limits, tilt=answer.tilt).best()
    if isinstance(priced, Unattainable):
        return priced
    spend = _inside(tree, cells, limits, within_bounds(tree, cells, answer.spend), reachable.spend)
    return Candidate(
        spend,
        priced.filled.price,
        priced.multipliers,
        "cvxpy+clarabel",
        tilt=answer.tilt,
        objective=tail_value(problem, spend),
    )


def _general_candidate(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet
) -> Candidate | NothingMeetsAll:
    """Constraints that cut across the tree: see `optimization.core.general`."""
    from optimization.core.general import solve_general

    if np.all(cells.upper <= cells.lower):
        # Nothing is left to decide, and a programme without room is no programme for a conic solver.
        free, none = np.zeros(tree.nodes), np.zeros(len(limits))
        revenue = cells.curves.value(cells.lower)
        if np.any(limits.slack(cells.lower, revenue) < -1e-12 * limits.slack_scale(cells.lower, revenue)):
            return NothingMeetsAll()
        objective = None if problem.tail is None else tail_value(problem, cells.lower)
        return Candidate(cells.lower, free, none, "laminar", objective=objective)
    answer = solve_general(problem, tree, cells, limits)
    if answer.status == "infeasible":
        return NothingMeetsAll()
    if answer.status != "optimal":
        raise SolverFailed(
            f"The conic solver gave up: {answer.status}.",
            where="constraints",
            fix="Bring amounts and curves to comparable sizes; some differ by many orders of magnitude.",
        )
    revenue = cells.curves.value(answer.spend)
    broken = -limits.slack(answer.spend, revenue) > 1e-8 * np.maximum(limits.slack_scale(answer.spend, revenue), 1e-12)
    if broken.any():
        return NothingMeetsAll()
    objective = None if problem.tail is None else tail_value(problem, answer.spend)
    return Candidate(
        answer.spend, answer.price, answer.multipliers, "cvxpy+clarabel", tilt=answer.tilt, objective=objective
    )


def _inside(tree: Tree, cells: BoundedResponses, limits: GlobalSet, spend: Floats, anchor: Floats) -> Floats:
    """The conic answer pulled towards an allocation within all constraints until it breaks none beyond rounding."""

    def excess(at: Floats) -> float:
        sums, slack = tree.sums(at), limits.slack(at, cells.curves.value(at))
        return float(max(np.max(sums - tree.upper), np.max(tree.lower - sums), np.max(-slack, initial=0.0)))

    allowed = 1e-12 * float(tree.upper[0])
    for share in (0.0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3):
        mixed = (1.0 - share) * spend + share * anchor
        if excess(mixed) <= allowed:
            return mixed
    return anchor
