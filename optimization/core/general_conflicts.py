"""Why linear constraints cannot be met with the others: the smallest conflict, and how far each would have to give.

Whether constraints can be met together is a linear programme that lets each be missed by the same amount, as little as
possible; a limit on return or cost makes it conic. The minimal conflict is found as for limits, by QuickXplain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

from optimization.core.conflicts import Conflict, Member, active_lower, bounds_can_be_met, relaxed, without
from optimization.core.convex import least_shortfall
from optimization.core.domains import bounded_cells
from optimization.core.general import membership
from optimization.core.limit_conflicts import all_members, limits_can_be_met
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem
from optimization.core.tree import Tree

#: Constraints that can be met but for this share of the money are met.
_MET = 1e-9
_HALVINGS = 44


def all_can_be_met(problem: BudgetProblem, money: float | None = None) -> bool:
    """True when some spend meets bounds, limits and linear constraints.

    Args:
        money: by which it is judged whether a constraint is missed; the budget where it is None. A budget that was
            dropped or raised must not make everything else look met.
    """
    if not bounds_can_be_met(problem):
        return False
    if not problem.linear:
        return not problem.global_constraints or limits_can_be_met(problem)
    return missed_by(problem, money) <= _MET


def missed_by(problem: BudgetProblem, money: float | None = None) -> float:
    """The least share of the money by which some spend misses its worst linear constraint or limit; 0 where none is.

    The bounds of cells and nodes are kept, and have to be possible.
    """
    tree, cells, limits = Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem)
    money = money_of(problem) if money is None else money
    linear = np.arange(len(problem.global_constraints), len(limits))
    if problem.global_constraints:
        return least_shortfall(tree, cells, limits, money)
    under, n = membership(tree), len(cells)
    capped, floored = np.flatnonzero(np.isfinite(tree.upper)), np.flatnonzero(tree.lower > 0.0)
    sizes = np.maximum(np.abs(limits.cost[linear]).max(axis=1), 1e-300)
    bounds: Any = vstack([under[capped], -under[floored]]) if floored.size else under[capped]
    rows = csr_array(limits.cost[linear] / sizes[:, None])
    matrix = vstack(
        [hstack([bounds, csr_array((bounds.shape[0], 1))]), hstack([rows, csr_array(-np.ones((linear.size, 1)))])]
    )
    right = np.concatenate(
        [tree.upper[capped] / money, -tree.lower[floored] / money, limits.rhs[linear] / sizes / money]
    )
    missed = float("inf")
    for method in ("highs-ds", "highs-ipm"):
        answer = linprog(
            np.append(np.zeros(n), 1.0),
            A_ub=csr_array(matrix),
            b_ub=right,
            bounds=np.vstack([np.column_stack([cells.lower, cells.upper]) / money, [[0.0, np.inf]]]),
            method=method,
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        missed = min(missed, float("inf") if answer.x is None else float(answer.fun))
        # That something is missed is believed where both ways say so: nothing else checks it.
        if missed <= _MET:
            break
    return missed


def money_of(problem: BudgetProblem) -> float:
    """What amounts of a problem are compared with."""
    return max(problem.available, float(active_lower(problem).sum()), 1e-12)


def find_general_conflict(problem: BudgetProblem) -> Conflict | None:
    """The smallest conflict of a problem with linear constraints whose bounds can be met; None where all can be met."""
    money = money_of(problem)
    if all_can_be_met(problem, money):
        return None
    linear = [Member(one.kind, one.scope, one.value, name=one.name) for one in problem.linear]
    options = linear + all_members(problem)

    def holds(kept: list[Member]) -> bool:
        names = {(one.kind, one.path, one.cell, one.name) for one in kept}
        dropped = [one for one in options if (one.kind, one.path, one.cell, one.name) not in names]
        return all_can_be_met(without(problem, dropped), money)

    members = sorted(_explain(holds, [], False, options), key=options.index)
    found = [
        replace(one, needed=_needed(problem, one, money), restores=all_can_be_met(without(problem, [one]), money))
        for one in members
    ]
    missed = missed_by(problem) if not problem.global_constraints else None
    leading = next((one for one in found if one.is_global), None)
    return Conflict(
        tuple(found),
        shortfall=None if missed is None or not np.isfinite(missed) else missed * money,
        best_attainable=None if leading is None else leading.needed,
    )


def _explain(
    holds: Callable[[list[Member]], bool], base: list[Member], changed: bool, options: list[Member]
) -> list[Member]:
    """QuickXplain (Junker 2004)."""
    if changed and not holds(base):
        return []
    if len(options) == 1:
        return options
    half = len(options) // 2
    first, second = options[:half], options[half:]
    late = _explain(holds, base + first, bool(first), second)
    early = _explain(holds, base + late, bool(late), first)
    return early + late


def _needed(problem: BudgetProblem, member: Member, money: float) -> float | None:
    """The value nearest to the member's own at which everything can be met, or None."""

    def works(value: float) -> bool:
        return all_can_be_met(relaxed(problem, member, value), money)

    asked = member.value
    if member.kind.startswith("min_"):
        loose = 0.0
    else:
        loose = max(2.0 * abs(asked), 1.0 if member.kind == "max_share" else 1e-6 * money)
        loose = min(loose, 1.0) if member.kind == "max_share" else loose
        for _ in range(40):
            if member.kind == "max_share" or works(loose):
                break
            loose *= 2.0
    if not works(loose):
        return None
    tight = asked
    for _ in range(_HALVINGS):
        middle = 0.5 * (tight + loose)
        tight, loose = (tight, middle) if works(middle) else (middle, loose)
        if abs(loose - tight) <= 1e-10 * max(abs(loose), abs(tight)):
            break
    return loose
