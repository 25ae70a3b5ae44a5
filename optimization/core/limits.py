"""What is maximised, and constraints over scopes as further prices per cell.

    min_roas v:  G = sum over scope of (R - v x) >= 0, and the same of incremental revenue or of the objective
    max_cpa v:   G = sum over scope of (v R / revenue_per_conversion - x) >= 0
    linear:      G = rhs - sum of coef x >= 0

The objective is sum(b R - d x): revenue has b = 1, incremental revenue its factor, profit the margin and d = 1; a
target of marginal return is a part of d. Under multipliers u the Lagrangian stays separable: a cell earns w R - c x
with w = b + sum u_j (share of R in G_j) and c = d + sum u_j (share of x in G_j). All constraints are concave in x, so
any scope and any number of them is convex.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.core.problem import BudgetProblem, GlobalConstraint, GlobalKind, LinearConstraint
from optimization.core.responses import Floats


@dataclass(frozen=True, eq=False)
class GlobalSet:
    """j constraints over n cells.

    Attributes:
        constraints: as given, those on return and cost first.
        gain: coefficient of R in each constraint, shape (j, n).
        cost: coefficient of -x in each constraint, shape (j, n).
        rhs: what is added to each, money, shape (j,).
        weight: what revenue counts in the objective, shape (n,).
        charge: what a unit of spend costs the objective.
    """

    constraints: tuple[GlobalConstraint | LinearConstraint, ...]
    gain: Floats
    cost: Floats
    rhs: Floats
    weight: Floats
    charge: float

    @classmethod
    def of(cls, problem: BudgetProblem) -> GlobalSet:
        """The objective and the constraints of a problem as coefficients."""
        n = len(problem.cells)
        every: tuple[GlobalConstraint | LinearConstraint, ...] = (*problem.global_constraints, *problem.linear)
        gain, cost, rhs = np.zeros((len(every), n)), np.zeros((len(every), n)), np.zeros(len(every))
        for row, one in enumerate(every):
            if isinstance(one, LinearConstraint):
                cost[row], rhs[row] = spend_coefficients(problem, one), one.limit
                continue
            members = problem.members(one.scope)
            if one.kind is GlobalKind.MAX_CPA:
                gain[row, members] = one.value / problem.revenue_per_conversion[members]
                cost[row, members] = 1.0
                continue
            counted, own = np.ones(n), 0.0
            if one.kind is GlobalKind.MIN_IROAS:
                counted = problem.sure_incrementality
            elif one.kind is GlobalKind.MIN_ROI:
                counted, own = problem.aim_weights, problem.aim_cost
            gain[row, members], cost[row, members] = counted[members], one.value + own
        return cls(every, gain, cost, rhs, problem.aim_weights, problem.aim_cost + problem.hurdle)

    def __len__(self) -> int:
        return len(self.constraints)

    @property
    def plain(self) -> bool:
        """True where revenue alone counts and nothing limits it."""
        return not len(self) and self.charge == 0.0 and bool(np.all(self.weight == 1.0))

    def lagrangian(self, multipliers: Floats, tilt: Floats | None = None) -> tuple[Floats, Floats]:
        """Weights of revenue and costs of spend under multipliers, both of shape (n,)."""
        base = self.weight if tilt is None else self.weight * tilt
        return base + multipliers @ self.gain, self.charge + multipliers @ self.cost

    def worth(self, spend: Floats, revenue: Floats, tilt: Floats | None = None) -> float:
        """The objective, money."""
        base = self.weight if tilt is None else self.weight * tilt
        return float((base * revenue).sum()) - (self.charge * float(spend.sum()) if self.charge else 0.0)

    def slack(self, spend: Floats, revenue: Floats) -> Floats:
        """G_j(x), money, shape (j,): negative where broken."""
        return self.gain @ revenue - self.cost @ spend + self.rhs

    def slack_scale(self, spend: Floats, revenue: Floats) -> Floats:
        """Size of what each G_j balances, money, shape (j,), to judge its rounding by."""
        return self.gain @ revenue + np.abs(self.cost) @ spend + np.abs(self.rhs)


def spend_coefficients(problem: BudgetProblem, one: LinearConstraint) -> Floats:
    """What each cell's spend counts in a linear constraint, shape (n,)."""
    found = np.zeros(len(problem.cells))
    for term in one.terms:
        found[problem.members(term.scope)] += term.coef * (one.value if term.times_value else 1.0)
    return found
