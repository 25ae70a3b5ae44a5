"""A reading as JSON and back, `rmn-reading/1`: what is stored, and what pages, files and the API show.

Numbers that are not there (NaN) are null; days are ISO dates, numbered periods are numbers.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.arrays import Floats

FORMAT: Final = "rmn-reading/1"
_SERIES: Final = (
    "observed", "counterfactual", "low", "high", "cumulative", "cumulative_low", "cumulative_high", "placebos",
)  # fmt: skip
_PLAIN: Final = (
    "method", "why_method", "procedure", "evidence", "alpha", "p_value", "cost", "l2_imbalance", "scaled_l2",
    "start", "end", "cooldown_end",
)  # fmt: skip
_ESTIMATES: Final = ("att", "lift", "incremental", "iroas")


def reading_as_dict(reading: PanelReading) -> dict[str, Any]:
    """Everything of a reading, in values that JSON has."""
    return {
        "format": FORMAT,
        **{name: _number(getattr(reading, name)) for name in _PLAIN},
        **{name: _estimate(getattr(reading, name)) for name in _ESTIMATES},
        "weights": {unit: _number(weight) for unit, weight in reading.weights.items()},
        "periods": [_period(one) for one in reading.periods],
        "treated": list(reading.treated),
        "controls": list(reading.controls),
        **{name: _series(getattr(reading, name)) for name in _SERIES},
        "by_unit": [
            {
                "unit": one.unit,
                "lift": _number(one.lift),
                "observed": _series(one.observed),
                "counterfactual": _series(one.counterfactual),
            }
            for one in reading.by_unit
        ],
        "sensitivity": [
            {"method": one.method, "lift": _estimate(one.lift), "p_value": _number(one.p_value), "note": one.note}
            for one in reading.sensitivity
        ],
        "warnings": list(reading.warnings),
        "details": {name: _number(value) for name, value in reading.details.items()},
    }


def reading_from_dict(document: Mapping[str, Any]) -> PanelReading:
    """The reading that `reading_as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it wrote no such thing; a mistake in the code, for documents are stored whole.
    """
    if document["format"] != FORMAT:
        raise ValueError(f"{document['format']!r} is not {FORMAT!r}")
    plain: dict[str, Any] = {name: document[name] for name in _PLAIN if name != "p_value"}
    series: dict[str, Any] = {name: _array(document[name]) for name in _SERIES}
    return PanelReading(
        **plain,
        p_value=_float(document["p_value"]),
        att=_required(document["att"]),
        lift=_required(document["lift"]),
        incremental=_required(document["incremental"]),
        iroas=_back(document["iroas"]),
        weights={unit: _float(weight) for unit, weight in document["weights"].items()},
        periods=tuple(one if isinstance(one, int) else dt.date.fromisoformat(one) for one in document["periods"]),
        treated=tuple(document["treated"]),
        controls=tuple(document["controls"]),
        **series,
        by_unit=tuple(
            UnitEffect(
                unit=one["unit"],
                lift=one["lift"],
                observed=_array(one["observed"]),
                counterfactual=_array(one["counterfactual"]),
            )
            for one in document["by_unit"]
        ),
        sensitivity=tuple(
            Sensitivity(one["method"], _back(one["lift"]), one["p_value"], one["note"])
            for one in document["sensitivity"]
        ),
        warnings=tuple(document["warnings"]),
        details=dict(document["details"]),
    )


def _number(value: Any) -> Any:
    """As JSON has it: whole numbers and words stay, NaN and infinity are null."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _period(one: dt.date | int) -> str | int:
    return one.isoformat() if isinstance(one, dt.date) else int(one)


def _series(values: Floats) -> list[float | None]:
    return [_number(one) for one in np.asarray(values, dtype=float).tolist()]


def _estimate(one: Estimate | None) -> dict[str, float | None] | None:
    return None if one is None else {name: _number(getattr(one, name)) for name in ("value", "low", "high")}


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _back(one: Mapping[str, float | None] | None) -> Estimate | None:
    return None if one is None else Estimate(_float(one["value"]), one["low"], one["high"])


def _required(one: Mapping[str, float | None]) -> Estimate:
    return Estimate(_float(one["value"]), one["low"], one["high"])


def _array(values: Sequence[float | None]) -> Floats:
    return np.array([_float(one) for one in values], dtype=np.float64)
