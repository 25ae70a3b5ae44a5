"""What a reading says in words agrees with its figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Estimate
from measurement.core.charts import placebo_chart
from measurement.core.geo import analyze_geo
from measurement.core.placebo_words import as_extreme, beyond_words
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
    passed_words,
    span,
)
from measurement.core.report_file import write_csv
from measurement.core.words import between, money, p_text, percent, short_money
from tests.measurement.core.geo_panels import factor_panel, lifted
from tests.measurement.readings import a_reading, some_facts


def figures(reading=None, facts=None):
    return {one.label: one for one in key_figures(reading or a_reading(), facts or some_facts())}


def a_fall(value, low, high):
    return replace(
        a_reading(), lift=Estimate(value, low, high), incremental=Estimate(1e5 * value, 1e5 * low, 1e5 * high)
    )


def test_an_effect_is_told_with_its_interval():
    reading = replace(a_reading(), lift=Estimate(0.084, 0.057, 0.112))
    told = figures(reading)["Lift"]
    assert (told.value, told.interval, told.tone) == ("+8.4%", "5.7% to 11.2%", "good")
    assert told.verdict == "95% interval above 0"


@pytest.mark.parametrize(
    ("ends", "p_value", "verdict", "tone"),
    [
        ((-0.02, 0.03), 0.4, "95% interval holds 0", "warn"),
        ((0.001, 0.03), 0.02, "95% interval above 0", "good"),
        ((None, 0.03), 0.4, "95% interval holds 0", "warn"),
        ((0.0, 0.03), 0.06, "95% interval holds 0", "warn"),
        ((None, None), 0.001, "p below 0.05", "good"),
    ],
)
def test_the_verdict_is_where_zero_lies(ends, p_value, verdict, tone):
    told = figures(replace(a_reading(), lift=Estimate(0.01, *ends), p_value=p_value))["Lift"]
    assert (told.verdict, told.tone) == (verdict, tone)


def test_a_fall_is_found_below_zero():
    told = figures(a_fall(-0.05, -0.09, -0.01))["Lift"]
    assert (told.verdict, told.tone) == ("95% interval below 0", "bad")


@pytest.mark.parametrize(("p_value", "ends"), [(0.005, (11_500.0, 12_400.0)), (0.3, (-4_000.0, 12_400.0))])
def test_where_nothing_would_have_been_sold_the_effect_is_told_in_money(p_value, ends):
    """No share of nothing; whether there is an effect is still what p says."""
    reading = replace(
        a_reading(), lift=Estimate(float("nan"), None, None), incremental=Estimate(12_000.0, *ends), p_value=p_value,
        iroas=None, cost=None,
    )  # fmt: skip
    words, lift = headline(reading, some_facts()), figures(reading)["Lift"]
    assert "It is no share of anything" in words
    assert "nothing would have been sold" in lift.verdict
    if p_value < 0.05:
        assert words.startswith("Sales of 9 treated states rose by $12,000 (95% interval $11.5k to $12.4k)")
        assert lift.tone == "good"
    else:
        assert words.startswith("No effect on the sales of 9 treated states is shown: the estimate is $12,000")
        assert "\N{MINUS SIGN}$4k to $12.4k, holds 0" in words
        assert lift.tone == "warn"


def test_the_level_is_that_of_the_reading():
    assert "90% interval" in figures(replace(a_reading(), alpha=0.1))["Lift"].verdict


def test_the_return_is_judged_against_one():
    around = replace(a_reading(), iroas=Estimate(1.2, 0.7, 1.8))
    assert figures(around)["iROAS"].verdict == "95% interval holds 1.0"
    unknown = figures(replace(a_reading(), iroas=None))["iROAS"]
    assert (unknown.value, unknown.verdict) == ("—", "no extra spend is known")


@pytest.mark.parametrize("method", ["sc_indexed", "sc", "asc", "did", "log_did"])
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_count_of_placebos_is_the_one_that_makes_p(method, seed):
    """(count + 1) / (placebos + 1), of the scaled statistic and not of the lifts, in words, picture and file."""
    treated = ["m02", "m05", "m11"]
    panel = lifted(factor_panel(seed), treated, 50, 0.06)
    reading = analyze_geo(panel, treated=treated, start=51, method=method, seed=seed)
    count, drawn = as_extreme(reading)
    assert (count + 1) / (drawn + 1) == pytest.approx(reading.p_value, abs=1e-12)
    words = beyond_words(reading)
    assert words.startswith(f"{count} of {drawn} placebos")
    assert ("scaled by its own noise" in words) == (method != "log_did")
    assert "histogram shows their lifts as they are" in words
    assert f"{count} of {drawn} as extreme" in figures(reading)["Placebo p"].verdict
    assert words in placebo_chart(reading)["alt"]
    table = write_csv(reading, some_facts(), name="x").content.decode("utf-8-sig")
    assert f"figure,placebos at least as extreme,,{count},,,{reading.p_value!r}" in table


def test_where_p_is_of_another_procedure_no_count_is_told():
    """Pairs show earlier stretches and take p from their coins."""
    reading = replace(a_reading(), method="pairs", procedure="sign-flip test of 9 pairs", details={"pairs": 9})
    assert figures(reading)["p-value"].interval == ""
    assert beyond_words(reading).startswith("Lifts of the same comparison in 59 stretches before the test")
    assert "of the sign-flip test of 9 pairs" in beyond_words(reading)
    assert beyond_words(replace(reading, placebos=np.array([]))) == ""


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
    assert passed_words(short, some_facts()) == "Passes the extra spend on 17 Sep 2026"
    assert passed_words(replace(short, cost=14.0), some_facts()) == "Stays below the extra spend of $14"


def test_spend_that_was_saved_is_held_against_the_loss_of_sales():
    reading = a_reading()
    dark, facts = replace(reading, cost=-10.0), some_facts(taken_away=True)
    lost, gained = np.array([-5.0, -12.0, -9.0, -11.0]), np.array([5.0, 12.0, 9.0, 11.0])
    assert passed_cost(replace(dark, cumulative=lost)) == reading.periods[reading.start + 3]
    words = passed_words(replace(dark, cumulative=lost), facts)
    assert words == "The loss passes the spend that was saved on 17 Sep 2026"
    assert passed_cost(replace(dark, cumulative=gained)) is None
    words = passed_words(replace(dark, cumulative=gained), facts)
    assert words == "The loss stays below the spend that was saved, $10"


def test_the_share_of_the_cool_down_is_what_came_after_the_end():
    reading = a_reading()
    length = reading.cooldown_end - reading.start + 1
    path = np.full(length, 80.0)
    path[-1] = 100.0
    assert cooldown_share(replace(reading, cumulative=path)) == pytest.approx(0.2)
    assert cooldown_share(replace(reading, cooldown_end=reading.end)) is None


def test_the_headline_claims_nothing_that_the_interval_does_not():
    assert "rose by 8.4%" in headline(replace(a_reading(), lift=Estimate(0.084, 0.02, 0.15)), some_facts())
    assert "fell by 8.4%" in headline(a_fall(-0.084, -0.15, -0.02), some_facts())
    unclear = headline(replace(a_reading(), lift=Estimate(0.084, -0.02, 0.15), p_value=0.2), some_facts())
    assert unclear.startswith("No effect on the sales of 9 treated states is shown")
    assert "holds 0" in unclear


def test_a_fall_where_spend_was_taken_away_speaks_for_the_ads():
    fell = a_fall(-0.05, -0.08, -0.02)
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
