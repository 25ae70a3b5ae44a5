"""One is not several, wherever a count is told."""

from __future__ import annotations

from datetime import date

import pytest

from measurement.core.design_charts import mde_chart
from measurement.core.switchback_design import design_switchback
from measurement.core.terms import read_terms
from measurement.services.event_panels import _notes
from tenants.core.problems import InvalidInput


def test_one_day_is_a_day() -> None:
    points = [{"duration": 1, "mde": 0.2}, {"duration": 3, "mde": 0.1}, {"duration": 14, "mde": 0.05}]
    assert mde_chart(points, step=1)["option"]["xAxis"]["data"] == ["1 day", "3 days", "2 weeks"]
    day = date(2026, 9, 1)
    assert _notes("sku", 1, 1, 1, day, day, {day}) == [
        "1 reported sum names no sku, or no day, and is left out.",
        "1 day that an account did not report is left out, 2026-09-01.",
    ]


def test_one_period_is_too_few() -> None:
    with pytest.raises(InvalidInput, match="1 period is too few"):
        design_switchback(periods=1, carryover=0)
    with pytest.raises(InvalidInput, match="3 periods are too few"):
        design_switchback(periods=3, carryover=0)


@pytest.mark.parametrize(
    ("kind", "looks", "words"),
    [("ab", "sometimes", None), ("switchback", "always_valid", "A switchback test"), ("geo", "always_valid", "A geo")],
)
def test_a_kind_has_its_article(kind: str, looks: str, words: str | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_terms({"name": "North", "kind": kind, "looks": looks})
    told = str(refusal.value.errors)
    assert "A ab" not in told
    assert words is None or (words in told and "Use it for A/B." in told)


@pytest.mark.parametrize(
    ("kind", "looks", "why", "instead"),
    [
        ("geo", "always_valid", "hundreds of independent outcomes", "group_sequential"),
        ("sku", "always_valid", "hundreds of independent outcomes", "group_sequential"),
        ("switchback", "always_valid", "tossed for the whole log", "two shorter ones"),
        ("switchback", "group_sequential", "tossed for the whole log", "two shorter ones"),
    ],
)
def test_a_look_that_cannot_be_says_why_and_what_can(kind: str, looks: str, why: str, instead: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_terms({"name": "North", "kind": kind, "looks": looks})
    told = next(one for one in refusal.value.errors if one["where"] == "looks")
    assert why in told["detail"]
    assert instead in told["fix"]
