"""Which method answers which problem, and the best allocation they find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.branching import BranchSearch
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Unattainable
from optimization.core.problem import BudgetProblem
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


def search_allocation(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet
) -> Candidate | Unattainable:
    """Find the allocation; the bounds of cells and nodes are known to be satisfiable."""
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
    return Candidate(
        point.spend, point.filled.price, point.multipliers, f"laminar{suffix}+branching", bound=branched.bound
    )
