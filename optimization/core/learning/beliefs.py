"""What is believed about the factor of each curve: jointly normal logarithms, updated in closed form.

The expected sales of cell i in week t are exp(theta_it) times its curve at factor 1, and

    theta_it = intercept + features_it . weights + sum of the offsets of the nodes above i + own offset of i.

All terms are normal a priori, and a week's sales divided by the curve are a reading of exp(theta) with lognormal noise.
So the logarithms are a linear model with normal noise, and the posterior is exact (Bayesian linear regression;
West and Harrison, Bayesian Forecasting and Dynamic Models, 1997). What one line tells moves the weights and the nodes,
hence all lines alike: shrinkage over the tree, without a step of its own.

A week may have been good or bad for many lines at once: `optimization.core.learning.shocks` finds that with the rest.

Forgetting is a step of the own offsets between weeks: what was read long ago counts for less.

`LoneBelief` is the textbook alternative (disjoint linear models: Li et al., A Contextual-Bandit Approach, 2010): every
cell has weights and an offset of its own, with the same spread beforehand, and a line's weeks tell of that line alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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
        cell_sd: spread of the cells' own offsets, one for all or one each.
    """

    intercept: float
    intercept_sd: float
    weights: tuple[float, ...]
    weights_sd: tuple[float, ...]
    level_sd: tuple[float, ...]
    cell_sd: float | tuple[float, ...]


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


@dataclass(frozen=True, eq=False)
class Shared:
    """Errors that the readings of one week share.

    Attributes:
        loadings: which cells each touches, shape (n, g).
        mean, variance: of each, shape (g,).
        evidence: log density of the readings that they were found from; 0 before.
    """

    loadings: Floats
    mean: Floats
    variance: Floats
    evidence: float = 0.0


class Belief(Protocol):
    """What a learner believes about theta."""

    def posterior(self, features: Floats) -> Posterior:
        """Beliefs about a week with these features, shape (n, f)."""
        ...

    def update(self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats) -> None:
        """Condition on readings of theta.

        Args:
            features: of the week that is read, shape (n, f).
            cells: which cells were read, shape (r,).
            reading: their theta with noise of mean zero, shape (r,).
            variance: of that noise, > 0, shape (r,).
        """
        ...

    def forget(self, sd: float) -> None:
        """One week passes: each cell's own offset may have moved by about `sd`."""
        ...


class SharedBelief:
    """The joint normal of all d terms: weights, intercept, offsets of nodes, own offsets.

    Attributes:
        mean, covariance: of the terms, shapes (d,), (d, d).
    """

    def __init__(self, prior: ScalePrior, paths: Sequence[Path]) -> None:
        n = len(paths)
        columns: list[Floats] = [np.ones((n, 1))]
        means = [*prior.weights, prior.intercept]
        spreads = [*prior.weights_sd, prior.intercept_sd]
        for depth, sd in enumerate(prior.level_sd, start=1):
            nodes = {name: number for number, name in enumerate(sorted({path[:depth] for path in paths}))}
            member = np.zeros((n, len(nodes)))
            member[np.arange(n), [nodes[path[:depth]] for path in paths]] = 1.0
            columns.append(member)
            means += [0.0] * len(nodes)
            spreads += [sd] * len(nodes)
        columns.append(np.eye(n))
        self._own = np.arange(len(means), len(means) + n)
        self._fixed = np.hstack(columns)
        self.mean = np.array(means + [0.0] * n)
        own = np.broadcast_to(prior.cell_sd, (n,))
        self.covariance = np.diag(np.square(np.concatenate([spreads, own])))

    def posterior(self, features: Floats) -> Posterior:
        """Beliefs about a week with these features, shape (n, f)."""
        loadings = np.hstack([features, self._fixed])
        covariance = loadings @ self.covariance @ loadings.T
        return Posterior(loadings @ self.mean, 0.5 * (covariance + covariance.T))

    def update(self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats) -> None:
        """Condition on readings of theta, see `Belief`."""
        none = np.zeros(0)
        self.update_shaken(features, cells, reading, variance, Shared(np.zeros((len(features), 0)), none, none))

    def update_shaken(
        self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats, shocks: Shared
    ) -> Shared:
        """The same for readings that share errors: these are terms of one week, found with the others; returned."""
        if cells.size == 0:
            return shocks
        rows = np.hstack([features, self._fixed])[cells]
        cross, lean = self.covariance @ rows.T, shocks.loadings[cells] * shocks.variance
        total = rows @ cross + np.diag(variance) + lean @ shocks.loadings[cells].T
        surprise = reading - rows @ self.mean
        root = np.linalg.cholesky(total)
        solved = np.linalg.solve(total, np.column_stack([cross.T, lean, surprise]))
        gain, share, flat = solved[:, : self.mean.size].T, solved[:, self.mean.size : -1].T, solved[:, -1]
        self.mean = self.mean + gain @ surprise
        covariance = self.covariance - gain @ cross.T
        self.covariance = 0.5 * (covariance + covariance.T)
        evidence = -0.5 * float(surprise @ flat) - float(np.log(np.diagonal(root)).sum())
        left = shocks.variance - np.einsum("gr,rg->g", share, lean)
        return Shared(shocks.loadings, share @ surprise, left, evidence)

    def forget(self, sd: float) -> None:
        """One week passes: each cell's own offset may have moved by about `sd`."""
        self.covariance[self._own, self._own] += sd**2


class LoneBelief:
    """Weights and an offset of each cell by itself; the offset's spread is that of intercept, nodes and cell together.

    Attributes:
        mean, covariance: of each cell's weights and offset, shapes (n, f + 1), (n, f + 1, f + 1).
    """

    def __init__(self, prior: ScalePrior, paths: Sequence[Path]) -> None:
        offset = prior.intercept_sd**2 + float(np.sum(np.square(prior.level_sd)))
        spread = np.diag([*np.square(prior.weights_sd), offset])
        self.mean = np.tile([*prior.weights, prior.intercept], (len(paths), 1))
        self.covariance = np.tile(spread, (len(paths), 1, 1))
        self.covariance[:, -1, -1] += np.square(prior.cell_sd)

    def posterior(self, features: Floats) -> Posterior:
        """Beliefs about a week with these features, shape (n, f); cells are independent."""
        rows = _with_one(features)
        mean = np.einsum("nd,nd->n", rows, self.mean)
        return Posterior(mean, np.diag(np.einsum("nd,nde,ne->n", rows, self.covariance, rows)))

    def update(self, features: Floats, cells: NDArray[np.intp], reading: Floats, variance: Floats) -> None:
        """Condition on readings of theta, see `Belief`; a line by itself cannot tell a shock, so none is looked for."""
        rows = _with_one(features)[cells]
        cross = np.einsum("nde,ne->nd", self.covariance[cells], rows)
        total = np.einsum("nd,nd->n", rows, cross) + variance
        surprise = reading - np.einsum("nd,nd->n", rows, self.mean[cells])
        self.mean[cells] += cross * (surprise / total)[:, None]
        self.covariance[cells] -= cross[:, :, None] * cross[:, None, :] / total[:, None, None]

    def forget(self, sd: float) -> None:
        """One week passes: each cell's own offset may have moved by about `sd`."""
        self.covariance[:, -1, -1] += sd**2


def _with_one(features: Floats) -> Floats:
    return np.hstack([features, np.ones((len(features), 1))])
