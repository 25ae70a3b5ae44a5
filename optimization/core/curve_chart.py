"""One response curve as the spec that static/js/charts.js draws, with a sentence that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from optimization.core.stored_curves import StoredCurve

_POINTS = 48
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def curve_chart(
    curve: StoredCurve, *, fitted: StoredCurve | None, weeks: Sequence[tuple[str, float, float]], currency: str
) -> dict[str, Any]:
    """Expected sales of a week against its spend, with the interval and the weeks that were seen.

    Args:
        fitted: the curve under an override; None where there is none.
        weeks: (Monday, spend, sales) as reported.
    """
    seen = curve.observed_spend[1]
    end = max(1.25 * max([seen, curve.reference_spend, *(spend for _, spend, _ in weeks)]), 1.0)
    spend = np.linspace(0.0, end, _POINTS)
    xs = [round(float(x), 2) for x in spend]
    middle = curve.revenue(spend)
    low, high = curve.interval(spend)
    at_usual = float(curve.revenue(curve.reference_spend))
    series: list[dict[str, Any]] = [
        {
            "type": "custom", "name": "80% interval", "renderItem": "@band", "silent": True, "z": 1,
            "data": [
                [x, round(float(least), 2), round(float(most), 2)] for x, least, most in zip(xs, low, high, strict=True)
            ],
            "itemStyle": {"color": "$focus/18"}, "encode": {"x": 0, "y": [1, 2]},
        },
        {
            "type": "line", "name": "Expected sales", "showSymbol": False, "z": 3,
            "data": [[x, round(float(y), 2)] for x, y in zip(xs, middle, strict=True)],
            "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
            "markArea": {
                "silent": True, "itemStyle": {"color": "$base/12"}, "label": {"show": False},
                "data": [[{"xAxis": round(seen, 2)}, {"xAxis": round(end, 2)}]],
            },
        },
    ]  # fmt: skip
    if fitted is not None:
        series.append(
            {
                "type": "line",
                "name": "As fitted",
                "showSymbol": False,
                "z": 2,
                "data": [[x, round(float(y), 2)] for x, y in zip(xs, fitted.revenue(spend), strict=True)],
                "lineStyle": {"color": "$base", "width": 1.5, "type": "dashed"},
                "itemStyle": {"color": "$base"},
            }
        )
    if weeks:
        series.append(
            {
                "type": "scatter",
                "name": "Weeks",
                "symbolSize": 7,
                "z": 4,
                "data": [[round(x, 2), round(y, 2)] for _, x, y in weeks],
                "itemStyle": {"color": "$surface", "borderColor": "$base", "borderWidth": 1.5},
            }
        )
    sign = _SIGNS.get(currency, f"{currency} ")
    return {
        "alt": f"Response of {curve.key.sku} in {curve.key.placement.replace('_', ' ')} at {curve.key.retailer}: "
        f"the usual {sign}{curve.reference_spend:,.0f} a week sells about {sign}{at_usual:,.0f}. "
        f"Spend was observed up to {sign}{seen:,.0f}; {len(weeks)} weeks are shown.",
        "tip": {
            "head": "usd",
            "rows": {
                "Expected sales": "usd",
                **({"As fitted": "usd"} if fitted is not None else {}),
                "80% interval": "usd|range",
            },
        },
        "option": {
            "grid": {"top": 24, "bottom": 26, "left": 8},
            "xAxis": {
                "type": "value", "min": 0, "max": round(end, 2),
                "axisLabel": {"formatter": "@usd", "showMaxLabel": False},
                "name": "Spend of a week", "nameLocation": "middle", "nameGap": 26,
            },
            "yAxis": {
                "type": "value", "min": 0, "axisLabel": {"formatter": "@usd"}, "name": "Sales of a week",
                "nameLocation": "end", "nameGap": 10, "nameTextStyle": {"align": "left", "padding": [0, 0, 0, -30]},
            },
            "series": series,
        },
    }  # fmt: skip
