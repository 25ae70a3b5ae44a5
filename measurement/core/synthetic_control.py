"""Synthetic control with unit effects: weights on the simplex, for many treated groups of one panel at once.

The pre-test outcomes of a unit are taken about their own mean (a unit effect), so a control need not be of the size
of the treated units; the outcome of a treated group is the mean of its units. With Z the demeaned outcomes [units,
periods] and s the row of equal shares of the treated group, the misfit of weights w is (w - s) Z Z' (w - s)': one
Gram matrix serves every group, and a step for all groups is one matrix product. Accelerated projected gradient (Beck
and Teboulle 2009, with the restart of O'Donoghue and Candes 2015) finds the support; the weights on the support then
solve a linear system. Each answer carries its duality gap (Frank-Wolfe), so "converged" is a number and not a hope.

Source of the estimator: Abadie, Diamond, Hainmueller (2010); unit effects as in Doudchenko and Imbens (2016) and in
Ben-Michael, Feller, Rothstein (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from measurement.core.arrays import Bools, Floats, Ints

#: Duality gap that counts as solved, as a share of the squared norm of the treated group's demeaned outcome.
GAP: Final = 1e-9
_ROUND: Final = 30
_CORNERS: Final = 8
_ROUNDS: Final = 200


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of groups on their donors.

    Attributes:
        weights: shape [groups, units], rows sum to one, zero off the donors.
        gap: duality gap of each row in squared units of the outcome, shape [groups].
        misfit: root of the summed squared misfit over the periods of the fit, shape [groups].
    """

    weights: Floats
    gap: Floats
    misfit: Floats


class Quadratic(Protocol):
    """w G w' for each of several rows of weights, whose G may differ: what the search has to know of G.

    Attributes:
        scale: mean of the diagonal of G, over all rows. most: no eigenvalue of any G is larger.
    """

    scale: float
    most: float

    def times(self, weights: Floats, rows: Ints) -> Floats:
        """w G of these rows, both shape [rows, units]."""

    def block(self, members: Ints, rows: Ints) -> Floats:
        """G of these rows among some units of each (shape [rows, size]), shape [rows, size, size]."""


class _Shared:
    """One Gram matrix for all rows, and a ridge for each."""

    def __init__(self, gram: Floats, ridge: Floats) -> None:
        self._gram, self._ridge = gram, ridge
        most = float(ridge.max(initial=0.0))
        self.scale = float(np.trace(gram)) / len(gram) + most
        self.most = float(np.linalg.eigvalsh(gram)[-1]) + most

    def times(self, weights: Floats, rows: Ints) -> Floats:
        found: Floats = weights @ self._gram + self._ridge[rows, None] * weights
        return found

    def block(self, members: Ints, rows: Ints) -> Floats:
        found = self._gram[members[:, :, None], members[:, None, :]]
        diagonal = np.arange(members.shape[1])
        found[:, diagonal, diagonal] += self._ridge[rows, None]
        return found


def simplex_weights(
    gram: Floats, shares: Floats, donors: Bools, *, ridge: float | Floats = 0.0, gap: float = GAP
) -> Weights:
    """Weights that minimise (w - s) G (w - s)' + ridge |w|^2 over the simplex of the donors, for every row.

    Args:
        gram: G = Z Z', shape [units, units].
        shares: s, one row per treated group, shape [groups, units].
        donors: units that may carry weight, shape [groups, units], at least one per row.
        ridge: penalty in squared units of the outcome (zeta^2 T of synthetic difference in differences), one for all
            rows or shape [groups].
        gap: duality gap to reach, as a share of s G s'.
    """
    linear = shares @ gram
    offset = np.einsum("gu,gu->g", linear, shares)
    # A group that hardly moves itself (nothing sold before the test) is solved as finely as the units around it allow.
    allowed = gap * np.maximum(offset, max(1e-3 * float(np.trace(gram)) / len(gram), 1e-300))
    system = _Shared(gram, np.broadcast_to(np.asarray(ridge, dtype=np.float64), len(shares)))
    weights, found = least(system, linear, donors, allowed)
    difference = weights - shares
    misfit = np.sqrt(np.maximum(np.einsum("gu,gu->g", difference @ gram, difference), 0.0))
    return Weights(weights=weights, gap=2.0 * found, misfit=misfit)


def least(system: Quadratic, linear: Floats, donors: Bools, allowed: Floats) -> tuple[Floats, Floats]:
    """Weights on the simplex of the donors that minimise w G w' - 2 w linear', and half the gap of each row.

    Args:
        linear, donors: shape [rows, units]. allowed: gap that counts as solved, shape [rows].
    """
    step = 1.0 / max(system.most, 1e-300)
    weights = donors / donors.sum(axis=1, keepdims=True)
    every = np.arange(len(weights))
    found = _gap(system.times(weights, every) - linear, weights, donors)
    open_rows = np.flatnonzero(found > allowed)
    for _ in range(_ROUNDS):
        if not len(open_rows):
            break
        mask, target = donors[open_rows], linear[open_rows]
        moved = _descend(system, target, mask, weights[open_rows], step, open_rows)
        for _ in range(_CORNERS):
            moved = _active_set_step(system, target, moved, mask, open_rows)
        moved_gap = _gap(system.times(moved, open_rows) - target, moved, mask)
        weights[open_rows], found[open_rows] = moved, moved_gap
        open_rows = open_rows[moved_gap > allowed[open_rows]]
    return weights, found


def demeaned(outcome: Floats, fitted: slice | Bools) -> Floats:
    """Outcomes less each unit's mean over the periods of the fit, shape as given [units, periods]."""
    centred: Floats = outcome - outcome[:, fitted].mean(axis=1, keepdims=True)
    return centred


def projected(points: Floats, mask: Bools) -> Floats:
    """Euclidean projection of each row on the simplex of its mask (Held, Wolfe, Crowder 1974), shape [rows, units]."""
    blocked = np.where(mask, points, -np.inf)
    ordered = -np.sort(-blocked, axis=1)
    finite = np.where(np.isfinite(ordered), ordered, 0.0)
    excess = np.cumsum(finite, axis=1) - 1.0
    counts = np.arange(1, points.shape[1] + 1)
    inside = (ordered * counts > excess) & np.isfinite(ordered)
    last = inside.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
    cut = excess[np.arange(len(points)), last] / (last + 1)
    nearest: Floats = np.where(mask, np.maximum(points - cut[:, None], 0.0), 0.0)
    return nearest


def _descend(system: Quadratic, linear: Floats, mask: Bools, start: Floats, step: float, rows: Ints) -> Floats:
    """One round of accelerated steps with restart of each row where momentum points uphill."""
    current, ahead = start, start
    pace = np.ones(len(start))
    for _ in range(_ROUND):
        following = projected(ahead - step * (system.times(ahead, rows) - linear), mask)
        moved = following - current
        uphill = np.einsum("gu,gu->g", ahead - following, moved) > 0.0
        pace = np.where(uphill, 1.0, pace)
        next_pace = 0.5 + np.sqrt(0.25 + pace * pace)
        ahead = following + ((pace - 1.0) / next_pace)[:, None] * moved
        current, pace = following, next_pace
    return current


def _gap(gradient: Floats, weights: Floats, mask: Bools) -> Floats:
    """Half the Frank-Wolfe gap of each row: an upper bound of the misfit that is left to gain, halved."""
    best = np.where(mask, gradient, np.inf).min(axis=1)
    gaps: Floats = np.maximum(np.einsum("gu,gu->g", gradient, weights) - best, 0.0)
    return gaps


def _active_set_step(system: Quadratic, linear: Floats, weights: Floats, mask: Bools, which: Ints) -> Floats:
    """One step of the primal active-set method for each row: towards the best point of its face, as far as is feasible.

    The face is the support and the donor that the gradient asks for most. A row never gets worse: the misfit is convex
    along the way to the minimum of its face.
    """
    rows = np.arange(len(weights))
    gradient = system.times(weights, which) - linear
    support = weights > 0.0
    support[rows, np.where(mask, gradient, np.inf).argmin(axis=1)] = True
    size = int(support.sum(axis=1).max())
    members = np.argsort(~support, axis=1, kind="stable")[:, :size]
    within = np.take_along_axis(support, members, axis=1)
    scale = max(system.scale, 1e-300)
    matrix = np.zeros((len(weights), size + 1, size + 1))
    both = within[:, :, None] & within[:, None, :]
    matrix[:, :size, :size] = np.where(both, system.block(members, which) / scale, 0.0)
    diagonal = np.arange(size)
    # A hair of ridge keeps identical controls from making the system singular; the gap judges the result.
    matrix[:, diagonal, diagonal] += np.where(within, 1e-12, 1.0)
    matrix[:, :size, size] = matrix[:, size, :size] = within
    right = np.zeros((len(weights), size + 1, 1))
    right[:, :size, 0] = np.where(within, np.take_along_axis(linear, members, axis=1) / scale, 0.0)
    right[:, size, 0] = 1.0
    best = np.where(within, np.linalg.solve(matrix, right)[:, :size, 0], 0.0)
    here = np.where(within, np.take_along_axis(weights, members, axis=1), 0.0)
    way = best - here
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(way < 0.0, here / -way, np.inf)
    length = np.minimum(room.min(axis=1, keepdims=True), 1.0)
    arrived = np.where(room <= length, 0.0, np.maximum(here + length * way, 0.0))
    moved = np.zeros_like(weights)
    np.put_along_axis(moved, members, arrived / arrived.sum(axis=1, keepdims=True), axis=1)
    return moved
