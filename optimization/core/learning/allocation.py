"""The weekly allocation of a learner: the solver of budgets, with the amplitudes swapped and nothing else rebuilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimization.core.branching import SolverFailed
from optimization.core.conflicts import Conflict, Intervals, find_bound_conflict
from optimization.core.domains import bounded_cells
from optimization.core.envelope import BoundedResponses
from optimization.core.laminar import fill_tree
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, InvalidProblem
from optimization.core.responses import Floats
from optimization.core.solve import solve_budget
from optimization.core.tree import Tree


@dataclass(frozen=True, eq=False)
class Allocation:
    """The best spend by some factors, money, shape (n,).

    Attributes:
        spend: money per cell.
        price: what money is worth at each cell. Where no curve jumps and the objective is expected revenue, a cell's
            spend depends on its factor and this price by their ratio alone.
    """

    spend: Floats
    price: Floats


@dataclass(frozen=True, eq=False)
class Allocator:
    """A budget problem whose curves are known up to one factor per cell, with whatever constraints it has.

    Attributes:
        problem: the cells with their bounds; their amplitudes are those at factor 1.
        tree, domain: what the solver makes of it.
        plain: True where the tree alone answers: curves that do not jump, bounds on cells and nodes, expected revenue.
    """

    problem: BudgetProblem
    tree: Tree
    domain: BoundedResponses
    plain: bool

    @classmethod
    def of(cls, problem: BudgetProblem) -> Allocator:
        """Prepare a problem.

        Raises:
            InvalidProblem: it has periods; a learner decides one at a time.
        """
        if problem.periods is not None:
            raise InvalidProblem(
                "The problem has a budget for each of several periods, but a learner decides week by week.",
                where="periods",
                fix="Give a problem with one budget.",
            )
        domain = bounded_cells(problem)
        plain = not domain.gapped.any() and GlobalSet.of(problem).plain and problem.tail is None
        return cls(problem, Tree.of(problem), domain, plain)

    def closed(self, cells: NDArray[np.bool_] | None) -> Allocator:
        """The same with some cells out of stock, shape (n,); None is none."""
        if cells is None or not cells.any():
            return self
        lines = [
            replace(cell, out_of_stock=True) if shut else cell
            for cell, shut in zip(self.problem.cells, cells, strict=True)
        ]
        return Allocator.of(replace(self.problem, cells=tuple(lines)))

    @property
    def paths(self) -> Sequence[tuple[str, ...]]:
        """Path of each cell."""
        return self.problem.paths

    @property
    def budget(self) -> float:
        """Money of one week."""
        return self.problem.available

    @property
    def mean_line(self) -> float:
        """Budget per line, money."""
        return self.budget / len(self)

    @property
    def smooth(self) -> bool:
        """Whether a cell's spend follows from its factor over the price of money there."""
        return not self.domain.gapped.any() and self.problem.tail is None

    @cached_property
    def conflict(self) -> Conflict | None:
        """Why no spend at all meets the bounds, whatever the factors."""
        return find_bound_conflict(self.problem, tree=self.tree)

    def __len__(self) -> int:
        return len(self.problem.cells)

    def allocate(self, factor: Floats, least: Floats | None = None) -> Floats:
        """The best spend if every curve is its curve at factor 1 times `factor`, see `priced`.

        Raises:
            ValueError: no spend meets the constraints.
        """
        found = self.priced(factor, least)
        if found is None:
            raise ValueError("no spend meets the constraints under these factors")
        return found.spend

    def priced(self, factor: Floats, least: Floats | None = None) -> Allocation | None:
        """The best spend and what money is worth at each cell; None where no spend meets the constraints.

        Args:
            factor: > 0, shape (n,).
            least: spend that each cell gets in any case, as far as its cap allows, money; default none, shape (n,).
        """
        lower = self._raised(least)
        if Intervals.of(self.tree, lower, self.domain.upper).empty().size:
            return None
        if not self.plain:
            return self._solved(factor, least)
        curves = self.problem.responses
        scaled = replace(curves, amplitude=curves.amplitude * factor)
        filled = fill_tree(self.tree, BoundedResponses.of(scaled, lower, self.domain.upper))
        return Allocation(filled.spend, filled.price[self.tree.owner])

    def bounded(self, factor: Floats) -> BoundedResponses:
        """The curves times `factor`, shape (n,), on the domains that the cells allow."""
        curves = self.problem.responses
        scaled = replace(curves, amplitude=curves.amplitude * factor)
        return BoundedResponses.of(scaled, self.domain.lower, self.domain.upper, self.problem.commitments)

    def admits(self, spend: Floats) -> bool:
        """Whether a spend keeps the bounds of cells and nodes and the budget; limits on return and cost aside."""
        slack = 1e-9 * max(self.budget, 1.0)
        sums = self.tree.sums(spend)
        active = spend > 0.0
        return bool(
            np.all(spend >= self.domain.lower - slack)
            and np.all(spend <= self.domain.upper + slack)
            and np.all(spend[active] >= self.problem.commitments[active] - slack)
            and np.all(sums >= self.tree.lower - slack)
            and np.all(sums <= self.tree.upper + slack)
        )

    def revenue(self, factor: Floats, spend: Floats) -> Floats:
        """Expected revenue per cell at `spend`, money, shape (n,)."""
        return factor * self.problem.responses.value(spend)

    def _raised(self, least: Floats | None) -> Floats:
        if least is None:
            return self.domain.lower
        asked = np.where(least > 0.0, np.maximum(least, self.problem.commitments), 0.0)
        return np.maximum(self.domain.lower, np.minimum(asked, self.domain.upper))

    def drawn(self, factor: Floats, least: Floats | None = None) -> BudgetProblem:
        """The problem if every curve is its curve at factor 1 times `factor`, see `priced`."""
        lower = None if least is None else self._raised(least)
        cells = [
            replace(
                cell,
                curve=replace(cell.curve, a=cell.curve.a * float(of)),
                min_spend=cell.min_spend if lower is None or cell.out_of_stock else float(lower[number]),
            )
            for number, (cell, of) in enumerate(zip(self.problem.cells, factor, strict=True))
        ]
        return replace(self.problem, cells=tuple(cells))

    def _solved(self, factor: Floats, least: Floats | None) -> Allocation | None:
        try:
            found = solve_budget(self.drawn(factor, least))
        except SolverFailed:
            return None
        if found.spend is None or found.explainer is None:
            return None
        told = found.explainer
        weights, costs = told.limits.lagrangian(told.multipliers, told.tilt)
        with np.errstate(divide="ignore", invalid="ignore"):
            price = (told.price[self.tree.owner] + costs) / weights
        return Allocation(found.spend, np.where(np.isfinite(price), price, told.price[self.tree.owner]))
