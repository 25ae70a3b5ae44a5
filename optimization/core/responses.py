"""Response curves: expected attributed revenue R(x) of spending x in one cell and one period.

Five families, all vectorised over the cells of a problem (amplitude `a` and revenue in money, scale `k` and spend in
money, exponent dimensionless):

    log                 a ln(1 + x/k)
    power               a (x/k)^p,            0 < p <= 1
    michaelis_menten    a x / (k + x)
    exp_saturation      a (1 - exp(-x/k))
    hill                a x^n / (k^n + x^n),  S-shaped for n > 1

Each gives its value, its marginal return and, in closed form but for hill, the demand at a price: the spend at which
the next unit of money returns exactly that price. `optimization.core.envelope` adds the bounds of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Index = slice | NDArray[np.intp]

#: Prices are never compared below this; it keeps a / price finite for every amplitude a budget can have.
SMALLEST_PRICE = 1e-200


class Family(IntEnum):
    """The shape of a response curve; the value is the code stored in arrays."""

    LOG = 0
    POWER = 1
    MICHAELIS_MENTEN = 2
    EXP_SATURATION = 3
    HILL = 4

    @property
    def label(self) -> str:
        """The name used in files and on pages."""
        return self.name.lower()


#: Name of the third parameter of the families that have one.
EXPONENT_NAME = {Family.POWER: "p", Family.HILL: "n"}


@dataclass(frozen=True, eq=False)
class Responses:
    """The curves of n cells.

    Attributes:
        family: codes of `Family`, shape (n,).
        amplitude: `a` >= 0, money, shape (n,).
        scale: `k` > 0, money, shape (n,).
        exponent: `p` or `n`; 1 where the family has none, shape (n,).
    """

    family: NDArray[np.int8]
    amplitude: Floats
    scale: Floats
    exponent: Floats

    @classmethod
    def of(
        cls,
        family: Sequence[int] | NDArray[np.int8],
        amplitude: Sequence[float] | Floats,
        scale: Sequence[float] | Floats,
        exponent: Sequence[float] | Floats,
    ) -> Responses:
        """Build from anything array-like; degenerate curves are stored as the simpler family that they equal."""
        codes = np.array(family, dtype=np.int8)
        a = np.array(amplitude, dtype=np.float64)
        n = np.array(exponent, dtype=np.float64)
        codes[(codes == Family.HILL) & (n == 1.0)] = Family.MICHAELIS_MENTEN
        codes[a == 0.0] = Family.LOG  # a flat curve has no shape; the logarithm handles it without special cases
        return cls(codes, a, np.array(scale, dtype=np.float64), n)

    def __len__(self) -> int:
        return int(self.family.size)

    def take(self, index: Index) -> Responses:
        """The curves at `index`, in that order."""
        return Responses(self.family[index], self.amplitude[index], self.scale[index], self.exponent[index])

    @cached_property
    def groups(self) -> list[tuple[Family, Index]]:
        """The families present with the cells of each, as slices where the cells are sorted by family."""
        found: list[tuple[Family, Index]] = []
        for family in Family:
            index = np.flatnonzero(self.family == family)
            if index.size == 0:
                continue
            contiguous = int(index[-1]) - int(index[0]) + 1 == index.size
            found.append((family, slice(int(index[0]), int(index[-1]) + 1) if contiguous else index))
        return found

    def value(self, spend: Floats) -> Floats:
        """Expected revenue R(x), shape (n,)."""
        out = np.empty_like(spend)
        for family, i in self.groups:
            a, k, x = self.amplitude[i], self.scale[i], spend[i]
            if family is Family.LOG:
                out[i] = a * np.log1p(x / k)
            elif family is Family.POWER:
                out[i] = a * (x / k) ** self.exponent[i]
            elif family is Family.MICHAELIS_MENTEN:
                out[i] = a * x / (k + x)
            elif family is Family.EXP_SATURATION:
                out[i] = -a * np.expm1(-x / k)
            else:
                out[i] = a * _hill_share(x / k, self.exponent[i])
        return out

    def marginal(self, spend: Floats) -> Floats:
        """Marginal return R'(x), shape (n,); infinite at zero for a power and for hill with n < 1."""
        out = np.empty_like(spend)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for family, i in self.groups:
                a, k, n, x = self.amplitude[i], self.scale[i], self.exponent[i], spend[i]
                if family is Family.LOG:
                    out[i] = a / (k + x)
                elif family is Family.POWER:
                    out[i] = a * n / k * (x / k) ** (n - 1.0)
                elif family is Family.MICHAELIS_MENTEN:
                    out[i] = a * k / (k + x) ** 2
                elif family is Family.EXP_SATURATION:
                    out[i] = a / k * np.exp(-x / k)
                else:
                    share = _hill_share(x / k, n)
                    inner = a * n / np.where(x > 0.0, x, 1.0) * share * (1.0 - share)
                    out[i] = np.where(x > 0.0, inner, np.where(n > 1.0, 0.0, np.inf))
        return out

    def curvature(self, spend: Floats) -> Floats:
        """Second derivative R''(x), shape (n,); negative where concave."""
        out = np.empty_like(spend)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for family, i in self.groups:
                a, k, n, x = self.amplitude[i], self.scale[i], self.exponent[i], spend[i]
                if family is Family.LOG:
                    out[i] = -a / (k + x) ** 2
                elif family is Family.POWER:
                    out[i] = a * n * (n - 1.0) / k**2 * (x / k) ** (n - 2.0)
                elif family is Family.MICHAELIS_MENTEN:
                    out[i] = -2.0 * a * k / (k + x) ** 3
                elif family is Family.EXP_SATURATION:
                    out[i] = -a / k**2 * np.exp(-x / k)
                else:
                    share = _hill_share(x / k, n)
                    slope = a * n / x * share * (1.0 - share)
                    out[i] = np.where(x > 0.0, slope / x * (n * (1.0 - 2.0 * share) - 1.0), -np.inf)
        return out

    def inflection(self) -> Floats:
        """Spend from which the curve is concave: 0 but for S-shaped hill, k ((n-1)/(n+1))^(1/n)."""
        out = np.zeros(len(self))
        shaped = (self.family == Family.HILL) & (self.exponent > 1.0)
        n = self.exponent[shaped]
        out[shaped] = self.scale[shaped] * ((n - 1.0) / (n + 1.0)) ** (1.0 / n)
        return out

    def branch_demand(self, price: Floats) -> Floats:
        """Largest spend whose marginal return is `price`, on the concave branch and before any bound.

        Args:
            price: shape (n,), positive; for hill at most the largest marginal return of the curve.

        Returns:
            Spend, shape (n,); zero or negative where even the first unit returns less than the price.
        """
        out = np.empty_like(price)
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            for family, i in self.groups:
                a, k, m = self.amplitude[i], self.scale[i], price[i]
                if family is Family.LOG:
                    out[i] = a / m - k
                elif family is Family.POWER:
                    n = self.exponent[i]
                    # a line (p = 1) has no inner demand: the envelope walks from nothing to everything
                    rest = np.where(n < 1.0, 1.0 - n, 1.0)
                    out[i] = np.where(n < 1.0, k * np.exp(np.log(a * n / (k * m)) / rest), 0.0)
                elif family is Family.MICHAELIS_MENTEN:
                    out[i] = np.sqrt(a * k / m) - k
                elif family is Family.EXP_SATURATION:
                    out[i] = k * np.log(a / (k * m))
                else:
                    out[i] = _hill_demand(a, k, self.exponent[i], m)
        return out


def _hill_share(ratio: Floats, n: Floats) -> Floats:
    """x^n / (k^n + x^n) for ratio = x/k, without overflow on either side of k."""
    small = np.minimum(ratio, 1.0) ** n
    with np.errstate(divide="ignore"):
        large = np.minimum(1.0 / ratio, 1.0) ** n
    return np.where(ratio <= 1.0, small / (1.0 + small), 1.0 / (1.0 + large))


def _hill_demand(a: Floats, k: Floats, n: Floats, price: Floats) -> Floats:
    """Parabolas through value, slope and bend of ln R'(k e^t) - ln(price), each left at its right root.

    ln R' is concave in t = ln(x/k). The two asymptotes of ln R' meet the price right of the root, which gives the
    start. A price at the very top of R' is a double root, to which Newton's tangents creep; parabolas do not.
    """
    log_price, top = np.log(price), np.log(a * n / k)
    t = (top - log_price) / (n + 1.0)
    gentle = n < 1.0
    t = np.where(gentle, np.minimum(t, (top - log_price) / np.where(gentle, 1.0 - n, 1.0)), t)
    # Where R' is largest: no iterate falls left of it.
    steep = n > 1.0
    peak = np.where(steep, np.log(np.where(steep, (n - 1.0) / (n + 1.0), 1.0)) / n, -np.inf)
    t = np.maximum(t, peak)
    for _ in range(60):
        power = n * t
        tail = np.exp(-np.abs(power))
        excess = top + (n - 1.0) * t - 2.0 * (np.maximum(power, 0.0) + np.log1p(tail)) - log_price
        share = np.where(power >= 0.0, 1.0, tail) / (1.0 + tail)
        slope = (n - 1.0) - 2.0 * n * share
        bend = -2.0 * n * n * share * (1.0 - share)
        root = slope - np.sqrt(np.maximum(slope * slope - 2.0 * excess * bend, 0.0))
        step = np.where(root < 0.0, 2.0 * excess / np.where(root < 0.0, root, 1.0), 0.0)
        before = t
        t = np.maximum(t - np.clip(step, -4.0, 4.0), peak)
        if np.all(np.abs(t - before) <= 1e-6):  # cubic: the next step would be far below rounding
            break
    return np.asarray(k * np.exp(t), dtype=np.float64)
