"""Whether constraints of any kind can be met together, and the smallest conflict where they cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from optimization.core.conflicts import Conflict, Intervals, active_lower, bounds_can_be_met, find_bound_conflict
from optimization.core.limit_conflicts import find_limit_conflict, limits_can_be_met
from optimization.core.period_solution import told_conflict
from optimization.core.periods import Flattened
from optimization.core.problem import BudgetProblem
from optimization.core.tree import Tree


@dataclass(frozen=True, slots=True)
class SpendRange:
    """The least and the most that the bounds let be spent, money; `most` is infinite where nothing limits it."""

    least: float
    most: float


def can_be_met(problem: BudgetProblem) -> bool:
    """True when some spend meets every bound, limit and linear constraint."""
    flat = _flat(problem)
    if not bounds_can_be_met(flat):
        return False
    if flat.linear:
        # CVXPY takes a second to import; only linear constraints pay for it.
        from optimization.core.general_conflicts import all_can_be_met

        return all_can_be_met(flat)
    return not flat.global_constraints or limits_can_be_met(flat)


def find_conflict(problem: BudgetProblem, *, limits: bool = True) -> Conflict | None:
    """The smallest conflict, or None where all can be met.

    Args:
        limits: False leaves limits on return and cost out, which take a solve to judge.
    """
    flat = _flat(problem if limits else replace(problem, global_constraints=()))
    conflict = find_bound_conflict(flat)
    if conflict is None and flat.linear:
        from optimization.core.general_conflicts import find_general_conflict

        conflict = find_general_conflict(flat)
    elif conflict is None and (flat.global_constraints or flat.commitments.any()) and not limits_can_be_met(flat):
        conflict = find_limit_conflict(flat)
    return conflict if conflict is None or problem.periods is None else told_conflict(Flattened(problem), conflict)


def spend_range(problem: BudgetProblem) -> SpendRange:
    """What the bounds of cells and nodes force and allow under the total, over all periods."""
    flat = _flat(problem)
    spans = Intervals.of(Tree.of(flat), active_lower(flat), flat.upper)
    return SpendRange(float(spans.inner_least[0]), float(spans.inner_most[0]))


def _flat(problem: BudgetProblem) -> BudgetProblem:
    return problem if problem.periods is None else Flattened(problem).problem
