"""A reading in words and pictures: what its page shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from measurement.core.answers import Estimate, PanelReading, UnitEffect
from measurement.core.charts import (
    axis_start,
    counterfactual_chart,
    cumulative_chart,
    effect_chart,
    placebo_chart,
)
from measurement.core.placebo_words import beyond_words, placebo_title
from measurement.core.readout import (
    ExperimentFacts,
    cooldown_share,
    disclosure,
    evidence_words,
    fit_error,
    groups_words,
    headline,
    how_texts,
    key_figures,
    level,
    passed_words,
    span,
    tone_of,
)
from measurement.core.tile_map import state_tiles, unit_name
from measurement.core.words import (
    MISSING,
    count_of,
    method_name,
    p_text,
    percent,
    percent_range,
    period_text,
    ratio,
    short_money,
)
from measurement.reports import Told, origin_of

_MOST_UNITS = 12
_MOST_WEIGHTS = 10

#: evidence: (tone, icon) of its chip.
EVIDENCE_CHIPS = {
    "experiment": ("good", "flask"),
    "counterfactual": ("info", "scale"),
    "econometric": ("info", "chart-line"),
    "proxy": ("warn", "alert-triangle"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPicture:
    """A treated unit as a small picture; `clear` tells those whose lift is as large as that of all together."""

    name: str
    lift: str
    clear: bool
    observed: list[float]
    counterfactual: list[float]
    mark: int
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One method in the table of sensitivity; `ends` are percent for the small drawing, None where there are none."""

    name: str
    lift: str
    interval: str
    ends: tuple[float, float, float] | None
    p: str
    note: str
    chosen: bool

    @property
    def other(self) -> bool:
        """Not the method of this reading."""
        return not self.chosen


def panel_context(reading: PanelReading, facts: ExperimentFacts) -> dict[str, Any]:
    """Everything that the page of a panel reading shows of the reading itself."""
    tiles = state_tiles(reading.treated, reading.controls)
    rows = list(_method_rows(reading))
    left_out = sum(tile.group == "left out" for tile in tiles) if tiles else len(facts.left_out)
    share = cooldown_share(reading)
    start = axis_start(reading)
    fit = fit_error(reading)
    return {
        "reading": reading,
        "facts": facts,
        "figures": key_figures(reading, facts),
        "headline": headline(reading, facts),
        "headline_tone": tone_of(reading, facts),
        "level": level(reading),
        "method": method_name(reading.method),
        "evidence": evidence_words(reading),
        "evidence_chip": EVIDENCE_CHIPS[reading.evidence],
        "how": how_texts(reading, facts),
        "groups_words": groups_words(reading, facts),
        "span": span(reading),
        "against": counterfactual_chart(reading, facts),
        "against_notes": [
            f"{facts.outcome.capitalize()} of {count_of(len(reading.treated), f'treated {facts.unit}')}"
            + (f"; axis starts at {short_money(start, facts.currency)}" if start > 0 else ""),
            ""
            if fit is None
            else f"Fit before the test: {percent(fit)} off on average, {count_of(reading.start, 'period')}",
        ],
        "has_band": bool(np.isfinite(reading.low).any()),
        "cumulative": cumulative_chart(reading, facts),
        "cumulative_notes": [
            passed_words(reading, facts),
            _cooldown_words(share),
        ],
        "placebo": placebo_chart(reading),
        "effect": effect_chart(reading),
        "placebo_words": beyond_words(reading),
        "placebo_title": placebo_title(reading),
        "tiles": tiles,
        "tiles_alt": f"States: {len(reading.treated)} treated, {len(reading.controls)} control, {left_out} left out. "
        f"Treated: {', '.join(unit_name(one) for one in reading.treated)}.",
        "left_out_count": left_out,
        "treated_key": f"Treated {len(reading.treated)}",
        "control_key": f"Control {len(reading.controls)}",
        "treated_names": [unit_name(one) for one in reading.treated],
        "control_names": [unit_name(one) for one in reading.controls],
        "units": list(_unit_pictures(reading, facts)),
        "more_units_words": _more(len(reading.by_unit), _MOST_UNITS, "smaller"),
        "methods": rows,
        "scale": _scale(rows),
        "weights": _weights(reading),
        "weight_words": _more(len(reading.weights), _MOST_WEIGHTS, "with less weight"),
        "misfit_words": _misfit(reading),
    }


def _cooldown_words(share: float | None) -> str:
    if share is None:
        return ""
    if share < 0:
        return f"{percent(-share, 0)} of it was taken back in the cool-down"
    return f"{percent(share, 0)} of it came in the cool-down"


def _more(count: int, shown: int, which: str) -> str:
    return f"{count - shown} more, {which}" if count > shown else ""


def _misfit(reading: PanelReading) -> str:
    if reading.l2_imbalance is None:
        return ""
    told = f"Misfit {reading.l2_imbalance:,.0f}"
    return told if reading.scaled_l2 is None else f"{told}, {percent(reading.scaled_l2, 0)} of that of equal weights"


def _unit_pictures(reading: PanelReading, facts: ExperimentFacts) -> Iterator[UnitPicture]:
    # As much before the test as makes its shape plain, and no more: the pictures are small.
    length = reading.cooldown_end - reading.start + 1
    first = max(0, reading.start - max(14, length // 2))
    for unit in reading.by_unit[:_MOST_UNITS]:
        yield UnitPicture(
            name=unit_name(unit.unit),
            lift=percent(unit.lift, signed=True),
            clear=unit.lift is not None and _as_large(unit.lift, reading.lift),
            observed=_floats(unit.observed, first, reading.cooldown_end),
            counterfactual=_floats(unit.counterfactual, first, reading.cooldown_end),
            mark=reading.start - first,
            alt=_unit_alt(unit, facts),
        )


def _as_large(lift: float, whole: Estimate) -> bool:
    return lift * whole.value > 0 and abs(lift) >= abs(whole.value)


def _unit_alt(unit: UnitEffect, facts: ExperimentFacts) -> str:
    lift = "lift not told" if unit.lift is None else f"{percent(unit.lift, signed=True)} in the test"
    return f"{unit_name(unit.unit)}, {facts.outcome}: {lift}"


def _floats(series: Any, first: int, last: int) -> list[float]:
    return [float(one) for one in series[first : last + 1]]


def _method_rows(reading: PanelReading) -> Iterator[MethodRow]:
    yield MethodRow(
        name=method_name(reading.method),
        lift=percent(reading.lift.value, signed=True),
        interval=percent_range(reading.lift),
        ends=_ends(reading.lift),
        p=p_text(reading.p_value),
        note="",
        chosen=True,
    )
    for one in reading.sensitivity:
        yield MethodRow(
            name=method_name(one.method),
            lift=percent(one.lift.value, signed=True) if one.lift else MISSING,
            interval=percent_range(one.lift) if one.lift else "",
            ends=_ends(one.lift) if one.lift else None,
            p=MISSING if one.p_value is None else p_text(one.p_value),
            note=one.note,
            chosen=False,
        )


def _ends(estimate: Estimate) -> tuple[float, float, float] | None:
    if estimate.low is None or estimate.high is None or not estimate.low <= estimate.value <= estimate.high:
        return None
    return 100 * estimate.low, 100 * estimate.value, 100 * estimate.high


def _scale(rows: Sequence[MethodRow]) -> tuple[float, float]:
    """Ends of the scale that the rows share, percent, 0 inside."""
    known = [one for row in rows if row.ends for one in row.ends]
    low, high = min([0.0, *known]), max([0.0, *known])
    pad = 0.05 * (high - low) or 1.0
    return low - pad, high + pad


def _weights(reading: PanelReading) -> list[tuple[str, float, str]]:
    """(name, percent, written) of the largest weights."""
    largest = sorted(reading.weights.items(), key=lambda one: (-one[1], one[0]))[:_MOST_WEIGHTS]
    return [(unit_name(unit), 100 * weight, percent(weight)) for unit, weight in largest]


def readout_context(told: Told) -> dict[str, Any]:
    """What the page of a stored reading shows."""
    stored, experiment = told.stored, told.stored.experiment
    context = panel_context(told.reading, told.facts)
    context |= {
        "interim": stored.interim,
        "ended_words": "A look before the planned end, allowed by the plan"
        if stored.interim
        else "Planned end reached",
        "data_words": f"Data version {stored.panel.number}"
        + (f", to {period_text(stored.panel.last_day)}" if stored.panel.last_day else ""),
        "origin": origin_of(stored),
        "checks": [_check(one) for one in experiment.checks_told],
        "disclosure": disclosure(told.reading, told.facts),
        "cells": [_cell(name, one) for name, one in told.cells.items()],
    }
    return context


#: Verdict of a check -> (tone, icon) of its chip.
CHECK_CHIPS: Final = {"passed": ("good", "check"), "unclear": ("", "minus"), "failed": ("warn", "alert-triangle")}


def _check(stored: Mapping[str, Any]) -> dict[str, str]:
    result, tone, icon = (stored["verdict"], *CHECK_CHIPS[stored["verdict"]])
    name = str(stored.get("check", "")).replace("_", " ").capitalize()
    return {"name": name, "result": result, "tone": tone, "icon": icon, "found": str(stored.get("words", ""))}


def _cell(name: str, reading: PanelReading) -> dict[str, str]:
    return {
        "name": name,
        "units": count_of(len(reading.treated), "unit"),
        "lift": percent(reading.lift.value, signed=True),
        "interval": f"{percent_range(reading.lift)} ({level(reading)})",
        "p": p_text(reading.p_value),
        "iroas": ratio(reading.iroas.value) if reading.iroas else MISSING,
    }
