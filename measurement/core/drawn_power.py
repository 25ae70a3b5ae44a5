"""What a design drawn by lot can detect, from tests of nothing on its own history.

The statistic is that of the analysis: the mean log change of treated units less that of their controls, within pairs
or strata. Its standard error is taken at the end of windows of the history in which nothing was done, each as long as
the test, and averaged as variances. MDE = (z(1 - alpha/2) + z(power)) x SE, a lift after undoing the logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import norm

from measurement.core.arrays import Floats
from measurement.core.assignment import Assignment, InvalidDesign
from measurement.core.panel import Panel

#: Fewer windows make power jump between few values.
LEAST_WINDOWS: Final = 7
_WINDOWS: Final = 12


@dataclass(frozen=True, kw_only=True)
class DrawnPower:
    """What tests of one length can detect.

    Attributes:
        duration: periods. error: standard error of the log lift. mde: smallest lift found with the power asked for.
        bias: mean of the lifts found where nothing was done. windows: how many they come from.
    """

    duration: int
    error: float
    mde: float
    bias: float
    windows: int

    def power(self, effect: float, alpha: float) -> float:
        """Chance to find a lift, two-sided."""
        shift = abs(math.log1p(effect)) / self.error
        limit = float(norm.isf(alpha / 2))
        return float(norm.sf(limit - shift) + norm.cdf(-limit - shift))


def drawn_power(
    panel: Panel, assignment: Assignment, durations: Sequence[int], *, alpha: float, power: float, cell: str = ""
) -> list[DrawnPower]:
    """By duration, what an assignment detects.

    Args:
        panel: the history. durations: of the test, in periods. cell: of several, one against the shared control.

    Raises:
        InvalidDesign: a unit without sales, or a history that holds fewer than `LEAST_WINDOWS` windows.
    """
    treated = [panel.place[unit.casefold()] for unit in assignment.of("treated", cell or None)]
    control = [panel.place[unit.casefold()] for unit in assignment.of("control")]
    groups = _groups(panel, assignment, cell)
    found = []
    for duration in durations:
        starts = _starts(len(panel.periods), duration)
        lifts, variances = [], []
        for start in starts:
            change = _changes(panel, [*treated, *control], start, duration)
            estimate, variance = _estimate(change, groups)
            lifts.append(estimate)
            variances.append(variance)
        error = math.sqrt(float(np.mean(variances)))
        reach = (float(norm.isf(alpha / 2)) + float(norm.ppf(power))) * error
        found.append(
            DrawnPower(
                duration=duration, error=error, mde=math.expm1(reach), bias=math.expm1(float(np.mean(lifts))),
                windows=len(starts),
            )
        )  # fmt: skip
    return found


def _starts(periods: int, duration: int) -> list[int]:
    """Where windows begin: the history before one is at least as long as it."""
    first, last = max(duration, 2), periods - duration
    if last - first + 1 < LEAST_WINDOWS:
        raise InvalidDesign(
            f"A history of {periods} periods is too short for tests of {duration}.",
            where="duration",
            fix=f"Send at least {2 * duration + LEAST_WINDOWS} periods, or ask for shorter tests.",
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


def _estimate(change: dict[int, float], groups: Sequence[tuple[list[int], list[int]]]) -> tuple[float, float]:
    """The mean difference weighted by treated units, and its variance between groups, or within the only one."""
    weights: Floats = np.array([len(treated) for treated, _ in groups], dtype=float)
    weights /= weights.sum()
    differences = np.array(
        [np.mean([change[r] for r in treated]) - np.mean([change[r] for r in control]) for treated, control in groups]
    )
    estimate = float(weights @ differences)
    if len(groups) > 1:
        scale = len(groups) / (len(groups) - 1)
        return estimate, float(scale * np.sum(weights**2 * (differences - estimate) ** 2))
    treated, control = ([change[row] for row in rows] for rows in groups[0])
    if min(len(treated), len(control)) < 2:
        raise InvalidDesign("One unit in an arm tells no spread.", where="units", fix="Treat and keep at least two.")
    return estimate, float(np.var(treated, ddof=1) / len(treated) + np.var(control, ddof=1) / len(control))
