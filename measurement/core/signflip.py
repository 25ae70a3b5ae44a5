"""The sign-flip test of paired differences, and the interval that inverts it over the same reassignments.

A pair whose two units were assigned by a coin could as well have been assigned the other way round, which turns the
sign of its difference. With an effect `theta` common to all pairs the differences `d - theta` are symmetric under such
turns (Fisher 1935; Lehmann and Romano, Testing Statistical Hypotheses, 5.8-5.11). Turning the pairs of a set F makes
the sum at least as large as observed exactly where the mean of F is at most theta. The means of all sets F therefore
say everything: the p-value of any theta is a count of them, and the ends of the interval are order statistics of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from tenants.core.problems import InvalidInput

#: Up to so many pairs every reassignment is looked at.
EXACT_PAIRS: Final = 16
#: Reassignments drawn where there are more.
DRAWS: Final = 19_999
_BLOCK: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class SignFlip:
    """The test of differences of one window.

    Attributes:
        center: their mean, the estimate.
        means: of the pairs turned in each reassignment, ascending; those that turn none are counted in `idle`.
        idle: drawn reassignments that turn no pair. It is 0 where all reassignments are looked at, for there the one
            that turns none is the one observed.
        exact: all 2^n reassignments, not a sample.
    """

    center: float
    means: Floats
    idle: int
    exact: bool

    @property
    def reassignments(self) -> int:
        """How many, the observed one included."""
        return len(self.means) + self.idle + 1

    def p_value(self, effect: float = 0.0) -> float:
        """Two-sided p of `effect`: twice the smaller tail, at most 1; 1 at the estimate itself."""
        if effect < self.center:
            tail = int(np.searchsorted(self.means, effect, side="right"))
        elif effect > self.center:
            tail = len(self.means) - int(np.searchsorted(self.means, effect, side="left"))
        else:
            return 1.0
        return self._p_of(tail)

    def interval(self, alpha: float) -> tuple[float | None, float | None]:
        """Every effect whose p is not below alpha: both ends belong to it. An end that no effect reaches is None."""
        # The same expression as in `p_value` decides, so that no rounding comes between test and interval.
        need = max(0, math.floor(alpha * self.reassignments / 2.0) - 2 - self.idle)
        while self._p_of(need) < alpha:
            need += 1
        if need == 0:
            return None, None
        if need > len(self.means):
            return self.center, self.center
        return min(float(self.means[need - 1]), self.center), max(float(self.means[-need]), self.center)

    def _p_of(self, tail: int) -> float:
        return min(1.0, 2.0 * (1 + self.idle + tail) / self.reassignments)


def least_p(pairs: int) -> float:
    """The smallest two-sided p that so many pairs can show."""
    return 2.0 / 2.0**pairs


def sign_flip(differences: Floats, *, seed: int = 1, draws: int = DRAWS) -> SignFlip:
    """Test of differences, shape [pairs], at least two.

    Args:
        seed: of the drawn reassignments; of no consequence up to `EXACT_PAIRS` pairs. The same seed and number of pairs
            draw the same reassignments, so that windows of one test are comparable.

    Raises:
        InvalidInput: fewer than two differences, or one that is no finite number.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2:
        raise InvalidInput(
            f"A test of {len(values)} pair(s) has nothing to compare.", where="pairs", fix="Give at least two pairs."
        )
    if not np.isfinite(values).all():
        raise InvalidInput("A difference is no finite number.", where="pairs", fix="Leave out units without sales.")
    if len(values) <= EXACT_PAIRS:
        sums, sizes = np.zeros(1), np.zeros(1)
        for value in values:
            sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1.0])
        means = sums[1:] / sizes[1:]
        # The set of all pairs is the estimate itself, to the last bit.
        return SignFlip(float(means[-1]), np.sort(means), 0, exact=True)
    rng = np.random.default_rng(seed)
    sums, sizes = np.empty(draws), np.empty(draws)
    for begin in range(0, draws, _BLOCK):
        turned = rng.integers(0, 2, size=(min(_BLOCK, draws - begin), len(values)), dtype=np.int8).astype(np.float64)
        sums[begin : begin + len(turned)] = turned @ values
        sizes[begin : begin + len(turned)] = turned.sum(axis=1)
    some = sizes > 0
    return SignFlip(float(values.mean()), np.sort(sums[some] / sizes[some]), int((~some).sum()), exact=False)
