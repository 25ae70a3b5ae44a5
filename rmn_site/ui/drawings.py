"""Geometry of the small drawings that pages carry inline. Pure: numbers in, SVG attribute values out.

They are made on the server, as attributes and never as styles, so that the content policy can refuse inline style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SPARK_WIDTH, SPARK_HEIGHT = 100, 28
_TOP, _BOTTOM = 3.0, 25.0
INTERVAL_WIDTH = 96


@dataclass(frozen=True)
class Sparkline:
    """SVG path data in a box of 100 x 28."""

    line: str
    area: str
    compare: str


def sparkline(values: Sequence[float | None], compare: Sequence[float | None] = ()) -> Sparkline | None:
    """Paths of a series and, on the same scale, of the one it is compared with.

    None in a series is a gap, not a zero. Returns None where no value is known.
    """
    known = [float(value) for value in (*values, *compare) if value is not None]
    if not any(value is not None for value in values):
        return None
    low, high = min(known), max(known)

    def path(series: Sequence[float | None]) -> tuple[str, str]:
        return _paths(series, low, high)

    line, area = path(values)
    return Sparkline(line=line, area=area, compare=path(compare)[0] if compare else "")


def _paths(series: Sequence[float | None], low: float, high: float) -> tuple[str, str]:
    span = (high - low) or 1.0
    step = SPARK_WIDTH / max(len(series) - 1, 1)
    lines: list[str] = []
    areas: list[str] = []
    run: list[tuple[float, float]] = []

    def close() -> None:
        if not run:
            return
        # A single point would draw nothing: give it the width of half a step on either side.
        points = run if len(run) > 1 else [(run[0][0] - step / 2, run[0][1]), (run[0][0] + step / 2, run[0][1])]
        drawn = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        lines.append(drawn)
        areas.append(f"{drawn}L{points[-1][0]:.1f} {SPARK_HEIGHT}L{points[0][0]:.1f} {SPARK_HEIGHT}Z")
        run.clear()

    for index, value in enumerate(series):
        if value is None:
            close()
            continue
        run.append((index * step, _BOTTOM - (float(value) - low) / span * (_BOTTOM - _TOP)))
    close()
    return "".join(lines), "".join(areas)


@dataclass(frozen=True)
class Interval:
    """x positions in a box of 96 x 16."""

    low: float
    middle: float
    high: float
    reference: float | None


def interval(
    low: float, middle: float, high: float, *, minimum: float = 0.0, maximum: float, reference: float | None = 1.0
) -> Interval:
    """Positions of an estimate and its interval on a scale shared by the rows of a table.

    Raises:
        ValueError: the three values are not in order, or the scale is empty.
    """
    if not low <= middle <= high:
        raise ValueError(f"an interval needs low <= middle <= high, got {low}, {middle}, {high}")
    if not minimum < maximum:
        raise ValueError(f"the scale of an interval is empty: {minimum} to {maximum}")

    def place(value: float) -> float:
        return round(scale_to(value, minimum, maximum) * INTERVAL_WIDTH, 1)

    shown = reference is not None and minimum <= reference <= maximum
    return Interval(
        place(low), place(middle), place(high), place(reference) if shown and reference is not None else None
    )


def scale_to(value: float, minimum: float, maximum: float) -> float:
    """Share of the way from minimum to maximum, clipped to 0..1."""
    return min(max((float(value) - minimum) / (maximum - minimum), 0.0), 1.0)


@dataclass(frozen=True)
class Bar:
    """Start and width of a bar in percent of its track; `zero` is where 0 lies, None when it is the left edge."""

    start: float
    width: float
    zero: float | None


def bar(value: float, *, minimum: float = 0.0, maximum: float) -> Bar:
    """A bar that starts at zero, also where the scale has negative values."""
    if not minimum < maximum:
        raise ValueError(f"the scale of a bar is empty: {minimum} to {maximum}")
    zero, tip = scale_to(0.0, minimum, maximum), scale_to(value, minimum, maximum)
    start, end = min(zero, tip), max(zero, tip)
    return Bar(round(start * 100, 2), round((end - start) * 100, 2), round(zero * 100, 2) if minimum < 0 else None)
