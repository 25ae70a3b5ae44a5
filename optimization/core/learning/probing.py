"""Which lines are worth trying a little, though nothing is expected of them.

A line that gets enough money is read every week anyway. One that gets little or none is not, and might be better than
believed. What a reading of it is worth is what is expected of the weeks after it (the knowledge gradient: Frazier,
Powell and Dayanik, 2008): with the price of money as it is, a line earns max over x of (factor R(x) - price x), which
is convex in the factor, so the expectation over what the reading may say is at least what is earned without it. The
difference, for as many weeks as a finding lasts, less what the money of the probe earns elsewhere, is what aims it.

What a reading tells of the line's neighbours is not counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimization.core.learning.allocation import Allocator
from optimization.core.learning.beliefs import Posterior
from optimization.core.learning.noise import noise_variance
from optimization.core.responses import Floats

#: Share of the choice of probes that does not look at what they are worth.
EVEN_SHARE = 0.2
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def probe_gains(allocator: Allocator, posterior: Posterior, floor: float, *, noise: float, weeks: float) -> Floats:
    """What a probe of each cell is expected to earn in all, less its cost, money, shape (n,).

    Args:
        floor: money of a probe.
        noise: relative standard deviation of a line's weekly sales.
        weeks: how many weeks a finding is of use.

    Returns:
        Zero where a probe would add nothing to what the cell gets anyway, and everywhere where the beliefs allow no
        allocation.
    """
    plain = allocator.priced(posterior.factor)
    if plain is None:
        return np.zeros(len(allocator))
    spend, price, least = plain.spend, plain.price, np.minimum(floor, allocator.domain.upper)
    variance = posterior.sd**2
    read = [np.log1p(noise_variance(np.maximum(x, 1e-9 * floor), allocator.mean_line, noise)) for x in (spend, least)]
    before, after = (variance**2 / (variance + one) for one in read)
    gain = _earned(allocator, posterior.factor, after, price) - _earned(allocator, posterior.factor, before, price)
    best = allocator.bounded(posterior.factor).conjugate(price)
    cost = best - (allocator.revenue(posterior.factor, least) - price * least)
    return np.where(spend < least, weeks * np.maximum(gain, 0.0) - np.maximum(cost, 0.0), 0.0)


def _earned(allocator: Allocator, factor: Floats, moved: Floats, price: Floats) -> Floats:
    """Expected best of factor R(x) - price x when ln factor moves by a variance of `moved`, its mean held; (n,)."""
    sd = np.sqrt(moved)
    return np.asarray(
        sum(
            weight * allocator.bounded(factor * np.exp(node * sd - 0.5 * moved)).conjugate(price)
            for node, weight in zip(_NODES, _WEIGHTS, strict=True)
        )
    )


def probe_chances(worth: Floats, probes: int, open_: NDArray[np.bool_] | None = None) -> Floats:
    """Probability of each cell to be probed: in proportion to its worth, with the sum `probes`; shape (n,).

    A fifth of each probe is chosen evenly, so that no line is certain to be probed or not to be, and the log can judge
    other choices.

    Args:
        worth: >= 0, shape (n,).
        open_: cells that may be probed at all, default all, shape (n,).
    """
    can = np.ones(worth.size, dtype=np.bool_) if open_ is None else open_
    count = int(can.sum())
    if probes >= count:
        return can.astype(np.float64)
    chance, free, left = np.zeros(worth.size), can & (worth > 0.0), float(probes)
    while free.any() and left > 0.0:
        share = left * worth / float(worth[free].sum())
        sure = free & (share >= 1.0)
        if not sure.any():
            chance[free] = share[free]
            break
        chance[sure] = 1.0
        free &= ~sure
        left -= float(sure.sum())
    even = (1.0 - EVEN_SHARE) * float(chance.sum())
    return (1.0 - EVEN_SHARE) * chance + np.where(can, (probes - even) / max(count, 1), 0.0)


def systematic(chance: Floats, start: float) -> NDArray[np.bool_]:
    """Systematic sampling (Madow 1949): each cell with just its chance, and always the same number of cells.

    Args:
        chance: with a whole number as sum, shape (n,).
        start: uniform in [0, 1).
    """
    total = np.cumsum(chance)
    crossed = np.floor(total + start + 1e-12) - np.floor(np.concatenate([[0.0], total[:-1]]) + start + 1e-12)
    return np.asarray(crossed >= 1.0)
