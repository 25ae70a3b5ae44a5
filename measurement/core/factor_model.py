"""What tests of some cells say about the incrementality factors of all cells of a brand.

The logarithm of the factor of retailer r and placement p is

    phi_rp = mu + a_r + b_p + e_rp,    mu ~ N(log 0.6, 1),    a, b, e normal around zero,

so a test speaks of its own cell, and less loudly of cells that share its retailer or its placement, or nothing but the
brand. How alike cells are is not known: the spreads of a, b and e are averaged over a grid, each point weighted by how
well it explains the tests (its marginal likelihood) under half-normal priors. Given the spreads everything is normal
and in closed form.

A test whose return is not clearly above zero has no logarithm that a normal could describe. It is taken on its own
scale, iROAS ~ N(ROAS exp(phi + d), SE), where d ~ N(0, blur) is what its days, spend and length make it read otherwise.
All such tests of one cell are multiplied on one grid of phi, and together they send the model the normal message with
which the cell has the same first two moments as on the grid (expectation propagation, Minka 2001; Rasmussen and
Williams 2006, section 3.6). One message per test would not do: for tests that contradict each other they do not settle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

import numpy as np
from scipy.special import logsumexp, ndtr

from measurement.core.arrays import Bools, Floats, Ints

#: Points of the grid that carry less than this of the weight, all together, are left out.
NEGLIGIBLE: Final = 2e-3
#: The grid of a spread, in units of its prior's scale: finer where the prior is, out to where it has 1.6 % left.
_STEPS: Final = (0.12, 0.40, 0.75, 1.15, 1.65, 2.40)
_SWEEPS: Final = 60
#: Messages take this part of a step; less of it once they had time to settle and did not.
_DAMPING: Final = 0.9
_CAREFUL: Final = 0.4
_PATIENCE: Final = 12
#: Messages that change by less than this of themselves have settled.
_SETTLED: Final = 1e-3
#: The grid of phi, widened where a test reads beyond it. Sums over a grid are as good as exact down to a standard
#: deviation of one step, and a test that is taken on it is hardly ever surer than 0.1 on the logarithm.
_LEAST: Final = -9.0
_MOST: Final = 5.0
_STEP: Final = 0.05
#: Least standard error of a test on that grid, in units of its return or of the attributed one.
_SUREST: Final = 1e-4


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
        blur: of one that is taken on its own scale, the standard deviation on the logarithm that comes on top of `se`.
    """

    cell: Ints
    logs: Bools
    value: Floats
    se: Floats
    roas: Floats
    blur: Floats

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
        cells for being untested. After a single test that earns less (docs/measurement/calibration.md).
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
    parts = _parts(readings)
    sites = _sites(kernel[:, parts.cell][:, :, parts.cell], parts, prior.middle)
    told = thought * np.exp(sites.log_evidence - sites.log_evidence.max())
    kept = _weighty(told)
    weight = told[kept] / told[kept].sum()
    towards = kernel[kept][:, :, parts.cell]
    pull = sites.pull[kept]
    mean = prior.middle + np.einsum("gcn,gn->gc", towards, sites.residual[kept])
    covariance = kernel[kept] - towards @ pull @ np.swapaxes(towards, 1, 2)
    influence = np.einsum("g,gcn->cn", weight, towards @ pull) @ _shares(readings, parts, weight @ mean)
    return Belief(weight, mean, covariance, influence)


def _weighty(weight: Floats) -> Ints:
    """The points that carry all but `NEGLIGIBLE` of the weight, in order."""
    order = np.argsort(-weight)
    share = np.cumsum(weight[order]) / weight.sum()
    return np.sort(order[: int(np.searchsorted(share, 1.0 - NEGLIGIBLE)) + 1])


@dataclass(frozen=True, slots=True)
class _Parts:
    """What sends a message: each test with a logarithm, then each cell that was tested without one.

    Attributes:
        cell: shape [parts]. tests: which tests each is made of.
        value, se: of the logarithms, shape [logs]. grid: of phi, shape [steps].
        log: logarithm of the likelihood of all tests of a cell on the grid, shape [parts less logs, steps].
    """

    cell: Ints
    tests: tuple[Ints, ...]
    value: Floats
    se: Floats
    grid: Floats
    log: Floats


def _parts(readings: Readings) -> _Parts:
    clear, weak = np.flatnonzero(readings.logs), np.flatnonzero(~readings.logs)
    cells = np.unique(readings.cell[weak])
    groups = tuple(weak[readings.cell[weak] == cell] for cell in cells)
    above = weak[readings.value[weak] > 0.0]
    said = np.concatenate([readings.value[clear], np.log(readings.value[above] / readings.roas[above])])
    steps = np.arange(
        math.floor((min(_LEAST, float(said.min(initial=0.0)) - 1.0)) / _STEP),
        math.ceil((max(_MOST, float(said.max(initial=0.0)) + 1.0)) / _STEP) + 1,
    )
    grid: Floats = np.asarray(_STEP * steps, dtype=np.float64)
    log = np.array([np.sum([_likelihood(readings, int(at), grid) for at in group], axis=0) for group in groups])
    return _Parts(
        cell=np.concatenate([readings.cell[clear], cells]),
        tests=(*(np.array([at]) for at in clear), *groups),
        value=readings.value[clear],
        se=readings.se[clear],
        grid=grid,
        log=log.reshape(len(groups), grid.size),
    )


def _likelihood(readings: Readings, at: int, grid: Floats) -> Floats:
    """Logarithm of N(iROAS | ROAS exp(phi + d), SE), averaged over d ~ N(0, blur), at each phi, shape [steps]."""
    value, roas, blur = float(readings.value[at]), float(readings.roas[at]), float(readings.blur[at])
    # One that is surer than this says no more than that the factor is below the grid.
    se = max(float(readings.se[at]), _SUREST * max(abs(value), roas))
    reach = math.ceil(6.0 * blur / _STEP)
    wide = np.concatenate([grid[0] + _STEP * np.arange(-reach, 0), grid, grid[-1] + _STEP * np.arange(1, reach + 1)])
    off = (value - roas * np.exp(np.minimum(wide, 50.0))) / se
    plain = -0.5 * off**2 - math.log(se * math.sqrt(2.0 * math.pi))
    if not reach:
        return np.asarray(plain, dtype=np.float64)
    kernel = -0.5 * (_STEP * np.arange(-reach, reach + 1) / blur) ** 2
    seen = np.lib.stride_tricks.sliding_window_view(plain, kernel.size)
    return np.asarray(logsumexp(seen + (kernel - logsumexp(kernel)), axis=1))


def _shares(readings: Readings, parts: _Parts, mean: Floats) -> Floats:
    """How much of a part's message is each test's, by what it knows near the mean of phi, shape [parts, tests]."""
    shares = np.zeros((len(parts.tests), len(readings)))
    for at, tests in enumerate(parts.tests):
        size = readings.roas[tests] * math.exp(min(float(mean[parts.cell[at]]), 50.0))
        spread = np.hypot(readings.se[tests] / size, readings.blur[tests])
        known = (spread.min() / spread) ** 2
        shares[at, tests] = known / known.sum() if tests.size > 1 else 1.0
    return shares


@dataclass(frozen=True, slots=True)
class _Sites:
    """Each part as a normal message exp(-t phi^2 / 2 + u phi): what follows from all of them.

    Attributes:
        pull: (K + 1/t)^-1 for the parts, shape [points, parts, parts]. residual: that times what they lie off the prior
        mean, shape [points, parts]. log_evidence: shape [points].
    """

    pull: Floats
    residual: Floats
    log_evidence: Floats


def _sites(kernel: Floats, parts: _Parts, middle: float) -> _Sites:
    points, count, logs = kernel.shape[0], parts.cell.size, parts.value.size
    precise = np.concatenate([1.0 / parts.se**2, np.zeros(count - logs)])
    value = np.concatenate([parts.value, np.zeros(count - logs)])
    t = np.tile(precise, (points, 1))
    u = np.tile(precise * value, (points, 1))
    scale = np.zeros((points, count))
    scale[:, :logs] = -0.5 * parts.value**2 * precise[:logs] - np.log(parts.se * math.sqrt(2.0 * math.pi))
    weak = slice(logs, count)
    own = np.diagonal(kernel, axis1=1, axis2=2)[:, weak]
    for sweep in range(_SWEEPS if count > logs else 0):
        every = _marginals(kernel, t, u, middle)
        mean, variance = every[0][:, weak], every[1][:, weak]
        old_t, old_u = t[:, weak].copy(), u[:, weak].copy()
        # What the others leave open is never more than was open before any test.
        cavity = 1.0 / np.maximum(1.0 / variance - old_t, 1.0 / own)
        at = cavity * (mean / variance - old_u)
        log_total, tilted, spread = _tilted(at, cavity, parts)
        # A message may not be wider than none: the likelihood of a loss is flat to the left.
        new_t = np.maximum(1.0 / spread - 1.0 / cavity, 0.0)
        new_u = tilted * (1.0 / cavity + new_t) - at / cavity
        step = _DAMPING if sweep < _PATIENCE else _CAREFUL
        t[:, weak] += step * (new_t - old_t)
        u[:, weak] += step * (new_u - old_u)
        joint = 1.0 / cavity + t[:, weak]
        normal = 0.5 * ((at / cavity + u[:, weak]) ** 2 / joint - at**2 / cavity) - 0.5 * np.log(cavity * joint)
        scale[:, weak] = log_total - normal
        settled = np.abs(t[:, weak] - old_t) <= _SETTLED * (old_t + 1.0)
        if bool(np.all(settled & (np.abs(u[:, weak] - old_u) <= _SETTLED * (np.abs(old_u) + old_t + 1.0)))):
            break
    root = np.sqrt(t)
    inner = np.eye(count) + root[:, :, None] * kernel * root[:, None, :]
    pull = root[:, :, None] * np.linalg.solve(inner, root[:, :, None] * np.eye(count))
    off = u - t * middle
    residual = off - np.einsum("gnm,gm->gn", pull, np.einsum("gnm,gm->gn", kernel, off))
    fit = 0.5 * np.einsum("gn,gnm,gm->g", off, kernel, residual)
    constant = (u * middle - 0.5 * t * middle**2 + scale).sum(axis=1)
    return _Sites(pull, residual, fit + constant - 0.5 * np.linalg.slogdet(inner)[1])


def _marginals(kernel: Floats, t: Floats, u: Floats, middle: float) -> tuple[Floats, Floats]:
    """Mean and variance of phi at each part under the messages, shape [points, parts]."""
    root = np.sqrt(t)
    inner = np.eye(t.shape[1]) + root[:, :, None] * kernel * root[:, None, :]
    covariance = kernel - (kernel * root[:, None, :]) @ np.linalg.solve(inner, root[:, :, None] * kernel)
    mean = middle + np.einsum("gnm,gm->gn", covariance, u - t * middle)
    return mean, np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 1e-12)


def _tilted(at: Floats, variance: Floats, parts: _Parts) -> tuple[Floats, Floats, Floats]:
    """Of N(phi | at, variance) times the likelihood: log of its mass, mean, variance, shape [points, parts] each."""
    log = parts.log - 0.5 * (parts.grid - at[:, :, None]) ** 2 / variance[:, :, None]
    top = log.max(axis=2)
    mass = np.exp(log - top[:, :, None])
    total = mass.sum(axis=2)
    mean = mass @ parts.grid / total
    spread = np.einsum("gnk,gnk->gn", mass, (parts.grid - mean[:, :, None]) ** 2) / total
    log_total = top + np.log(total * _STEP) - 0.5 * np.log(2.0 * math.pi * variance)
    return log_total, mean, np.maximum(spread, _STEP**2 / 12.0)
