"""What is believed about the factor of each curve: jointly normal logarithms, updated in closed form.

The expected sales of cell i in week t are exp(theta_it) times its curve at factor 1, and

    theta_it = intercept + features_it . weights + sum of the offsets of the nodes above i + own offset of i.

All terms are normal a priori, and a week's sales divided by the curve are a reading of exp(theta) with lognormal noise.
So the logarithms are a linear model with normal noise, and the posterior is exact (Bayesian linear regression;
West and Harrison, Bayesian Forecasting and Dynamic Models, 1997). What one line tells moves the weights and the nodes,
hence all lines alike: shrinkage over the tree, without a step of its own.

Forgetting is a step of the own offsets between weeks: what was read long ago counts for less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimization.core.problem import Path
from optimization.core.responses import Floats


@dataclass(frozen=True)
class ScalePrior:
    """Beliefs before the first week, on logarithms.

    Attributes:
        intercept, intercept_sd: of the whole market.
        weights, weights_sd: of the standardised features, one each.
        level_sd: spread of the offsets of the nodes of each level of the path above the cell, from the top.
        cell_sd: spread of the cells' own offsets.
    """

    intercept: float
    intercept_sd: float
    weights: tuple[float, ...]
    weights_sd: tuple[float, ...]
    level_sd: tuple[float, ...]
    cell_sd: float


@dataclass(frozen=True, eq=False)
class Posterior:
    """Beliefs about theta in one week: mean, shape (n,), and covariance, shape (n, n)."""

    mean: Floats
    covariance: Floats

    @property
    def sd(self) -> Floats:
        """Standard deviation of each theta, shape (n,)."""
        return np.sqrt(np.maximum(np.diagonal(self.covariance), 0.0))

    @property
    def factor(self) -> Floats:
        """Expected factor exp(theta), shape (n,): revenue is linear in it, so this is what a plug-in decision uses."""
        return np.exp(self.mean + 0.5 * self.sd**2)

    @property
    def factor_sd(self) -> Floats:
        """Standard deviation of the factor, shape (n,)."""
        return self.factor * np.sqrt(np.expm1(self.sd**2))

    def draw(self, normal: Floats, temperature: float) -> Floats:
        """theta of one posterior draw, its deviations from the mean times `temperature`.

        Args:
            normal: independent standard normal numbers, shape (n,).
            temperature: 1 draws from the posterior; below 1 from a narrower one with the same expected factor, so
                that 0 is the plug-in decision.
        """
        jitter = 1e-12 * float(np.max(np.diagonal(self.covariance), initial=0.0)) + 1e-300
        root = np.linalg.cholesky(self.covariance + jitter * np.eye(self.mean.size))
        return np.asarray(self.mean + 0.5 * (1.0 - temperature**2) * self.sd**2 + temperature * (root @ normal))


class Belief:
    """The joint normal of all terms. Build with `shared_belief` or `lone_belief`.

    Args:
        mean, covariance: of the terms, shapes (d,), (d, d).
        fixed: membership of each cell in the terms that follow the features, shape (n, d - f).
        own: columns of the cells' own offsets, shape (n,).
        weights: expected weights where they are taken as known, shape (f,), or None where they are terms.
    """

    def __init__(
        self, mean: Floats, covariance: Floats, fixed: Floats, own: NDArray[np.intp], weights: Floats | None
    ) -> None:
        self.mean, self.covariance = mean.copy(), covariance.copy()
        self._fixed, self._own, self._weights = fixed, own, weights

    def _terms(self, features: Floats) -> tuple[Floats, Floats]:
        """Loadings of theta on the terms, shape (n, d), and what is added to it, shape (n,)."""
        if self._weights is not None:
            return self._fixed, features @ self._weights
        return np.hstack([features, self._fixed]), np.zeros(len(features))

    def posterior(self, features: Floats) -> Posterior:
        """Beliefs about a week with these features, shape (n, f)."""
        loadings, known = self._terms(features)
        covariance = loadings @ self.covariance @ loadings.T
        return Posterior(loadings @ self.mean + known, 0.5 * (covariance + covariance.T))

    def update(self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats) -> None:
        """Condition on readings of theta.

        Args:
            features: of the week that is read, shape (n, f).
            cells: which cells were read, shape (r,).
            reading: their theta with noise of mean zero, shape (r,).
            variance: of that noise, > 0, shape (r,).
        """
        if cells.size == 0:
            return
        loadings, known = self._terms(features)
        rows = loadings[cells]
        cross = self.covariance @ rows.T
        total = rows @ cross + np.diag(variance)
        gain = np.linalg.solve(total, cross.T).T
        self.mean = self.mean + gain @ (reading - known[cells] - rows @ self.mean)
        covariance = self.covariance - gain @ cross.T
        self.covariance = 0.5 * (covariance + covariance.T)

    def forget(self, sd: float) -> None:
        """One week passes: each cell's own offset may have moved by about `sd`."""
        self.covariance[self._own, self._own] += sd**2


def shared_belief(prior: ScalePrior, paths: Sequence[Path]) -> Belief:
    """All terms are learnt: what one line tells moves its neighbours."""
    columns: list[Floats] = [np.ones((len(paths), 1))]
    means = [*prior.weights, prior.intercept]
    spreads = [*prior.weights_sd, prior.intercept_sd]
    for depth, sd in enumerate(prior.level_sd, start=1):
        nodes = {name: number for number, name in enumerate(sorted({path[:depth] for path in paths}))}
        member = np.zeros((len(paths), len(nodes)))
        member[np.arange(len(paths)), [nodes[path[:depth]] for path in paths]] = 1.0
        columns.append(member)
        means += [0.0] * len(nodes)
        spreads += [sd] * len(nodes)
    columns.append(np.eye(len(paths)))
    first = len(means)
    means += [0.0] * len(paths)
    spreads += [prior.cell_sd] * len(paths)
    own = np.arange(first, first + len(paths))
    return Belief(np.array(means), np.diag(np.square(spreads)), np.hstack(columns), own, None)


def lone_belief(prior: ScalePrior, paths: Sequence[Path]) -> Belief:
    """Every cell on its own: the same spread before the first week, but a line's weeks tell of that line alone.

    The features move the prior mean by their expected weights; they are standardised, so each adds the variance of its
    weight.
    """
    variance = prior.intercept_sd**2 + float(np.sum(np.square([*prior.weights_sd, *prior.level_sd, prior.cell_sd])))
    n = len(paths)
    mean, covariance = np.full(n, prior.intercept), variance * np.eye(n)
    return Belief(mean, covariance, np.eye(n), np.arange(n), np.array(prior.weights))
