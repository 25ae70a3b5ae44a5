"""What other lines say of a line's curve before its own weeks are seen.

Two numbers of a line are taken as jointly normal among lines of like size and place: the logarithm of what its first
unit of money returns, and v, its shape at the mean spend (`curve_shapes`). What a line returns at its mean spend is
read well from its weeks; so of all shapes those are likely whose first unit would then return what is usual: a line
that returns little is either poor or saturated. Means depend on the line's size and have an offset for each node of the
tree, shrunk to its parent's; they and the spreads are found by expectation-maximisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimization.core.curve_shapes import Shapes
from optimization.core.problem import Path
from optimization.core.responses import Floats

Groups = Sequence[NDArray[np.intp]]
Told = NDArray[np.bool_]
#: Before any line is seen: mean and standard deviation of v, and with the weight of how many lines they stay.
_SHAPE, _SHAPE_SD, _LINES = 0.5, 0.8, 2.0
_FIRST_SD = 0.5
#: Lines needed before a trend over the size is looked for.
_FEW = 20


@dataclass(frozen=True, eq=False)
class ShapePrior:
    """Of each line: `first` and `v`, means of ln(return of the first unit) and of v, shape (lines,).

    Attributes:
        spread: covariance of the two around their means, shape (2, 2).
        common: share of the lines that have a family, by its code.
        doubt: how many numbers the means took from the lines, per line.
    """

    first: Floats
    v: Floats
    spread: Floats = field(default_factory=lambda: np.diag([1e6, _SHAPE_SD**2]))
    common: dict[int, float] = field(default_factory=dict)
    doubt: float = 0.0

    @classmethod
    def vague(cls, lines: int, shapes: Shapes) -> ShapePrior:
        """Before anything is learned."""
        codes = [int(code) for code in np.unique(shapes.family)]
        return cls(np.zeros(lines), np.full(lines, _SHAPE), common=dict.fromkeys(codes, 1.0 / len(codes)))

    def log_mass(self, returns: Floats, shapes: Shapes, *, doubted: bool = False) -> Floats:
        """Log probability of each shape, given the log return at the mean spend, shape (lines, shapes).

        Args:
            doubted: let the means be as unsure as few lines leave them.
        """
        off = (returns - self.first)[:, None] + shapes.steepness[None, :], shapes.v[None, :] - self.v[:, None]
        (a, ab), (_, b) = self.spread * (1.0 + (self.doubt if doubted else 0.0))
        raw = -0.5 * (off[0] ** 2 * b - 2.0 * ab * off[0] * off[1] + off[1] ** 2 * a) / (a * b - ab**2)
        out = np.empty_like(raw)
        for code, common in self.common.items():
            mine = shapes.family == code
            out[:, mine] = raw[:, mine] - log_sum(raw[:, mine])[:, None] + np.log(common)
        return np.asarray(out)

    def learned(
        self, mass: Floats, returns: Floats, shapes: Shapes, *, size: Floats, groups: Groups, told: Told
    ) -> ShapePrior:
        """One step of expectation-maximisation, from the posterior `mass` of each line's shapes.

        Args:
            size: standardised size of each line.
            told: lines whose weeks say anything.
        """
        count = float(told.sum())
        if count == 0.0:
            return self
        steep, v = shapes.steepness, shapes.v
        mean_steep, mean_v = mass @ steep, mass @ v
        first = returns + mean_steep
        mean_first, _ = fitted_means(first, float(first[told].mean()), size, groups, told)
        mean_of_v, used = fitted_means(mean_v, _SHAPE, size, groups, told)
        left = np.stack([first - mean_first, mean_v - mean_of_v])[:, told]
        unsure = np.array(
            [
                [(mass @ steep**2 - mean_steep**2)[told].sum(), (mass @ (steep * v) - mean_steep * mean_v)[told].sum()],
                [0.0, (mass @ v**2 - mean_v**2)[told].sum()],
            ]
        )
        unsure[1, 0] = unsure[0, 1]
        floor = _LINES * np.diag([_FIRST_SD**2, _SHAPE_SD**2])
        # Each number fitted for the means takes one line's worth of scatter away.
        used = min(used, count / 2.0)
        spread = (left @ left.T + unsure + floor) / (count - used + _LINES)
        common = {
            code: (float(mass[told][:, shapes.family == code].sum()) + 1.0) / (count + len(self.common))
            for code in self.common
        }
        return replace(self, first=mean_first, v=mean_of_v, spread=spread, common=common, doubt=used / (count + _LINES))


def fitted_means(values: Floats, usual: float, size: Floats, groups: Groups, told: Told) -> tuple[Floats, float]:
    """Mean of a number of the lines by their size and place, pulled to `usual` where few lines tell it.

    With it how many numbers were fitted, an offset that is shrunk by half counting half.
    """
    x = np.stack([np.ones(size.size), size], axis=1)[:, : 2 if told.sum() >= _FEW else 1]
    mean, used = usual + x @ ridge(x[told], values[told] - usual, _LINES), float(x.shape[1])
    for members in groups:
        offsets, kept = group_offsets(members, values - mean, told)
        mean, used = mean + offsets, used + kept
    return np.asarray(mean), used


def standard(values: Floats, told: Told) -> Floats:
    """Centred and scaled by the lines that have weeks; three deviations at most."""
    seen = values[told]
    spread = float(seen.std())
    if spread <= 1e-9:
        return np.zeros(values.size)
    return np.asarray(np.clip((values - float(seen.mean())) / spread, -3.0, 3.0))


def ridge(x: Floats, y: Floats, lines: float) -> Floats:
    """Coefficients by least squares, each pulled to zero with the weight of so many lines."""
    return np.asarray(np.linalg.solve(x.T @ x + lines * np.eye(x.shape[1]), x.T @ y))


def ancestors(cells: Sequence[Path]) -> list[NDArray[np.intp]]:
    """Group number of each line by prefix, from the top level down to the one above the lines."""
    groups = []
    for depth in range(1, max(len(path) for path in cells)):
        numbers: dict[Path, int] = {}
        groups.append(np.array([numbers.setdefault(tuple(path[:depth]), len(numbers)) for path in cells]))
    return groups


def group_offsets(group: NDArray[np.intp], residual: Floats, told: Told) -> tuple[Floats, float]:
    """Mean residual of each line's group, shrunk to zero by as much as chance alone would scatter it.

    With it the sum over the groups of what the shrinking left of their means.
    """
    count = np.bincount(group[told], minlength=int(group.max()) + 1).astype(np.float64)
    total = np.bincount(group[told], residual[told], minlength=count.size)
    mean = total / np.maximum(count, 1.0)
    within = float(np.mean((residual - mean[group])[told] ** 2)) if told.any() else 0.0
    scatter = float(np.mean(mean[count > 0] ** 2)) if (count > 0).any() else 0.0
    expected = within * float(np.mean(1.0 / count[count > 0])) if (count > 0).any() else 0.0
    between = max(scatter - expected, 0.0)
    if between == 0.0:
        return np.zeros(group.size), 0.0
    keep = count * between / (count * between + within + 1e-300)
    return np.asarray((mean * keep)[group]), float(keep[count > 0].sum())


def log_sum(logs: Floats) -> Floats:
    """Logarithm of the sum of exponentials of each row."""
    top = logs.max(axis=1)
    return np.asarray(top + np.log(np.exp(logs - top[:, None]).sum(axis=1)))
