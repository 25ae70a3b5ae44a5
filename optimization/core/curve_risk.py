"""How sure the sales of a whole plan are: what lines err by on their own, and what hits all of them alike.

A plan's sales over h weeks differ from what its curves say by three errors: each line's curve was fitted to few weeks;
each line's weeks scatter; and a week has a factor for all lines of a retailer, a season or a shared shock, which no
spreading over lines averages out. The first two are independent from line to line, the third is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from optimization.core.curve_shapes import Z80
from optimization.core.responses import Floats
from optimization.core.stored_curves import StoredCurve


@dataclass(frozen=True, kw_only=True)
class TotalSpread:
    """Expected sales of a plan and standard deviations around them, money over the horizon.

    Attributes:
        curves: of the expected sales, by what the fit leaves open.
        noise: of the lines' own weeks.
        weeks: of what the weeks do to all lines of a retailer.
        total: of the sales, all three together.
    """

    revenue: float
    curves: float
    noise: float
    weeks: float
    total: float


def total_spread(curves: Sequence[StoredCurve], spend: ArrayLike, weeks: float) -> TotalSpread:
    """Of the sales of `spend` (money over the horizon of `weeks`, shape (lines,)); retailers' weeks are independent."""
    x = np.asarray(spend, dtype=np.float64)
    revenue = np.array([float(one.revenue(money, weeks)) for one, money in zip(curves, x, strict=True)])
    ends = [one.interval(money, weeks) for one, money in zip(curves, x, strict=True)]
    fit = np.array([float(high - low) for low, high in ends]) / (2.0 * Z80)
    noise = revenue * np.array([one.noise_sd for one in curves]) / np.sqrt(weeks)
    shared: dict[str, float] = {}
    for one, money in zip(curves, revenue, strict=True):
        shared[one.key.retailer] = shared.get(one.key.retailer, 0.0) + float(money) * _horizon_sd(one, weeks)
    parts = (
        float(np.sqrt(np.sum(fit**2))),
        float(np.sqrt(np.sum(noise**2))),
        float(np.sqrt(sum(money**2 for money in shared.values()))),
    )
    return TotalSpread(
        revenue=float(revenue.sum()),
        curves=parts[0],
        noise=parts[1],
        weeks=parts[2],
        total=float(np.sqrt(sum(part**2 for part in parts))),
    )


def shared_weeks(curves: Sequence[StoredCurve], weeks: float, draws: int, random: np.random.Generator) -> Floats:
    """Draws of the factor that the horizon's weeks have for each line, shape (lines, draws), mean one.

    Lines of a retailer share each draw, so sums over lines keep what does not average out.
    """
    retailers = sorted({one.key.retailer for one in curves})
    normal = dict(zip(retailers, random.standard_normal((len(retailers), draws)), strict=True))
    sds = [_horizon_sd(one, weeks) for one in curves]
    return np.stack([np.exp(sd * normal[one.key.retailer] - sd**2 / 2.0) for one, sd in zip(curves, sds, strict=True)])


def _horizon_sd(curve: StoredCurve, weeks: float) -> float:
    """Of the logarithm of the mean factor of the horizon's weeks, over that of the weeks fitted."""
    return curve.common_week_sd * float(np.sqrt(1.0 / weeks + 1.0 / max(curve.n_weeks, 1)))
