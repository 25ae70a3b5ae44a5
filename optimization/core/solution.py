"""The answer to a budget problem: the allocation with its proof and its reasons, or the smallest conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optimization.core.certificate import Certificate
from optimization.core.conflicts import Conflict
from optimization.core.problem import Aim, BudgetProblem, GlobalKind
from optimization.core.reasons import BoundPrice, Explainer, Line, Reason
from optimization.core.responses import Floats


@dataclass(frozen=True, eq=False)
class Solution:
    """The answer to a budget problem.

    Attributes:
        status: `optimal` or `infeasible`.
        problem: what was asked.
        engine: which method gave the allocation.
        seconds: wall time of the solve, explanations aside.
        spend: money per cell, shape (n,); None when infeasible.
        certificate: the proof; None when infeasible.
        conflict: why nothing is possible; None when optimal.
        current: the spend compared against, shape (n,), or None.
    """

    status: str
    problem: BudgetProblem
    engine: str
    seconds: float
    spend: Floats | None = None
    certificate: Certificate | None = None
    conflict: Conflict | None = None
    current: Floats | None = None
    explainer: Explainer | None = None

    @property
    def feasible(self) -> bool:
        return self.status == "optimal"

    @cached_property
    def reasons(self) -> dict[str, Reason]:
        """Why each cell has no more, by cell id; empty when infeasible."""
        if self.explainer is None:
            return {}
        return dict(zip(self.problem.ids, self.explainer.reasons(), strict=True))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Each cell before and after with its reason; empty when infeasible."""
        return () if self.explainer is None else tuple(self.explainer.lines(self.current))

    @property
    def total_spend(self) -> float:
        return 0.0 if self.spend is None else float(self.spend.sum())

    @property
    def objective_revenue(self) -> float:
        """Expected revenue of the allocation, money."""
        return 0.0 if self.spend is None else float(self.problem.responses.value(self.spend).sum())

    @property
    def current_revenue(self) -> float | None:
        """Expected revenue of the current spend, money; None without one."""
        return None if self.current is None else float(self.problem.responses.value(self.current).sum())

    @property
    def budget_shadow_price(self) -> float:
        """Revenue gained by one more unit of budget."""
        return 0.0 if self.explainer is None else self.explainer.budget_price()

    @property
    def node_shadow_prices(self) -> tuple[BoundPrice, ...]:
        return () if self.explainer is None else self.explainer.bound_prices()

    @property
    def multipliers(self) -> dict[str, float]:
        """Price of each kind of global constraint, summed over its scopes."""
        totals = {GlobalKind.MIN_ROAS.value: 0.0, GlobalKind.MAX_CPA.value: 0.0}
        for one in self.problem.global_constraints:
            totals.setdefault(one.kind.value, 0.0)
        if self.explainer is not None:
            # Those of the linear constraints follow after.
            for one, value in zip(self.problem.global_constraints, self.explainer.multipliers, strict=False):
                totals[one.kind.value] += float(value)
        return totals

    @property
    def linear_prices(self) -> dict[str, float]:
        """What one unit of money of slack in each linear constraint is worth, by its name."""
        if self.explainer is None:
            return {}
        prices = self.explainer.multipliers[len(self.problem.global_constraints) :]
        return {one.name: float(value) for one, value in zip(self.problem.linear, prices, strict=True)}

    @property
    def earned(self) -> float:
        """What the allocation is worth to the aim, money: revenue, incremental revenue, or profit."""
        return 0.0 if self.spend is None else self.problem.earned(self.spend)

    @property
    def current_earned(self) -> float | None:
        """What the current spend is worth to the aim, money; None without one."""
        return None if self.current is None else self.problem.earned(self.current)

    @property
    def unspent(self) -> tuple[float, str] | None:
        """Money of the available budget that is left, and why; None where there is none or no budget was given."""
        left = self.problem.available - self.total_spend
        if self.spend is None or self.problem.open_budget or left <= 1e-9 * self.problem.available:
            return None
        return left, _why_unspent(self.problem, self.multipliers)

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of the result format."""
        out: dict[str, Any] = {"status": self.status, "engine": self.engine, "seconds": self.seconds}
        if self.conflict is not None:
            return out | _conflict_dict(self.conflict)
        if self.certificate is None or self.spend is None:
            raise AssertionError("an optimal solution carries its spend and certificate")
        return out | {
            "objective_revenue": self.objective_revenue,
            "objective": self.certificate.objective,
            "objective_kind": "cvar" if self.problem.tail is not None else self.problem.aim.value,
            "earned": self.earned,
            "dual_bound": self.certificate.dual_bound,
            "gap": self.certificate.gap,
            "total_spend": self.total_spend,
            "spend": {name: float(amount) for name, amount in zip(self.problem.ids, self.spend, strict=True)},
            "budget_shadow_price": self.budget_shadow_price,
            "multipliers": self.multipliers,
            "node_shadow_prices": [one.as_dict() for one in self.node_shadow_prices],
            **({"constraint_prices": self.linear_prices} if self.problem.linear else {}),
            **({} if self.unspent is None else {"unspent": {"amount": self.unspent[0], "why": self.unspent[1]}}),
            **({} if self.current_earned is None else {"current_earned": self.current_earned}),
            "reasons": {name: reason.as_dict() for name, reason in self.reasons.items()},
        }


def _why_unspent(problem: BudgetProblem, multipliers: Mapping[str, float]) -> str:
    limits = [kind for kind, value in multipliers.items() if value > 0.0]
    if limits:
        return f"More would break {' and '.join(limits)}."
    if problem.hurdle > 0.0:
        return f"No line would earn the target of {problem.hurdle:g} with its next unit."
    if problem.aim is Aim.PROFIT:
        return "No line would earn back its next unit: its margin on what that sells is less."
    return "Every line is at a bound, of its own or of a node above it."


def _conflict_dict(conflict: Conflict) -> dict[str, Any]:
    out: dict[str, Any] = {"minimal_conflict": [member.as_dict() for member in conflict.members]}
    if conflict.shortfall is not None:
        out["shortfall"] = conflict.shortfall
    if conflict.best_attainable is not None:
        out["best_attainable"] = conflict.best_attainable
        if conflict.best_is_bound:
            out["best_attainable_is_bound"] = True
    out["relaxations"] = [
        member.as_dict() | {"needed": member.needed, "restores": member.restores} for member in conflict.members
    ]
    if conflict.further:
        out["further_conflicts"] = [_conflict_dict(one) for one in conflict.further]
    return out
