"""Placebo in space: randomisation inference over assignments, p-value and interval from one test.

Had the markets been drawn at random, every set of as many markets was as likely to be treated. Under the hypothesis
that the effect is x, the treated outcomes less that effect are what would have been; the statistic of the treated set
then is one of the statistics of all sets, placed at random among them. Placebo sets are drawn from ALL units, those
treated included with the effect taken off: sets from the controls alone would miss that an odd market is as likely
among the treated, and reject too often once several of few markets are treated.

Statistic of a set: |contrast| / scale, where the contrast of set b under x is gap_b - x reach_b: linear, since
weights come from the time before the test alone. Hence the x at which a placebo set overtakes the treated one are
roots of two linear equations, and the interval is exact, with no grid. The p-value at x is the largest on x's side of
the estimate from x outwards, so that the hypotheses not rejected form an interval: p < alpha exactly if the interval
leaves x out.

Sources: Fisher (1935); Abadie, Diamond, Hainmueller (2010); Firpo and Possebom (2018) on inverting the placebo test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final

import numpy as np

from measurement.core.arrays import Floats, Ints

#: 400 placebo sets and the treated one: p < .05 if it is among the 20 most extreme of 401, a level of .0499.
PLACEBOS: Final = 400


@dataclass(frozen=True, slots=True)
class Inverted:
    """What the placebo test says of one effect.

    Attributes:
        estimate: the x at which the contrast of the treated set is zero.
        low, high: ends of the hypotheses that are not rejected at alpha; infinite where none is.
        p_value: of the hypothesis x = 0.
    """

    estimate: float
    low: float
    high: float
    p_value: float


def placebo_sets(
    units: int, treated: Sequence[int], *, count: int, seed: int, admissible: Sequence[Sequence[int]] | None = None
) -> Ints:
    """Sets of units that might have been treated instead, the treated one first; shape [sets, size].

    All of them where there are at most `count`, else as many drawn at random, each once.

    Args:
        admissible: the sets that the draw of the test could have given; all sets of that size if None.
    """
    own = tuple(sorted(treated))
    rng = np.random.default_rng(seed)
    if admissible is not None:
        other = sorted({tuple(sorted(members)) for members in admissible} - {own})
        if len(other) > count:
            other = [other[place] for place in sorted(rng.choice(len(other), count, replace=False))]
    elif comb(units, len(own)) - 1 <= count:
        other = [members for members in combinations(range(units), len(own)) if members != own]
    else:
        drawn: dict[tuple[int, ...], None] = {}
        while len(drawn) < count:
            batch = np.argsort(rng.random((count, units)), axis=1)[:, : len(own)]
            drawn |= {tuple(sorted(row)): None for row in batch.tolist()}
            drawn.pop(own, None)
        other = list(drawn)[:count]
    return np.array([own, *other], dtype=np.int64)


def shares_of(sets: Ints, units: int) -> Floats:
    """Rows of equal shares, shape [sets, units]."""
    shares = np.zeros((len(sets), units))
    np.put_along_axis(shares, sets, 1.0 / sets.shape[1], axis=1)
    return shares


def invert(gap: Floats, reach: Floats, scale: Floats, alpha: float) -> Inverted:
    """Estimate, p-value and interval of x in contrast = gap - x reach, by inverting the placebo test.

    Args:
        gap, reach, scale: shape [sets], the treated set first; its reach is positive, scales are positive.
    """
    start, end = _overtaken(gap, reach, scale)
    estimate = float(gap[0] / reach[0])
    everywhere = np.isnan(start)
    # start <= end: the set is as extreme within; start > end: it is outside of (end, start).
    within, outside = ~everywhere & (start <= end), ~everywhere & (start > end)
    opened, closed = np.sort(start[within]), np.sort(end[within])
    left, right = np.sort(end[outside]), np.sort(start[outside])
    always = 1 + int(everywhere.sum())
    sets = len(gap)

    def extreme(points: Floats) -> Floats:
        counts = np.searchsorted(opened, points, side="right") - np.searchsorted(closed, points, side="left")
        counts += len(left) - np.searchsorted(left, points, side="left") + np.searchsorted(right, points, side="right")
        return np.asarray((always + counts) / sets, dtype=np.float64)

    turns = np.concatenate([opened, closed, left, right])
    turns = turns[np.isfinite(turns)]
    far_left = (always + len(left) + int((opened == -np.inf).sum())) / sets
    far_right = (always + len(right) + int((closed == np.inf).sum())) / sets
    ends = []
    for side, far in ((-1.0, far_left), (1.0, far_right)):
        beyond = turns[side * turns >= side * estimate]
        kept = beyond[extreme(beyond) >= alpha]
        if far >= alpha:
            ends.append(side * np.inf)
        else:
            ends.append(float(side * (side * kept).max()) if len(kept) else estimate)
    side, far = (-1.0, far_left) if estimate > 0.0 else (1.0, far_right)
    if estimate == 0.0:
        p_value = 1.0
    else:
        beyond = turns[side * turns >= 0.0]
        p_value = float(max(extreme(np.zeros(1))[0], far, extreme(beyond).max(initial=0.0)))
    return Inverted(estimate=estimate, low=ends[0], high=ends[1], p_value=p_value)


def _overtaken(gap: Floats, reach: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """For each placebo set the x from which to which it is at least as extreme as the treated one; NaN: everywhere.

    |g_b - x r_b| >= |g_0 - x r_0| with both divided by their scales; the difference of squares is a product of two
    linear terms in x, and at the estimate it holds.
    """
    own_gap, own_reach = gap[0] / scale[0], reach[0] / scale[0]
    other_gap, other_reach = gap[1:] / scale[1:], reach[1:] / scale[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (other_gap - own_gap) / (other_reach - own_reach)
        second = (other_gap + own_gap) / (other_reach + own_reach)
    low, high = np.fmin(first, second), np.fmax(first, second)
    steeper = np.abs(other_reach) - own_reach
    estimate = gap[0] / reach[0]
    # Reaches alike: one of the roots is at infinity, on the side that the other one does not bound.
    level = np.isclose(steeper, 0.0, rtol=0.0, atol=1e-14 * own_reach)
    finite = np.where(other_reach > 0.0, second, first)
    start = np.where(steeper > 0.0, high, low)
    end = np.where(steeper > 0.0, low, high)
    start = np.where(level, np.where(finite <= estimate, finite, -np.inf), start)
    end = np.where(level, np.where(finite <= estimate, np.inf, finite), end)
    both = level & ~np.isfinite(finite)
    return np.where(both, np.nan, start), np.where(both, np.nan, end)
