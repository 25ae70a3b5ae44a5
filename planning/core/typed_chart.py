"""The picture of a typed allocation: now, typed and best of each line on one axis."""

from __future__ import annotations

from typing import Any

from planning.core.amounts import short_money as money
from planning.core.charts import MOST_LINES, distinct, round_up, short_name
from planning.core.simulation import Simulation


def typed_chart(simulation: Simulation) -> dict[str, Any]:
    """The lines that change most, or that are furthest from the best, with a mark for each of the three amounts."""
    currency = simulation.currency

    def reach(line: Any) -> float:
        others = [float(line.now), line.best if line.best is not None else float(line.typed)]
        return max(abs(float(line.typed) - other) for other in others)

    shown = sorted(simulation.lines, key=lambda line: (-reach(line), line.label))[:MOST_LINES][::-1]
    names = distinct([short_name(line) for line in shown])
    now, typed = [float(line.now) for line in shown], [float(line.typed) for line in shown]
    best = [line.best for line in shown]
    top = round_up(max([*now, *typed, *(one for one in best if one is not None), 1.0]))
    series: list[dict[str, Any]] = [
        {
            "type": "custom", "name": "_seg", "renderItem": "@hseg", "silent": True, "z": 2,
            "data": [[at, a, b, 3] for at, (a, b) in enumerate(zip(now, typed, strict=True))],
            "itemStyle": {"color": "$focus/35"}, "encode": {"x": [1, 2], "y": 0},
        },
        {
            "type": "scatter", "name": "Now", "symbolSize": 11, "z": 4, "data": [[x, at] for at, x in enumerate(now)],
            "itemStyle": {"color": "$surface", "borderColor": "$base", "borderWidth": 2},
        },
        {
            "type": "scatter", "name": "Best", "symbol": "diamond", "symbolSize": 10, "z": 5,
            "data": [[x, at] for at, x in enumerate(best) if x is not None], "itemStyle": {"color": "$n4"},
        },
        {
            "type": "scatter", "name": "Typed", "symbolSize": 11, "z": 6,
            "data": [[x, at] for at, x in enumerate(typed)], "itemStyle": {"color": "$focus"},
        },
    ]  # fmt: skip
    furthest = shown[-1]
    return {
        "alt": f"Spend now, typed and best of {len(shown)} lines. Furthest: {names[-1]}, "
        f"{money(float(furthest.now), currency)} now, {money(float(furthest.typed), currency)} typed.",
        "tip": {"rows": {"Now": "usd|0", "Typed": "usd|0", "Best": "usd|0"}},
        "narrow": {
            "xAxis": {"interval": top / 2},
            "yAxis": {"axisLabel": {"width": 122, "overflow": "truncate", "fontSize": 10.5, "interval": 0}},
        },
        "option": {
            "grid": {"left": 4, "right": 24, "top": 6, "bottom": 2},
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "none"}},
            "xAxis": {
                "type": "value", "axisLabel": {"formatter": "@usd"}, "splitLine": {"show": True},
                "axisLine": {"show": False}, "min": 0, "max": top, "interval": top / 4,
            },
            "yAxis": {
                "type": "category", "data": names, "splitLine": {"show": False},
                "axisLabel": {"fontSize": 11.5, "color": "$ink", "width": 230, "overflow": "truncate", "interval": 0},
            },
            "series": series,
        },
    }  # fmt: skip
