"""What `manage.py analyze_geo` does: a panel file in, the text of a reading out, without database or server."""

from __future__ import annotations

import json
import math

from measurement.core.answers import EVIDENCE, Estimate, PanelReading


def reading_as_dict(reading: PanelReading) -> dict[str, object]:
    """The headline of a reading, ready for JSON: numbers are plain, an end that the data do not bound is null.

    `ci` is the interval of `att`; those of the other figures have keys of their own, all from the same procedure.
    """
    return {
        "method": reading.method,
        "why_method": reading.why_method,
        "procedure": reading.procedure,
        "evidence": reading.evidence,
        "alpha": reading.alpha,
        "p_value": reading.p_value,
        "att": reading.att.value,
        "ci": _ends(reading.att),
        "lift": reading.lift.value if reading.lift.value == reading.lift.value else None,
        "lift_ci": _ends(reading.lift),
        "incremental": reading.incremental.value,
        "incremental_ci": _ends(reading.incremental),
        "iroas": None if reading.iroas is None else reading.iroas.value,
        "iroas_ci": None if reading.iroas is None else _ends(reading.iroas),
        "cost": reading.cost,
        "weights": reading.weights,
        "l2_imbalance": reading.l2_imbalance,
        "scaled_l2": reading.scaled_l2,
        "treated": list(reading.treated),
        "controls": len(reading.controls),
        "sensitivity": [
            {
                "method": other.method,
                "lift": None if other.lift is None else other.lift.value,
                "lift_ci": None if other.lift is None else _ends(other.lift),
                "p_value": other.p_value,
                "note": other.note,
            }
            for other in reading.sensitivity
        ],
        "warnings": list(reading.warnings),
        "details": reading.details,
    }


def reading_text(reading: PanelReading, *, as_json: bool) -> str:
    """One JSON object, or lines for people."""
    if as_json:
        return json.dumps(reading_as_dict(reading), allow_nan=False)
    level = f"{1 - reading.alpha:.0%}"
    lines = [
        f"{reading.method}: {reading.why_method}",
        f"{EVIDENCE[reading.evidence]}; {reading.procedure}",
        f"lift         {_share(reading.lift.value)}  {level} [{_share(reading.lift.low)}, {_share(reading.lift.high)}]",
        f"incremental  {_between(reading.incremental)}",
        f"att          {_between(reading.att)} per treated unit and period",
    ]
    if reading.iroas is not None:
        lines.append(f"iROAS        {_between(reading.iroas)} on {reading.cost:,.2f} of extra spend")
    lines.append(f"p            {reading.p_value:.4f}")
    if reading.l2_imbalance is not None:
        lines.append(f"L2 imbalance {reading.l2_imbalance:,.3f} ({reading.scaled_l2 or 0.0:.3f} of equal weights)")
    if reading.weights:
        lines.append("weights      " + ", ".join(f"{unit} {weight:.4f}" for unit, weight in reading.weights.items()))
    lines += [f"also {other.method}: {_other(other.lift, other.p_value)} {other.note}" for other in reading.sensitivity]
    lines += [f"note: {warning}" for warning in reading.warnings]
    return "\n".join(lines)


def _ends(estimate: Estimate) -> list[float | None]:
    return [estimate.low, estimate.high]


def _between(estimate: Estimate) -> str:
    low = "unbounded" if estimate.low is None else f"{estimate.low:,.3f}"
    high = "unbounded" if estimate.high is None else f"{estimate.high:,.3f}"
    return f"{estimate.value:,.3f}  [{low}, {high}]"


def _share(value: float | None) -> str:
    if value is None:
        return "unbounded"
    return f"{value:.2%}" if math.isfinite(value) else "none (nothing would have been sold)"


def _other(lift: Estimate | None, p_value: float | None) -> str:
    if lift is None:
        return "no answer:" if p_value is None else f"p {p_value:.4f},"
    told = f"lift {lift.value:.2%} [{_share(lift.low)}, {_share(lift.high)}]"
    return told if p_value is None else f"{told}, p {p_value:.4f}"
