"""What a design drawn by lot can detect, from tests of nothing on its own history.

The statistic is that of the analysis: the mean log change of treated units less that of their controls, within pairs
or strata. Its standard error is taken in windows of the history in which nothing was done, each as long as the test,
and averaged as variances. Units are matched and drawn anew for each window, on what lies before it: units matched on
all of the history are alike in all of it, and would make the next test look better than it is.

MDE = shift x SE, where the noncentral t with as many degrees of freedom as pairs, or strata, less one has the power
asked for; for many pairs (z(1 - alpha/2) + z(power)) x SE. It is a lift after undoing the logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, t

from measurement.core.arrays import Floats
from measurement.core.assignment import Assignment, InvalidDesign
from measurement.core.panel import Panel
from measurement.core.words import count_of

#: Fewer windows make power jump between few values.
LEAST_WINDOWS: Final = 7
_WINDOWS: Final = 12
_CERTAIN: Final = 30.0
#: Beyond this the other tail holds nothing.
_NEAR: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class DrawnPower:
    """What tests of one length can detect.

    Attributes:
        duration: periods. error: standard error of the log lift. mde: smallest lift found with the power asked for.
        bias: mean of the lifts found where nothing was done. windows: how many they come from.
        degrees: of freedom of the error in one test.
    """

    duration: int
    error: float
    mde: float
    bias: float
    windows: int
    degrees: int

    def power(self, effect: float, alpha: float) -> float:
        """Chance to find a lift, two-sided."""
        shift = abs(math.log1p(effect)) / self.error
        limit = float(t.isf(alpha / 2, self.degrees))
        return alpha if shift == 0.0 else _found(shift, limit, self.degrees)


def drawn_power(
    panel: Panel,
    draw: Callable[[Panel], Assignment],
    durations: Sequence[int],
    *,
    alpha: float,
    power: float,
    cell: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[DrawnPower]:
    """By duration, what a design detects.

    Args:
        panel: the history. draw: assigns units on a history, as the design does. durations: of the test, in periods.
        cell: of several, one against the shared control.
        progress: called with windows done and all windows.

    Raises:
        InvalidDesign: a unit without sales, or a history that holds fewer than `LEAST_WINDOWS` windows.
    """
    plan = [(duration, start) for duration in durations for start in _starts(len(panel.periods), duration)]
    found: dict[int, list[tuple[float, float, int, int]]] = {duration: [] for duration in durations}
    for done, (duration, start) in enumerate(plan, start=1):
        assignment = draw(first_periods(panel, start))
        groups = _groups(panel, assignment, cell)
        rows = sorted({row for arms in groups for arm in arms for row in arm})
        found[duration].append((*_estimate(_changes(panel, rows, start, duration), groups), start))
        if progress is not None:
            progress(done, len(plan))
    return [_told(duration, windows, len(panel.periods), alpha, power) for duration, windows in found.items()]


def first_periods(panel: Panel, periods: int) -> Panel:
    """What a panel held after so many periods."""
    return replace(
        panel,
        periods=panel.periods[:periods],
        outcome=panel.outcome[:, :periods],
        cost=None if panel.cost is None else panel.cost[:, :periods],
    )


def _told(
    duration: int, windows: Sequence[tuple[float, float, int, int]], periods: int, alpha: float, power: float
) -> DrawnPower:
    """Of windows told as lift, variance, degrees and start; `periods` is the history of the next test."""
    lifts, variances, degrees, starts = zip(*windows, strict=True)
    error, least = math.sqrt(_carried_on(np.array(starts, float), np.array(variances), periods)), min(degrees)
    limit = float(t.isf(alpha / 2, least))

    def missing(shift: float) -> float:
        return _found(shift, limit, least) - power

    # Student's t on an effect follows the noncentral t: with few pairs the sum of two quantiles would be too short.
    reach = float(brentq(missing, 0.0, _CERTAIN)) * error
    return DrawnPower(
        duration=duration,
        error=error,
        mde=math.expm1(reach),
        bias=math.expm1(float(np.mean(lifts))),
        windows=len(windows),
        degrees=least,
    )


def _found(shift: float, limit: float, degrees: int) -> float:
    """Chance that |t| is beyond a limit where t is shifted; the noncentral t has no digits left far out."""
    if shift > _CERTAIN:
        return 1.0
    below = float(nct.cdf(-limit, degrees, shift)) if shift < _NEAR else 0.0
    above = float(nct.sf(limit, degrees, shift))
    return min(1.0, above + below) if math.isfinite(above) else 1.0


def _carried_on(lengths: Floats, variances: Floats, periods: int) -> float:
    """The variance at the length of the whole history: what wanders is the further from its mean the longer that is.

    A line through the windows' variances, carried on to the next test; never below their mean, for a slope downwards is
    chance or the end of a trend.
    """
    centred = lengths - lengths.mean()
    spread = float(centred @ centred)
    slope = max(0.0, float(centred @ variances) / spread) if spread else 0.0
    return float(variances.mean()) + slope * (periods - float(lengths.mean()))


def _starts(periods: int, duration: int) -> list[int]:
    """Where windows begin: as late as can be, for the history of the next test is longer than that of any."""
    last = periods - duration
    first = max(duration, 8, last - max(2 * duration, LEAST_WINDOWS))
    if last - first + 1 < LEAST_WINDOWS:
        raise InvalidDesign(
            f"A history of {count_of(periods, 'period')} is too short for tests of {duration}.",
            where="duration",
            fix=f"Send at least {max(duration, 8) + duration + LEAST_WINDOWS} periods, or ask for shorter tests.",
        )
    return sorted({int(at) for at in np.linspace(first, last, min(_WINDOWS, last - first + 1))})


def _changes(panel: Panel, rows: Sequence[int], start: int, duration: int) -> dict[int, float]:
    """Row -> log of its mean in a window over that before."""
    before = panel.outcome[rows, :start].mean(axis=1)
    during = panel.outcome[rows, start : start + duration].mean(axis=1)
    dead = [panel.units[row] for row, old, new in zip(rows, before, during, strict=True) if old <= 0 or new <= 0]
    if dead:
        raise InvalidDesign(
            f"{dead[0]!r} sold nothing in a window of the history, so its change has no logarithm.",
            where="units",
            fix="Exclude it, or ask for longer tests.",
        )
    return dict(zip(rows, np.log(during / before).tolist(), strict=True))


def _groups(panel: Panel, assignment: Assignment, cell: str) -> list[tuple[list[int], list[int]]]:
    """Treated and control rows of each pair or stratum; of all units where there are none."""
    by_name: dict[str, tuple[list[int], list[int]]] = {}
    for one in assignment.rows:
        if one.group == "excluded" or (one.group == "treated" and cell and one.cell != cell):
            continue
        arms = by_name.setdefault(one.pair or one.stratum, ([], []))
        arms[0 if one.group == "treated" else 1].append(panel.place[one.unit.casefold()])
    return [arms for arms in by_name.values() if arms[0] and arms[1]]


def _estimate(change: dict[int, float], groups: Sequence[tuple[list[int], list[int]]]) -> tuple[float, float, int]:
    """The mean difference weighted by treated units, its variance between groups (or in the only one), and degrees."""
    weights: Floats = np.array([len(treated) for treated, _ in groups], dtype=float)
    weights /= weights.sum()
    differences = np.array(
        [np.mean([change[r] for r in treated]) - np.mean([change[r] for r in control]) for treated, control in groups]
    )
    estimate = float(weights @ differences)
    if len(groups) > 1:
        scale = len(groups) / (len(groups) - 1)
        return estimate, float(scale * np.sum(weights**2 * (differences - estimate) ** 2)), len(groups) - 1
    treated, control = ([change[row] for row in rows] for rows in groups[0])
    if min(len(treated), len(control)) < 2:
        raise InvalidDesign("One unit in an arm tells no spread.", where="units", fix="Treat and keep at least two.")
    variance = float(np.var(treated, ddof=1) / len(treated) + np.var(control, ddof=1) / len(control))
    return estimate, variance, len(treated) + len(control) - 2
