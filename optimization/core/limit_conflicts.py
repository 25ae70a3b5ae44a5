"""Why a return or a cost cannot be reached: the bounds that stand in its way, and the best that can be.

Whether constraints can be met together is decided by the prices of `optimization.core.multipliers`; the minimal
conflict is found by dropping halves of the constraints and asking again (QuickXplain: Junker 2004), with the
constraints that people would rather keep dropped last: first caps of cells, then caps of nodes and the budget, then
floors, then the return and cost limits themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from scipy.optimize import brentq

from optimization.core.conflicts import Conflict, Intervals, Member, relaxed, without
from optimization.core.domains import bounded_cells
from optimization.core.envelope import BoundedResponses
from optimization.core.limits import GlobalSet
from optimization.core.multipliers import LimitedFilling, Unattainable
from optimization.core.presolve import Narrowed
from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.reachable import attained, can_be_met
from optimization.core.responses import Floats
from optimization.core.tree import Tree

#: Above this many cells the value that each member would need is not searched for; the conflict itself always is.
_EXPLAIN_UP_TO = 20_000
_NEWTON_STEPS = 12
#: How near to the value from which on all can be met, relative; the margin is no smoother where several limits meet.
_NEAR = 1e-9
_HALVINGS = 6
_HALVINGS_MOST = 120


def limits_can_be_met(problem: BudgetProblem) -> bool:
    """True when some spend meets all constraints: bounds, return and cost limits, commitments."""
    return can_be_met(Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem), problem.commitments)


def find_limit_conflict(problem: BudgetProblem) -> Conflict:
    """The smallest conflict of a problem whose bounds can be met, but not with its limits or commitments."""
    members = _minimal(problem, all_members(problem))
    jumps = bool(bounded_cells(problem).gapped.any())
    searched = len(problem.cells) <= _EXPLAIN_UP_TO and not jumps
    explained = []
    for member in members:
        restores = limits_can_be_met(without(problem, [member]))
        # What does not help at all helps at no value.
        needed = _needed(problem, member) if searched and restores else None
        explained.append(replace(member, needed=needed, restores=restores))
    leading = next((one for one in explained if one.is_global), None)
    if leading is None:
        return Conflict(tuple(explained))
    best = leading.needed if searched else _needed(problem, leading)
    # The value sought is that of the envelopes, which promise more than curves that jump can keep.
    return Conflict(tuple(explained), best_attainable=best, best_is_bound=jumps and best is not None)


def _likely(problem: BudgetProblem, members: list[Member]) -> list[Member]:
    """Those members that bear a price where the limits fail on the envelopes; all where they do not fail there."""
    tree, cells, limits = Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem)
    failed = attained(tree, cells, limits)
    if not isinstance(failed, Unattainable):
        return members
    price, spend = failed.point.filled.price, failed.point.spend
    step = price.copy()
    step[1:] -= price[tree.parent[1:]]
    least = 1e-9 * max(float(np.abs(price).max()), 1e-300)
    node = {path: number for number, path in enumerate(tree.paths)}
    row = {(one.kind.value, one.scope): number for number, one in enumerate(problem.global_constraints)}
    index = {name: number for number, name in enumerate(problem.ids)}

    def bears(one: Member) -> bool:
        if one.is_global:
            return bool(failed.mixture[row[one.kind, one.path]] > 0.0)
        if one.cell is not None:
            i = index[one.cell]
            if one.kind == "max_spend":
                return bool(spend[i] >= cells.upper[i] * (1.0 - 1e-9))
            return bool(spend[i] <= cells.jump_to[i] * (1.0 + 1e-9))
        return bool(step[node[one.path]] * (1.0 if one.kind == "max_spend" else -1.0) > least)

    return [one for one in members if bears(one)]


def _margin(problem: BudgetProblem) -> float:
    """Positive when all limits can be met, negative when not; continuous in the values of the constraints."""
    tree, cells, limits = Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem)
    if Intervals.of(tree, cells.lower, cells.upper).empty().size:
        return -np.inf
    if not len(limits):
        return np.inf
    found = LimitedFilling(tree, cells, limits).attain()
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
    """QuickXplain: an irreducible subset of `members` (all constraints of the problem) that cannot be met."""

    def holds(kept: list[Member]) -> bool:
        names = {(one.kind, one.path, one.cell) for one in kept}
        dropped = [one for one in members if (one.kind, one.path, one.cell) not in names]
        return limits_can_be_met(without(problem, dropped))

    likely = _likely(problem, members)
    options = members if len(likely) == len(members) or holds(likely) else likely
    return sorted(_quick(holds, [], False, options), key=members.index)


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

    @cache
    def margin(value: float) -> float:
        found = _margin(relaxed(problem, member, value))
        return found if np.isfinite(found) else (1.0 if found > 0.0 else -1.0)

    start = member.value
    root = _approached(problem, member)
    if root is not None and (near := _kept_near(margin, root, tighter)) is not None:
        return near
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
    if margin(loose) > 0.0:
        root = float(brentq(margin, min(loose, start), max(loose, start), xtol=_NEAR * max(loose, start), rtol=_NEAR))
        if (near := _kept_near(margin, root, tighter)) is not None:
            return near
    # Where limits are kept by spending nothing the margin is zero over a stretch, and every value of it is a root.
    return _halved(lambda value: _met_nearly_nothing(relaxed(problem, member, value)), loose, start)


def _met_nearly_nothing(problem: BudgetProblem) -> bool:
    """As `limits_can_be_met`, on the domains that the limits leave: there prices tell nothing from next to nothing."""
    tree, limits = Tree.of(problem), GlobalSet.of(problem)
    cells = Narrowed.of(tree, bounded_cells(problem), limits, problem.commitments).cells
    return can_be_met(tree, cells, limits, problem.commitments)


def _halved(met: Callable[[float], bool], good: float, bad: float) -> float:
    """The last value from `good` towards `bad` at which all can be met, given that it can at the one only."""
    least = _NEAR * min(_NEAR, abs(bad))
    for _ in range(_HALVINGS_MOST):
        low, high = min(good, bad), max(good, bad)
        if high - low <= max(_NEAR * high, least):
            break
        # Between values that lie orders of magnitude apart the middle is that of their logarithms.
        middle = math.sqrt(low) * math.sqrt(high) if high > 4.0 * low > 0.0 else 0.5 * (low + high)
        good, bad = (middle, bad) if met(middle) else (good, middle)
    return good


def _kept_near(margin: Callable[[float], float], root: float, tighter: bool) -> float | None:
    """The nearest value beside a root at which all is kept, for it may lie a rounding error on the wrong side."""
    side, broken = -1.0 if tighter else 1.0, None
    for nudge in (0.0, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3):
        value = root * (1.0 + side * nudge)
        if margin(value) >= 0.0:
            break
        broken = value
    else:
        return None
    # Within what a root is searched to it is near enough.
    for _ in range(_HALVINGS):
        if broken is None or abs(value - broken) <= _NEAR * abs(value):
            break
        middle = 0.5 * (value + broken)
        value, broken = (middle, broken) if margin(middle) >= 0.0 else (value, middle)
    return value


def _approached(problem: BudgetProblem, member: Member) -> float | None:
    """The value from which on all can be met, by Newton's method; None where that leads nowhere.

    How far limits stay broken is concave in the value of a bound: from the broken side every step ends short of the
    answer or on it. In the value of a return or cost it is a maximum of lines: the first step ends beyond the answer,
    and from there an allocation says to what value it keeps the limit itself (Dinkelbach).
    """
    value, kept = member.value, None
    tighter = member.kind.startswith("min_")
    for _ in range(_NEWTON_STEPS):
        changed = relaxed(problem, member, value)
        tree, cells, limits = Tree.of(changed), bounded_cells(changed), GlobalSet.of(changed)
        if Intervals.of(tree, cells.lower, cells.upper).empty().size or not len(limits):
            return None
        found = LimitedFilling(tree, cells, limits).attain()
        if isinstance(found, Unattainable):
            if kept is not None:
                return kept
            slope = _slope(changed, member, tree, cells, limits, found)
            if not (slope < 0.0 if tighter else slope > 0.0):
                return None
            step = float(found.mixture @ found.point.slack) / slope
        elif found is None or not member.is_global:
            return value
        else:
            kept, row = value, _row(member, changed)
            per_unit = _per_unit(changed, row, cells, limits, found.spend)
            if per_unit <= 0.0:
                return None
            step = float(found.slack[row]) / per_unit * (-1.0 if tighter else 1.0)
        if abs(step) <= 1e-13 * value or (not member.is_global and abs(step) <= _NEAR * value):
            return value
        if value - step < 0.0:
            return None
        value -= step
    return None


def _row(member: Member, problem: BudgetProblem) -> int:
    """Place of a return or cost among the limits."""
    every = problem.global_constraints
    return next(i for i, one in enumerate(every) if (one.kind, one.scope) == (member.kind, member.path))


def _per_unit(problem: BudgetProblem, row: int, cells: BoundedResponses, limits: GlobalSet, spend: Floats) -> float:
    """What one unit of a return or cost is worth to its limit: the spend, or the conversions, of its scope."""
    one = problem.global_constraints[row]
    if one.kind is not GlobalKind.MAX_CPA:
        return float(spend[problem.members(one.scope)].sum())
    return float(limits.gain[row] @ cells.envelope_value(spend)) / one.value if one.value > 0.0 else 0.0


def _slope(
    problem: BudgetProblem,
    member: Member,
    tree: Tree,
    cells: BoundedResponses,
    limits: GlobalSet,
    failed: Unattainable,
) -> float:
    """How much less broken the mixed limits are per unit of a member's value; 0 where that is not told."""
    spend, price = failed.point.spend, failed.point.filled.price
    if member.is_global:
        row = _row(member, problem)
        worth = float(failed.mixture[row]) * _per_unit(problem, row, cells, limits, spend)
        return worth if member.kind == GlobalKind.MAX_CPA else -worth
    if member.cell is None:
        node = tree.paths.index(member.path) if member.path in tree.paths else -1
        return 0.0 if node < 0 else float(price[node] - (price[tree.parent[node]] if node else 0.0))
    if member.kind == "min_spend_if_active":
        return 0.0
    i = problem.ids.index(member.cell)
    weights, costs = failed.mixture @ limits.gain, failed.mixture @ limits.cost
    return float(weights[i] * cells.curves.marginal(spend)[i] - costs[i] - price[tree.owner[i]])
