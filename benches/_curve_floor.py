"""The least that any curves can lose on the lines of the benchmark: those of somebody who knows how lines are drawn.

That person is told the family, the means of each placement and audience, the spreads, the noise and the planner's
habit, all but the curves themselves; weighs all curves that a line may have by what its 52 weeks say (exactly, on a
grid); and maximises expected revenue over them. Nobody who has to learn the prior from the same weeks can be expected
to lose less.
"""

from __future__ import annotations

import numpy as np

from benches._curve_fits import HABIT, NOISE, OWN_RETURN, OWN_SCALE, Lines
from optimization.core.responses import Family, Floats

_STEPS = 45


def best_guess(lines: Lines, family: Family, most: float | None) -> Floats:
    """Spend per line, shape (cells,), under the limit on what a line may get."""
    mass, a, k = _posterior(lines, family)
    budget = float(lines.mix.sum())
    top = np.full(lines.mix.size, budget) if most is None else most * lines.mix

    def marginal(spend: Floats) -> Floats:
        x = spend[:, None]
        each = a / (k + x) if family is Family.LOG else a * k / (k + x) ** 2
        return np.asarray((mass * each).sum(axis=1))

    def demand(price: float) -> Floats:
        low, high = np.zeros(top.size), top.copy()
        for _ in range(_STEPS):
            middle = (low + high) / 2.0
            more = marginal(middle) > price
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        return low

    cheap, dear = 1e-4, 1e4
    for _ in range(_STEPS):
        price = float(np.sqrt(cheap * dear))
        cheap, dear = (price, dear) if demand(price).sum() > budget else (cheap, price)
    return demand(dear)


def _posterior(lines: Lines, family: Family) -> tuple[Floats, Floats, Floats]:
    """Probability of each k of a grid, amplitude given it, and k; shape (cells, grid)."""
    sd = np.sqrt(np.log1p(NOISE**2))
    weeks = lines.spend.shape[1]
    true_k, true_a = np.log([one.k for one in lines.truth]), np.log([one.a for one in lines.truth])
    names = {name: number for number, name in enumerate(sorted({path[:4] for path in lines.paths}))}
    group = np.array([names[path[:4]] for path in lines.paths])
    size = np.bincount(group)
    mean_k, mean_return = (np.bincount(group, values) / size for values in (true_k, true_a - true_k))
    grid = np.linspace(-3.2, 3.2, 65)
    log_k = mean_k[group][:, None] + OWN_SCALE * grid[None, :]
    logs, habit = np.log(lines.sales), 2.0 * (np.log(lines.mix) - np.log(8.0))
    weight, log_return = np.empty_like(log_k), np.empty_like(log_k)
    # Given k, three normal readings of the log return: the prior, the weeks, and what the planner spends.
    precisions = 1.0 / OWN_RETURN**2, weeks / sd**2, 1.0 / (2.0 * HABIT) ** 2
    for column in range(grid.size):
        ratio = lines.spend / np.exp(log_k[:, column])[:, None]
        shape = np.log1p(ratio) if family is Family.LOG else ratio / (1.0 + ratio)
        left = logs - log_k[:, [column]] - np.log(shape) + sd**2 / 2.0
        readings = mean_return[group], left.mean(axis=1), habit - log_k[:, column]
        middle = sum(p * one for p, one in zip(precisions, readings, strict=True)) / sum(precisions)
        off = sum(p * (one - middle) ** 2 for p, one in zip(precisions, readings, strict=True))
        scatter = ((left - readings[1][:, None]) ** 2).sum(axis=1) / sd**2
        weight[:, column] = -0.5 * (off + scatter + grid[column] ** 2)
        log_return[:, column] = middle
    mass = np.exp(weight - weight.max(axis=1)[:, None])
    mass /= mass.sum(axis=1)[:, None]
    return mass, np.exp(log_return + 0.5 / sum(precisions) + log_k), np.exp(log_k)
