"""The weekly allocation of a learner: the solver of budgets, with the amplitudes swapped and nothing else rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimization.core.domains import bounded_cells
from optimization.core.envelope import BoundedResponses
from optimization.core.laminar import fill_tree
from optimization.core.problem import BudgetProblem
from optimization.core.responses import Family, Floats
from optimization.core.tree import Tree

#: Families whose best allocation the tree fills exactly, without branching.
CONCAVE = (Family.LOG, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION)


@dataclass(frozen=True, eq=False)
class Allocator:
    """A budget problem whose curves are known up to one factor per cell.

    Attributes:
        problem: the cells with their bounds; their amplitudes are those at factor 1.
        tree, domain: what the solver makes of it.
    """

    problem: BudgetProblem
    tree: Tree
    domain: BoundedResponses

    @classmethod
    def of(cls, problem: BudgetProblem) -> Allocator:
        """Prepare a problem with concave curves and no constraint beyond bounds on cells and nodes.

        Raises:
            ValueError: the problem has S-curves, commitments, limits on return or cost, or another objective.
        """
        concave = np.isin(problem.responses.family, CONCAVE).all()
        if not concave or np.any(problem.commitments > 0.0) or problem.global_constraints or problem.tail is not None:
            raise ValueError("a learner allocates concave curves within bounds; give a problem without other limits")
        return cls(problem, Tree.of(problem), bounded_cells(problem))

    @property
    def paths(self) -> Sequence[tuple[str, ...]]:
        """Path of each cell."""
        return self.problem.paths

    @property
    def budget(self) -> float:
        """Money of one week."""
        return self.problem.available

    def __len__(self) -> int:
        return len(self.problem.cells)

    def allocate(self, factor: Floats, least: Floats | None = None) -> Floats:
        """The best spend if every curve is its curve at factor 1 times `factor`, see `priced`."""
        return self.priced(factor, least)[0]

    def priced(self, factor: Floats, least: Floats | None = None) -> tuple[Floats, Floats]:
        """The best spend and what money is worth at each cell.

        Args:
            factor: > 0, shape (n,).
            least: spend that each cell gets in any case, money, within the bounds; default none, shape (n,).

        Returns:
            Money per cell, shape (n,), the whole budget, since no curve ever falls; and the price of money in the node
            of each cell, shape (n,). A cell's spend depends on its factor and that price by their ratio alone.
        """
        curves = self.problem.responses
        scaled = replace(curves, amplitude=curves.amplitude * factor)
        lower = self.domain.lower if least is None else np.maximum(self.domain.lower, least)
        filled = fill_tree(self.tree, BoundedResponses.of(scaled, lower, self.domain.upper))
        return filled.spend, filled.price[self.tree.owner]

    def revenue(self, factor: Floats, spend: Floats) -> Floats:
        """Expected revenue per cell at `spend`, money, shape (n,)."""
        return factor * self.problem.responses.value(spend)
