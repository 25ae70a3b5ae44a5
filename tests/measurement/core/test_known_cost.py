"""The return on money that only the plan knows."""

from __future__ import annotations

from dataclasses import replace

from measurement.core.answers import Estimate
from measurement.core.known_cost import with_planned_cost
from tests.measurement.readings import a_reading


def bare(low: float | None = 100.0):
    return replace(a_reading(), cost=None, iroas=None, warnings=(), incremental=Estimate(300.0, low, 500.0))


def test_the_return_is_the_effect_over_the_planned_money():
    told = with_planned_cost(bare(), 200.0, "USD")
    assert told.iroas == Estimate(1.5, 0.5, 2.5)
    assert told.cost == 200.0
    assert "$200 that were planned" in told.warnings[0]


def test_money_taken_away_turns_the_ends():
    fell = replace(bare(), incremental=Estimate(-300.0, -500.0, -100.0))
    assert with_planned_cost(fell, -200.0, "USD").iroas == Estimate(1.5, 0.5, 2.5)


def test_an_open_end_stays_open():
    told = with_planned_cost(bare(low=None), 200.0, "USD")
    assert told.iroas == Estimate(1.5, None, 2.5)


def test_observed_spend_counts_before_the_plan():
    reading = a_reading()
    assert with_planned_cost(reading, 5.0, "USD") is reading
    assert with_planned_cost(bare(), 0.0, "USD").iroas is None
