"""A metric over time as a chart specification: pure data that static/js/charts.js draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

import polars as pl

from metrics.core.definitions import METRICS
from metrics.core.request import Period
from metrics.core.table import PREVIOUS, MetricTable

Grain = Literal["date", "week"]
#: Longer periods are drawn by week: more points than that cannot be told apart.
MOST_DAYS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Figures by day or week, without holes: a time for which nothing is told is None."""

    times: tuple[date, ...]
    values: tuple[float | None, ...]
    previous: tuple[float | None, ...]


def grain_of(period: Period) -> Grain:
    """By day as long as days can be told apart, else by week."""
    return "date" if period.days <= MOST_DAYS else "week"


def series_of(table: MetricTable, metric: str) -> Series:
    """A metric of a table by date or week. Lines without a time (rows that were not split) are not in it."""
    grain = table.request.dimensions[0]
    times = _times(table.request.period, grain)
    told = table.lines.filter(pl.col(grain).is_not_null())

    def values(column: str) -> tuple[float | None, ...]:
        found = dict(zip(told[grain], told[column], strict=True)) if column in told.columns else {}
        return tuple(None if (value := found.get(time)) is None else float(value) for time in times)

    previous = values(PREVIOUS + metric)
    return Series(
        times=times,
        values=values(metric),
        previous=previous if any(value is not None for value in previous) else (),
    )


def band_of(table: MetricTable, metric: str) -> tuple[tuple[float | None, float | None], ...]:
    """Of each time of a table the ends of the interval of an incremental figure; empty for others."""
    bounded = {"sales": "incremental_sales", "roas": "iroas"}.get(metric)
    if bounded is None or table.request.attribution != "incremental":
        return ()
    low, high = series_of(table, f"{bounded}_low").values, series_of(table, f"{bounded}_high").values
    # Without a factor both ends are the figure itself, and there is nothing to draw.
    return tuple(zip(low, high, strict=True)) if low != high else ()


def _times(period: Period, grain: str) -> tuple[date, ...]:
    step = 1 if grain == "date" else 7
    first = period.start if grain == "date" else period.start - timedelta(days=period.start.weekday())
    return tuple(first + timedelta(days=offset) for offset in range(0, (period.end - first).days + 1, step))


def chart_of(
    series: Series,
    metric: str,
    *,
    title: str,
    currency: str,
    compared: str,
    restating_from: date | None,
    gaps: Sequence[tuple[date, str]] = (),
    band: Sequence[tuple[float | None, float | None]] = (),
) -> dict[str, Any]:
    """The specification: solid now, dashed before, dotted where figures may still be restated.

    Args:
        title: what the chart shows, for the written summary that stands for the picture.
        currency: of money; its sign is on the axis only for US dollars.
        compared: name of the earlier series.
        restating_from: first day that may still change.
        gaps: (first day, words) of days without data.
        band: of each time the ends of the interval; empty for figures without one.
    """
    name = METRICS[metric].label
    axis, tip = _formats(metric, currency)
    times = [time.isoformat() for time in series.times]
    at = next((i for i, time in enumerate(series.times) if restating_from and time >= restating_from), len(times))
    scale = 100 if METRICS[metric].unit == "fraction" else 1
    values = [None if value is None else round(value * scale, 4) for value in series.values]
    drawn = []
    if series.previous:
        before = [None if value is None else round(value * scale, 4) for value in series.previous]
        drawn.append(_line(compared, before, "$base", 1.25, [4, 3], z=2))
    main = _line(name, [*values[:at], *[None] * (len(times) - at)], "$focus", 2, None, z=3)
    main["markLine"] = _marks(gaps, times)
    if band:
        drawn.insert(0, _band(band, times, scale))
    drawn.append(main)
    if at < len(times):
        # The dotted part starts at the last settled point, so that the line does not break.
        tail = [*[None] * max(at - 1, 0), *values[max(at - 1, 0) :]]
        drawn.append(_line(f"{name}, restating", tail, "$focus", 2, [2, 3], z=3))
        area = [[{"xAxis": times[at]}, {"xAxis": times[-1]}]]
        main["markArea"] = {"data": area, "itemStyle": {"color": "$orange/14"}, "silent": True}
    return {
        "alt": _summary(series, title, restating_from if at < len(times) else None),
        "events": bool(gaps),
        "option": {
            "grid": {"top": 28},
            "xAxis": {
                "type": "category",
                "data": times,
                "boundaryGap": False,
                "axisLabel": {"formatter": "@day", **({"interval": "@everyMonday"} if len(times) > 28 else {})},
            },
            "yAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": axis}},
            "series": drawn,
        },
        "tip": {
            "head": "longday",
            "rows": {line["name"]: f"{tip}|range" if line["type"] == "custom" else tip for line in reversed(drawn)},
        },
    }


def _formats(metric: str, currency: str) -> tuple[str, str]:
    unit = METRICS[metric].unit
    if unit == "money":
        return ("@usd", "usd0") if currency == "USD" else ("@nk", "n")
    return {"count": ("@nk", "n"), "multiple": ("@x1", "x"), "fraction": ("@pct1", "pct1")}[unit]


def _line(
    name: str, data: list[float | None], colour: str, width: float, dashes: list[int] | None, *, z: int
) -> dict[str, Any]:
    style = {"color": colour, "width": width} | ({"type": dashes} if dashes else {})
    # A point between two gaps has no line to be seen by.
    alone = sum(value is not None for value in data) == 1
    return {
        "type": "line",
        "name": name,
        "data": data,
        "symbol": "circle" if alone else "none",
        "showSymbol": alone,
        "itemStyle": {"color": colour},
        "lineStyle": style,
        "z": z,
    }


def _band(ends: Sequence[tuple[float | None, float | None]], times: Sequence[str], scale: int) -> dict[str, Any]:
    known = [
        [time, round(low * scale, 4), round(high * scale, 4)]
        for time, (low, high) in zip(times, ends, strict=True)
        if low is not None and high is not None
    ]
    return {
        "type": "custom",
        "name": "Interval",
        "renderItem": "@band",
        "silent": True,
        "z": 1,
        "data": known,
        "itemStyle": {"color": "$focus/18"},
        "encode": {"x": 0, "y": [1, 2]},
    }


def _marks(gaps: Sequence[tuple[date, str]], times: Sequence[str]) -> dict[str, Any]:
    known = set(times)
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": "$faint", "type": "dotted", "width": 1},
        "label": {"color": "$muted", "distance": 4, "fontSize": 11, "position": "end", "rotate": 0, "align": "right"},
        "data": [
            {"xAxis": day.isoformat(), "label": {"formatter": words}} for day, words in gaps if day.isoformat() in known
        ],
    }


def _summary(series: Series, title: str, restating_from: date | None) -> str:
    told = [(value, time) for value, time in zip(series.values, series.times, strict=True) if value is not None]
    parts = [f"{title}, {series.times[0]:%-d %b %Y} to {series.times[-1]:%-d %b %Y}."]
    if told:
        peak, low = max(told), min(told)
        parts.append(f"Highest on {peak[1]:%-d %b}, lowest on {low[1]:%-d %b}.")
    else:
        parts.append("No figures.")
    if restating_from is not None:
        parts.append(f"Figures from {restating_from:%-d %b} on may still be restated.")
    return " ".join(parts)
