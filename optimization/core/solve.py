"""The one door of the optimiser: a problem in, an allocation with its proof and its reasons out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from optimization.core.certificate import Certificate, certify
from optimization.core.conflicts import Conflict, find_bound_conflict
from optimization.core.domains import bounded_cells
from optimization.core.envelope import BoundedResponses
from optimization.core.limit_conflicts import find_limit_conflict
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import Unattainable
from optimization.core.problem import Aim, BudgetProblem, GlobalKind, InvalidProblem
from optimization.core.reasons import BoundPrice, Explainer, Line, Reason
from optimization.core.responses import Floats
from optimization.core.search import Candidate, SolverFailed, search_allocation, tail_value
from optimization.core.tree import Tree


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
            "reasons": {name: reason.as_dict() for name, reason in self.reasons.items()},
        }


def solve_budget(problem: BudgetProblem, *, current: Mapping[str, float] | None = None) -> Solution:
    """Allocate the budget.

    Args:
        problem: built by `BudgetProblem.of` or read from a file.
        current: money per cell id spent today, to compare with; cells that are left out count as zero. A current
            spend that meets all constraints is never beaten downwards: the answer earns at least as much.

    Returns:
        An allocation with a certified gap, or the smallest conflict where none exists.

    Raises:
        InvalidProblem: `current` names an unknown cell or an amount that is no amount.
        SolverFailed: no allocation within the constraints was found; an answer that breaks them is never given.
    """
    started = time.perf_counter()
    before = None if current is None else _current_spend(problem, current)
    tree = Tree.of(problem)
    conflict = find_bound_conflict(problem, tree=tree)
    if conflict is not None:
        return Solution("infeasible", problem, "interval-propagation", time.perf_counter() - started, conflict=conflict)
    limits, cells = GlobalSet.of(problem), bounded_cells(problem)
    found = search_allocation(problem, tree, cells, limits)
    if isinstance(found, Unattainable):
        conflict = find_limit_conflict(problem)
        return Solution("infeasible", problem, "lagrangian", time.perf_counter() - started, conflict=conflict)
    certificate = _certify(problem, tree, cells, limits, found)
    if certificate.violation > 1e-6:
        raise SolverFailed(
            f"The allocation found breaks a constraint by {certificate.violation:.1e} of the budget.",
            where="solver",
            fix="Bring the parameters of the curves to comparable sizes; some differ by many orders of magnitude.",
        )
    if before is not None and np.all((before == 0.0) | (before >= problem.commitments)):
        kept = _certify(problem, tree, cells, limits, _keeping(problem, found, before))
        if kept.violation <= 1e-12 and kept.objective >= certificate.objective * (1.0 - 1e-13):
            # Equally good answers exist: moving no money is the better one.
            found, certificate = _keeping(problem, found, before), kept
    return Solution(
        "optimal",
        problem,
        found.engine,
        time.perf_counter() - started,
        spend=found.spend,
        certificate=certificate,
        current=before,
        explainer=Explainer(problem, tree, cells, limits, found.spend, found.price, found.multipliers, found.tilt),
    )


def _why_unspent(problem: BudgetProblem, multipliers: Mapping[str, float]) -> str:
    limits = [kind for kind, value in multipliers.items() if value > 0.0]
    if limits:
        return f"More would break {' and '.join(limits)}."
    if problem.hurdle > 0.0:
        return f"No line would earn the target of {problem.hurdle:g} with its next unit."
    if problem.aim is Aim.PROFIT:
        return "No line would earn back its next unit: its margin on what that sells is less."
    return "Every line is at a bound, of its own or of a node above it."


def _certify(
    problem: BudgetProblem, tree: Tree, cells: BoundedResponses, limits: GlobalSet, found: Candidate
) -> Certificate:
    return certify(
        tree,
        cells,
        limits,
        found.spend,
        found.price,
        found.multipliers,
        found.tilt,
        objective=found.objective,
        bound=found.bound,
    )


def _keeping(problem: BudgetProblem, found: Candidate, current: Floats) -> Candidate:
    """The current spend as an answer, judged by the prices that were found."""
    objective = None if problem.tail is None else tail_value(problem, current)
    return replace(found, spend=current, objective=objective, engine=f"{found.engine}, current kept")


def _current_spend(problem: BudgetProblem, current: Mapping[str, float]) -> Floats:
    unknown = sorted(set(current) - set(problem.ids))
    if unknown:
        raise InvalidProblem(
            f"The current spend names the cell {unknown[0]!r}, which is not in the problem.",
            where="current",
            fix="Use the ids of the cells.",
        )
    spend = np.array([float(current.get(name, 0.0)) for name in problem.ids])
    wrong = np.flatnonzero(~(np.isfinite(spend) & (spend >= 0.0)))
    if wrong.size:
        name = problem.ids[int(wrong[0])]
        raise InvalidProblem(
            f"The current spend of {name!r} is {spend[wrong[0]]:g}.", where="current", fix="Give amounts >= 0."
        )
    return spend


def _conflict_dict(conflict: Conflict) -> dict[str, Any]:
    out: dict[str, Any] = {"minimal_conflict": [member.as_dict() for member in conflict.members]}
    if conflict.shortfall is not None:
        out["shortfall"] = conflict.shortfall
    if conflict.best_attainable is not None:
        out["best_attainable"] = conflict.best_attainable
    out["relaxations"] = [
        member.as_dict() | {"needed": member.needed, "restores": member.restores} for member in conflict.members
    ]
    if conflict.further:
        out["further_conflicts"] = [_conflict_dict(one) for one in conflict.further]
    return out
