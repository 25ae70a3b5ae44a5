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

#: What an answer without dust may earn less than one with it, as a share.
_DUST = 1e-9


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
    outcomes = problem.tail.scenarios @ (problem.aim_weights * problem.responses.value(spend))
    worst = _worst(outcomes, problem.tail.tail_fraction)
    return float(worst @ outcomes) - (problem.aim_cost + problem.hurdle) * float(spend.sum())


def _worst(outcomes: Floats, share: float) -> Floats:
    """The weights of scenarios in the mean of the worst share of them, shape (s,)."""
    mass, weights = share * outcomes.size, np.zeros(outcomes.size)
    weights[np.argsort(outcomes, kind="stable")] = np.clip(mass - np.arange(outcomes.size), 0.0, 1.0) / mass
    return weights


def _nothing_left(problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet) -> Candidate:
    """All lines at their only spend: a programme without room is no programme for a conic solver."""
    spend, free, none = cells.lower, np.zeros(tree.nodes), np.zeros(len(limits))
    if problem.tail is None:
        return Candidate(spend, free, none, "laminar")
    outcomes = problem.tail.scenarios @ (problem.aim_weights * cells.curves.value(spend))
    tilt = _worst(outcomes, problem.tail.tail_fraction) @ problem.tail.scenarios
    return Candidate(spend, free, none, "laminar", tilt=tilt, objective=tail_value(problem, spend))


def _tail_candidate(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet
) -> Candidate | Unattainable:
    """A tail objective: the conic solver gives the allocation, the tree at its scenario prices the bound.

    The tail mean is the least over all mixtures of the worst scenarios, so under any one mixture the expected revenue
    that the tree can reach is an upper bound.
    """
    # CVXPY takes a second to import; only tail objectives pay for it.
    from optimization.core.convex import solve_conic
    from optimization.core.general import at_ends

    reachable = LimitedFilling(tree, cells, limits).best()
    if isinstance(reachable, Unattainable):
        return reachable
    if np.all(cells.upper <= cells.lower):
        return _nothing_left(problem, tree, cells, limits)
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
    # An interior point stops short of every bound: where the prices send a line to one, or all of them, it is there.
    weights, costs = limits.lagrangian(priced.multipliers, answer.tilt)
    ended = at_ends(cells, spend, weights, costs + priced.filled.price[tree.owner])
    tried = [one for one in (cells.lower, ended) if _excess(tree, cells, limits, one) <= _allowed(tree)]
    best = max(tail_value(problem, one) for one in (spend, *tried))
    for one in tried:
        # Dust that earns less than the solver's own rounding is not worth a line in a plan.
        if tail_value(problem, one) >= best - _DUST * abs(best):
            spend = one
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
        revenue = cells.curves.value(cells.lower)
        if np.any(limits.slack(cells.lower, revenue) < -1e-12 * limits.slack_scale(cells.lower, revenue)):
            return NothingMeetsAll()
        return _nothing_left(problem, tree, cells, limits)
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
    for share in (0.0, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3):
        mixed = (1.0 - share) * spend + share * anchor
        if _excess(tree, cells, limits, mixed) <= _allowed(tree):
            return mixed
    return anchor


def _allowed(tree: Tree) -> float:
    """What rounding may break a constraint by, money."""
    return 1e-12 * float(tree.upper[0])


def _excess(tree: Tree, cells: BoundedResponses, limits: GlobalSet, spend: Floats) -> float:
    """By how much the worst constraint is broken, money; zero or less where none is."""
    sums, slack = tree.sums(spend), limits.slack(spend, cells.curves.value(spend))
    return float(max(np.max(sums - tree.upper), np.max(tree.lower - sums), np.max(-slack, initial=0.0)))
