"""Shadow prices beside what a re-solve says: one percent more of a bound earns what its price promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.solve import Solution, solve_budget
from tests.optimization.core.campaign.trees import KINDS, drawn_tree

#: A bound moves by one percent. Revenue is concave in it: what a unit earns lies between the price before and after.
BOUND_STEP = 0.01
#: A return or cost limit moves the whole plan: it is moved by little, and its multiplier is a derivative.
LIMIT_STEP = 1e-5
AGREES = 0.02


def priced(seed: int, number: int) -> dict[str, Any]:
    """All prices of one problem with bounds and limits; `wrong` says which disagree."""
    # Numbers of the kinds "bounds" and "limits" alone.
    problem = drawn_tree(seed, number // 2 * len(KINDS) + number % 2)
    found: dict[str, Any] = {"number": number, "prices": 0, "as_told": 0, "limits": 0, "wrong": []}
    solved = solve_budget(problem)
    if solved.spend is None:
        return found
    for name, price, step, moved, after in _bounds(problem, solved):
        if price * step <= 1e-9 * solved.objective_revenue:
            continue  # a gain that rounding of the revenue would drown
        gain = (moved.objective_revenue - solved.objective_revenue) / step
        found["prices"] += 1
        found["as_told"] += abs(gain - price) <= AGREES * price
        low, high = min(price, after), max(price, after)
        if not low * (1.0 - 1e-5) <= gain <= high * (1.0 + 1e-5):
            found["wrong"].append(f"{name}: {gain:.6g} a unit, but priced {price:.6g} before and {after:.6g} after")
    for name, promised, moved in _limits(problem, solved):
        if promised <= 1e-9 * solved.objective_revenue:
            continue
        gain = moved.objective_revenue - solved.objective_revenue
        found["limits"] += 1
        if abs(gain - promised) > AGREES * promised:
            found["wrong"].append(f"{name}: earned {gain:.6g}, promised {promised:.6g}")
    return found


def judge_prices(seed: int, numbers: Iterable[int]) -> dict[str, Any]:
    """Figures over many problems."""
    return price_summary([priced(seed, number) for number in numbers])


def price_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures of judged problems; `wrong` names what does not hold."""
    return {
        "problems": len(rows),
        "bounds": sum(row["prices"] for row in rows),
        "within_two_percent": sum(row["as_told"] for row in rows),
        "limits": sum(row["limits"] for row in rows),
        "wrong": [f"problem {row['number']}: {text}" for row in rows for text in row["wrong"]],
    }


def _bounds(problem: BudgetProblem, solved: Solution) -> Iterator[tuple[str, float, float, Solution, float]]:
    """Name, price, step in money, the re-solve, the price there; a floor is lowered, a cap and the budget raised."""
    if solved.budget_shadow_price > 0.0:
        more = solve_budget(replace(problem, total_budget=problem.total_budget * (1.0 + BOUND_STEP)))
        step = problem.available * BOUND_STEP
        yield "the budget", solved.budget_shadow_price, step, more, more.budget_shadow_price
    for one in solved.node_shadow_prices:
        bound = next(bound for bound in problem.node_bounds if bound.path == one.path)
        value = bound.max_spend if one.kind == "max_spend" else bound.min_spend
        if value is None:
            raise AssertionError("a price on a bound that is not there")
        step = value * BOUND_STEP
        changed = (
            replace(bound, max_spend=value + step)
            if one.kind == "max_spend"
            else replace(bound, min_spend=value - step)
        )
        rest = tuple(changed if other is bound else other for other in problem.node_bounds)
        moved = solve_budget(replace(problem, node_bounds=rest))
        after = [p.value for p in moved.node_shadow_prices if p.path == one.path and p.kind == one.kind]
        yield f"{one.kind} of {one.path}", one.value, step, moved, after[0] if after else 0.0


def _limits(problem: BudgetProblem, solved: Solution) -> Iterator[tuple[str, float, Solution]]:
    """Name, revenue that the multiplier promises for a slightly looser limit, and the re-solve."""
    if solved.spend is None or solved.explainer is None:
        return
    revenue = problem.responses.value(solved.spend)
    for row, (one, price) in enumerate(zip(problem.global_constraints, solved.explainer.multipliers, strict=True)):
        inside = problem.members(one.scope)
        if one.kind is GlobalKind.MIN_ROAS:
            loose, room = one.value * (1.0 - LIMIT_STEP), one.value * LIMIT_STEP * float(solved.spend[inside].sum())
        else:
            orders = float((revenue[inside] / problem.revenue_per_conversion[inside]).sum())
            loose, room = one.value * (1.0 + LIMIT_STEP), one.value * LIMIT_STEP * orders
        limits = list(problem.global_constraints)
        limits[row] = replace(one, value=loose)
        moved = solve_budget(replace(problem, global_constraints=tuple(limits)))
        yield f"{one.kind.value} over {one.scope}", float(price) * room, moved
