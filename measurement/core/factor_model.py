"""What tests of some cells say about the incrementality factors of all cells of a brand.

The logarithm of the factor of retailer r and placement p is

    phi_rp = mu + a_r + b_p + e_rp,    mu ~ N(log 0.6, 1),    a, b, e normal around zero,

so a test speaks of its own cell, and less loudly of cells that share its retailer or its placement, or nothing but the
brand. How alike cells are is not known: the spreads of a, b and e are averaged over a grid, each point weighted by how
well it explains the tests (its marginal likelihood) under half-normal priors. Given the spreads everything is normal
and in closed form.

A test whose return is not clearly above zero has no logarithm that a normal could describe. It is taken on its own
scale, iROAS ~ N(ROAS exp(phi), SE), and its message to the model is the normal one that has the same first two moments
on a grid of phi (expectation propagation, Minka 2001; Rasmussen and Williams 2006, section 3.6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

import numpy as np
from scipy.special import ndtr

from measurement.core.arrays import Bools, Floats, Ints

#: Points of the grid that carry less than this of the weight, all together, are left out.
NEGLIGIBLE: Final = 2e-3
#: The grid of a spread, in units of its prior's scale: finer where the prior is, out to where it has 1.6 % left.
_STEPS: Final = (0.12, 0.40, 0.75, 1.15, 1.65, 2.40)
_SWEEPS: Final = 40
_DAMPING: Final = 0.9
#: Messages that change by less than this of themselves have settled.
_SETTLED: Final = 1e-3
_GRID: Final = np.linspace(-5.5, 5.5, 56)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is thought of factors before any test.

    Attributes:
        middle, sd: of mu.
        spread: scale of the half-normal priors of the spreads between retailers, between placements, and of the rest.
    """

    middle: float = math.log(0.6)
    sd: float = 1.0
    spread: float = 0.25

    @property
    def spreads(self) -> Floats:
        """The grid of one spread, shape [steps]."""
        return self.spread * np.array(_STEPS)

    @property
    def weights(self) -> Floats:
        """How likely each point of the grid of one spread is: the part of the half-normal that is nearest to it."""
        middles = (np.array(_STEPS)[1:] + np.array(_STEPS)[:-1]) / 2.0
        below = np.array([0.0, *(2.0 * ndtr(middles) - 1.0), 1.0])
        return np.diff(below)


@dataclass(frozen=True, slots=True)
class Readings:
    """Tests as the model takes them, shape [tests] each.

    Attributes:
        cell: which cell was tested.
        logs: whether `value` is ln(iROAS / ROAS) with standard error `se`; else it is iROAS, with `roas`.
    """

    cell: Ints
    logs: Bools
    value: Floats
    se: Floats
    roas: Floats

    def __len__(self) -> int:
        return int(self.cell.size)


@dataclass(frozen=True, eq=False)
class Belief:
    """A mixture of normals over phi, one per point of the grid of spreads.

    Attributes:
        weight: shape [points], sums to one.
        mean: shape [points, cells]. covariance: shape [points, cells, cells].
        influence: by how much the mean of phi of a cell moves with the reading of a test, shape [cells, tests].
    """

    weight: Floats
    mean: Floats
    covariance: Floats
    influence: Floats

    @cached_property
    def variance(self) -> Floats:
        """Of phi, shape [points, cells]."""
        return np.asarray(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0.0))

    @cached_property
    def centre(self) -> Floats:
        """exp of the mean of phi, shape [cells]: what plans count with.

        The mean of exp(phi) is above it, and the more so the less is known of a cell; under it a budget would flow to
        cells for being untested. At one test that costs more than it is right to hope for, and from three on both
        place money alike (docs/measurement/calibration.md).
        """
        return np.asarray(np.exp(self.weight @ self.mean))

    @cached_property
    def factor(self) -> Floats:
        """Mean of exp(phi), shape [cells]: what the value of information is counted in."""
        return np.asarray(self.weight @ np.exp(self.mean + self.variance / 2.0))

    @cached_property
    def factor_sd(self) -> Floats:
        """Standard deviation of exp(phi), shape [cells]."""
        square = self.weight @ np.exp(2.0 * self.mean + 2.0 * self.variance)
        return np.sqrt(np.maximum(square - self.factor**2, 0.0))

    def quantile(self, level: float) -> Floats:
        """Of exp(phi), shape [cells]."""
        return np.asarray(np.exp(_quantiles(self.weight, self.mean, np.sqrt(self.variance), np.array([level]))[0]))

    def draws(self, count: int, *, seed: int) -> Floats:
        """Joint draws of exp(phi), shape [count, cells]; draw d of all cells is one possible truth."""
        rng = np.random.default_rng(seed)
        out = np.empty((count, self.mean.shape[1]))
        point = rng.choice(self.weight.size, size=count, p=self.weight)
        normal = rng.standard_normal(out.shape)
        for one in np.unique(point):
            mine = point == one
            values, vectors = np.linalg.eigh(self.covariance[one])
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            out[mine] = self.mean[one] + normal[mine] @ root.T
        return np.exp(out)

    def after(self, cell: int, reading: Floats, se: float) -> Floats:
        """Mean of exp(phi) of all cells after one more test of `cell` reads ln(factor), shape [readings, cells].

        Args:
            reading: possible readings, shape [readings]. se: their standard error.
        """
        given = self.variance[:, cell] + se**2
        off = reading[:, None] - self.mean[None, :, cell]
        weight = self.weight * np.exp(-0.5 * off**2 / given) / np.sqrt(given)
        weight /= weight.sum(axis=1, keepdims=True)
        gain = self.covariance[:, cell, :] / given[:, None]
        variance = np.maximum(self.variance - gain * self.covariance[:, cell, :], 0.0)
        # The shift of each point's mean, and with it exp(mean + variance / 2).
        moved = np.exp(self.mean + variance / 2.0)[None] * np.exp(gain[None] * off[:, :, None])
        return np.asarray(np.einsum("qg,qgc->qc", weight, moved))

    def readings(self, cell: int, se: float, count: int) -> Floats:
        """Readings of ln(factor) that a test of `cell` may have: the middles of `count` equally likely parts."""
        wide = np.sqrt(self.variance[:, [cell]] + se**2)
        levels = (np.arange(count) + 0.5) / count
        return np.asarray(_quantiles(self.weight, self.mean[:, [cell]], wide, levels)[:, 0])


def _quantiles(weight: Floats, mean: Floats, sd: Floats, level: Floats) -> Floats:
    """Quantiles of mixtures of normals, by bisection to 1e-9, shape [levels, cells]; mean and sd [points, cells]."""
    low = np.tile((mean - 9.0 * sd).min(axis=0), (level.size, 1))
    high = np.tile((mean + 9.0 * sd).max(axis=0), (level.size, 1))
    width = np.maximum(sd, 1e-12)
    while float((high - low).max()) > 1e-9:
        middle = (low + high) / 2.0
        share = np.einsum("g,glc->lc", weight, ndtr((middle[None] - mean[:, None]) / width[:, None]))
        below = share < level[:, None]
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2.0)


def believe(retailer: Ints, placement: Ints, readings: Readings, prior: Prior | None = None) -> Belief:
    """What tests say about the factors of all cells.

    Args:
        retailer, placement: number of the retailer and of the placement of each cell, shape [cells].
    """
    prior = prior or Prior()
    spreads = np.array(list(product(prior.spreads, repeat=3)))
    thought = np.array(list(product(prior.weights, repeat=3))).prod(axis=1)
    same = np.stack([retailer[:, None] == retailer, placement[:, None] == placement, np.eye(retailer.size, dtype=bool)])
    kernel = prior.sd**2 + np.einsum("gk,kcd->gcd", spreads**2, same.astype(np.float64))
    if not len(readings):
        mean = np.full((thought.size, retailer.size), prior.middle)
        return Belief(thought, mean, kernel, np.zeros((retailer.size, 0)))
    sites = _sites(kernel[:, readings.cell][:, :, readings.cell], readings, prior.middle)
    told = thought * np.exp(sites.log_evidence - sites.log_evidence.max())
    kept = _weighty(told)
    weight = told[kept] / told[kept].sum()
    towards = kernel[kept][:, :, readings.cell]
    pull = sites.pull[kept]
    mean = prior.middle + np.einsum("gcn,gn->gc", towards, sites.residual[kept])
    covariance = kernel[kept] - towards @ pull @ np.swapaxes(towards, 1, 2)
    influence = np.einsum("g,gcn->cn", weight, towards @ pull)
    return Belief(weight, mean, covariance, influence)


def _weighty(weight: Floats) -> Ints:
    """The points that carry all but `NEGLIGIBLE` of the weight, in order."""
    order = np.argsort(-weight)
    share = np.cumsum(weight[order]) / weight.sum()
    return np.sort(order[: int(np.searchsorted(share, 1.0 - NEGLIGIBLE)) + 1])


@dataclass(frozen=True, slots=True)
class _Sites:
    """Each test as a normal message exp(-t phi^2 / 2 + u phi): what follows from all of them.

    Attributes:
        pull: (K + 1/t)^-1 for the tests, shape [points, tests, tests]. residual: that times what they lie off the prior
        mean, shape [points, tests]. log_evidence: shape [points].
    """

    pull: Floats
    residual: Floats
    log_evidence: Floats


def _sites(kernel: Floats, readings: Readings, middle: float) -> _Sites:
    points, tests = kernel.shape[0], len(readings)
    precise = np.where(readings.logs, 1.0 / readings.se**2, 0.0)
    t = np.tile(precise, (points, 1))
    u = np.tile(precise * readings.value, (points, 1))
    weak = np.flatnonzero(~readings.logs)
    told = np.where(readings.logs, -0.5 * readings.value**2 * precise - np.log(readings.se * math.sqrt(2 * math.pi)), 0)
    scale = np.tile(told, (points, 1))
    for _ in range(_SWEEPS if weak.size else 0):
        every = _marginals(kernel, t, u, middle)
        mean, variance = every[0][:, weak], every[1][:, weak]
        old_t, old_u = t[:, weak], u[:, weak]
        cavity = 1.0 / np.maximum(1.0 / variance - old_t, 1e-9)
        at = cavity * (mean / variance - old_u)
        total, tilted, spread = _tilted(at, cavity, readings, weak)
        # A message may not be wider than none: the likelihood of a loss is flat to the left.
        new_t = np.maximum(1.0 / spread - 1.0 / cavity, 0.0)
        new_u = tilted * (1.0 / cavity + new_t) - at / cavity
        t[:, weak] += _DAMPING * (new_t - old_t)
        u[:, weak] += _DAMPING * (new_u - old_u)
        joint = 1.0 / cavity + t[:, weak]
        normal = 0.5 * ((at / cavity + u[:, weak]) ** 2 / joint - at**2 / cavity) - 0.5 * np.log(cavity * joint)
        scale[:, weak] = np.log(total) - normal
        if bool(np.all(np.abs(t[:, weak] - old_t) <= _SETTLED * (old_t + 1.0))):
            break
    root = np.sqrt(t)
    inner = np.eye(tests) + root[:, :, None] * kernel * root[:, None, :]
    pull = root[:, :, None] * np.linalg.solve(inner, root[:, :, None] * np.eye(tests))
    off = u - t * middle
    residual = off - np.einsum("gnm,gm->gn", pull, np.einsum("gnm,gm->gn", kernel, off))
    fit = 0.5 * np.einsum("gn,gnm,gm->g", off, kernel, residual)
    constant = (u * middle - 0.5 * t * middle**2 + scale).sum(axis=1)
    return _Sites(pull, residual, fit + constant - 0.5 * np.linalg.slogdet(inner)[1])


def _marginals(kernel: Floats, t: Floats, u: Floats, middle: float) -> tuple[Floats, Floats]:
    """Mean and variance of phi at each test under the messages, shape [points, tests]."""
    root = np.sqrt(t)
    inner = np.eye(t.shape[1]) + root[:, :, None] * kernel * root[:, None, :]
    covariance = kernel - (kernel * root[:, None, :]) @ np.linalg.solve(inner, root[:, :, None] * kernel)
    mean = middle + np.einsum("gnm,gm->gn", covariance, u - t * middle)
    return mean, np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 1e-12)


def _tilted(at: Floats, variance: Floats, readings: Readings, weak: Ints) -> tuple[Floats, Floats, Floats]:
    """Mass, mean and variance of N(phi | at, variance) x N(iROAS | ROAS exp(phi), SE), shape [points, weak] each."""
    value, roas, se = readings.value[weak], readings.roas[weak], readings.se[weak]
    phi = at[:, :, None] + np.sqrt(variance)[:, :, None] * _GRID
    off = (value[:, None] - roas[:, None] * np.exp(np.minimum(phi, 50.0))) / se[:, None]
    log = -0.5 * _GRID**2 - 0.5 * off**2
    top = log.max(axis=2, keepdims=True)
    mass = np.exp(log - top)
    total = mass.sum(axis=2)
    mean = (mass * phi).sum(axis=2) / total
    spread = (mass * (phi - mean[:, :, None]) ** 2).sum(axis=2) / total
    density = float(_GRID[1] - _GRID[0]) / (2.0 * math.pi * se)
    return np.maximum(total * np.exp(top[:, :, 0]) * density, 1e-300), mean, np.maximum(spread, 1e-9)
