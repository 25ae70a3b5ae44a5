"""Where an answer spends nothing: what the lines could return at best, against the return that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.responses import Floats

#: Spends at which returns are looked at, in units of each curve's scale: from where it starts to far beyond its bend.
_SPENDS: Final = np.geomspace(1e-7, 1e3, 401)
_WORDS: Final = {
    GlobalKind.MIN_ROAS: "a ROAS of",
    GlobalKind.MIN_IROAS: "an incremental ROAS of",
    GlobalKind.MIN_ROI: "a return of",
}


def unreachable_words(problem: BudgetProblem, spent: float) -> str:
    """Why nothing is spent, where no line pays the return that is asked for at any spend; else empty.

    Args:
        spent: money of the answer.
    """
    if spent >= 0.005:
        return ""
    for words, asked, weights, cost in _asked(problem):
        best = _best(problem, weights) - cost
        if best < asked:
            lines = f"the best return attainable is {best:.2f}" if best > 0.0 else "none returns anything"
            return f"No line earns {words} {asked:g} at any spend; {lines}."
    return ""


def _asked(problem: BudgetProblem) -> Iterator[tuple[str, float, Floats, float]]:
    """Every return over the whole: its words, its value, what counts of a unit of sales, and what a unit costs."""
    weights = {
        GlobalKind.MIN_ROAS: np.ones(len(problem.cells)),
        GlobalKind.MIN_IROAS: problem.sure_incrementality,
        GlobalKind.MIN_ROI: problem.aim_weights,
    }
    for one in problem.global_constraints:
        if one.kind in weights and not one.scope:
            cost = problem.aim_cost if one.kind is GlobalKind.MIN_ROI else 0.0
            yield _WORDS[one.kind], one.value, weights[one.kind], cost
    if problem.hurdle > 0.0:
        yield _WORDS[GlobalKind.MIN_ROI], problem.hurdle, problem.aim_weights, problem.aim_cost


def _best(problem: BudgetProblem, weights: Floats) -> float:
    """The best average return of any line that may spend, at any spend its cap lets through; per unit of money."""
    scales = np.array([cell.curve.k for cell in problem.cells])
    times = max(problem.periods.season, default=1.0) if problem.periods else 1.0
    best = 0.0
    for at in _SPENDS:
        spend = np.minimum(at * scales, problem.upper)
        with np.errstate(divide="ignore", invalid="ignore"):
            returns = np.where(spend > 0.0, weights * problem.responses.value(spend) / spend, 0.0)
        best = max(best, float(returns.max(initial=0.0)))
    return best * times
