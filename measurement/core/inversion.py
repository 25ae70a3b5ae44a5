"""A test by reassignment, and the interval of every effect that it does not reject.

Units are assigned again, the outcome each would have shown under a supposed effect is filled in, and the statistic is
taken anew. Where the statistic is linear in the outcome, a reassignment makes it at least as large as observed exactly
from one effect on, its threshold, and at most as large up to there. So the thresholds of all reassignments say
everything: each tail is a count of them, rising or falling with the effect, and the ends of the interval are order
statistics. p below alpha and an interval that leaves the effect out are one and the same event.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from measurement.core.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reassigned:
    """The test of one window or log.

    Attributes:
        center: the estimate.
        thresholds: effects from which on a reassignment shows as much as observed, ascending.
        up, down: reassignments that show as much, or as little, whatever the effect; the one observed not counted.
        count: all reassignments, the observed one included.
        exact: all there are, not a sample.
    """

    center: float
    thresholds: Floats
    up: int
    down: int
    count: int
    exact: bool

    @property
    def least_p(self) -> float:
        """The smallest p that the test can show."""
        return min(1.0, 2.0 * (1 + min(self.up, self.down)) / self.count)

    def p_value(self, effect: float = 0.0) -> float:
        """Two-sided p of `effect`: twice the smaller tail, at most 1."""
        above = int(np.searchsorted(self.thresholds, effect, side="right")) + self.up
        below = len(self.thresholds) - int(np.searchsorted(self.thresholds, effect, side="left")) + self.down
        return self._p_of(min(above, below))

    def interval(self, alpha: float) -> tuple[float | None, float | None]:
        """Every effect whose p is not below alpha: both ends belong to it. An end that no effect reaches is None."""
        low, high = self._needed(alpha, self.up), self._needed(alpha, self.down)
        return (
            None if low == 0 else float(self.thresholds[low - 1]),
            None if high == 0 else float(self.thresholds[len(self.thresholds) - high]),
        )

    def _needed(self, alpha: float, idle: int) -> int:
        """Thresholds that a tail needs for a p of alpha; decided by the expression of `p_value`, to the last bit."""
        need = max(0, math.floor(alpha * self.count / 2.0) - 2 - idle)
        while need < len(self.thresholds) and self._p_of(need + idle) < alpha:
            need += 1
        return need

    def _p_of(self, tail: int) -> float:
        return min(1.0, 2.0 * (1 + tail) / self.count)


def reassigned(*, center: float, shortfall: Floats, slope: Floats, exact: bool) -> Reassigned:
    """The test from what each other reassignment shows, shape [reassignments].

    Args:
        center: the observed statistic.
        shortfall: observed statistic less that of the reassignment, both of the outcome as it is.
        slope: by how much a unit of effect, filled in, makes up for it; never below zero.
    """
    moving = slope > 1e-12 * max(1.0, float(slope.max(initial=0.0)))
    still = shortfall[~moving]
    slack = 1e-12 * max(1.0, abs(center), float(np.abs(shortfall).max(initial=0.0)))
    return Reassigned(
        center=center,
        thresholds=np.sort(shortfall[moving] / slope[moving]),
        up=int((still <= slack).sum()),
        down=int((still >= -slack).sum()),
        count=len(shortfall) + 1,
        exact=exact,
    )
