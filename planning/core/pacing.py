"""Where spend is heading: a projection of daily spend with its band, and the day a budget is used up.

The level is the mean of the last four weeks with the weekday's share taken out, extreme days pulled in; a day to come
is the level times the share of its weekday. The band is what the same projection, made on each earlier day of the
series, missed by: the mean squared relative error of the sum over h days is told by h as a/h + b + c h (single days
average out, an error of the level stays, a drift of it grows), and the quantile is that of Student's t with degrees of
freedom by the number of windows of that length. Nothing is known of promotions to come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import t as student

Floats = NDArray[np.float64]

#: Days that the level is the mean of, and those that weekdays are told apart by.
RECENT: Final = 28
SEASON: Final = 56
#: With fewer days of spend there is no projection.
LEAST_DAYS: Final = 14
#: Earlier days that projections are made on to judge them.
MOST_ORIGINS: Final = 180
LEVEL: Final = 0.8
#: A weekday's share is drawn towards an even one as if it had been seen so many days more.
_SHRINK: Final = 2.0
#: Relative error assumed of one day, and of the level, where the series is too short to judge projections by.
_UNKNOWN: Final = (0.5, 0.25)


@dataclass(frozen=True, eq=False, kw_only=True)
class Projection:
    """Spend of the days to come; arrays of shape (h,), money.

    Attributes:
        daily: expected spend per day.
        low, high: 80 % interval of the SUM from the first day to each day.
        judged_by: how many earlier projections the band rests on; 0 where it is assumed.
    """

    daily: Floats
    low: Floats
    high: Floats
    judged_by: int

    @property
    def total(self) -> Floats:
        """Expected sum from the first day to each day."""
        return np.cumsum(self.daily)


def weekday_shares(spend: Floats, weekdays: NDArray[np.intp]) -> Floats:
    """Spend of each weekday relative to the mean day, Monday first, shape (7,); even where nothing is spent."""
    recent, days = spend[-SEASON:], weekdays[-SEASON:]
    mean = float(recent.mean()) if recent.size else 0.0
    if mean <= 0.0:
        return np.ones(7)
    counts = np.bincount(days, minlength=7)
    sums = np.bincount(days, weights=recent, minlength=7)
    shares = (sums / mean + _SHRINK) / (counts + _SHRINK)
    return np.asarray(shares / shares.mean())


def point(spend: Floats, weekdays: NDArray[np.intp], ahead: int) -> Floats:
    """Expected spend of the next days, shape (ahead,).

    Args:
        spend: money per day without a gap, the newest last, shape (n,); weekdays: of these days, 0 for Monday.
    """
    shares = weekday_shares(spend, weekdays)
    level = _level(spend[-RECENT:] / np.maximum(shares[weekdays[-RECENT:]], 1e-9))
    coming = (int(weekdays[-1]) + 1 + np.arange(ahead)) % 7
    return np.asarray(level * shares[coming])


def _points(series: Floats, weekdays: NDArray[np.intp], origins: NDArray[np.intp], ahead: int) -> Floats:
    """`point` made on each of these days, shape (o, ahead); at once where a whole season lies before the day."""
    said = np.empty((origins.size, ahead))
    early = origins < SEASON
    for row in np.flatnonzero(early):
        said[row] = point(series[: origins[row]], weekdays[: origins[row]], ahead)
    late = origins[~early]
    if not late.size:
        return said
    before = late[:, None] + np.arange(-SEASON, 0)
    spend, days = series[before], weekdays[before]
    mean = spend.mean(axis=1, keepdims=True)
    # Every weekday comes equally often in whole weeks: those seven columns apart are of one weekday.
    sums = np.zeros((late.size, 7))
    np.put_along_axis(sums, days[:, :7], spend.reshape(late.size, -1, 7).sum(axis=1), axis=1)
    shares = (np.divide(sums, mean, out=np.zeros_like(sums), where=mean > 0.0) + _SHRINK) / (SEASON / 7 + _SHRINK)
    shares = np.where(mean > 0.0, shares / shares.mean(axis=1, keepdims=True), 1.0)
    values = spend[:, -RECENT:] / np.maximum(np.take_along_axis(shares, days[:, -RECENT:], axis=1), 1e-9)
    middle = np.median(values, axis=1, keepdims=True)
    spread = 3.0 * 1.4826 * np.median(np.abs(values - middle), axis=1, keepdims=True)
    pulled = np.where(spread > 0.0, np.clip(values, middle - spread, middle + spread), values)
    coming = (weekdays[late - 1][:, None] + 1 + np.arange(ahead)) % 7
    said[~early] = pulled.mean(axis=1, keepdims=True) * np.take_along_axis(shares, coming, axis=1)
    return said


def _level(values: Floats) -> float:
    """Mean with extreme days pulled in to three robust deviations of the median."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if spread <= 0.0:
        return float(values.mean())
    return float(np.clip(values, middle - 3.0 * spread, middle + 3.0 * spread).mean())


def expected(spend: Sequence[float] | Floats, first: date, ahead: int) -> Floats | None:
    """The daily spend of `project` alone, without its band; None where the series is too short to say anything."""
    series = np.asarray(spend, dtype=np.float64)
    if series.size < LEAST_DAYS or ahead <= 0:
        return None
    return point(series, (first.weekday() + np.arange(series.size)) % 7, ahead)


def project(spend: Sequence[float] | Floats, first: date, ahead: int) -> Projection | None:
    """The next `ahead` days after a series of daily spend; None where it is too short to say anything.

    Args:
        spend: money per day from `first` on, without a gap.
    """
    series = np.asarray(spend, dtype=np.float64)
    if series.size < LEAST_DAYS or ahead <= 0:
        return None
    weekdays = (first.weekday() + np.arange(series.size)) % 7
    daily = point(series, weekdays, ahead)
    sums = np.cumsum(daily)
    steps = np.arange(1, ahead + 1, dtype=np.float64)
    terms, judged_by = _error_terms(series, weekdays, ahead)
    deviation = np.sqrt(_design(steps) @ terms)
    # Windows overlap, and most of what they share is little: three for each that lies apart come close to 80 %.
    free = np.maximum(3.0 * judged_by / steps, 4.0)
    width = student.ppf(0.5 + LEVEL / 2.0, free) * deviation if judged_by else 1.2816 * deviation
    return Projection(
        daily=daily, low=sums * np.maximum(0.0, 1.0 - width), high=sums * (1.0 + width), judged_by=judged_by
    )


def _design(steps: Floats) -> Floats:
    return np.stack([1.0 / steps, np.ones_like(steps), steps], axis=1)


def _error_terms(series: Floats, weekdays: NDArray[np.intp], ahead: int) -> tuple[Floats, int]:
    """a, b, c of the squared relative error by length, and the number of earlier days that were judged."""
    start = min(RECENT, max(LEAST_DAYS, series.size // 2))
    origins = range(max(start, series.size - MOST_ORIGINS), series.size)
    if len(origins) < LEAST_DAYS:
        return np.array([_UNKNOWN[0] ** 2, _UNKNOWN[1] ** 2, 0.0]), 0
    said = np.cumsum(_points(series, weekdays, np.asarray(origins), ahead), axis=1)
    reached = np.concatenate([[0.0], np.cumsum(series)])
    ends = np.asarray(origins)[:, None] + np.arange(1, ahead + 1)
    over = ends <= series.size
    was = reached[np.minimum(ends, series.size)] - reached[np.asarray(origins)][:, None]
    known = over & (said > 0.0)
    error = np.divide(was - said, said, out=np.zeros_like(said), where=known)
    squared, counts = (error**2).sum(axis=0), known.sum(axis=0)
    seen = counts > 0
    if not seen.any():
        return np.array([_UNKNOWN[0] ** 2, _UNKNOWN[1] ** 2, 0.0]), 0
    steps = np.arange(1, ahead + 1, dtype=np.float64)[seen]
    # A length that fits in often says more; in the end windows overlap, so lengths weigh by windows apart.
    weight = np.sqrt(counts[seen] / steps)
    mean = squared[seen] / counts[seen]
    scale = weight / np.maximum(mean, 1e-12)
    terms, _ = nnls(_design(steps) * scale[:, None], mean * scale)
    return np.asarray(terms), len(origins)


def used_up(cumulative: Sequence[float] | Floats, budget: float, first: date) -> date | None:
    """The first day on which spend reaches a budget; None where it does not in these days.

    Args:
        cumulative: spend from the beginning of the budget's period to the end of each day, `first` being the first.
    """
    reached = np.flatnonzero(np.asarray(cumulative) >= budget * (1.0 - 1e-12))
    return first + timedelta(days=int(reached[0])) if reached.size and math.isfinite(budget) else None
