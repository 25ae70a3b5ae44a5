"""Constraints on return and cost over scopes, as two more prices per cell.

    min_roas v:  G = sum over scope of (R - v x) >= 0
    max_cpa v:   G = sum over scope of (v R / revenue_per_conversion - x) >= 0

Under multipliers u the Lagrangian stays separable: a cell earns w R - c x with w = 1 + sum u_j (share of R in G_j) and
c = sum u_j (share of x in G_j). Both constraints are concave in x, so any scope and any number of them is convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.problem import BudgetProblem, GlobalConstraint, GlobalKind
from optimization.core.responses import Floats


@dataclass(frozen=True, eq=False)
class GlobalSet:
    """j constraints over n cells.

    Attributes:
        constraints: as given.
        gain: coefficient of R in each constraint, shape (j, n).
        cost: coefficient of -x in each constraint, shape (j, n).
    """

    constraints: tuple[GlobalConstraint, ...]
    gain: Floats
    cost: Floats

    @classmethod
    def of(cls, problem: BudgetProblem) -> GlobalSet:
        """The global constraints of a problem as coefficients."""
        n = len(problem.cells)
        gain, cost = np.zeros((len(problem.global_constraints), n)), np.zeros((len(problem.global_constraints), n))
        for row, one in enumerate(problem.global_constraints):
            members = problem.members(one.scope)
            if one.kind is GlobalKind.MIN_ROAS:
                gain[row, members], cost[row, members] = 1.0, one.value
            else:
                gain[row, members] = one.value / problem.revenue_per_conversion[members]
                cost[row, members] = 1.0
        return cls(problem.global_constraints, gain, cost)

    def __len__(self) -> int:
        return len(self.constraints)

    def keep(self, rows: list[int]) -> GlobalSet:
        """Only some of the constraints."""
        return GlobalSet(tuple(self.constraints[row] for row in rows), self.gain[rows], self.cost[rows])

    def lagrangian(self, multipliers: Floats, tilt: Floats | None = None) -> tuple[Floats, Floats]:
        """Weights of revenue and costs of spend under multipliers, both of shape (n,)."""
        n = self.gain.shape[1]
        base = np.ones(n) if tilt is None else tilt
        return base + multipliers @ self.gain, multipliers @ self.cost

    def slack(self, spend: Floats, revenue: Floats) -> Floats:
        """G_j(x), money, shape (j,): negative where broken."""
        return self.gain @ revenue - self.cost @ spend

    def slack_scale(self, spend: Floats, revenue: Floats) -> Floats:
        """Size of what each G_j balances, money, shape (j,), to judge its rounding by."""
        return self.gain @ revenue + self.cost @ spend
