"""How much could be spent where no budget says so.

Let each unit of money have to bring t in return, as a target over all or as what it costs the objective. With the
gains g_i R_i that count, an allocation worth making has sum(t x_i - g_i R_i) <= 0. For every cell
g_i R_i(x) <= s_i + (t/2) x, where s_i is the surplus at half the price, so what it spends is at most 2 sum(s_i) / t.

Floors and commitments of F in all force spend that is not worth its cost, F t at most: then it is 2 sum(s_i) / t + 2 F.
And where a return is asked for beside a cost, what floors lack of it has to be earned by lines that the cost alone
would leave empty. A limit holds whatever the objective is worth, so the cells of its scope are bounded by the limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimization.core.parts import GlobalConstraint, GlobalKind, InvalidProblem
from optimization.core.responses import Family, Floats

if TYPE_CHECKING:
    from optimization.core.problem import BudgetProblem


def budget_ceiling(problem: BudgetProblem) -> float:
    """An amount that no optimum exceeds, money.

    Raises:
        InvalidProblem: nothing ends the spending, or one line earns its target for ever.
    """
    gain, price = _required(problem)
    if problem.linear:
        # They may force any amount: twice a floor on another line, for instance.
        raise InvalidProblem(
            "There is no total budget, and shares or other constraints across branches may force any spend.",
            where="total_budget",
            fix="Give total_budget as a ceiling.",
        )
    forced = sum(bound.min_spend or 0.0 for bound in problem.node_bounds)
    forced += float(problem.lower.sum())
    most, free = 0.0, np.ones(len(problem.cells), dtype=np.bool_)
    for one in problem.global_constraints if forced > 0.0 else ():
        inside = free & problem.members(one.scope)
        if one.value > 0.0 and inside.any():
            of_limit, least = _limited(problem, one)
            counted = np.where(problem.members(one.scope), of_limit, 0.0)
            most += 2.0 * float(_surplus(problem, counted, 0.5 * least).sum()) / least
            free &= ~inside
    surplus = _surplus(problem, np.where(free, gain, 0.0), 0.5 * price)
    return 1.0 + most + 2.0 * (float(surplus.sum()) / price + forced + float(problem.commitments.sum()))


def _limited(problem: BudgetProblem, one: GlobalConstraint) -> tuple[Floats, float]:
    """What a limit counts of each cell's revenue, shape (n,), and what a unit of spend has to bring of it."""
    if one.kind is GlobalKind.MAX_CPA:
        return one.value / problem.revenue_per_conversion, 1.0
    if one.kind is GlobalKind.MIN_ROAS:
        return np.ones(len(problem.cells)), one.value
    if one.kind is GlobalKind.MIN_IROAS:
        return problem.sure_incrementality, one.value
    return problem.aim_weights, one.value + problem.aim_cost


def _required(problem: BudgetProblem) -> tuple[Floats, float]:
    """What counts of each cell's revenue, shape (n,), and what a unit of spend has to bring of it."""
    cost = problem.hurdle + problem.aim_cost
    if cost > 0.0:
        # In no mixture of the scenarios does a cell return more than in its best one.
        best = 1.0 if problem.tail is None else problem.tail.scenarios.max(axis=0)
        return problem.aim_weights * best, cost
    for one in problem.global_constraints:
        if one.scope == () and one.value > 0.0 and one.kind is not GlobalKind.MAX_CPA:
            return _limited(problem, one)
    raise InvalidProblem(
        "There is no total budget, and nothing else ends the spending.",
        where="total_budget",
        fix="Give total_budget, or a target above zero with mode target_roi or target_marginal_roi.",
    )


def _surplus(problem: BudgetProblem, gain: Floats, price: float) -> Floats:
    """At least max over x >= 0 of gain R(x) - price x, each cell by itself and within its cap; money, shape (n,)."""
    curves, cap = problem.responses, problem.upper
    each = price / np.maximum(gain, 1e-300)
    line = (curves.family == Family.POWER) & (curves.exponent == 1.0)
    endless = np.flatnonzero(line & np.isinf(cap) & (curves.amplitude / curves.scale > each))
    if endless.size:
        name = problem.cells[int(endless[0])].id
        raise InvalidProblem(
            f"The straight line of the cell {name!r} earns the target for ever.",
            where="total_budget",
            fix="Give total_budget, or a max_spend for the cell.",
        )
    rising = (curves.family == Family.LOG) | ((curves.family == Family.POWER) & ~line)
    best = np.zeros(len(curves))
    inner = np.flatnonzero(rising)
    if inner.size:
        part = curves.take(inner)
        spend = np.clip(part.branch_demand(each[inner]), 0.0, cap[inner])
        best[inner] = gain[inner] * part.value(spend) - price * spend
    # The other families never earn more than their amplitude; a line ends at its cap.
    best = np.where(rising, best, gain * curves.amplitude)
    straight = np.flatnonzero(line & np.isfinite(cap))
    if straight.size:
        best[straight] = gain[straight] * curves.take(straight).value(cap[straight])
    return np.asarray(np.where(cap > 0.0, np.maximum(best, 0.0), 0.0), dtype=np.float64)
