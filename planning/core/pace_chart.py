"""The burn-up of a budget: plan, spent, and where it is heading."""

from __future__ import annotations

import math
from typing import Any

from planning.core.amounts import short_money as money
from planning.core.charts import round_up
from planning.core.pace import Pace
from planning.core.pacing import Floats


def burn_up(found: Pace, currency: str, name: str) -> dict[str, Any]:
    """Cumulative spend by day against the plan, with the band of the projection."""
    days = [day.isoformat() for day in found.days]
    highest = [found.amount, found.spent, *(one for one in (found.high, found.projected) if one is not None)]
    top = round_up(max(highest))
    passed = sum(not math.isnan(one) for one in found.actual)
    # The projection starts where the actual spend ends, so that the lines meet.
    joint = found.actual[passed - 1] if passed else None
    ahead = [joint if at == passed - 1 else _number(one) for at, one in enumerate(found.ahead)]
    band = [
        [at, round(float(low), 2), round(float(high), 2)]
        for at, (low, high) in enumerate(zip(found.ahead_low, found.ahead_high, strict=True))
        if not math.isnan(low)
    ]
    if band and joint is not None:
        band.insert(0, [passed - 1, round(float(joint), 2), round(float(joint), 2)])
    told = f"{name}: {money(found.spent, currency)} spent of {money(found.amount, currency)}"
    if found.projected is not None and found.low is not None and found.high is not None:
        told += (
            f", heading for {money(found.projected, currency)} ({money(found.low, currency)} to "
            f"{money(found.high, currency)})"
        )
    cap = f", used up about {found.cap_day:%-d %b}" if found.cap_day else ""
    series: list[dict[str, Any]] = [
        {
            "type": "custom", "name": "80% interval", "renderItem": "@band", "silent": True, "z": 1, "data": band,
            "itemStyle": {"color": "$focus/18"}, "encode": {"x": 0, "y": [1, 2]},
        },
        {
            "type": "line", "name": "Plan", "showSymbol": False, "z": 2,
            "data": [round(float(x), 2) for x in found.plan],
            "lineStyle": {"color": "$base", "width": 1.5, "type": "dashed"}, "itemStyle": {"color": "$base"},
            "markLine": {
                "silent": True, "symbol": "none", "lineStyle": {"color": "$base", "type": "solid", "width": 1},
                "label": {
                    "color": "$muted", "fontSize": 11, "position": "insideStartTop",
                    "formatter": f"Budget {money(found.amount, currency)}",
                },
                "data": [{"yAxis": found.amount}],
            },
        },
        {
            "type": "line", "name": "Spent", "showSymbol": False, "z": 4,
            "data": [_number(one) for one in found.actual],
            "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
        },
        {
            "type": "line", "name": "Projected", "showSymbol": False, "z": 3, "data": ahead,
            "lineStyle": {"color": "$focus", "width": 2, "type": "dotted"}, "itemStyle": {"color": "$focus"},
            "endLabel": {
                "show": found.projected is not None and passed < len(days), "color": "$focus", "fontWeight": 600,
                "fontSize": 11, "formatter": money(found.projected or 0.0, currency),
            },
        },
    ]  # fmt: skip
    return {
        "alt": f"{told}{cap}.",
        "tip": {"head": "longday", "rows": {"Spent": "usd|0", "Projected": "usd|0", "Plan": "usd|0"}},
        "option": {
            "grid": {"top": 14, "right": 58, "left": 4},
            "xAxis": {"type": "category", "data": days, "boundaryGap": False, "axisLabel": {"formatter": "@day"}},
            "yAxis": {"type": "value", "min": 0, "max": top, "interval": top / 4, "axisLabel": {"formatter": "@usd"}},
            "series": series,
        },
    }  # fmt: skip


def _number(value: Floats | float) -> float | None:
    return None if math.isnan(float(value)) else round(float(value), 2)
