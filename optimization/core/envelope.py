"""Cells with their bounds: the best spend at a price, jumps included.

The best spend of a cell at a price m is the x within its bounds that maximises R(x) - m x. For a concave curve it
moves continuously from the upper to the lower bound as m grows. Three kinds of cells jump instead:

- S-shaped hill: below the tangent drawn from the lower bound no spend is ever best;
- a minimum commitment (0, or at least m): nothing between 0 and m is allowed;
- a line (power with p = 1): everything or nothing at one price.

At its jump price such a cell is indifferent between both ends, and the concave envelope joins them by a chord. The
demand below walks that chord inside a band of relative width `CHORD_BAND` around the jump price, which keeps demand a
continuous function of the price: the search of the solver then meets every target, ties between equal cells
included. `conjugate` never uses the chord, so bounds made from it hold for the true curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimization.core.responses import SMALLEST_PRICE, Family, Floats, Index, Responses

CHORD_BAND = 1e-9


@dataclass(frozen=True, eq=False)
class BoundedResponses:
    """The curves of n cells on their domains.

    Attributes:
        curves: the curves.
        lower, upper: bounds on spend, money, finite, shape (n,).
        jump_price: price of indifference where the cell jumps, else the marginal return at `lower`, shape (n,).
        jump_to: upper end of the jump, else `lower`, shape (n,).
        gapped: True where spend between `lower` and `jump_to` earns less than the chord, shape (n,).
    """

    curves: Responses
    lower: Floats
    upper: Floats
    jump_price: Floats
    jump_to: Floats
    gapped: NDArray[np.bool_]

    @classmethod
    def of(cls, curves: Responses, lower: Floats, upper: Floats, commitment: Floats | None = None) -> BoundedResponses:
        """Find the jumps.

        Args:
            curves: n curves.
            lower, upper: bounds with lower <= upper, shape (n,).
            commitment: smallest spend of an active cell ("0 or at least this"), 0 for none, shape (n,). Where
                `lower` is positive the cell is active anyway and the larger of both is its lower bound.
        """
        least = np.zeros_like(lower) if commitment is None else commitment
        lower = np.where(lower > 0.0, np.maximum(lower, least), lower)
        upper = np.maximum(upper, lower)
        committed = (least > lower) & (least <= upper)
        # A commitment above the cap leaves only zero.
        upper = np.where((least > lower) & ~committed, lower, upper)
        inflection = curves.inflection()
        s_shaped = (inflection > lower) & (upper > lower)
        line = (curves.family == Family.POWER) & (curves.exponent == 1.0) & (upper > lower)
        jump_price, jump_to = curves.marginal(lower), lower.copy()

        bent = np.flatnonzero(s_shaped | committed)
        if bent.size:
            part = curves.take(bent)
            base, start = part.value(lower[bent]), np.maximum(lower[bent], np.where(committed[bent], least[bent], 0.0))
            to = _tangent_from(part, lower[bent], base, np.maximum(start, inflection[bent]))
            to = np.clip(to, start, upper[bent])
            jump_to[bent] = to
            jump_price[bent] = (part.value(to) - base) / (to - lower[bent])
        jump_to[line] = upper[line]
        gapped = np.zeros(len(curves), dtype=np.bool_)
        gapped[bent] = True
        return cls(curves, lower, upper, jump_price, jump_to, gapped)

    def __len__(self) -> int:
        return len(self.curves)

    def take(self, index: Index) -> BoundedResponses:
        """The cells at `index`."""
        return BoundedResponses(
            self.curves.take(index),
            self.lower[index],
            self.upper[index],
            self.jump_price[index],
            self.jump_to[index],
            self.gapped[index],
        )

    def demand(self, price: Floats) -> Floats:
        """Best spend at a price per cell, on the concave envelope; shape (n,), within the bounds."""
        safe = np.maximum(price, SMALLEST_PRICE)
        spend = self._inner(price)
        if self.jumps.size:
            i = self.jumps
            low, to, at = self.lower[i], self.jump_to[i], self.jump_price[i]
            with np.errstate(over="ignore"):  # a flat curve jumps at price zero: infinitely far from any other
                band = np.maximum(2.0 * CHORD_BAND * at, SMALLEST_PRICE)
                walked = np.clip((at * (1.0 + CHORD_BAND) - safe[i]) / band, 0.0, 1.0)
            spend[i] = np.where(walked >= 1.0, np.maximum(spend[i], to), low + walked * (to - low))
        return spend

    def at_jump(self, price: Floats) -> NDArray[np.bool_]:
        """True for the cells that a price leaves indifferent between both ends of their jump, shape (n,)."""
        with np.errstate(over="ignore"):
            near = np.abs(price - self.jump_price) <= 4.0 * CHORD_BAND * self.jump_price
        return near & (self.jump_to > self.lower)

    def envelope_value(self, spend: Floats) -> Floats:
        """Revenue on the concave envelope, shape (n,): the curve, and the chord where the cell jumps."""
        value = self.curves.value(spend)
        bent = np.flatnonzero(self.gapped & (self.jump_to > self.lower))
        if bent.size:
            part, low = self.curves.take(bent), self.lower[bent]
            chord = part.value(low) + self.jump_price[bent] * (spend[bent] - low)
            value[bent] = np.where(spend[bent] < self.jump_to[bent], chord, value[bent])
        return value

    def partial(self, spend: Floats) -> NDArray[np.intp]:
        """Cells that sit inside a jump, where the envelope promises more than the curve or a commitment is broken."""
        inside = self.gapped & (spend > self.lower + 1e-9 * (self.jump_to - self.lower))
        return np.flatnonzero(inside & (spend < self.jump_to * (1.0 - 1e-9)))

    def conjugate_spend(self, price: Floats) -> Floats:
        """A maximiser of R(x) - price x over the true domain (never on a chord), shape (n,)."""
        safe = np.maximum(price, SMALLEST_PRICE)
        spend = self._inner(price)
        if self.jumps.size:
            i = self.jumps
            spend[i] = np.where(safe[i] < self.jump_price[i], np.maximum(spend[i], self.jump_to[i]), self.lower[i])
        return spend

    def conjugate(self, price: Floats) -> Floats:
        """max over the domain of R(x) - price x, shape (n,), money."""
        # Nothing decreases, so where money costs nothing all that may be spent is as good as any.
        spend = np.where(price <= 0.0, self.upper, self.conjugate_spend(price))
        best = self.curves.value(spend) - price * spend
        stay = self.curves.value(self.lower) - price * self.lower
        return np.maximum(best, stay)

    def _inner(self, price: Floats) -> Floats:
        """Demand of the concave branches; who is paid for spending, as by a floor, spends all that may be."""
        safe = np.maximum(price, SMALLEST_PRICE)
        if self._ceiling is not None:
            safe = np.minimum(safe, self._ceiling)
        spend = np.clip(self.curves.branch_demand(safe), self.lower, self.upper)
        paid = price < 0.0
        return np.where(paid, self.upper, spend) if paid.any() else spend

    @cached_property
    def _ceiling(self) -> Floats | None:
        """Highest price at which the concave branch of a hill curve still has a demand; None without such curves."""
        hill = self.curves.family == Family.HILL
        return np.where(hill, np.maximum(self.jump_price, SMALLEST_PRICE), np.inf) if hill.any() else None

    @cached_property
    def jumps(self) -> NDArray[np.intp]:
        """The cells that jump."""
        return np.flatnonzero(self.jump_to > self.lower)


def _tangent_from(curves: Responses, start: Floats, base: Floats, left: Floats) -> Floats:
    """Where the line from (start, base) touches each curve right of `left`; beyond `left` the curves are concave.

    The secant slope (R(x) - base)/(x - start) rises until the tangent and falls after it, so the sign of
    R'(x)(x - start) - (R(x) - base) is bisected. Where it never rises (a concave curve under a commitment) the answer
    is `left` itself.
    """

    def rising(x: Floats) -> NDArray[np.bool_]:
        return np.asarray(curves.marginal(x) * (x - start) > curves.value(x) - base)

    lo = np.maximum(left, np.nextafter(start, np.inf))
    hi = np.maximum(lo, curves.scale)
    for _ in range(200):
        more = rising(hi)
        if not more.any():
            break
        lo, hi = np.where(more, hi, lo), np.where(more, hi * 2.0, hi)
    for _ in range(80):
        middle = 0.5 * (lo + hi)
        more = rising(middle)
        lo, hi = np.where(more, middle, lo), np.where(more, hi, middle)
    return np.where(rising(np.maximum(left, np.nextafter(start, np.inf))), hi, np.maximum(left, start))
