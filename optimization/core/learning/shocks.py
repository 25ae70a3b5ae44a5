"""Weeks that are good or bad for all lines, or for all of one retailer, and say little of any of them.

A holiday, a strike, a network that counts late: the readings of a week then share an error. Taken for the lines' own
noise it would look like a hundred lines agreeing, and every belief would follow one bad week. So each week has a shock
common to all lines and one of each retailer, normal on the logarithm, found together with the beliefs and then let go
of.

How large shocks are is not known beforehand: a few sizes are held side by side, each with the beliefs that follow from
it, and weighed by how well they foretold the weeks (Bayesian model averaging: Hoeting et al., 1999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimization.core.learning.beliefs import Posterior, ScalePrior, Shared, SharedBelief
from optimization.core.problem import Path
from optimization.core.responses import Floats

#: The sizes held side by side, as multiples of what is expected.
SIZES = (1.0 / 3.0, 1.0, 3.0)


@dataclass(frozen=True)
class WeekShock:
    """What one week's shocks are taken to have been, on the logarithm."""

    common: float
    retailers: dict[str, float]


def shock_loadings(paths: Sequence[Path]) -> tuple[Floats, list[str]]:
    """Which of n cells each shock touches, shape (n, 1 + retailers): all, then each retailer's; with their names."""
    owners = [path[min(1, len(path) - 1)] for path in paths]
    names = sorted(set(owners))
    own = [[float(owner == name) for name in names] for owner in owners]
    return np.hstack([np.ones((len(paths), 1)), np.array(own)]), names


class ShockedBelief:
    """Shared beliefs of weeks that may have been good or bad as a whole.

    Args:
        common, retailer: standard deviations expected of both kinds of shock, on the logarithm, > 0.

    Attributes:
        last: the shocks of the week that was taken in last; None before.
        weights: how likely each of `SIZES` is.
    """

    def __init__(self, prior: ScalePrior, paths: Sequence[Path], common: float, retailer: float) -> None:
        self._loadings, self._names = shock_loadings(paths)
        expected = np.array([common**2] + [retailer**2] * len(self._names))
        self._sizes = [size**2 * expected for size in SIZES]
        self._beliefs = [SharedBelief(prior, paths) for _ in SIZES]
        self._evidence = np.zeros(len(SIZES))
        self.last: WeekShock | None = None

    @property
    def weights(self) -> Floats:
        """How likely each size is, shape (sizes,)."""
        odds = np.exp(self._evidence - self._evidence.max())
        return np.asarray(odds / odds.sum())

    def posterior(self, features: Floats) -> Posterior:
        """Beliefs about a week with these features, shape (n, f): mean and covariance over the sizes."""
        weights, each = self.weights, [belief.posterior(features) for belief in self._beliefs]
        mean = np.asarray(sum(w * one.mean for w, one in zip(weights, each, strict=True)))
        covariance = np.zeros((mean.size, mean.size))
        for w, one in zip(weights, each, strict=True):
            covariance += w * (one.covariance + np.outer(one.mean - mean, one.mean - mean))
        return Posterior(mean, covariance)

    def update(self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats) -> None:
        """Condition on the readings of a week, see `Belief`."""
        if cells.size == 0:
            return
        none = np.zeros(self._loadings.shape[1])
        found = []
        for number, (belief, size) in enumerate(zip(self._beliefs, self._sizes, strict=True)):
            after = belief.update_shaken(features, cells, reading, variance, Shared(self._loadings, none, size))
            self._evidence[number] += after.evidence
            found.append(after.mean)
        mean = self.weights @ np.array(found)
        told = dict(zip(self._names, (float(value) for value in mean[1:]), strict=True))
        self.last = WeekShock(float(mean[0]), told)

    def forget(self, sd: float) -> None:
        """One week passes: each cell's own offset may have moved by about `sd`."""
        for belief in self._beliefs:
            belief.forget(sd)
