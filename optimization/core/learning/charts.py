"""The pictures of a learning programme as specs that static/js/charts.js draws, each with a sentence that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class WeekPoint:
    """One week: money spent and sold as far as it is final, sales expected by its proposal, None where not told."""

    monday: date
    spend: float | None
    sales: float | None
    expected: float | None


@dataclass(frozen=True, kw_only=True)
class SpreadPoint:
    """How well the lines' return factors were known at a proposal: half widths of the 80 % intervals, fractions."""

    monday: date
    widths: tuple[float, ...]


def weekly_chart(points: Sequence[WeekPoint], currency: str) -> dict[str, Any]:
    """Spend, sales and expected sales by week."""
    told = [one for one in points if one.sales is not None]
    last = (
        f" In the week of {told[-1].monday:%-d %b} {told[-1].sales:,.0f} {currency} were sold on {told[-1].spend:,.0f}."
        if told
        else ""
    )
    return {
        "alt": f"Spend, sales and expected sales of {len(points)} weeks, {len(told)} of them observed.{last}",
        "tip": {"head": "longday", "rows": {"Expected sales": "usd0", "Sales": "usd0", "Spend": "usd0"}},
        "option": {
            "grid": {"top": 14, "bottom": 22, "left": 6, "right": 12},
            "xAxis": _weeks([one.monday for one in points]),
            "yAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": "@usd"}},
            "series": [
                _line("Expected sales", [one.expected for one in points], "$base", dash=[4, 3], z=2),
                _line("Sales", [one.sales for one in points], "$focus", z=4),
                _line("Spend", [one.spend for one in points], "$ink", z=3),
            ],
        },
    }


def spread_chart(points: Sequence[SpreadPoint]) -> dict[str, Any]:
    """How the intervals of the lines narrow: median, and where eight of ten lines lie."""
    low_tenth, middle, high_tenth = (
        [round(100.0 * float(np.quantile(one.widths, share)), 1) for one in points] for share in (0.1, 0.5, 0.9)
    )
    days = [one.monday.isoformat() for one in points]
    told = f" from ±{middle[0]:.0f} % to ±{middle[-1]:.0f} %" if len(middle) > 1 else ""
    return {
        "alt": f"Half width of the 80 % interval of the lines' return over {len(points)} proposals: median{told}.",
        "tip": {"head": "longday", "rows": {"Median line": "pct1", "Eight of ten lines": "pct1|range"}},
        "option": {
            "grid": {"top": 14, "bottom": 22, "left": 6, "right": 12},
            "xAxis": _weeks([one.monday for one in points]),
            "yAxis": {"type": "value", "min": 0, "axisLabel": {"formatter": "@pct"}},
            "series": [
                {
                    "type": "custom", "name": "Eight of ten lines", "renderItem": "@band", "silent": True, "z": 1,
                    "data": [[day, low, high] for day, low, high in zip(days, low_tenth, high_tenth, strict=True)],
                    "itemStyle": {"color": "$focus/18"}, "encode": {"x": 0, "y": [1, 2]},
                },
                _line("Median line", middle, "$focus", z=3),
            ],
        },
    }  # fmt: skip


def _weeks(mondays: Sequence[date]) -> dict[str, Any]:
    return {
        "type": "category", "data": [one.isoformat() for one in mondays], "boundaryGap": False,
        "axisLabel": {"formatter": "@day", "hideOverlap": True},
    }  # fmt: skip


def _line(
    name: str, values: Sequence[float | None], colour: str, *, z: int, dash: list[int] | None = None
) -> dict[str, Any]:
    style: dict[str, Any] = {"color": colour, "width": 2}
    return {
        "type": "line", "name": name, "z": z, "symbolSize": 6, "showSymbol": len(values) < 16,
        "data": [None if value is None else round(value, 2) for value in values],
        "lineStyle": style | ({"type": dash} if dash else {}), "itemStyle": {"color": colour},
    }  # fmt: skip
