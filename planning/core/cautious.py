"""What attributed sales are worth at least where nothing was measured, for a limit that is judged cautiously."""

from __future__ import annotations

from functools import cache

from measurement.core.calibration import calibrate


@cache
def untested() -> float:
    """Incremental over attributed sales of a line that no factor speaks of, in four of five cases at least: the lower
    quantile of what calibration thinks of any cell before any test."""
    return calibrate([("", "")], [], draws=1).factors[0].cautious
