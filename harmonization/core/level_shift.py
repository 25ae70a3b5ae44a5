"""Lasting changes of a daily series against its own history.

Each day is compared, on a logarithmic scale, with the median of the same weekday in the four weeks before, and the
difference with how much such differences usually scatter (1.4826 times the median absolute deviation, which estimates
a standard deviation and is not moved by outliers: Rousseeuw and Croux, Alternatives to the Median Absolute Deviation,
JASA 88, 1993). A shift is a run of days that all differ the same way by more than chance and by enough to matter.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LAGS: Final = (7, 14, 21, 28)
FEWEST_LAGS: Final = 3
SCATTER_DAYS: Final = 42
FEWEST_SCATTER: Final = 14
TO_SIGMA: Final = 1.4826
_SERIES_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """When a difference is a shift.

    Attributes:
        sigmas: differences of fewer standard deviations are chance.
        factor: smaller changes (0.67 to 1.5 for 1.5) do not matter.
        days: a shift lasts at least as many days.
        least_sigma: scatter is never taken to be less: a series that never moved would make a cent a shift.
    """

    sigmas: float = 3.0
    factor: float = 1.5
    days: int = 3
    least_sigma: float = 0.08


@dataclass(frozen=True, slots=True)
class Shift:
    """A run of days of one series: first and last day (indices, inclusive), and the median ratio to what was usual."""

    series: int
    first: int
    last: int
    ratio: float


def usual(values: Floats) -> Floats:
    """What each day would be by its own history: the median of the same weekday of the four weeks before.

    Args:
        values: shape [series, days], one column per calendar day; NaN where nothing is known.

    Returns:
        the same shape; NaN where fewer than three of the four weeks are known.
    """
    lagged = np.full((len(LAGS), *values.shape), np.nan)
    for place, lag in enumerate(LAGS):
        lagged[place, :, lag:] = values[:, :-lag]
    known = np.isfinite(lagged).sum(axis=0)
    return np.where(known >= FEWEST_LAGS, _median(lagged, axis=0), np.nan)


def find_shifts(values: Floats, noise: Floats, sensitivity: Sensitivity) -> list[Shift]:
    """Shifts of each series, in order of series and day.

    Args:
        values: shape [series, days], positive; NaN where nothing is known or too little happened to say anything.
        noise: the same shape: standard deviation that counting alone gives the logarithm of each value.
    """
    found = []
    for start in range(0, len(values), _SERIES_AT_ONCE):
        part = slice(start, start + _SERIES_AT_ONCE)
        away, limit = _differences(np.log(values[part]), noise[part], sensitivity)
        for row in range(len(away)):
            found += _runs(start + row, away[row], limit[row], sensitivity)
    return found


def _differences(logs: Floats, noise: Floats, sensitivity: Sensitivity) -> tuple[Floats, Floats]:
    away = logs - usual(logs)
    padded = np.concatenate([np.full((len(away), SCATTER_DAYS), np.nan), away[:, :-1]], axis=1)
    before = np.lib.stride_tricks.sliding_window_view(padded, SCATTER_DAYS, axis=1)[:, : away.shape[1]]
    scatter = TO_SIGMA * _median(np.abs(before - _median(before, axis=-1)[..., None]), axis=-1)
    scatter = np.where(np.isfinite(before).sum(axis=-1) >= FEWEST_SCATTER, scatter, np.nan)
    # The usual value is a median of four counts, so it is half as noisy again.
    sigma = np.maximum(np.maximum(scatter, sensitivity.least_sigma), noise * 1.25)
    return away, np.maximum(sensitivity.sigmas * sigma, np.log(sensitivity.factor))


def _runs(series: int, away: Floats, limit: Floats, sensitivity: Sensitivity) -> list[Shift]:
    beyond = np.where(np.isfinite(away) & np.isfinite(limit) & (np.abs(away) > limit), np.sign(away), 0.0)
    runs, day = [], 0
    while day < len(beyond):
        sign = beyond[day]
        if sign == 0:
            day += 1
            continue
        end = day
        while end + 1 < len(beyond) and beyond[end + 1] == sign:
            end += 1
        if end - day + 1 >= sensitivity.days:
            runs.append(Shift(series, day, end, float(np.exp(np.median(away[day : end + 1])))))
        day = end + 1
    return runs


def _median(values: Floats, axis: int) -> Floats:
    with warnings.catch_warnings():
        # Where nothing is known the median is not known either; that is what NaN says.
        warnings.simplefilter("ignore", RuntimeWarning)
        median: Floats = np.nanmedian(values, axis=axis)
    return median
