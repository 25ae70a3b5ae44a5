"""Budgets per period whose unspent money rolls forward, as a problem on one tree.

Spend through period t is at most the budgets through t. These sets of cells are nested: all periods hold periods 1 to
T-1, those hold 1 to T-2, and so on, and the bounds of one period lie inside the set that ends with it. So the family is
laminar again, and the filling of the tree solves it exactly. Bounds of a node over all periods would cut across; they
become linear constraints, which the general path takes.

Paths of the flat problem: `("through 3", "through 2", "period 2", channel, ...)`; the total is all periods.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from optimization.core.linear import spend_between
from optimization.core.parts import LinearConstraint, NodeBound, Path, path_text
from optimization.core.problem import BudgetProblem

_THROUGH, _PERIOD = "through ", "period "


@dataclass(frozen=True, slots=True)
class Place:
    """What a path of the flat problem means: a node in one period, or everything through a period."""

    path: Path
    period: int
    cumulative: bool = False

    @property
    def text(self) -> str:
        """As people say it."""
        if self.cumulative:
            return f"periods 1 to {self.period} together" if self.period > 1 else "period 1"
        if not self.period:
            return path_text(self.path)
        return f"{path_text(self.path)} in period {self.period}" if self.path else f"period {self.period}"


@dataclass(frozen=True)
class Flattened:
    """A problem with periods and the one that answers it: cell i of period t stands at (t - 1) n + i."""

    asked: BudgetProblem

    @cached_property
    def count(self) -> int:
        return 0 if self.asked.periods is None else len(self.asked.periods.budgets)

    @cached_property
    def cumulative(self) -> tuple[float, ...]:
        """What may be spent through each period, money: the reserve is held back of each budget."""
        if self.asked.periods is None:
            return ()
        share, budgets = 1.0 - self.asked.experiment_reserve_fraction, self.asked.periods.budgets
        return tuple(share * math.fsum(budgets[: t + 1]) for t in range(self.count))

    @cached_property
    def problem(self) -> BudgetProblem:
        """The flat problem. Its parts were checked with the problem that was asked."""
        asked = self.asked
        if asked.periods is None:
            raise AssertionError("only a problem with periods is flattened")
        cells, scopes = [], []
        for t in range(1, self.count + 1):
            above, factor = self._above(t), asked.periods.season[t - 1]
            for cell in asked.cells:
                curve = replace(cell.curve, a=cell.curve.a * factor)
                cells.append(replace(cell, id=f"{cell.id}@{t}", path=(*above, *cell.path), curve=curve))
                scopes.append(cell.path)
        bounds = [NodeBound(self._through(t), None, self.cumulative[t - 1]) for t in range(1, self.count)]
        crossing: list[LinearConstraint] = []
        for bound in asked.node_bounds:
            if bound.period or self.count == 1:
                bounds.append(replace(bound, path=(*self._above(bound.period or 1), *bound.path), period=0))
            elif bound.path == ():
                bounds.append(bound)
            else:
                name = f"{path_text(bound.path)} over all periods"
                crossing += spend_between(bound.path, bound.min_spend, bound.max_spend, name)
        return replace(
            asked,
            cells=tuple(cells),
            node_bounds=tuple(bounds),
            linear=(*asked.linear, *crossing),
            tail=None if asked.tail is None else asked.tail.repeated(self.count),
            scopes=tuple(scopes),
            periods=None,
        )

    def place(self, path: Path) -> Place:
        """What a path of the flat problem means."""
        depth = 0
        while depth < len(path) and path[depth].startswith(_THROUGH):
            depth += 1
        if depth == len(path):
            return Place((), self.count - depth, True) if depth else Place((), 0)
        # The name of a node may look like a period, but its place tells them apart.
        return Place(path[depth + 1 :], self.count - depth) if path[depth] == self._name(depth) else Place(path, 0)

    def cell(self, flat_id: str) -> tuple[str, int]:
        """The id of a cell and its period."""
        name, _, period = flat_id.rpartition("@")
        return name, int(period)

    def _name(self, depth: int) -> str:
        return f"{_PERIOD}{self.count - depth}"

    def _through(self, t: int) -> Path:
        return tuple(f"{_THROUGH}{s}" for s in range(self.count - 1, t - 1, -1))

    def _above(self, t: int) -> Path:
        return (*self._through(t), f"{_PERIOD}{t}")


def over_horizon(problem: BudgetProblem) -> BudgetProblem:
    """The problem with its periods taken as one, money spread evenly over them; any other problem as it is.

    For judging amounts that nobody has told by period. Bounds of single periods are left out.
    """
    if problem.periods is None:
        return problem
    count, season = len(problem.periods.budgets), problem.periods.season
    mean = math.fsum(season) / count
    cells = tuple(
        replace(
            cell,
            curve=replace(cell.curve, a=cell.curve.a * count * mean, k=cell.curve.k * count),
            min_spend=cell.min_spend * count,
            max_spend=None if cell.max_spend is None else cell.max_spend * count,
            min_spend_if_active=cell.min_spend_if_active * count,
        )
        for cell in problem.cells
    )
    bounds = tuple(bound for bound in problem.node_bounds if not bound.period)
    return replace(problem, cells=cells, node_bounds=bounds, periods=None)
