"""The picture of a comparison: what each line gets in every scenario, on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from planning.core.amounts import short_money as money
from planning.core.charts import MOST_LINES, distinct, round_up, short_name
from planning.core.comparison import ComparedLine, Comparison

#: Mark of each scenario in their order: class of its key, colour, symbol. Colour is never the only difference.
MARKS: Final = (
    ("k-n1", "$n1", "circle"),
    ("k-n2", "$n2", "diamond"),
    ("k-n3", "$n3", "rect"),
    ("k-n4", "$n4", "triangle"),
    ("k-n5", "$n5", "pin"),
)


def spread_chart(found: Comparison, lines: Sequence[ComparedLine]) -> dict[str, Any] | None:
    """The lines that differ most, a mark per scenario and a rule from the least to the most; None without any."""
    shown = sorted((line for line in lines if line.cell), key=lambda line: (-line.spread, line.label))[:MOST_LINES]
    shown = shown[::-1]  # the first category is drawn at the bottom
    if not shown:
        return None
    currency = found.currency
    names = distinct([short_name(line) for line in shown])
    amounts = [[None if one is None else float(one) for one in line.amounts] for line in shown]
    known = [[one for one in row if one is not None] for row in amounts]
    top = round_up(max((max(row) for row in known), default=1.0))
    first = shown[-1]
    told = ", ".join(
        f"{one.label} {money(float(amount), currency)}"
        for one, amount in zip(found.candidates, first.amounts, strict=True)
        if amount is not None
    )
    series: list[dict[str, Any]] = [
        {
            "type": "custom", "name": "_seg", "renderItem": "@hseg", "silent": True, "z": 2,
            "data": [[at, min(row), max(row), 3] for at, row in enumerate(known) if row],
            "itemStyle": {"color": "$base/35"}, "encode": {"x": [1, 2], "y": 0},
        }
    ]  # fmt: skip
    for place, (one, (_, colour, symbol)) in enumerate(zip(found.candidates, MARKS, strict=False)):
        points = [[row[place], at] for at, row in enumerate(amounts) if row[place] is not None]
        if points:
            series.append(
                {"type": "scatter", "name": one.label, "symbol": symbol, "symbolSize": 11, "z": 4 + place,
                 "data": points, "itemStyle": {"color": colour, "borderColor": "$surface", "borderWidth": 1}}
            )  # fmt: skip
    return {
        "alt": f"Spend of {len(shown)} lines in {len(found.candidates)} scenarios. "
        f"Largest difference: {names[-1]}, {told}.",
        "tip": {"rows": {one.label: "usd|0" for one in found.candidates}},
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
