"""The pictures of a reading as the specs that static/js/charts.js draws, each with a sentence that says the same."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from measurement.core.answers import PanelReading
from measurement.core.arrays import Floats
from measurement.core.placebo_words import beyond_words
from measurement.core.readout import ExperimentFacts, fit_error, level, side
from measurement.core.words import count_of, method_name, percent, percent_range, period_text, short_money

_USUAL_BINS: Final = 24
_MOST_BINS: Final = 72
#: Periods shown before the test at most, unless the test is long.
_BEFORE: Final = 120


def axis_start(reading: PanelReading) -> float:
    """Where the value axis of `counterfactual_chart` begins: 0 unless the series lie in its upper part."""
    return value_axis(reading)[0]


def counterfactual_chart(reading: PanelReading, facts: ExperimentFacts) -> dict[str, Any]:
    """Observed against counterfactual, summed over the treated units, the test and its cool-down shaded."""
    first = first_shown(reading)
    labels = [_label(one) for one in reading.periods[first:]]
    low, high = reading.low[first:], reading.high[first:]
    band = [
        [labels[at], _round(low[at]), _round(high[at])]
        for at in range(len(labels))
        if math.isfinite(low[at]) and math.isfinite(high[at])
    ]
    money, exact = _formats(facts.currency)
    least, most, step = value_axis(reading)
    areas = _areas(reading)
    fit = fit_error(reading)
    before = "" if fit is None else f" Before the test they differ by {percent(fit)} on average;"
    alt = (
        f"{facts.outcome.capitalize()} of {count_of(len(reading.treated), f'treated {facts.unit}')} and their "
        f"counterfactual, {count_of(len(labels), 'period')}.{before} in the test the observed are "
        f"{percent(reading.lift.value, signed=True)} off the counterfactual."
    )
    return {
        "alt": alt,
        # On a phone the two names would run into each other.
        "narrow": {"series": [{}, {}, {"markArea": {"data": [[{}], [{"label": {"show": False}}]][: len(areas)]}}]},
        "tip": {
            "head": _head(reading),
            "rows": {"Observed": exact, "Counterfactual": exact, _interval(reading): f"{money}|range"},
        },
        "option": {
            "grid": {"top": 22, "right": 18},
            "xAxis": _category(reading, labels),
            "yAxis": {
                "type": "value", "min": least, "max": most, "interval": step, "axisLabel": {"formatter": f"@{money}"},
            },
            "series": [
                _band(_interval(reading), band, "$base/24"),
                {
                    "type": "line", "name": "Counterfactual", "showSymbol": False, "z": 3,
                    "data": _values(reading.counterfactual[first:]),
                    "lineStyle": {"color": "$base", "width": 1.5, "type": [4, 3]}, "itemStyle": {"color": "$base"},
                },
                {
                    "type": "line", "name": "Observed", "showSymbol": False, "z": 4,
                    "data": _values(reading.observed[first:]),
                    "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
                    "markArea": {"silent": True, "data": areas},
                },
            ],
        },
    }  # fmt: skip


def cumulative_chart(reading: PanelReading, facts: ExperimentFacts) -> dict[str, Any]:
    """What the test added up to, with interval, the extra spend as a line and the cool-down shaded."""
    periods = reading.periods[reading.start : reading.cooldown_end + 1]
    labels = [_label(one) for one in periods]
    path, low, high = reading.cumulative, reading.cumulative_low, reading.cumulative_high
    money, exact = _formats(facts.currency)
    end = short_money(float(path[-1]), facts.currency)
    ends = (
        f" ({short_money(float(low[-1]), facts.currency)} to {short_money(float(high[-1]), facts.currency)})"
        if math.isfinite(low[-1]) and math.isfinite(high[-1])
        else ""
    )
    series: list[dict[str, Any]] = [
        _band(
            _interval(reading),
            [
                [labels[at], _round(low[at]), _round(high[at])]
                for at in range(len(labels))
                if math.isfinite(low[at]) and math.isfinite(high[at])
            ],
            "$focus/18",
        ),
        {
            "type": "line", "name": "Estimate", "showSymbol": False, "z": 3, "data": _values(path),
            "lineStyle": {"color": "$focus", "width": 2}, "itemStyle": {"color": "$focus"},
            "endLabel": {"show": True, "formatter": end, "color": "$focus", "fontWeight": 600, "fontSize": 11},
            "markArea": {"silent": True, "data": _areas(reading, "insideBottom")[1:]},
        },
    ]  # fmt: skip
    if reading.cost is not None:
        series[1]["markLine"] = {
            "silent": True, "symbol": "none", "lineStyle": {"color": "$base", "type": "dashed", "width": 1.25},
            "label": {
                "position": "end", "color": "$muted", "fontSize": 11,
                "formatter": short_money(reading.cost, facts.currency),
            },
            "data": [{"yAxis": _round(reading.cost)}],
        }  # fmt: skip
    spent = "" if reading.cost is None else f" Extra spend was {short_money(reading.cost, facts.currency)}."
    known = [float(x) for x in (*path, *low, *high, reading.cost or 0.0, 0.0) if math.isfinite(x)]
    least, most, step = nice_axis(min(known), max(known))
    return {
        "alt": f"Cumulative incremental {facts.outcome} reach {end}{ends} by {period_text(periods[-1])}.{spent}",
        "tip": {"head": _head(reading), "rows": {"Estimate": exact, _interval(reading): f"{money}|range"}},
        "option": {
            "grid": {"top": 22, "right": 58},
            "xAxis": _category(reading, labels),
            "yAxis": {
                "type": "value", "min": least, "max": most, "interval": step, "axisLabel": {"formatter": f"@{money}"},
            },
            "series": series,
        },
    }  # fmt: skip


def placebo_chart(reading: PanelReading) -> dict[str, Any] | None:
    """Histogram of the lifts found where nothing had been done, the actual one marked; None without them or it."""
    lifts = 100.0 * reading.placebos[np.isfinite(reading.placebos)]
    if not len(lifts) or not math.isfinite(reading.lift.value):
        return None
    actual = 100.0 * reading.lift.value
    edges = bin_edges(lifts, actual)
    counts, _ = np.histogram(lifts, edges)
    right = actual > float(edges.mean())
    step = _round_step(float(edges[-1]) / 2)
    reach = step * math.ceil(float(edges[-1]) / step - 1e-9)
    words = f"Actual {percent(reading.lift.value, signed=True)}"
    return {
        "alt": f"Lifts of {count_of(len(lifts), 'placebo test')}, from {percent(lifts.min() / 100, signed=True)} to "
        f"{percent(lifts.max() / 100, signed=True)}; the actual lift is "
        f"{percent(reading.lift.value, signed=True)}. {beyond_words(reading)}.",
        "tip": {"rows": {"Placebos": "n|2"}},
        "option": {
            "grid": {"top": 44, "bottom": 26},
            "tooltip": {"trigger": "item"},
            "xAxis": {
                "type": "value", "min": -reach, "max": reach, "interval": step, "nameGap": 26,
                "axisLabel": {"formatter": "@spct" if step == round(step) else "@spct1", "hideOverlap": True},
                "name": "Lift where nothing was done", "nameLocation": "middle",
            },
            "yAxis": {
                "type": "value", "min": 0, "minInterval": 1, "axisLabel": {"formatter": "@n"},
                "name": "Placebos", "nameGap": 26, "nameTextStyle": {"align": "left", "padding": [0, 0, 0, -24]},
            },
            "series": [
                {
                    "type": "custom", "name": "Placebos", "renderItem": "@bins", "encode": {"x": [0, 1], "y": 2},
                    "data": [
                        {
                            "name": f"{percent(left / 100, signed=True)} to {percent(end / 100, signed=True)}",
                            "value": [float(left), float(end), int(count)],
                        }
                        for left, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
                    ],
                    "itemStyle": {"color": "$base/70"},
                },
                {
                    "type": "scatter", "name": "Actual", "data": [], "silent": True,
                    "markLine": {
                        "silent": True, "symbol": "none", "lineStyle": {"color": "$focus", "type": "solid", "width": 2},
                        "label": {
                            "formatter": words, "color": "$focus", "fontWeight": 600, "fontSize": 11,
                            "align": "right" if right else "left", "position": "end", "distance": 4,
                        },
                        "data": [{"xAxis": round(actual, 4)}],
                    },
                },
            ],
        },
    }  # fmt: skip


def effect_chart(reading: PanelReading) -> dict[str, Any] | None:
    """The lift with its interval on a line against 0, and what other methods say below it; None without a lift."""
    if not math.isfinite(reading.lift.value):
        return None
    rows = [(method_name(reading.method), reading.lift)]
    rows += [(method_name(one.method), one.lift) for one in reading.sensitivity if one.lift is not None]
    rows.reverse()  # the first category is drawn at the bottom
    ends = [100.0 * end for _, lift in rows for end in (lift.low, lift.value, lift.high) if end is not None]
    low, high, step = nice_axis(min(0.0, *ends), max(0.0, *ends))
    return {
        "alt": f"Lift {percent(reading.lift.value, signed=True)}, {_interval(reading)} {percent_range(reading.lift)}, "
        f"{'0 lies inside' if side(reading.lift) == 0 else '0 lies outside'}.",
        "tip": {"rows": {"Lift": "pct1|0"}},
        "option": {
            "grid": {"top": 8, "bottom": 4, "left": 4, "right": 24},
            "tooltip": {"trigger": "axis", "axisPointer": {"type": "none"}},
            "xAxis": {
                "type": "value", "min": low, "max": high, "interval": step, "axisLine": {"show": False},
                "axisLabel": {"formatter": "@spct" if step >= 1 else "@spct1"}, "splitLine": {"show": True},
            },
            "yAxis": {
                "type": "category", "data": [name for name, _ in rows], "splitLine": {"show": False},
                "axisLabel": {"color": "$ink", "fontSize": 11.5, "width": 150, "overflow": "truncate"},
            },
            "series": [
                {
                    "type": "custom", "name": "_seg", "renderItem": "@hseg", "silent": True, "z": 2,
                    # An end that the data do not bound is drawn to the edge.
                    "data": [
                        [
                            at, low if lift.low is None else 100 * lift.low,
                            high if lift.high is None else 100 * lift.high, 3,
                        ]
                        for at, (_, lift) in enumerate(rows)
                    ],
                    "itemStyle": {"color": "$focus/45"}, "encode": {"x": [1, 2], "y": 0},
                },
                {
                    "type": "scatter", "name": "Lift", "symbolSize": 12, "z": 4, "itemStyle": {"color": "$focus"},
                    "data": [[round(100 * lift.value, 4), at] for at, (_, lift) in enumerate(rows)],
                    "markLine": {
                        "silent": True, "symbol": "none", "label": {"show": False},
                        "lineStyle": {"color": "$base", "type": "dashed", "width": 1.25}, "data": [{"xAxis": 0}],
                    },
                },
            ],
        },
    }  # fmt: skip


def bin_edges(lifts: Floats, actual: float) -> Floats:
    """Edges of equal bins of a round width that hold all lifts and the actual one, 0 among them, shape [bins + 1].

    Both sides are as long, for what lies beyond plus or minus the actual lift is to be seen.
    """
    reach = max(float(np.abs(lifts).max()), abs(actual), 1e-6)
    # Half a standard deviation shows the shape; where the actual lift lies far off, bins are as fine as can be seen.
    fine = max(float(np.std(lifts)) / 2, 2 * reach / _MOST_BINS)
    width = _round_step(min(fine, 2 * reach / _USUAL_BINS))
    count = math.floor(reach / width) + 1
    return np.round(np.arange(-count, count + 1) * width, 10)


def _areas(reading: PanelReading, place: str = "insideTop") -> list[list[dict[str, Any]]]:
    """Shading of the test and, fainter, of the cool-down."""
    periods = reading.periods
    first, last = periods[reading.start], periods[reading.end]
    # The days of the test are told where its area is wide enough for them.
    wide = 4 * (reading.end - reading.start) > len(periods) - first_shown(reading)
    name = f"Test, {_short(first)} – {_short(last)}" if wide else "Test"
    areas = [_area(_label(first), _label(last), name, "$focus/8", place)]
    if reading.cooldown_end > reading.end:
        areas.append(_area(_label(last), _label(periods[reading.cooldown_end]), "Cool-down", "$base/10", place))
    return areas


def _area(start: str, end: str, name: str, colour: str, place: str) -> list[dict[str, Any]]:
    label = {"color": "$muted", "fontSize": 11, "position": place, "distance": 4}
    return [{"xAxis": start, "name": name, "itemStyle": {"color": colour}, "label": label}, {"xAxis": end}]


def first_shown(reading: PanelReading) -> int:
    """Position of the first period that pictures show: a long history would press the test into a corner."""
    return max(0, reading.start - max(_BEFORE, 4 * (reading.cooldown_end - reading.start + 1)))


def _extent(reading: PanelReading, first: int) -> tuple[float, float]:
    every = np.concatenate(
        [one[first:] for one in (reading.observed, reading.counterfactual, reading.low, reading.high)]
    )
    known = every[np.isfinite(every)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def nice_axis(low: float, high: float) -> tuple[float, float, float]:
    """Least, most and step of an axis that holds both ends at round steps, six or seven of them."""
    step = _round_step((high - low) / 5 or 1.0)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= raw * (1 - 1e-9))


def value_axis(reading: PanelReading) -> tuple[float, float, float]:
    """Ends and step of the value axis, with room above the series for the names of the shaded areas."""
    low, high = _extent(reading, first_shown(reading))
    start = min(low, 0.0) if low < 0.4 * high else low - 0.25 * (high - low)
    return nice_axis(start, high + 0.12 * (high - start or 1.0))


def _category(reading: PanelReading, labels: Sequence[str]) -> dict[str, Any]:
    dated = isinstance(reading.periods[0], dt.date)
    return {
        "type": "category", "data": list(labels), "boundaryGap": False,
        "axisLabel": {"formatter": "@day"} if dated else {},
    }  # fmt: skip


def _band(name: str, rows: list[list[Any]], colour: str) -> dict[str, Any]:
    return {
        "type": "custom", "name": name, "renderItem": "@band", "silent": True, "z": 1, "data": rows,
        "itemStyle": {"color": colour}, "encode": {"x": 0, "y": [1, 2]},
    }  # fmt: skip


def _interval(reading: PanelReading) -> str:
    return f"{level(reading)} interval"


def _head(reading: PanelReading) -> str:
    return "longday" if isinstance(reading.periods[0], dt.date) else "text"


def _label(period: dt.date | int) -> str:
    return period.isoformat() if isinstance(period, dt.date) else str(period)


def _short(period: dt.date | int) -> str:
    return f"{period:%-d %b}" if isinstance(period, dt.date) else str(period)


def _formats(currency: str) -> tuple[str, str]:
    """Formats of chart_formats.js for axes and for single figures."""
    # Amounts of another currency, and counts, carry no sign: the words of the card name it.
    return ("usd", "usd0") if currency == "USD" else ("nk", "n")


def _values(series: Floats) -> list[float | None]:
    return [_round(one) for one in series]


def _round(value: float) -> float | None:
    return round(float(value), 2) if math.isfinite(value) else None
