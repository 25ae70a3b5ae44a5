"""A reading as CSV: one table of everything, then what must be known to read it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from measurement.core.answers import Estimate, PanelReading
from measurement.core.placebo_words import as_extreme, beyond_words, scaled_words
from measurement.core.readout import ExperimentFacts, disclosure
from measurement.core.words import method_name
from metrics.core.export import ExportFile, neutralised

HEADER: Final = ("Section", "Name", "Period", "Value", "Low", "High", "p", "Note")


def write_csv(
    reading: PanelReading, facts: ExperimentFacts, *, name: str, notes: Sequence[tuple[str, str]] = ()
) -> ExportFile:
    """Figures, series, units, other methods, weights and placebos in full precision, with the disclosure below.

    Args:
        name: of the file, without its ending.
        notes: (title, text) of where the reading comes from, written before the disclosure.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows([_cell(one) for one in row] for row in _rows(reading, facts))
    out.write("\r\n")
    told = [
        *_about(reading, facts),
        *notes,
        *disclosure(reading, facts),
        *(("Warning", one) for one in reading.warnings),
    ]
    writer.writerows([f"# {title}: {text}"] for title, text in told if text)
    # The mark tells spreadsheets that the file is UTF-8.
    return ExportFile(
        name=f"{name}.csv", content_type="text/csv; charset=utf-8", content=b"\xef\xbb\xbf" + out.getvalue().encode()
    )


def _rows(reading: PanelReading, facts: ExperimentFacts) -> Iterator[Sequence[Any]]:
    yield ("figure", "lift", None, *_ends(reading.lift), reading.p_value, "fraction")
    yield ("figure", "incremental", None, *_ends(reading.incremental), reading.p_value, facts.currency or facts.outcome)
    yield ("figure", "effect per treated unit and period", None, *_ends(reading.att), reading.p_value, "")
    if reading.iroas is not None:
        yield ("figure", "iroas", None, *_ends(reading.iroas), None, "")
    if (counts := as_extreme(reading)) is not None:
        note = f"of {counts[1]}{scaled_words(reading)}"
        yield ("figure", "placebos at least as extreme", None, counts[0], None, None, reading.p_value, note)
    if reading.cost is not None:
        yield ("figure", "extra spend", None, reading.cost, None, None, None, facts.currency)
    if facts.power is not None:
        yield ("figure", "power at planning", None, facts.power, None, None, None, "fraction")
    if facts.mde is not None:
        yield ("figure", "least detectable lift at planning", None, facts.mde, None, None, None, "fraction")
    for at, period in enumerate(reading.periods):
        phase = _phase(reading, at)
        yield ("observed", "treated units", period, reading.observed[at], None, None, None, phase)
        yield (
            "counterfactual", "treated units", period, reading.counterfactual[at], reading.low[at], reading.high[at],
            None, phase,
        )  # fmt: skip
    for at, value in enumerate(reading.cumulative):
        period = reading.periods[reading.start + at]
        ends = reading.cumulative_low[at], reading.cumulative_high[at]
        yield ("cumulative", "incremental", period, value, *ends, None, _phase(reading, reading.start + at))
    for unit in reading.by_unit:
        yield ("unit", unit.unit, None, unit.lift, None, None, None, "lift, fraction")
    for one in reading.sensitivity:
        yield (
            "other method",
            method_name(one.method),
            None,
            *_ends(one.lift),
            one.p_value,
            one.note or "lift, fraction",
        )
    for control, weight in sorted(reading.weights.items(), key=lambda item: (-item[1], item[0])):
        yield ("weight", control, None, weight, None, None, None, "")
    for at, lift in enumerate(reading.placebos, start=1):
        yield ("placebo", f"placebo {at}", None, lift, None, None, None, "lift as it is, fraction")


def _about(reading: PanelReading, facts: ExperimentFacts) -> Iterator[tuple[str, str]]:
    yield "Experiment", f"{facts.reference} {facts.name}".strip()
    yield "Scope", ", ".join(one for one in (facts.brand, facts.retailer, facts.placement) if one)
    yield "Design", facts.design
    yield "Currency", facts.currency
    yield "Analysis plan", f"{facts.plan_sha256} {facts.registered}".strip()
    yield "Method", f"{method_name(reading.method)}. {reading.why_method}"
    yield "Placebos", beyond_words(reading).replace("The histogram shows their lifts", "Their lifts are listed")


def _phase(reading: PanelReading, at: int) -> str:
    if at < reading.start:
        return "before"
    if at <= reading.end:
        return "test"
    return "cool-down" if at <= reading.cooldown_end else "after"


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return str(neutralised(value))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float | np.floating):
        return repr(float(value)) if math.isfinite(value) else ""
    return str(value)
