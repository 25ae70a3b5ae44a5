"""A stored reading is the reading."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np
import pytest

from measurement.core.answers import Estimate, PanelReading, Sensitivity, UnitEffect
from measurement.core.reading_json import reading_as_dict, reading_from_dict

DAYS = tuple(date(2026, 9, 1) + timedelta(day) for day in range(4))


def some_reading() -> PanelReading:
    series = np.array([1.0, 2.0, np.nan, 4.5])
    return PanelReading(
        method="sc", why_method="two of forty", procedure="placebo in space", evidence="counterfactual", alpha=0.05,
        p_value=0.017, att=Estimate(1.5, 0.5, 2.5), lift=Estimate(0.05, 0.01, None), incremental=Estimate(6, 2, 10),
        iroas=None, cost=None, weights={"miami": 0.75, "boston": 0.25}, l2_imbalance=9.5, scaled_l2=0.2, periods=DAYS,
        start=2, end=3, cooldown_end=3, treated=("chicago",), controls=("miami", "boston"), observed=series,
        counterfactual=series, low=series * np.nan, high=series, cumulative=series[2:], cumulative_low=series[2:],
        cumulative_high=series[2:], placebos=np.array([-0.01, 0.02]),
        by_unit=(UnitEffect(unit="chicago", lift=0.05, observed=series, counterfactual=series),),
        sensitivity=(Sensitivity("sdid", Estimate(0.04, -0.1, 0.2), 0.3), Sensitivity("tbr", None, None, "too few")),
        warnings=("one market",), details={"placebos": 39, "lambda": 0.5, "why": "x"},
    )  # fmt: skip


def same(one, other) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, UnitEffect):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, tuple) and one and isinstance(one[0], UnitEffect):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("numbered", [False, True])
def test_what_is_stored_is_what_was_read(numbered):
    before = replace(some_reading(), periods=(1, 2, 3, 4)) if numbered else some_reading()
    after = reading_from_dict(json.loads(json.dumps(reading_as_dict(before), allow_nan=False)))
    differing = [
        field.name for field in fields(before) if not same(getattr(before, field.name), getattr(after, field.name))
    ]
    assert differing == []


def test_another_document_is_not_taken_for_a_reading():
    with pytest.raises(ValueError, match="rmn-reading/1"):
        reading_from_dict(reading_as_dict(some_reading()) | {"format": "rmn-reading/0"})
