"""Time weights of synthetic difference in differences, of many sets of units at once.

The weights of a set predict, over its own controls, the mean after the start from the periods before. With B the
outcomes before [controls, periods], less their means over the controls, the misfit of weights w is |B w' - a|^2. The
sets differ in which units are their controls, so B' B is that of all units less the rows left out and less the means;
its product with weights needs no matrix of the set's own, and only blocks on the support are ever formed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.synthetic_control import GAP, least

#: Sets solved together.
_BATCH: Final = 100
#: Penalty that makes the weights unique, as a share of the standard deviation of first differences.
_HAIR: Final = 1e-6


class _WithoutRows:
    """B' B of each set from the outcomes of all units, about their means over all."""

    def __init__(self, pre: Floats, kept: Bools, ridge: Floats) -> None:
        self._pre, self._kept, self._ridge = pre, kept.astype(np.float64), ridge
        self._gram = pre.T @ pre
        self._count = self._kept.sum(axis=1)
        self._mean = self._kept @ pre / self._count[:, None]
        self._out = [np.flatnonzero(~row) for row in kept]
        hair = float(ridge.max(initial=0.0))
        self.scale = float(np.trace(self._gram)) / len(self._gram) + hair
        # Rows left out and means taken off only lower it. The smaller of both products has the same largest one.
        small = self._gram if len(self._gram) < len(pre) else pre @ pre.T
        self.most = float(np.linalg.eigvalsh(small)[-1]) + hair

    def centred(self, values: Floats, rows: Ints) -> Floats:
        """Values of the units less their mean over the kept ones, zero elsewhere, shape [rows, units]."""
        kept = self._kept[rows]
        mean = (values * kept).sum(axis=1, keepdims=True) / self._count[rows, None]
        found: Floats = (values - mean) * kept
        return found

    def times(self, weights: Floats, rows: Ints) -> Floats:
        found: Floats = self.centred(weights @ self._pre.T, rows) @ self._pre + self._ridge[rows, None] * weights
        return found

    def block(self, members: Ints, rows: Ints) -> Floats:
        found = self._gram[members[:, :, None], members[:, None, :]]
        most = max((len(self._out[row]) for row in rows), default=0)
        left = np.zeros((len(rows), most + 1, members.shape[1]))
        for place, row in enumerate(rows):
            out = self._out[row]
            left[place, : len(out)] = self._pre[out[:, None], members[place]]
        left[:, most] = np.take_along_axis(self._mean[rows], members, axis=1) * np.sqrt(self._count[rows, None])
        found -= np.swapaxes(left, 1, 2) @ left
        diagonal = np.arange(members.shape[1])
        found[:, diagonal, diagonal] += self._ridge[rows, None]
        return found


def time_weights(pre: Floats, after: Floats, controls: Bools, noise: Floats) -> Floats:
    """Weights of the periods before the test that predict the mean after its start over controls.

    Shape [sets, periods].

    Args:
        pre: outcomes of all units, shape [units, periods]. after: their means after the start, shape [units].
        controls: units that each set's weights are fitted to, shape [sets, units], at least one per row.
        noise: standard deviation of first differences, shape [sets].
    """
    centred = pre - pre.mean(axis=0)
    found = np.empty((len(controls), pre.shape[1]))
    for first in range(0, len(controls), _BATCH):
        some = slice(first, first + _BATCH)
        kept = controls[some]
        system = _WithoutRows(centred, kept, (_HAIR * noise[some]) ** 2 * kept.sum(axis=1))
        target = system.centred(np.broadcast_to(after, kept.shape), np.arange(len(kept)))
        allowed = GAP * np.maximum((target**2).sum(axis=1), 1e-3 * system.scale + 1e-300)
        everywhere = np.ones((len(kept), pre.shape[1]), dtype=bool)
        found[some], _ = least(system, target @ centred, everywhere, allowed)
    return found


def first_differences(pre: Floats, controls: Bools) -> Floats:
    """Standard deviation of the steps from period to period over the controls of each set, shape [sets]."""
    steps = np.diff(pre, axis=1)
    count = controls.sum(axis=1) * steps.shape[1]
    middle = float(steps.mean())
    total, squares = (controls @ values.sum(axis=1) for values in (steps - middle, (steps - middle) ** 2))
    return np.asarray(np.sqrt(np.maximum(squares - total**2 / count, 0.0) / np.maximum(count - 1, 1)))
