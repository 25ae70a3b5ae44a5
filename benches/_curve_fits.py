"""What fitted curves are worth: the revenue lost by allocating with them, on lines whose true curves are known.

The lines: 1,000 SKUs under four retailers, three placements each, two audiences each. Return and scale vary by
placement and audience and, more, by line. A planner without curves spends in proportion to the square root of what a
line could sell, give or take; from week to week spend moves by a quarter. Sales are lognormal with 30 % noise. The same
money is then allocated anew by the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimization.core.curves import FittedCurve, fit_curves
from optimization.core.problem import BudgetProblem, Cell, Curve, Path
from optimization.core.responses import Family, Floats
from optimization.core.solve import solve_budget

NOISE = 0.3
#: Spread of the logarithms of return and scale from line to line, and of a planner's habit.
OWN_RETURN, OWN_SCALE, HABIT = 0.5, 0.7, 0.5


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines with known curves: spend and sales of shape (cells, weeks), money; `mix` the mean weekly spend."""

    paths: list[Path]
    truth: list[Curve]
    mix: Floats
    spend: Floats
    sales: Floats

    @classmethod
    def drawn(cls, seed: int, family: Family, *, cells: int = 1000, weeks: int = 52) -> Lines:
        """Draw lines; the same seed gives the same."""
        rng = np.random.default_rng([seed, 2])
        paths: list[Path] = [
            (f"channel{i % 2}", f"retailer{i % 4}", f"placement{i // 4 % 3}", f"audience{i // 12 % 2}", f"sku{i}")
            for i in range(cells)
        ]
        returns, scale = (
            np.log(4.0) + rng.normal(0.0, OWN_RETURN, cells),
            np.log(1000.0) + rng.normal(0.0, OWN_SCALE, cells),
        )
        for depth in (3, 4):
            names = {name: number for number, name in enumerate(sorted({path[:depth] for path in paths}))}
            group = np.array([names[path[:depth]] for path in paths])
            returns += rng.normal(0.0, 0.25, len(names))[group]
            scale += rng.normal(0.0, 0.25, len(names))[group]
        k = np.exp(scale)
        a = np.exp(returns) * k
        mix = 8.0 * np.sqrt(a) * np.exp(rng.normal(0.0, HABIT, cells))
        spend = mix[:, None] * np.exp(rng.normal(0.0, 0.25, (cells, weeks)))
        sd = np.sqrt(np.log1p(NOISE**2))
        sales = a[:, None] * _shape(family, spend / k[:, None]) * np.exp(rng.normal(-0.5 * sd**2, sd, spend.shape))
        truth = [Curve(family, float(one), float(size)) for one, size in zip(a, k, strict=True)]
        return cls(paths, truth, mix, spend, sales)

    def fit(self) -> list[Curve]:
        """The product's curves."""
        cells, weeks = self.spend.shape
        fits: tuple[FittedCurve, ...] = fit_curves(
            self.paths,
            np.repeat(np.arange(cells), weeks),
            np.tile(np.arange(weeks), cells),
            self.spend.ravel(),
            self.sales.ravel(),
        )
        return [fit.curve() for fit in fits]

    def least_squares(self) -> list[Curve]:
        """Each line by itself: a and k that minimise the squared error of its sales, the family that of all lines.

        For a given k the best a is closed-form, so the minimum is found on 400 values of k, from a twentieth to fifty
        times the mean spend: the range the product searches, too. With a wider one, lines whose best fit is straight
        take all the money, and least squares loses several times as much.
        """
        best: tuple[float, Family, Floats, Floats] | None = None
        mean = self.spend.mean(axis=1)
        rows = np.arange(mean.size)
        for family in (Family.LOG, Family.MICHAELIS_MENTEN):
            error, a, k = (np.full(mean.size, value) for value in (np.inf, 0.0, 1.0))
            for ratio in np.exp(np.linspace(np.log(0.05), np.log(50.0), 400)):
                g = _shape(family, self.spend / (ratio * mean)[:, None])
                amplitude = (self.sales * g).sum(axis=1) / (g**2).sum(axis=1)
                left = ((self.sales - amplitude[:, None] * g) ** 2).sum(axis=1)
                better = rows[left < error]
                error[better], a[better], k[better] = left[better], amplitude[better], (ratio * mean)[better]
            if best is None or float(error.sum()) < best[0]:
                best = (float(error.sum()), family, a, k)
        assert best is not None
        return [Curve(best[1], float(one), float(scale)) for one, scale in zip(best[2], best[3], strict=True)]

    def problem(self, curves: list[Curve], most: float | None = None) -> BudgetProblem:
        """Spend as much as today, on no line more than `most` times what it has today."""
        cells = [
            Cell(path[-1], path, curve, max_spend=None if most is None else float(most * spend))
            for path, curve, spend in zip(self.paths, curves, self.mix, strict=True)
        ]
        return BudgetProblem.of(cells, float(self.mix.sum()))

    def losses(self, family: Family, mosts: Sequence[float | None] = (None,)) -> list[dict[str, float]]:
        """Share of the best revenue that each way to decide misses, for each limit on what a line may get."""
        from benches._curve_floor import best_guess

        fitted = {"shrunk": self.fit(), "least_squares": self.least_squares()}
        out = []
        for most in mosts:
            true = self.problem(self.truth, most)
            best = solve_budget(true).objective_revenue
            spends = {name: solve_budget(self.problem(curves, most)).spend for name, curves in fitted.items()}
            spends["knows_the_generator"] = best_guess(self, family, most)
            spends["current_mix"] = self.mix
            out.append(
                {
                    name: 1.0 - float(true.responses.value(spend).sum()) / best
                    for name, spend in spends.items()
                    if spend is not None
                }
            )
        return out


def _shape(family: Family, ratio: Floats) -> Floats:
    return np.asarray(np.log1p(ratio) if family is Family.LOG else ratio / (1.0 + ratio))
