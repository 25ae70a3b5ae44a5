"""Where a budget goes under given incrementality factors: the question that calibration changes the answer to.

A small relative of the product's optimiser, for thousands of answers at once: lines with response curves and ends, one
budget, nothing else. What people plan with is solved by the optimiser, under all of their constraints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from measurement.core.arrays import Floats, Ints
from optimization.core.responses import Responses

_HALVINGS = 80


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of a budget.

    Attributes:
        responses: attributed revenue of each line per week, shape [lines].
        cell: which factor counts for a line, shape [lines].
        low, high: least and most spend of a line, money a week, shape [lines].
    """

    responses: Responses
    cell: Ints
    low: Floats
    high: Floats

    def allocate(self, factor: Floats, budget: float) -> Floats:
        """Spend per line that earns most, shape [questions, lines].

        Every line goes to where its next unit earns the same price, or to its end; the price is found by halving. For
        curves with a turning point this is where they have turned.

        Args:
            factor: incremental per attributed sales, shape [questions, cells].
        """
        questions, lines = factor.shape[0], len(self.responses)
        weight = np.maximum(factor[:, self.cell], 1e-12)
        many = self._many(questions)
        # Of a price above `top` nobody buys, and of one below `bottom` everybody has all of the budget.
        top = np.log(np.maximum((weight * self._first).max(axis=1), 1e-12))
        bottom = np.log(np.maximum((weight * self._last(budget)).min(axis=1), 1e-100)) - 1.0
        for _ in range(_HALVINGS):
            price = (top + bottom) / 2.0
            spend = self._demand(many, np.exp(price)[:, None] / weight)
            over = spend.sum(axis=1) > budget
            bottom, top = np.where(over, price, bottom), np.where(over, top, price)
        spend = self._demand(many, np.exp(top)[:, None] / weight)
        # What halving leaves over, and what no line may take, is not spent on curves that are flat.
        left = budget - spend.sum(axis=1, keepdims=True)
        room = np.where(left >= 0.0, self.high - spend, spend - self.low)
        total = room.sum(axis=1, keepdims=True)
        share = np.divide(left, total, out=np.zeros((questions, 1)), where=np.isfinite(total) & (total > 0.0))
        moved = spend + np.clip(share, -1.0, 1.0) * np.where(np.isfinite(total), room, 0.0)
        return np.asarray(moved.reshape(questions, lines))

    def revenue(self, spend: Floats) -> Floats:
        """Attributed revenue, shape [questions, lines] as `spend`."""
        return self._many(spend.shape[0]).value(spend.ravel()).reshape(spend.shape)

    def worth(self, factor: Floats, spend: Floats) -> Floats:
        """Incremental revenue of each answer, shape [questions]; `factor` has shape [questions or 1, cells]."""
        return np.asarray((factor[:, self.cell] * self.revenue(spend)).sum(axis=1))

    @cached_property
    def _first(self) -> Floats:
        return self.responses.marginal(np.maximum(self.low, 1e-9 * self.responses.scale))

    def _last(self, budget: float) -> Floats:
        return self.responses.marginal(np.full(len(self.responses), budget))

    def _many(self, questions: int) -> Responses:
        one = self.responses
        return Responses(
            np.tile(one.family, questions),
            np.tile(one.amplitude, questions),
            np.tile(one.scale, questions),
            np.tile(one.exponent, questions),
        )

    @cached_property
    def _steepest(self) -> Floats:
        """The largest marginal return of each line: at its turning point where it has one, else at its start."""
        return np.asarray(self.responses.marginal(self.responses.inflection()))

    def _demand(self, many: Responses, price: Floats) -> Floats:
        wanted = many.branch_demand(price.ravel()).reshape(price.shape)
        return np.clip(np.where(price < self._steepest, wanted, 0.0), self.low, self.high)
