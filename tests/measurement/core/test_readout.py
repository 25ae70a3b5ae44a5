"""What a reading says in words agrees with its figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Estimate
from measurement.core.readout import (
    cooldown_share,
    detectable,
    disclosure,
    fit_error,
    groups_words,
    headline,
    how_texts,
    key_figures,
    passed_cost,
    span,
)
from measurement.core.words import between, money, p_text, percent, short_money
from tests.measurement.readings import a_reading, some_facts


def figures(reading=None, facts=None):
    return {one.label: one for one in key_figures(reading or a_reading(), facts or some_facts())}


def test_an_effect_is_told_with_its_interval():
    reading = replace(a_reading(), lift=Estimate(0.084, 0.057, 0.112))
    told = figures(reading)["Lift"]
    assert (told.value, told.interval, told.tone) == ("+8.4%", "5.7% to 11.2%", "good")
    assert told.verdict == "95% interval above 0"


@pytest.mark.parametrize(
    ("ends", "verdict", "tone"),
    [
        ((-0.02, 0.03), "95% interval holds 0", "warn"),
        ((-0.09, -0.01), "95% interval below 0", "bad"),
        ((None, 0.03), "95% interval holds 0", "warn"),
        ((0.0, 0.03), "95% interval holds 0", "warn"),
    ],
)
def test_the_verdict_is_where_zero_lies(ends, verdict, tone):
    told = figures(replace(a_reading(), lift=Estimate(0.01, *ends)))["Lift"]
    assert (told.verdict, told.tone) == (verdict, tone)


def test_the_level_is_that_of_the_reading():
    assert "90% interval" in figures(replace(a_reading(), alpha=0.1))["Lift"].verdict


def test_the_return_is_judged_against_one():
    around = replace(a_reading(), iroas=Estimate(1.2, 0.7, 1.8))
    assert figures(around)["iROAS"].verdict == "95% interval holds 1.0"
    unknown = figures(replace(a_reading(), iroas=None))["iROAS"]
    assert (unknown.value, unknown.verdict) == ("—", "no extra spend is known")


def test_p_says_how_many_placebos_were_as_large():
    reading = replace(a_reading(), lift=Estimate(0.05, 0.01, 0.09), placebos=np.array([0.05, -0.06, 0.01, 0.02]))
    told = figures(reading)["Placebo p"]
    assert told.verdict == "below 0.05, 2 of 4 as large"
    assert figures(replace(reading, placebos=np.array([])))["p-value"].interval == ""


def test_power_is_the_planned_one_or_it_says_that_none_was():
    assert figures()["Power at planning"].value == "82%"
    told = figures(facts=some_facts(power=None))["Detectable lift"]
    assert told.verdict == "no power was planned"
    low = figures(replace(a_reading(), lift=Estimate(0.03, 0.01, 0.05)))["Power at planning"]
    assert low.verdict == "lift below the MDE"


def test_what_is_detectable_comes_from_the_placebos_or_the_interval():
    # (1.95996 + .84162) x SE
    reading = replace(a_reading(), placebos=np.tile([0.02, -0.02], 20))
    assert detectable(reading) == pytest.approx(2.80158 * 0.02, rel=1e-4)
    from_ends = replace(reading, placebos=np.array([]), lift=Estimate(0.05, 0.05 - 0.0392, 0.05 + 0.0392))
    assert detectable(from_ends) == pytest.approx(2.80158 * 0.02, rel=1e-3)
    assert detectable(replace(from_ends, lift=Estimate(0.05, None, 0.09))) is None


def test_the_fit_before_the_test_counts_those_periods_only():
    reading = a_reading()
    observed = reading.counterfactual.copy()
    observed[: reading.start] /= 0.98
    assert fit_error(replace(reading, observed=observed)) == pytest.approx(0.02)


def test_spend_is_passed_once_the_path_stays_above_it():
    reading = a_reading()
    path = np.array([5.0, 12.0, 9.0, 11.0, 13.0])
    short = replace(reading, cumulative=path, cost=10.0)
    assert passed_cost(short) == reading.periods[reading.start + 3]
    assert passed_cost(replace(short, cost=14.0)) is None
    assert passed_cost(replace(short, cost=None)) is None
    assert passed_cost(replace(short, cost=1.0)) == reading.periods[reading.start]


def test_the_share_of_the_cool_down_is_what_came_after_the_end():
    reading = a_reading()
    length = reading.cooldown_end - reading.start + 1
    path = np.full(length, 80.0)
    path[-1] = 100.0
    assert cooldown_share(replace(reading, cumulative=path)) == pytest.approx(0.2)
    assert cooldown_share(replace(reading, cooldown_end=reading.end)) is None


def test_the_headline_claims_nothing_that_the_interval_does_not():
    assert "rose by 8.4%" in headline(replace(a_reading(), lift=Estimate(0.084, 0.02, 0.15)), some_facts())
    assert "fell by 8.4%" in headline(replace(a_reading(), lift=Estimate(-0.084, -0.15, -0.02)), some_facts())
    unclear = headline(replace(a_reading(), lift=Estimate(0.084, -0.02, 0.15)), some_facts())
    assert unclear.startswith("No effect on the sales of 9 treated states is shown")
    assert "holds 0" in unclear


def test_a_fall_where_spend_was_taken_away_speaks_for_the_ads():
    fell = replace(a_reading(), lift=Estimate(-0.05, -0.08, -0.02))
    dark = some_facts(taken_away=True)
    assert figures(fell, dark)["Lift"].tone == "good"
    assert figures(fell)["Lift"].tone == "bad"
    assert headline(fell, dark).startswith("With less spend on ads, sales of 9 treated states fell by 5.0%")


def test_tests_without_units_are_told_by_users_and_periods():
    users = replace(a_reading(), method="ab", treated=("treated, 3,461 users",), controls=("control, 3,407 users",))
    assert groups_words(users, some_facts()) == "treated, 3,461 users against control, 3,407 users"
    assert "of the treated users" in headline(users, some_facts())
    assert groups_words(a_reading(), some_facts()) == "9 treated and 18 control states"


def test_the_span_names_days_and_the_cool_down():
    assert span(a_reading()) == "28 days from 14 Sep 2026 to 11 Oct 2026, 14 of cool-down after them"


def test_everything_that_must_be_disclosed_is():
    told = dict(disclosure(a_reading(), some_facts()))
    assert set(told) == {"Attribution", "Viewability", "Invalid traffic", "Incrementality", "Class of evidence"}
    assert all(told.values())
    assert told["Class of evidence"] == "randomised experiment"
    assert "95% intervals" in told["Incrementality"]


def test_every_part_says_how_it_is_computed():
    texts = how_texts(a_reading(), some_facts())
    assert all(len(text) > 40 for text in texts.values())


def test_figures_are_written_alike():
    assert percent(-0.084, signed=True) == "\N{MINUS SIGN}8.4%"
    assert percent(0.0, signed=True) == "0.0%"
    assert percent(None) == "—"
    assert money(-320_500.4, "USD") == "\N{MINUS SIGN}$320,500"
    assert money(12.3, "CHF") == "CHF 12"
    assert short_money(320_500, "USD") == "$320k"
    assert short_money(999_960, "USD") == "$1M"
    assert short_money(99_960, "") == "100k"
    assert p_text(0.0004) == "< 0.001"
    assert between("—", "3") == "up to 3"
    assert between("—", "—") == "not bounded"
