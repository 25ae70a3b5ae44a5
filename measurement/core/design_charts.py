"""The pictures of a design as the specs that static/js/charts.js draws, each with a sentence that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from measurement.core.words import count_of


def power_chart(curve: Sequence[Mapping[str, float]], *, mde: float | None, power: float, name: str) -> dict[str, Any]:
    """Chance to find an effect against its size, with the power asked for as a line."""
    # Beyond a few times what is found there is nothing left to see.
    end = max(4.0 * mde, 0.01) if mde else float("inf")
    points = [[round(100 * one["effect"], 3), round(100 * one["power"], 2)] for one in curve if one["effect"] <= end]
    axis = "@pct1" if points and points[-1][0] < 8 else "@pct"
    found = "" if mde is None else f" A lift of {100 * mde:.1f} % is found with {100 * power:.0f} % power."
    line: dict[str, Any] = {
        "type": "line", "name": "Power", "showSymbol": False, "data": points, "z": 3,
        "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
        "markLine": {
            "silent": True, "symbol": "none", "lineStyle": {"color": "$base", "type": "dashed", "width": 1.25},
            "label": {
                "position": "insideEndTop", "color": "$muted", "fontSize": 11, "formatter": f"{100 * power:.0f}%",
            },
            "data": [{"yAxis": round(100 * power, 1)}],
        },
    }  # fmt: skip
    return {
        "alt": f"Power of {name} by lift, {len(points)} points.{found}",
        "tip": {"head": "pct1", "rows": {"Power": "pct"}},
        "option": {
            "grid": {"top": 34, "right": 18, "bottom": 40},
            "xAxis": {
                "type": "value", "min": 0, "name": "True lift", "nameLocation": "middle", "nameGap": 26,
                "axisLabel": {"formatter": axis}, "splitLine": {"show": False},
            },
            "yAxis": _named("Chance to find it", min=0, max=100, interval=20, axisLabel={"formatter": "@pct"}),
            "series": [line],
        },
    }  # fmt: skip


def mde_chart(points: Sequence[Mapping[str, float]], *, step: int) -> dict[str, Any]:
    """The smallest lift that tests of each length find."""
    labels = [_length(int(one["duration"]) * step) for one in points]
    values = [round(100 * one["mde"], 2) for one in points]
    told = ", ".join(f"{label}: {value:.1f} %" for label, value in zip(labels, values, strict=True))
    return {
        "alt": f"Smallest detectable lift by length of the test. {told}.",
        "tip": {"head": "text", "rows": {"Smallest lift found": "pct1"}},
        "option": {
            "grid": {"top": 34, "right": 18, "bottom": 40},
            "xAxis": {
                "type": "category", "data": labels, "name": "Length of the test", "nameLocation": "middle",
                "nameGap": 26,
            },
            "yAxis": _named("Smallest lift found", min=0, axisLabel={"formatter": "@pct1"}),
            "series": [
                {
                    "type": "line", "name": "Smallest lift found", "data": values, "symbolSize": 7,
                    "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
                }
            ],
        },
    }  # fmt: skip


def cost_chart(candidates: Sequence[Mapping[str, Any]], *, currency: str) -> dict[str, Any]:
    """Smallest lift found against what a test costs, for candidates that none beats on everything."""
    money, exact = ("@usd", "usd0") if currency == "USD" else ("@nk", "n")
    points = sorted(
        [round(abs(float(one["investment"])), 2), round(100 * float(one["mde"]), 2)]
        for one in candidates
        if one.get("investment") is not None and one.get("mde") is not None
    )
    return {
        "alt": f"Smallest detectable lift against cost of {count_of(len(points), 'candidate')}: "
        f"from {points[0][0]:,.0f} for {points[0][1]:.1f} % to {points[-1][0]:,.0f} for {points[-1][1]:.1f} %.",
        "tip": {"head": exact, "rows": {"Smallest lift found": "pct1"}},
        "option": {
            "grid": {"top": 34, "right": 18, "bottom": 40},
            "xAxis": {
                "type": "value", "scale": True, "name": "Cost of the test", "nameLocation": "middle", "nameGap": 26,
                "axisLabel": {"formatter": money}, "splitLine": {"show": False},
            },
            "yAxis": _named("Smallest lift found", min=0, axisLabel={"formatter": "@pct1"}),
            "series": [
                {
                    "type": "scatter", "name": "Smallest lift found", "data": points, "symbolSize": 8,
                    "itemStyle": {"color": "$focus"},
                }
            ],
        },
    }  # fmt: skip


def fit_chart(fit: Mapping[str, Any], *, currency: str, outcome: str) -> dict[str, Any]:
    """Treated units before the test beside what their controls say of them."""
    labels = list(fit["periods"])
    # Amounts of another currency, and counts, carry no sign: the words of the card name it.
    money, exact = ("@usd", "usd0") if currency == "USD" else ("@nk", "n")
    treated, counterfactual = ([round(float(one), 2) for one in fit[name]] for name in ("treated", "counterfactual"))
    gaps = [abs(a - b) / a for a, b in zip(treated, counterfactual, strict=True) if a]
    differ = f" They differ by {100 * sum(gaps) / len(gaps):.1f} % on average." if gaps else ""
    return {
        "alt": f"{outcome.capitalize()} of the treated units and their controls over "
        f"{count_of(len(labels), 'period')}.{differ}",
        "tip": {"head": "longday", "rows": {"Treated": exact, "Controls": exact}},
        "option": {
            "grid": {"top": 34, "right": 18},
            "xAxis": {
                "type": "category", "data": labels, "boundaryGap": False, "axisLabel": {"formatter": "@day"},
            },
            "yAxis": _named(f"{outcome.capitalize()} of a period", scale=True, axisLabel={"formatter": money}),
            "series": [
                {
                    "type": "line", "name": "Controls", "showSymbol": False, "data": counterfactual,
                    "lineStyle": {"color": "$base", "width": 1.5, "type": [4, 3]}, "itemStyle": {"color": "$base"},
                },
                {
                    "type": "line", "name": "Treated", "showSymbol": False, "data": treated,
                    "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
                },
            ],
        },
    }  # fmt: skip


def _named(name: str, **axis: Any) -> dict[str, Any]:
    """A value axis with its name above it, flush with the labels."""
    return {
        "type": "value",
        "name": name,
        "nameGap": 12,
        "nameTextStyle": {"align": "left", "padding": [0, 0, 0, -30]},
    } | axis


def _length(days: int) -> str:
    return f"{days // 7} weeks" if days % 7 == 0 and days > 7 else count_of(days, "day")
