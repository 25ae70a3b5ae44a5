"""A budget problem: cells with response curves, bounds on a tree, constraints on return and cost.

Everything a caller or a file may get wrong is refused here, naming the cell, bound or path and what would fix it, so
that the solvers behind it work with finite, consistent numbers. What is consistent line by line but cannot be met
together (floors above a cap) is not an error: the solver answers it with the smallest conflict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimization.core.checks import check_problem
from optimization.core.open_budget import budget_ceiling
from optimization.core.parts import (
    LEVELS,
    Aim,
    Cell,
    Curve,
    GlobalConstraint,
    GlobalKind,
    InvalidProblem,
    LinearConstraint,
    NodeBound,
    Path,
    Periods,
    TailObjective,
    Term,
    path_text,
)
from optimization.core.responses import Floats, Responses

__all__ = [
    "LEVELS",
    "Aim",
    "BudgetProblem",
    "Cell",
    "Curve",
    "GlobalConstraint",
    "GlobalKind",
    "InvalidProblem",
    "LinearConstraint",
    "NodeBound",
    "Path",
    "Periods",
    "TailObjective",
    "Term",
    "path_text",
]


@dataclass(frozen=True)
class BudgetProblem:
    """Maximise expected revenue (or its tail) under bounds on a tree. Build with `BudgetProblem.of`.

    Attributes:
        cells: the lines, with ids that are unique.
        total_budget: upper limit of the sum of spend, money.
        experiment_reserve_fraction: share of the budget held back for experiments, in [0, 1].
        node_bounds: at most one per path.
        global_constraints: return and cost limits; at most one per kind and scope.
        tail: the CVaR objective, None for expected revenue.
        aim: what is maximised.
        hurdle: least return of the last unit of money in terms of the aim; money that would earn less stays unspent.
        open_budget: True where no budget was given; `total_budget` is then more than any optimum spends.
        linear: further linear constraints on spend.
        periods: budgets that roll forward; bounds of cells and the curves are then those of one period.
        scopes: path by which scopes know each cell where that is not its place in the tree; None where it is.
    """

    cells: tuple[Cell, ...]
    total_budget: float
    experiment_reserve_fraction: float = 0.0
    node_bounds: tuple[NodeBound, ...] = ()
    global_constraints: tuple[GlobalConstraint, ...] = ()
    tail: TailObjective | None = None
    name: str = ""
    aim: Aim = Aim.REVENUE
    hurdle: float = 0.0
    open_budget: bool = False
    linear: tuple[LinearConstraint, ...] = ()
    scopes: tuple[Path, ...] | None = None
    periods: Periods | None = None

    @classmethod
    def of(
        cls,
        cells: Sequence[Cell],
        total_budget: float | None,
        *,
        experiment_reserve_fraction: float = 0.0,
        node_bounds: Sequence[NodeBound] = (),
        global_constraints: Sequence[GlobalConstraint] = (),
        tail: TailObjective | None = None,
        name: str = "",
        aim: Aim = Aim.REVENUE,
        hurdle: float = 0.0,
        linear: Sequence[LinearConstraint] = (),
        periods: Periods | None = None,
    ) -> BudgetProblem:
        """Check everything and build.

        Args:
            total_budget: None for none; something else must then end the spending: a target of return, or profit.

        Raises:
            InvalidProblem: for the first findings, each with its place and its fix.
        """
        if periods is not None and len(periods.budgets) == 1:
            # The one period is the whole: both names of it are one node.
            node_bounds = [bound if bound.period else replace(bound, period=1) for bound in node_bounds]
        problem = cls(
            tuple(cells),
            0.0 if total_budget is None else float(total_budget),
            float(experiment_reserve_fraction),
            tuple(node_bounds),
            tuple(global_constraints),
            tail,
            name,
            aim,
            float(hurdle),
            total_budget is None,
            tuple(linear),
            periods=periods,
        )
        check_problem(problem)
        return replace(problem, total_budget=budget_ceiling(problem)) if total_budget is None else problem

    @cached_property
    def available(self) -> float:
        """The budget that may be allocated: what the experiment reserve leaves."""
        return (1.0 - self.experiment_reserve_fraction) * self.total_budget

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(cell.id for cell in self.cells)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        return tuple(cell.path for cell in self.cells)

    @cached_property
    def responses(self) -> Responses:
        """The curves in the order of the cells."""
        curves = [cell.curve for cell in self.cells]
        return Responses.of(
            [curve.family for curve in curves],
            [curve.a for curve in curves],
            [curve.k for curve in curves],
            [curve.exponent for curve in curves],
        )

    @cached_property
    def lower(self) -> Floats:
        """Floors of the cells, money, shape (n,); an out-of-stock cell has none."""
        return np.array([0.0 if cell.out_of_stock else cell.min_spend for cell in self.cells])

    @cached_property
    def upper(self) -> Floats:
        """Caps of the cells, money, shape (n,): infinite without one, zero when out of stock."""
        return np.array(
            [
                0.0 if cell.out_of_stock else (math.inf if cell.max_spend is None else cell.max_spend)
                for cell in self.cells
            ]
        )

    @cached_property
    def commitments(self) -> Floats:
        """`min_spend_if_active` of the cells, money, shape (n,), 0 for none."""
        return np.array([0.0 if cell.out_of_stock else cell.min_spend_if_active for cell in self.cells])

    @cached_property
    def revenue_per_conversion(self) -> Floats:
        """Money per conversion, shape (n,); NaN where unknown."""
        values = (cell.curve.revenue_per_conversion for cell in self.cells)
        return np.array([math.nan if value is None else value for value in values])

    @cached_property
    def margins(self) -> Floats:
        """Fraction of revenue that is earned, shape (n,); NaN where unknown."""
        return np.array([math.nan if cell.margin is None else cell.margin for cell in self.cells])

    @cached_property
    def incrementality(self) -> Floats:
        """Incremental over attributed revenue, shape (n,)."""
        return np.array([cell.incrementality for cell in self.cells])

    @cached_property
    def sure_incrementality(self) -> Floats:
        """What a least incremental ROAS counts of attributed revenue, shape (n,)."""
        lows = (cell.incrementality_low for cell in self.cells)
        return np.array([own if low is None else low for own, low in zip(self.incrementality, lows, strict=True)])

    @cached_property
    def aim_weights(self) -> Floats:
        """What one unit of attributed revenue counts for the aim, shape (n,)."""
        if self.aim is Aim.REVENUE:
            return np.ones(len(self.cells))
        return self.incrementality if self.aim is Aim.INCREMENTAL else self.margins

    @property
    def aim_cost(self) -> float:
        """What one unit of spend costs the aim."""
        return 1.0 if self.aim is Aim.PROFIT else 0.0

    def earned(self, spend: Floats) -> float:
        """What an allocation is worth to the aim, money; the hurdle aside."""
        return float(self.aim_weights @ self.responses.value(spend) - self.aim_cost * spend.sum())

    def members(self, scope: Path) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """True for the cells that a scope takes in, shape (n,)."""
        depth, places = len(scope), self.scopes or self.paths
        return np.fromiter((path[:depth] == scope for path in places), dtype=np.bool_, count=len(places))
