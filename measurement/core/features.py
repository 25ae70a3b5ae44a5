"""What makes two units alike before a test: level, variation, slope and autocorrelation of their series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from measurement.core.arrays import Floats
from measurement.core.assignment import InvalidDesign
from measurement.core.panel import Panel
from measurement.core.words import count_of

FEATURES: Final = ("mean", "variation", "slope", "autocorrelation")


def features_of(outcome: Floats) -> Floats:
    """Four features of each series, shape [units, 4], each with mean 0 and deviation 1 over the units.

    The mean is taken as a logarithm, for sizes of markets are skewed; variation and slope (per period) are relative to
    the mean, so that they say nothing of size again; the autocorrelation is of lag 1, around the line.

    Args:
        outcome: shape [units, periods], at least 4 periods.

    Raises:
        InvalidDesign: fewer than 4 periods, or a unit whose mean is not positive.
    """
    periods = outcome.shape[1]
    if periods < 4:
        raise InvalidDesign(
            f"{count_of(periods, 'period')} of a unit: too few to tell.", fix="Give at least 4 periods before the test."
        )
    mean = outcome.mean(axis=1)
    if (mean <= 0).any():
        raise InvalidDesign(
            f"{count_of(int((mean <= 0).sum()), 'unit')} without sales on average.",
            fix="Exclude units without a positive mean.",
        )
    time = np.arange(periods) - (periods - 1) / 2
    relative = outcome / mean[:, None] - 1.0
    slope = relative @ time / (time @ time)
    rest = relative - slope[:, None] * time
    power = (rest**2).sum(axis=1)
    lagged = (rest[:, 1:] * rest[:, :-1]).sum(axis=1)
    correlation = np.divide(lagged, power, out=np.zeros_like(power), where=power > 1e-12)
    raw = np.column_stack([np.log(mean), np.sqrt(power / periods), slope, correlation])
    deviation = raw.std(axis=0)
    # A feature in which all units are the same, but for rounding, sets none apart.
    alike = deviation <= 1e-9 * np.maximum(np.abs(raw).max(axis=0), 1e-9)
    standard: Floats = (raw - raw.mean(axis=0)) / np.where(alike, 1.0, deviation)
    standard[:, alike] = 0.0
    return standard


def distances(features: Floats) -> Floats:
    """Euclidean distance of every two units, shape [units, units]."""
    squares = (features**2).sum(axis=1)
    apart: Floats = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2.0 * features @ features.T, 0.0))
    return apart


def rows_of(panel: Panel, units: Iterable[str], what: str) -> list[int]:
    """Rows of units in the panel, in the order given, without repetition.

    Raises:
        InvalidDesign: a unit that the panel does not have; `what` says which list it stands in.
    """
    rows: dict[int, None] = {}
    for unit in units:
        row = panel.place.get(unit.casefold())
        if row is None:
            raise InvalidDesign(
                f"There is no unit {unit!r} in the panel.", where=what, fix=f"Use its spelling: {_near(panel, unit)}."
            )
        rows[row] = None
    return list(rows)


def _near(panel: Panel, unit: str) -> str:
    """Some names of the panel, those that begin alike first."""
    start = unit.casefold()[:2]
    names: Sequence[str] = sorted(panel.units, key=lambda name: (not name.casefold().startswith(start), name))
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
