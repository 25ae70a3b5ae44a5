"""True response curves, and the best that can be done with them.

Both families are concave with a closed-form demand at a price, so the exact optimum needs only a bisection on the
price of money. This is deliberately not the product's optimiser: it is what that optimiser is checked against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from demo.core.arrays import Bools, Floats, Ints

Family = Literal["log", "michaelis_menten"]

FAMILIES: tuple[Family, Family] = ("log", "michaelis_menten")


@dataclass(frozen=True)
class Curves:
    """Weekly revenue (in the account's currency) as a function of weekly spend, one curve per cell.

    `log`: a ln(1 + x / k). `michaelis_menten`: a x / (k + x). All arrays have one entry per cell; `is_log` picks the
    family. `in_stock` false means that the cell sells nothing, whatever is spent.
    """

    is_log: Bools
    a: Floats
    k: Floats
    in_stock: Bools

    def __len__(self) -> int:
        return len(self.a)

    def family(self, cell: int) -> Family:
        return FAMILIES[0] if self.is_log[cell] else FAMILIES[1]

    def without(self, cells: Ints) -> Curves:
        """The same curves with these cells out of stock."""
        in_stock = self.in_stock.copy()
        in_stock[cells] = False
        return Curves(self.is_log, self.a, self.k, in_stock)

    def revenue(self, spend: Floats) -> Floats:
        """Expected weekly revenue; `spend` has shape [cells] or [weeks, cells]."""
        saturating = self.a * spend / (self.k + spend)
        logarithmic = self.a * np.log1p(spend / self.k)
        return np.where(self.in_stock, np.where(self.is_log, logarithmic, saturating), 0.0)

    def demand(self, price: float) -> Floats:
        """The spend per cell at which one more unit of money brings `price` units of revenue."""
        logarithmic = self.a / price - self.k
        saturating = np.sqrt(self.a * self.k / price) - self.k
        return np.where(self.in_stock, np.maximum(np.where(self.is_log, logarithmic, saturating), 0.0), 0.0)


@dataclass(frozen=True)
class Optimum:
    """The best split of a weekly budget: spend per cell, its revenue, and the price of one more unit of money."""

    spend: Floats
    revenue: float
    price: float


def best_allocation(curves: Curves, budget: float) -> Optimum:
    """Split `budget` over the cells so that total expected revenue is largest.

    Bisection on the logarithm of the price: total demand falls strictly in the price, from unbounded to nothing.
    """
    first_price = curves.a / curves.k
    low, high = 1e-12 * float(first_price.min()), float(first_price[curves.in_stock].max())
    for _ in range(200):
        price = float(np.sqrt(low * high))
        if curves.demand(price).sum() > budget:
            low = price
        else:
            high = price
    spend = curves.demand(high)
    return Optimum(spend=spend, revenue=float(curves.revenue(spend).sum()), price=high)


def loss_against_best(curves: Curves, spend: Floats) -> float:
    """The part of the attainable revenue that this split of the same money leaves behind."""
    best = best_allocation(curves, float(spend.sum()))
    return 1.0 - float(curves.revenue(spend).sum()) / best.revenue
