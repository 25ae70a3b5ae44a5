"""What a little more of each binding constraint would earn, and what other allocations of the money would have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.responses import Floats
from optimization.core.search import tail_value
from optimization.core.solve import solve_budget
from planning.core.prices import Price
from planning.core.typed import Broken, Judged, judge
from tenants.core.problems import Problem

#: By how much each constraint is loosened.
STEP: Final = 0.01
#: Constraints that are solved again for, the dearest; the others are told by their price alone.
MOST_SOLVES: Final = 12
#: Above this many lines nothing is solved again on the way to a page.
MOST_CELLS: Final = 20_000
#: Lines, times periods, that the general path solves again in all: it takes about a second for two hundred.
MOST_GENERAL: Final = 600


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One binding constraint, loosened by one percent.

    Attributes:
        first_order: what its price says that earns; None where it has no value of its own.
        gain: what solving again earns, in the objective; None where that was not done.
        step: how much it was loosened, in its own unit.
    """

    price: Price
    step: float | None
    first_order: float | None
    gain: float | None


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """Another allocation under the same curves.

    Attributes:
        worth: what it comes to in what the problem maximises; `below` is how much more the answer does.
        broken: terms that it would break.
    """

    name: str
    how: str
    spend: float
    sales: float
    worth: float
    below: float
    broken: tuple[Broken, ...]


def sensitivities(
    problem: BudgetProblem, prices: Sequence[Price], *, spend: Floats, objective: float
) -> list[Sensitivity]:
    """Each binding constraint loosened by `STEP`, solved again where that is quick.

    Args:
        spend: the answer, shape (n,); objective: its value.
    """
    found = []
    for number, price in enumerate(prices):
        gain = None
        if number < quick_solves(problem):
            gain = _gain(problem, price, objective)
        step, first = _first_order(problem, price, spend)
        found.append(Sensitivity(price=price, step=step, first_order=first, gain=gain))
    return found


def quick_solves(problem: BudgetProblem) -> int:
    """How many times a problem may be solved again on the way to a page."""
    size = len(problem.cells) * (len(problem.periods.budgets) if problem.periods else 1)
    if problem.tail is not None or problem.linear:
        return min(MOST_SOLVES, MOST_GENERAL // size)
    return MOST_SOLVES if size <= MOST_CELLS else 0


def _gain(problem: BudgetProblem, price: Price, objective: float) -> float | None:
    """What solving again with one constraint wider earns; None where that has no answer: its price tells then."""
    try:
        again = solve_budget(loosened(problem, price))
    except Problem:
        return None
    return None if again.certificate is None else max(0.0, again.certificate.objective - objective)


def loosened(problem: BudgetProblem, price: Price, step: float = STEP) -> BudgetProblem:
    """The problem with one constraint wider by a fraction of its value."""
    if price.field == "budget":
        return replace(problem, total_budget=problem.total_budget * (1.0 + step))
    if price.field == "max_spend":
        return _with_bound(problem, price, lambda bound: {"max_spend": (bound.max_spend or 0.0) * (1.0 + step)})
    if price.field == "min_spend":
        return _with_bound(problem, price, lambda bound: {"min_spend": (bound.min_spend or 0.0) * (1.0 - step)})
    if price.field == "linear":
        linear = [
            one.at(one.value * (1.0 - step if one.is_least else 1.0 + step)) if one.name == price.name else one
            for one in problem.linear
        ]
        return replace(problem, linear=tuple(linear))
    if price.field in tuple(GlobalKind):
        factor = 1.0 - step if GlobalKind(price.field).is_least else 1.0 + step
        limits = [
            replace(one, value=one.value * factor) if one.kind.value == price.field else one
            for one in problem.global_constraints
        ]
        return replace(problem, global_constraints=tuple(limits))
    cells = tuple(
        replace(
            cell,
            min_spend=cell.min_spend * (1.0 - step),
            max_spend=None if cell.max_spend is None else cell.max_spend * (1.0 + step),
        )
        for cell in problem.cells
    )
    return replace(problem, cells=cells) if price.field == "own" else problem


def _with_bound(problem: BudgetProblem, price: Price, change: Any) -> BudgetProblem:
    bounds = [replace(one, **change(one)) if one.path == price.path else one for one in problem.node_bounds]
    return replace(problem, node_bounds=tuple(bounds))


def _first_order(problem: BudgetProblem, price: Price, spend: Floats) -> tuple[float | None, float | None]:
    """The step in the constraint's own unit, and what its price makes of it."""
    if price.asked is None:
        return None, None
    step = STEP * price.asked
    if price.field == "budget":
        # A unit of budget is a unit to place only as far as the reserve leaves it.
        return step, price.price * step * (1.0 - problem.experiment_reserve_fraction)
    if price.field in tuple(GlobalKind) and price.field != GlobalKind.MAX_CPA:
        return step, price.price * step * float(spend.sum())
    return step, price.price * step if price.field in ("max_spend", "min_spend") else None


def alternatives(problem: BudgetProblem, *, now: Mapping[str, float], spend: Floats) -> list[Alternative]:
    """Allocations that people would make without solving, the best first; as much money as the answer spends.

    Args:
        now: current spend by cell id.
        spend: of the answer, shape (n,).
    """
    total = float(spend.sum())
    aim = GlobalSet.of(problem)
    answer = judge(problem, spend)
    best = _worth(problem, aim, answer)
    current = np.array([float(now.get(name, 0.0)) for name in problem.ids])
    found = []
    for name, how, placed in _others(problem, current, total):
        judged = judge(problem, placed)
        worth = _worth(problem, aim, judged)
        found.append(
            Alternative(
                name=name, how=how, spend=judged.total, sales=judged.total_sales, worth=worth, below=best - worth,
                broken=judged.broken,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: -one.worth)


def _worth(problem: BudgetProblem, aim: GlobalSet, judged: Judged) -> float:
    """What is maximised; of a tail objective its tail, with nothing sold from an empty shelf."""
    if problem.tail is None:
        return aim.worth(judged.spend, judged.sales)
    stocked = np.array([not cell.out_of_stock for cell in problem.cells])
    wasted = float(judged.spend[~stocked].sum())
    return tail_value(problem, np.where(stocked, judged.spend, 0.0)) - aim.charge * wasted


def _others(problem: BudgetProblem, current: Floats, total: float) -> Iterator[tuple[str, str, Floats]]:
    stocked = np.array([not cell.out_of_stock for cell in problem.cells])
    if stocked.any():
        yield "Equal split", "The same for every line with stock", np.where(stocked, total / stocked.sum(), 0.0)
    if current.sum() > 0.0:
        yield "Current mix, scaled", "Each line as now, times the same factor", current * (total / current.sum())
        sold = np.where(stocked, problem.responses.value(current), 0.0)
        if sold.sum() > 0.0:
            yield "By current sales", "In proportion to what each line sells now", sold * (total / sold.sum())
        yield "Current spend as it is", "Nothing changes, the budget neither", current
