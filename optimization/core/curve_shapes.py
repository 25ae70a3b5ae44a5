"""The shapes a weekly response may have, all told by one number: its elasticity at the mean spend.

A logarithmic and a Michaelis-Menten curve that rise alike at the mean spend can hardly be told apart from weekly
figures, and nearly agree for a good way around it. So both are put on the same scale: v = logit of the elasticity at
the mean spend, the percentage by which sales grow with one percent more spend. A straight line has v without limit, a
saturated one a v far below zero. `SHAPES` is the grid of all shapes; `NEARBY` a finer one, to find the single curve
that comes nearest to a mean of many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimization.core.responses import Family, Floats

FAMILIES = (Family.LOG, Family.MICHAELIS_MENTEN)
#: Spend over mean spend at which curves are compared.
RATIOS = np.array([0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
AT_MEAN = int(np.flatnonzero(RATIOS == 1.0)[0])
#: Spend over mean spend at which a fit tells how sure it is.
BAND_RATIOS = np.array([0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0])
#: Half width of a central 80 % interval of a normal, in standard deviations.
Z80 = 1.2815515655446004
#: Spend over mean spend, ln(10 % quantile / curve) and ln(90 % quantile / curve) of the expected revenue there.
Band = tuple[tuple[float, float, float], ...]
_LOWEST, _HIGHEST = -3.0, 4.0
#: Below this a logarithmic curve needs a scale of less than a hundredth of the mean spend.
_LOWEST_LOG = -1.25


@dataclass(frozen=True, eq=False)
class Shapes:
    """Shapes of mean spend 1, j of them.

    Attributes:
        scale: k over mean spend, shape (j,).
        steepness: logarithm of what the first unit returns over what the mean spend returns on average, shape (j,).
        value: R(RATIOS) / R(1), shape (j, ratios).
    """

    family: NDArray[np.int8]
    v: Floats
    scale: Floats
    steepness: Floats
    value: Floats

    @classmethod
    def grid(cls, step: float) -> Shapes:
        """Every family over its range of v."""
        codes, points, scales = [], [], []
        for family in FAMILIES:
            v = np.arange(_LOWEST, _HIGHEST + step / 2, step)
            if family is Family.LOG:
                v = v[v >= _LOWEST_LOG]
            codes.append(np.full(v.size, int(family), dtype=np.int8))
            points.append(v)
            scales.append(scale_at(family, v))
        family_of, scale = np.concatenate(codes), np.concatenate(scales)
        value = relative(family_of[:, None], RATIOS[None, :], scale[:, None])
        first = np.where(family_of == Family.LOG, 1.0 / scale / np.log1p(1.0 / scale), (scale + 1.0) / scale)
        return cls(family_of, np.concatenate(points), scale, np.log(first), value)

    def of(self, families: tuple[Family, ...]) -> Shapes:
        """Only some families."""
        mine = np.isin(self.family, [int(family) for family in families])
        return Shapes(self.family[mine], self.v[mine], self.scale[mine], self.steepness[mine], self.value[mine])


def shape(family: Family, ratio: Floats) -> Floats:
    """R / a as a function of x / k."""
    return np.asarray(np.log1p(ratio) if family is Family.LOG else ratio / (1.0 + ratio))


def relative(family: NDArray[np.int8], ratio: Floats, scale: Floats) -> Floats:
    """R(ratio) / R(1) for spend in units of the mean spend and curves with that k; all arrays broadcast."""
    wide = ratio / scale
    logarithmic = np.log1p(wide) / np.log1p(1.0 / scale)
    return np.asarray(np.where(family == Family.LOG, logarithmic, wide / (1.0 + wide) * (scale + 1.0)))


def scale_at(family: Family, v: Floats) -> Floats:
    """k over mean spend of the curve whose elasticity at the mean spend has the logit v."""
    if family is Family.MICHAELIS_MENTEN:
        return np.asarray(np.exp(v))
    wanted = 1.0 / (1.0 + np.exp(-v))
    low, high = np.full(v.shape, -12.0), np.full(v.shape, 12.0)
    for _ in range(60):
        middle = (low + high) / 2.0
        wide = np.exp(-middle)
        more = wide / ((1.0 + wide) * np.log1p(wide)) < wanted
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.asarray(np.exp(high))


def band_factors(band: Band, ratio: Floats, z: float) -> tuple[Floats, Floats]:
    """Factors from a curve to the ends of its central interval of half width z; linear in ln(spend)."""
    at, low, high = np.array(band).T
    with np.errstate(divide="ignore"):
        logs = np.log(ratio)
    lower, upper = np.interp(logs, np.log(at), low), np.interp(logs, np.log(at), high)
    return np.asarray(np.exp(lower * z / Z80)), np.asarray(np.exp(upper * z / Z80))


SHAPES = Shapes.grid(0.125)
NEARBY = Shapes.grid(0.03125)
