"""The pictures of a scenario as the specs that static/js/charts.js draws, each with a sentence that says the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import numpy as np

from optimization.core.problem import Path
from optimization.core.stored_curves import StoredCurve
from planning.core.amounts import short_money as money
from planning.core.relaxations import WayOut
from planning.core.result import Result, ResultLine, placement_words

MOST_LINES = 15
_POINTS = 48


class Named(Protocol):
    """A line of a table, as far as its name goes."""

    @property
    def label(self) -> str: ...

    @property
    def path(self) -> Path: ...


def dumbbell(result: Result, currency: str) -> dict[str, Any]:
    """Spend now and proposed of the lines that change most; `rest_words` tells of the others."""
    lines = [line for line in result.lines if line.cell]
    shown = [(short_name(line), float(line.now), float(line.proposed)) for line in lines[:MOST_LINES]]
    shown.reverse()  # the first category is drawn at the bottom
    names = distinct([name for name, *_ in shown])
    top = round_up(max((max(now, proposed) for _, now, proposed in shown), default=1.0))
    best = max(shown, key=lambda one: one[2] - one[1], default=("", 0.0, 0.0))
    worst = min(shown, key=lambda one: one[2] - one[1], default=("", 0.0, 0.0))
    return {
        "alt": f"Spend now and proposed of {len(lines)} lines. Largest rise {best[0]}, "
        f"{money(best[1], currency)} to {money(best[2], currency)}; largest fall {worst[0]}, "
        f"{money(worst[1], currency)} to {money(worst[2], currency)}.",
        "tip": {"rows": {"Now": "usd|0", "Proposed": "usd|0"}},
        "narrow": {
            "xAxis": {"interval": top / 2},
            "yAxis": {"axisLabel": {"width": 122, "overflow": "truncate", "fontSize": 10.5, "interval": 0}},
            "grid": {"right": 44},
        },
        "option": {
            "grid": {"left": 4, "right": 58, "top": 6, "bottom": 2},
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "none"}},
            "xAxis": {
                "type": "value", "axisLabel": {"formatter": "@usd"}, "splitLine": {"show": True},
                "axisLine": {"show": False}, "min": 0, "max": top, "interval": top / 4,
            },
            "yAxis": {
                "type": "category", "data": names, "splitLine": {"show": False},
                "axisLabel": {"fontSize": 11.5, "color": "$ink", "width": 230, "overflow": "truncate", "interval": 0},
            },
            "series": [
                {
                    "type": "custom", "name": "_seg", "renderItem": "@hseg", "silent": True, "z": 2,
                    "data": [[at, now, proposed, 3] for at, (_, now, proposed) in enumerate(shown)],
                    "itemStyle": {"color": "$focus/35"}, "encode": {"x": [1, 2], "y": 0},
                },
                {
                    "type": "scatter", "name": "Now", "symbolSize": 11, "z": 4,
                    "data": _points(shown, 1, currency),
                    "itemStyle": {"color": "$surface", "borderColor": "$base", "borderWidth": 2},
                },
                {
                    "type": "scatter", "name": "Proposed", "symbolSize": 11, "z": 5,
                    "itemStyle": {"color": "$focus"},
                    "data": _points(shown, 2, currency),
                },
            ],
        },
    }  # fmt: skip


def rest_words(result: Result, currency: str) -> str:
    """The lines that the picture leaves out, as one; as a row of it they would press all others together."""
    rest = [line for line in result.lines if line.cell][MOST_LINES:]
    if not rest:
        return ""
    now, proposed = (money(sum(float(getattr(line, name)) for line in rest), currency) for name in ("now", "proposed"))
    return f"{len(rest)} other lines: {now} now, {proposed} proposed"


def _points(shown: Sequence[tuple[str, float, float]], end: int, currency: str) -> list[dict[str, Any]]:
    """One end of each segment, 1 for now and 2 for proposed. The change is written at the end to the right."""
    points = []
    for at, line in enumerate(shown):
        change = line[2] - line[1]
        sign = "+" if change > 0 else "\N{MINUS SIGN}"
        here = (change > 0) is (end == 2)
        label = {
            "show": here and abs(change) >= 0.5, "position": "right", "color": "$muted", "fontSize": 11,
            "formatter": f"{sign}{money(abs(change), currency)}",
        }  # fmt: skip
        points.append({"value": [line[end], at], "label": label})
    return points


def response(
    curve: StoredCurve, weeks: float, line: ResultLine, *, currency: str, horizon: str, by_week: bool = False
) -> dict[str, Any]:
    """Expected sales of a line against its spend, with both points, the interval and where spend was seen.

    Args:
        by_week: whether the proposal differs from week to week: its point is then what the weeks sell together, below
            the curve, which spreads money evenly.
    """
    now, proposed = float(line.now), float(line.proposed)
    seen = curve.observed_spend[1] * weeks
    end = max(1.25 * max(now, proposed, seen), 1.0)
    spend = np.linspace(0.0, end, _POINTS)
    middle = curve.revenue(spend, weeks)
    low, high = curve.interval(spend, weeks)
    at_now, at_proposed = (float(curve.revenue(np.array([x]), weeks)[0]) for x in (now, proposed))
    if by_week and line.sales_proposed is not None:
        at_proposed = line.sales_proposed
    xs = [round(float(x), 2) for x in spend]
    return {
        "alt": f"Response of {line.label}: {money(now, currency)} now sells about {money(at_now, currency)}, the "
        f"proposed {money(proposed, currency)} about {money(at_proposed, currency)}. "
        f"Spend was observed up to {money(seen, currency)}.",
        "tip": {"head": "usd", "rows": {"Expected sales": "usd", "80% interval": "usd|range"}},
        "option": {
            "grid": {"top": 24, "bottom": 26, "left": 8},
            "xAxis": {
                "type": "value", "min": 0, "max": round(end, 2),
                "axisLabel": {"formatter": "@usd", "showMaxLabel": False},
                "name": f"Spend, {horizon}", "nameLocation": "middle", "nameGap": 26,
            },
            "yAxis": {
                "type": "value", "min": 0, "axisLabel": {"formatter": "@usd"}, "name": "Expected sales",
                "nameLocation": "end", "nameGap": 10, "nameTextStyle": {"align": "left", "padding": [0, 0, 0, -30]},
            },
            "series": [
                {
                    "type": "custom", "name": "80% interval", "renderItem": "@band", "silent": True, "z": 1,
                    "data": [
                        [x, round(float(least), 2), round(float(most), 2)]
                        for x, least, most in zip(xs, low, high, strict=True)
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
                {
                    "type": "scatter", "name": "Now", "data": [[now, at_now]], "symbolSize": 12, "z": 6,
                    "itemStyle": {"color": "$surface", "borderColor": "$base", "borderWidth": 2.5},
                    "label": _label(f"Now {money(now, currency)}", "$ink", right=now > proposed, room=now > end / 4),
                },
                {
                    "type": "scatter", "name": "Proposed", "data": [[proposed, at_proposed]], "symbolSize": 12, "z": 6,
                    "itemStyle": {"color": "$focus"},
                    "label": _label(
                        f"Proposed {money(proposed, currency)}", "$focus",
                        right=now <= proposed, room=proposed > end / 4,
                    ),
                },
            ],
        },
    }  # fmt: skip


def _label(text: str, colour: str, *, right: bool, room: bool) -> dict[str, Any]:
    # The point to the right is named below the line, the other above it, so the two never meet; without room to its
    # left a name goes to the right.
    return {
        "show": True, "formatter": text, "color": colour, "fontSize": 11, "fontWeight": 600 if right else 400,
        "position": "bottom" if right else "top", "align": "left" if right or not room else "right", "distance": 8,
    }  # fmt: skip


def sankey(result: Result, tones: Mapping[str, str], currency: str) -> dict[str, Any] | None:
    """Where the proposed budget goes: channel, retailer, placement. None where nothing is proposed."""
    flows: dict[tuple[str, str], float] = {}
    colours: dict[str, str] = {}
    totals: dict[str, float] = {}
    for line in result.lines:
        if not line.path or line.proposed <= 0:
            continue
        channel, retailer, placement = line.path[0].capitalize(), line.path[1], line.path[2]
        last = f"{retailer} · {placement_words(placement)}"
        tone = f"${tones.get(retailer, 'n4')}-fill"
        colours |= {channel: "$base", retailer: tone, last: tone}
        amount = float(line.proposed)
        for step in ((channel, retailer), (retailer, last)):
            flows[step] = flows.get(step, 0.0) + amount
        totals[channel] = totals.get(channel, 0.0) + amount
    if not flows:
        return None
    told = ", ".join(f"{name} {money(amount, currency)}" for name, amount in sorted(totals.items()))
    return {
        "alt": f"Proposed budget by channel, retailer and placement: {told}.",
        "tip": {"fmt": "usd", "label": "Proposed"},
        "narrow": {
            "series": [
                {
                    "left": 4, "right": 150, "label": {"fontSize": 10.5},
                    "levels": [
                        {"depth": 0, "label": {"position": "right", "fontSize": 10.5}},
                        {"depth": 1, "label": {"show": False}},
                    ],
                }
            ]
        },
        "option": {
            "tooltip": {"trigger": "item"},
            "series": [
                {
                    "type": "sankey", "left": 172, "right": 240, "top": 8, "bottom": 8, "nodeWidth": 10, "nodeGap": 12,
                    "draggable": False, "levels": [{"depth": 0, "label": {"position": "left"}}],
                    "emphasis": {"focus": "adjacency"}, "lineStyle": {"opacity": 0.28, "curveness": 0.5},
                    "label": {"color": "$ink", "fontSize": 11.5, "formatter": "@nodeUsd"},
                    "itemStyle": {"borderWidth": 0},
                    "data": [{"name": name, "itemStyle": {"color": colour}} for name, colour in colours.items()],
                    "links": [
                        {
                            "source": source, "target": target, "value": round(amount, 2),
                            "lineStyle": {"color": colours[source if source in tones else target]},
                        }
                        for (source, target), amount in flows.items()
                    ],
                }
            ],
        },
    }  # fmt: skip


def over_asked(
    ways: Sequence[WayOut], available: Decimal, tones: Mapping[str, str], currency: str
) -> dict[str, Any] | None:
    """The floors of a conflict as one bar against the money there is; None for conflicts of another kind."""
    floors = [way for way in ways if way.limit == "min_spend"]
    asked = sum((way.asked for way in floors), Decimal(0))
    if not floors or asked <= available:
        return None
    over = money(float(asked - available), currency)
    series: list[dict[str, Any]] = [
        {
            "type": "bar", "name": way.words(currency), "stack": "asked", "barWidth": 26, "data": [float(way.asked)],
            "itemStyle": {"color": f"${tone}-fill", "borderColor": "$surface", "borderWidth": 1},
            "label": {
                "show": way.asked > asked / 8, "formatter": money(float(way.asked), currency),
                "color": "#ffffff" if tone == "n1" else "#10151c", "fontSize": 11, "fontWeight": 600,
                "position": "inside",
            },
        }
        for way in floors
        for tone in [_tone_of(way, tones)]
    ]  # fmt: skip
    series[-1]["markLine"] = {
        "silent": True, "symbol": "none", "lineStyle": {"color": "$ink", "type": "solid", "width": 1.5},
        "label": {
            "color": "$ink", "fontSize": 11, "fontWeight": 600, "position": "end",
            "formatter": f"Available {money(float(available), currency)}, over by {over}",
        },
        "data": [{"xAxis": float(available)}],
    }  # fmt: skip
    told = ", ".join(f"{way.path[-1]} {money(float(way.asked), currency)}" for way in floors)
    top = round_up(float(asked))
    return {
        "alt": f"{told}: together {money(float(asked), currency)}, {over} above the "
        f"{money(float(available), currency)} available.",
        "tip": {"rows": {way.words(currency): "usd" for way in floors}},
        "option": {
            "grid": {"top": 34, "left": 4, "right": 20},
            "tooltip": {"axisPointer": {"type": "none"}},
            "xAxis": {
                "type": "value", "min": 0, "max": top, "interval": top / 4, "axisLabel": {"formatter": "@usd"},
                "axisLine": {"show": False}, "splitLine": {"show": True},
            },
            "yAxis": {"type": "category", "data": ["Floors"], "axisLabel": {"show": False}},
            "series": series,
        },
    }  # fmt: skip


def over_keys(ways: Sequence[WayOut], tones: Mapping[str, str]) -> list[tuple[str, str]]:
    """(class of the key, name) of each floor in the bar of `over_asked`: segments are too narrow for names."""
    return [(f"k-{_tone_of(way, tones)}", way.path[-1]) for way in ways if way.limit == "min_spend"]


def _tone_of(way: WayOut, tones: Mapping[str, str]) -> str:
    return tones.get(way.path[1], "n4") if len(way.path) > 1 else "n4"


def short_name(line: Named) -> str:
    """SKU, retailer, placement: what tells lines apart comes first, so that cutting a name short leaves it."""
    if len(line.path) < 3:
        return line.label
    _, retailer, placement, *below = line.path
    told = [] if placement == "unknown" else [placement_words(placement)]
    return " · ".join([*below[-1:], retailer, *told])


def distinct(names: list[str]) -> list[str]:
    """Categories of an axis are told apart by name; two listings of one product are not."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def round_up(value: float) -> float:
    """The next 1, 2, 4, 6 or 8 times a power of ten: quarters of it are round as well."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0) if step * power >= value)
