"""The pictures of a reading for a printed report, as drawings of reportlab; the same figures as core/charts.py."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from reportlab.graphics.shapes import Drawing, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import HexColor

from measurement.core.answers import PanelReading
from measurement.core.arrays import Floats
from measurement.core.charts import bin_edges, first_shown, nice_axis, value_axis
from measurement.core.readout import ExperimentFacts
from measurement.core.words import percent, short_money

FOCUS: Final = HexColor("#0072b2")
BASE: Final = HexColor("#7a8494")
INK: Final = HexColor("#1b212b")
MUTED: Final = HexColor("#5b6573")
GRID: Final = HexColor("#edf0f3")
LINE: Final = HexColor("#cfd5dd")
_BAND_FOCUS: Final = HexColor("#cfe3f0")
_BAND_BASE: Final = HexColor("#dfe2e6")
_TEST: Final = HexColor("#eef6fb")
_COOL: Final = HexColor("#f4f5f7")
_FONT: Final = "Helvetica"
_SIZE: Final = 7
_COUNT_STEPS: Final = tuple(lead * 10**power for power in range(7) for lead in (1, 2, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """A field with its scales; points in the units of the page."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    x_ends: tuple[float, float]
    y_ends: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_ends
        return self.left + (value - low) / (high - low or 1.0) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        low, high = self.y_ends
        return self.bottom + (value - low) / (high - low or 1.0) * (self.height - self.top - self.bottom)


def counterfactual_drawing(reading: PanelReading, facts: ExperimentFacts, width: float, height: float) -> Any:
    """Observed (solid) against counterfactual (dashed), the interval grey, test and cool-down shaded."""
    first = first_shown(reading)
    low, high, step = value_axis(reading)
    count = len(reading.periods) - first
    plot = _Plot(
        width=width, height=height, left=38, right=8, top=8, bottom=16, x_ends=(0, count - 1), y_ends=(low, high)
    )
    drawing = Drawing(width, height)
    start, end, cool = (at - first for at in (reading.start, reading.end, reading.cooldown_end))
    _shade(drawing, plot, start, end, _TEST, "Test")
    if cool > end:
        _shade(drawing, plot, end, cool, _COOL, "Cool-down")
    _value_axis(drawing, plot, (low, high, step), facts.currency)
    _period_axis(drawing, plot, reading.periods[first:])
    _band(drawing, plot, reading.low[first:], reading.high[first:], _BAND_BASE)
    _path(drawing, plot, reading.counterfactual[first:], BASE, dash=[3, 2])
    _path(drawing, plot, reading.observed[first:], FOCUS)
    return drawing


def cumulative_drawing(reading: PanelReading, facts: ExperimentFacts, width: float, height: float) -> Any:
    """What the test added up to, with interval; the extra spend dashed."""
    path, lows, highs = reading.cumulative, reading.cumulative_low, reading.cumulative_high
    known = [float(one) for one in (*path, *lows, *highs, reading.cost or 0.0, 0.0) if math.isfinite(one)]
    low, high, step = nice_axis(min(known), max(known))
    plot = _Plot(
        width=width, height=height, left=38, right=36, top=8, bottom=16, x_ends=(0, len(path) - 1), y_ends=(low, high)
    )
    drawing = Drawing(width, height)
    if reading.cooldown_end > reading.end:
        _shade(drawing, plot, reading.end - reading.start, len(path) - 1, _COOL, "Cool-down", below=True)
    _value_axis(drawing, plot, (low, high, step), facts.currency)
    _period_axis(drawing, plot, reading.periods[reading.start : reading.cooldown_end + 1])
    _band(drawing, plot, lows, highs, _BAND_FOCUS)
    if reading.cost is not None:
        level = plot.y(reading.cost)
        drawing.add(Line(plot.left, level, width - plot.right, level, strokeColor=BASE, strokeDashArray=[3, 2]))
        _text(drawing, width - plot.right + 3, level - 2.5, short_money(reading.cost, facts.currency), MUTED)
    _path(drawing, plot, path, FOCUS)
    end = short_money(float(path[-1]), facts.currency)
    _text(drawing, width - plot.right + 3, plot.y(float(path[-1])) - 2.5, end, FOCUS)
    return drawing


def placebo_drawing(reading: PanelReading, width: float, height: float) -> Any | None:
    """Lifts where nothing was done, the actual one as an upright line; None without placebos or lift."""
    lifts = 100.0 * reading.placebos[np.isfinite(reading.placebos)]
    if not len(lifts) or not math.isfinite(reading.lift.value):
        return None
    actual = 100.0 * reading.lift.value
    edges = bin_edges(lifts, actual)
    counts, _ = np.histogram(lifts, edges)
    step = float(next(one for one in _COUNT_STEPS if 5 * one >= counts.max()))
    low, high = 0.0, step * math.ceil(max(int(counts.max()), 1) / step)
    plot = _Plot(
        width=width, height=height, left=20, right=8, top=14, bottom=16,
        x_ends=(float(edges[0]), float(edges[-1])), y_ends=(low, high),
    )  # fmt: skip
    drawing = Drawing(width, height)
    _value_axis(drawing, plot, (low, high, step), "")
    for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            x = plot.x(float(left))
            drawing.add(
                Rect(
                    x + 0.25, plot.y(0), plot.x(float(right)) - x - 0.5, plot.y(float(count)) - plot.y(0),
                    fillColor=BASE, strokeColor=None,
                )
            )  # fmt: skip
    for mark, anchor in ((float(edges[0]), "start"), (0.0, "middle"), (float(edges[-1]), "end")):
        _text(drawing, plot.x(mark), 4, percent(mark / 100, signed=True), MUTED, anchor)
    at = plot.x(actual)
    drawing.add(Line(at, plot.bottom, at, height - plot.top + 2, strokeColor=FOCUS, strokeWidth=1.5))
    words = f"Actual {percent(reading.lift.value, signed=True)}"
    _text(drawing, at, height - plot.top + 5, words, FOCUS, "end" if at > width / 2 else "start")
    return drawing


def _shade(drawing: Any, plot: _Plot, start: float, end: float, colour: Any, name: str, *, below: bool = False) -> None:
    left, right = plot.x(start), plot.x(end)
    top = plot.height - plot.top
    drawing.add(Rect(left, plot.bottom, right - left, top - plot.bottom, fillColor=colour, strokeColor=None))
    _text(drawing, (left + right) / 2, plot.bottom + 4 if below else top - 8, name, MUTED, "middle")


def _value_axis(drawing: Any, plot: _Plot, axis: tuple[float, float, float], currency: str) -> None:
    low, high, step = axis
    for at in range(round((high - low) / step) + 1):
        value = low + at * step
        height = plot.y(value)
        drawing.add(Line(plot.left, height, plot.width - plot.right, height, strokeColor=LINE if at == 0 else GRID))
        _text(drawing, plot.left - 4, height - 2.5, short_money(value, currency), MUTED, "end")


def _period_axis(drawing: Any, plot: _Plot, periods: Sequence[dt.date | int]) -> None:
    every = max(1, math.ceil(60 * len(periods) / (plot.width - plot.left - plot.right)))
    for at in range(0, len(periods), every):
        period = periods[at]
        text = f"{period:%-d %b}" if isinstance(period, dt.date) else str(period)
        _text(drawing, plot.x(at), 4, text, MUTED, "middle")


def _band(drawing: Any, plot: _Plot, low: Floats, high: Floats, colour: Any) -> None:
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    if len(known) < 2:
        return
    points: list[float] = []
    for at in known:
        points += [plot.x(float(at)), plot.y(float(high[at]))]
    for at in known[::-1]:
        points += [plot.x(float(at)), plot.y(float(low[at]))]
    drawing.add(Polygon(points, fillColor=colour, strokeColor=None))


def _path(drawing: Any, plot: _Plot, values: Floats, colour: Any, dash: list[int] | None = None) -> None:
    points: list[float] = []
    for at in np.flatnonzero(np.isfinite(values)):
        points += [plot.x(float(at)), plot.y(float(values[at]))]
    if len(points) >= 4:
        drawing.add(PolyLine(points, strokeColor=colour, strokeWidth=1, strokeDashArray=dash))


def _text(drawing: Any, x: float, y: float, text: str, colour: Any, anchor: str = "start") -> None:
    # The printer's fonts have no minus of their own; the short dash is as wide as their plus.
    written = text.replace("\N{MINUS SIGN}", "\N{EN DASH}")
    drawing.add(String(x, y, written, fontName=_FONT, fontSize=_SIZE, fillColor=colour, textAnchor=anchor))
