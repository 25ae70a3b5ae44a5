"""Why a return or a cost cannot be reached: the bounds that stand in its way, and the best that can be.

Whether constraints can be met together is decided by the prices of `optimization.core.multipliers`; the minimal
conflict is found by dropping halves of the constraints and asking again (QuickXplain: Junker 2004), with the
constraints that people would rather keep dropped last: first caps of cells, then caps of nodes and the budget, then
floors, then the return and cost limits themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from optimization.core.branching import Branched, BranchSearch
from optimization.core.conflicts import Conflict, Intervals, Member, relaxed, without
from optimization.core.domains import bounded_cells
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Unattainable
from optimization.core.problem import BudgetProblem
from optimization.core.tree import Tree

#: Above this many cells the value that each member would need is not searched for; the conflict itself always is.
_EXPLAIN_UP_TO = 20_000


def limits_can_be_met(problem: BudgetProblem) -> bool:
    """True when some spend meets all constraints: bounds, return and cost limits, commitments."""
    if _margin(problem) < 0.0:
        return False
    cells = bounded_cells(problem)
    if not cells.gapped.any():
        return True
    # Envelopes promise more than S-curves and commitments keep: only an allocation proves that one exists.
    found = BranchSearch(Tree.of(problem), cells, GlobalSet.of(problem), problem.commitments).run()
    return isinstance(found, Branched)


def find_limit_conflict(problem: BudgetProblem) -> Conflict:
    """The smallest conflict of a problem whose bounds can be met, but not with its limits or commitments."""
    members = _minimal(problem, all_members(problem))
    searched = len(problem.cells) <= _EXPLAIN_UP_TO and not bounded_cells(problem).gapped.any()
    explained = []
    for member in members:
        needed = _needed(problem, member) if searched else None
        restores = limits_can_be_met(without(problem, [member]))
        explained.append(replace(member, needed=needed, restores=restores))
    leading = next((one for one in explained if one.is_global), None)
    if leading is None:
        return Conflict(tuple(explained))
    best = leading.needed if searched else _needed(problem, leading)
    return Conflict(tuple(explained), best_attainable=best)


def _margin(problem: BudgetProblem) -> float:
    """Positive when all limits can be met, negative when not; continuous in the values of the constraints."""
    tree, cells, limits = Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem)
    if Intervals.of(tree, cells.lower, cells.upper).empty().size:
        return -np.inf
    if not len(limits):
        return np.inf
    filling = LimitedFilling(tree, cells, limits)
    found = filling.attain(filling.at(np.zeros(len(limits))))
    if isinstance(found, Unattainable):
        return float(found.mixture @ found.point.slack)
    return float(found.slack.min())


def all_members(problem: BudgetProblem) -> list[Member]:
    """All constraints, those that people would rather keep in the explanation first."""
    found = [Member(one.kind.value, one.scope, one.value) for one in problem.global_constraints]
    found += [Member("min_spend", b.path, b.min_spend) for b in problem.node_bounds if b.min_spend]
    found += [
        Member("min_spend", cell.path, cell.min_spend, cell=cell.id)
        for cell in problem.cells
        if cell.min_spend > 0.0 and not cell.out_of_stock
    ]
    found += [
        Member("min_spend_if_active", cell.path, cell.min_spend_if_active, cell=cell.id)
        for cell in problem.cells
        if cell.min_spend_if_active > 0.0 and not cell.out_of_stock
    ]
    caps = [Member("max_spend", b.path, b.max_spend) for b in problem.node_bounds if b.max_spend is not None and b.path]
    total = [b.max_spend for b in problem.node_bounds if b.path == () and b.max_spend is not None]
    found.append(Member("max_spend", (), min([problem.available, *total])))
    found += caps
    found += [
        Member("max_spend", cell.path, cell.max_spend, cell=cell.id)
        for cell in problem.cells
        if cell.max_spend is not None and not cell.out_of_stock
    ]
    return found


def _minimal(problem: BudgetProblem, members: list[Member]) -> list[Member]:
    """QuickXplain: an irreducible subset of `members` that cannot be met."""

    def holds(kept: list[Member]) -> bool:
        names = {(one.kind, one.path, one.cell) for one in kept}
        dropped = [one for one in members if (one.kind, one.path, one.cell) not in names]
        return limits_can_be_met(without(problem, dropped))

    return sorted(_quick(holds, [], False, members), key=members.index)


def _quick(
    holds: Callable[[list[Member]], bool], base: list[Member], changed: bool, options: list[Member]
) -> list[Member]:
    if changed and not holds(base):
        return []
    if len(options) == 1:
        return options
    half = len(options) // 2
    first, second = options[:half], options[half:]
    late = _quick(holds, base + first, bool(first), second)
    early = _quick(holds, base + late, bool(late), first)
    return early + late


def _needed(problem: BudgetProblem, member: Member) -> float | None:
    """The value nearest to the member's own at which everything can be met, or None."""
    tighter = member.kind.startswith("min_")

    def margin(value: float) -> float:
        found = _margin(relaxed(problem, member, value))
        return found if np.isfinite(found) else (1.0 if found > 0.0 else -1.0)

    start = member.value
    if tighter:
        loose = 0.0
    else:
        loose = max(start, 1e-6)
        for _ in range(60):
            if margin(loose) >= 0.0:
                break
            loose *= 2.0
    if margin(loose) < 0.0:
        return None
    if margin(start) >= 0.0:
        return start
    root = float(brentq(margin, min(loose, start), max(loose, start), xtol=1e-12 * max(loose, start), rtol=1e-13))
    # The root may lie a rounding error on the wrong side.
    for nudge in (0.0, 1e-13, 1e-12, 1e-11, 1e-10):
        value = root * (1.0 - nudge) if tighter else root * (1.0 + nudge)
        if margin(value) >= 0.0:
            return value
    return loose
