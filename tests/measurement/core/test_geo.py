"""What an analysis says: one procedure for p and all intervals, method by design, refusals that name the cause."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Estimate, PanelReading
from measurement.core.geo import METHODS, analyze_geo
from measurement.core.geo_command import reading_text
from measurement.core.geo_methods import NoIndex
from measurement.core.geo_question import InvalidTest, NotYetReadable, UnknownUnits
from measurement.core.log_did import NoLogarithms
from tenants.core.problems import InvalidInput
from tests.measurement.core.geo_panels import factor_panel, lifted, panel_of

ASKED = tuple(method for method in METHODS if method not in ("auto", "pairs", "trimmed_match"))
TREATED = ["m03", "m11"]


def analyse(panel, **options) -> PanelReading:
    options = {"treated": TREATED, "start": 46, "placebos": 59, "sensitivity": False, **options}
    return analyze_geo(panel, **options)


def excludes_zero(estimate: Estimate) -> bool:
    return (estimate.low is not None and estimate.low > 0.0) or (estimate.high is not None and estimate.high < 0.0)


def with_cost(panel, *, treated=TREATED, start: int = 45, noise: float = 0.0, spend: float = 500.0):
    """Nothing is spent but by the treated in the test; with noise everybody spends something all the time."""
    rng = np.random.default_rng(8)
    cost = noise * rng.gamma(4.0, 25.0, panel.outcome.shape)
    cost[[panel.place[name] for name in treated], start:] += spend
    return replace(panel, cost=cost)


@pytest.mark.parametrize("method", ASKED)
def test_p_and_every_interval_agree(method: str) -> None:
    seen = set()
    for seed in range(8):
        panel = lifted(factor_panel(seed), TREATED, 45, (0.0, 0.04, 0.12, -0.1)[seed % 4])
        reading = analyse(with_cost(panel), method=method)
        significant = reading.p_value < 0.05
        seen.add(significant)
        for estimate in (reading.att, reading.lift, reading.incremental, reading.iroas):
            assert estimate is not None
            assert excludes_zero(estimate) == significant, (seed, estimate, reading.p_value)
            assert estimate.low is None or estimate.low <= estimate.value
            assert estimate.high is None or estimate.value <= estimate.high
    # TBR calls most of these significant, lift or none: that is why it is no default.
    assert seen == {True, False} or (method == "tbr" and seen == {True})


@pytest.mark.parametrize("method", ASKED)
def test_the_figures_are_one_effect_in_different_units(method: str) -> None:
    reading = analyse(with_cost(lifted(factor_panel(2), TREATED, 45, 0.1)), method=method)
    window = slice(reading.start, reading.cooldown_end + 1)
    total = float((reading.observed - reading.counterfactual)[window].sum())
    assert reading.incremental.value == pytest.approx(total)
    assert reading.att.value == pytest.approx(total / 30)
    assert reading.lift.value == pytest.approx(total / reading.counterfactual[window].sum())
    assert reading.cost == pytest.approx(2 * 15 * 500.0)
    assert reading.iroas.value == pytest.approx(total / 15_000.0)
    assert reading.cumulative[-1] == pytest.approx(total)
    assert reading.periods[reading.start] == dt.date(2026, 2, 19)
    assert reading.method == method


@pytest.mark.parametrize("method", ["sc_indexed", "sc", "asc", "sdid", "did", "log_did", "tbr"])
def test_the_path_ends_at_the_effect(method: str) -> None:
    reading = analyse(lifted(factor_panel(2), TREATED, 45, 0.1), method=method)
    assert reading.cumulative_low[-1] == pytest.approx(reading.incremental.low)
    assert reading.cumulative_high[-1] == pytest.approx(reading.incremental.high)
    assert np.isnan(reading.low[: reading.start]).all()
    assert (reading.low <= reading.high)[reading.start :].all()


@pytest.mark.parametrize("method", ASKED)
def test_the_currency_does_not_matter(method: str) -> None:
    panel = lifted(factor_panel(6), TREATED, 45, 0.06)
    euro, yen = analyse(panel, method=method), analyse(panel_of(panel.outcome * 160.0), method=method)
    assert yen.p_value == pytest.approx(euro.p_value, abs=1e-6)
    assert yen.lift.value == pytest.approx(euro.lift.value, rel=1e-5)
    assert yen.att.value == pytest.approx(160.0 * euro.att.value, rel=1e-5)


@pytest.mark.parametrize("method", ["sc_indexed", "sc", "asc", "sdid", "log_did"])
def test_a_clear_lift_is_found_and_its_size_told(method: str) -> None:
    reading = analyse(lifted(factor_panel(13, units=30, noise=0.02), TREATED, 45, 0.2), method=method)
    assert reading.p_value < 0.05
    assert reading.lift.low < 0.2 < reading.lift.high
    assert reading.lift.value == pytest.approx(0.2, abs=0.08)
    assert np.median(reading.placebos) == pytest.approx(0.0, abs=0.05)


def test_the_same_seed_gives_the_same_reading_and_another_one_other_placebos() -> None:
    panel = factor_panel(1)
    one, again, other = analyse(panel), analyse(panel), analyse(panel, seed=2)
    assert np.array_equal(one.placebos, again.placebos)
    assert one.lift == again.lift
    assert not np.array_equal(one.placebos, other.placebos)
    assert one.lift.value == other.lift.value


def test_less_spend_is_a_test_too() -> None:
    """Go-dark: sales fall by 20 where spend falls by 500; every pound kept out had earned something."""
    panel = lifted(factor_panel(9, units=30, noise=0.02), TREATED, 45, -0.2)
    cost = np.full(panel.outcome.shape, 500.0)
    cost[[panel.place[name] for name in TREATED], 45:] = 0.0
    for method in ("sc_indexed", "sc", "tbr", "log_did"):
        reading = analyse(replace(panel, cost=cost), method=method)
        assert reading.cost == pytest.approx(-15_000.0)
        assert reading.incremental.value < 0.0
        assert reading.iroas.value == pytest.approx(reading.incremental.value / -15_000.0)
        assert 0.0 < reading.iroas.low < reading.iroas.value < reading.iroas.high


def test_spend_that_barely_differs_leaves_iroas_open() -> None:
    panel = lifted(factor_panel(9, units=30, noise=0.02), TREATED, 45, 0.2)
    for method in ("sc_indexed", "sc", "tbr"):
        reading = analyse(with_cost(panel, noise=1.0, spend=0.5), method=method)
        assert reading.p_value < 0.05
        assert reading.iroas is None
        assert any("no iROAS is told" in warning for warning in reading.warnings)
        nothing = analyse(with_cost(factor_panel(8, units=30), noise=1.0, spend=0.5), method="sc")
        assert nothing.p_value > 0.05
        assert nothing.iroas.low is None or nothing.iroas.high is None


def test_spend_that_is_an_estimate_widens_the_ratio() -> None:
    panel = lifted(factor_panel(9, units=30, noise=0.02), TREATED, 45, 0.2)
    for method in ("sc_indexed", "sc", "tbr"):
        known, guessed = analyse(with_cost(panel), method=method), analyse(with_cost(panel, noise=1.0), method=method)
        assert guessed.p_value == known.p_value
        assert guessed.iroas.low > 0.0
        assert guessed.iroas.value == pytest.approx(guessed.incremental.value / guessed.cost)
        assert guessed.cost == pytest.approx(15_000.0, rel=0.2)


def test_strange_panels_are_answers_or_problems() -> None:
    """Nothing sold, twins, one amount for all, sums below zero: never a crash, and an answer that JSON takes."""
    outcome = factor_panel(4, units=10, periods=30).outcome
    flat, twins, empty, idle = outcome.copy(), outcome.copy(), outcome.copy(), outcome.copy()
    flat[:, :20] = 100.0
    twins[[0, 1, 2]] = outcome[4]
    empty[:, 20:] = 0.0
    idle[[0, 1], :20] = 0.0
    for strange in (flat, twins, empty, idle, -outcome, outcome - outcome.mean(), outcome * 1e12, outcome * 1e-9):
        for method in ASKED:
            refusal = {"log_did": NoLogarithms, "sc_indexed": NoIndex}.get(method, ())
            try:
                reading = analyse(
                    panel_of(strange),
                    treated=["m00", "m01"],
                    start=21,
                    method=method,
                    placebos=40,
                    sensitivity=method == "sc",
                )
            except refusal:
                continue
            assert 0.0 <= reading.p_value <= 1.0
            assert json.loads(reading_text(reading, as_json=True))["p_value"] == reading.p_value
            assert excludes_zero(reading.incremental) == (reading.p_value < 0.05)


def test_without_cost_there_is_no_iroas() -> None:
    reading = analyse(factor_panel(1))
    assert reading.iroas is None
    assert reading.cost is None


def test_the_cool_down_counts_to_the_effect() -> None:
    panel = lifted(factor_panel(9, units=30, noise=0.02), TREATED, 45, 0.2)
    reading = analyse(panel, end=55, cooldown=5)
    assert (reading.start, reading.end, reading.cooldown_end) == (45, 54, 59)
    assert len(reading.cumulative) == 15
    assert reading.incremental == analyse(panel).incremental


@pytest.mark.parametrize(
    ("units", "treated", "wanted", "why"),
    [
        (24, 1, "sc_indexed", "1 of 24 markets"), (20, 1, "sc_t", "Only 20 sets of 1 market "),
        (20, 2, "sc_indexed", "up to a quarter"), (20, 5, "sc_indexed", "up to a quarter"),
        (7, 2, "sc_indexed", "no more than two"),
        (20, 8, "log_did", "more than a quarter"), (5, 2, "sc_t", "Only 10 sets"),
    ],
)  # fmt: skip
def test_the_method_follows_the_design(units: int, treated: int, wanted: str, why: str) -> None:
    panel = factor_panel(2, units=units)
    reading = analyse(panel, treated=list(panel.units[:treated]))
    assert reading.method == wanted
    assert why in reading.why_method


def test_who_asks_for_a_method_gets_it() -> None:
    reading = analyse(factor_panel(2), treated=["m01"], method="sc")
    assert reading.why_method == "It was asked for."
    assert any("p cannot go below 0.050" in warning for warning in reading.warnings)
    assert (reading.lift.low, reading.lift.high) == (None, None)


def test_the_class_of_evidence_is_that_of_the_design() -> None:
    panel = factor_panel(2)
    assert analyse(panel).evidence == "counterfactual"
    assert analyse(panel, randomised=True).evidence == "experiment"
    assert analyse(panel, method="tbr", randomised=True).evidence == "econometric"


def test_placebos_are_the_sets_that_could_have_been_drawn() -> None:
    panel = factor_panel(2)
    sets = [[f"m{one:02d}", f"m{one + 8:02d}"] for one in range(8)]
    reading = analyse(panel, admissible=sets, method="sc")
    assert len(reading.placebos) == 7
    assert any("p cannot go below 0.125" in warning for warning in reading.warnings)


def test_other_methods_are_asked_too() -> None:
    reading = analyse(factor_panel(2), sensitivity=True)
    assert [other.method for other in reading.sensitivity] == [
        "sc", "sdid", "asc", "log_did", "conformal_iid", "conformal_block",
    ]  # fmt: skip
    assert all(0.0 < other.p_value <= 1.0 for other in reading.sensitivity)


def test_an_assignment_names_both_groups_and_leaves_out_the_rest() -> None:
    panel = factor_panel(2)
    groups = dict.fromkeys(panel.units[:12], "control") | {"M03": "treated", "m11": "treated", "m15": "held back"}
    groups = {name: group for name, group in groups.items() if name not in ("m03", "m05")}
    reading = analyse(panel, treated=None, assignment=groups)
    assert reading.treated == ("m03", "m11")
    assert len(reading.controls) == 9
    assert any("9 units left out: m05, m12" in warning for warning in reading.warnings)


def test_units_in_another_test_take_no_part() -> None:
    reading = analyse(factor_panel(2), exclude=["m00", "M01"])
    assert not {"m00", "m01"} & set(reading.controls)
    with pytest.raises(InvalidTest, match="treated here and excluded"):
        analyse(factor_panel(2), exclude=["m03"])


def test_periods_by_number_date_and_label() -> None:
    panel = factor_panel(2)
    by_number = analyse(panel)
    assert analyse(panel, start="46").start == 45
    assert analyse(panel, start="2026-02-19", end=dt.date(2026, 3, 5)).incremental == by_number.incremental
    years = replace(panel, periods=tuple(range(1970, 2030)))
    assert analyse(years, start="2015").start == 45


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"start": "2027-01-01"}, NotYetReadable, "after the data"), ({"start": 61}, NotYetReadable, "after the data"),
        ({"end": 75}, NotYetReadable, "after the data"), ({"cooldown": 40}, NotYetReadable, "cool-down of 40"),
        ({"end": 60, "cooldown": 1}, NotYetReadable, "cool-down of 1"),
        ({"start": 50, "end": 40}, NotYetReadable, "50 to 40"),
        ({"start": "2025-01-01"}, InvalidTest, "no period 2025"), ({"start": "soon"}, InvalidTest, "no period"),
        ({"start": 3}, InvalidTest, "2 periods before the start"), ({"treated": []}, InvalidTest, "No unit is treated"),
        ({"treated": ["m03", "atlantis"]}, UnknownUnits, "'atlantis'"), ({"alpha": 0.0}, InvalidTest, "alpha"),
        ({"method": "magic"}, InvalidTest, "'magic'"), ({"placebos": 0}, InvalidTest, "placebo"),
        ({"treated": [f"m{n:02d}" for n in range(19)]}, InvalidTest, "1 controls"),
        ({"treated": None}, InvalidTest, "neither"),
        ({"treated": None, "assignment": {"m03": "treated", "mu": "control"}}, UnknownUnits, "'mu'"),
    ],
)  # fmt: skip
def test_what_cannot_be_analysed_is_named(options: dict, error: type[InvalidTest], told: str) -> None:
    with pytest.raises(error, match=told) as caught:
        analyse(factor_panel(2), **options)
    assert caught.value.fix


def test_a_unit_left_out_on_reading_is_told_why() -> None:
    panel = replace(factor_panel(2), notes=("1 unit left out for want of periods: york appears at 2026-01-09.",))
    with pytest.raises(UnknownUnits, match="york appears at 2026-01-09"):
        analyse(panel, treated=["york"])


def test_randomised_pairs_are_read_as_pairs() -> None:
    panel = factor_panel(2)
    pairs = [(f"m{one:02d}", f"m{one + 8:02d}") for one in range(8)]
    groups = {name: group for pair in pairs for name, group in zip(pair, ("treated", "control"), strict=True)}
    reading = analyse(panel, treated=None, assignment=groups, pairs=pairs)
    assert reading.method == "pairs"
    assert "8 pairs were randomised" in reading.why_method
    assert reading.evidence == "experiment"
    assert any("4 units left out" in warning for warning in reading.warnings)
    few = analyse(panel, treated=None, assignment=groups, pairs=pairs[:7])
    assert few.method == "log_did"


def test_a_unit_without_a_partner_is_named() -> None:
    panel = factor_panel(13)
    pairs = [(f"m{one:02d}", f"m{one + 8:02d}") for one in range(8)]
    groups = {name: group for pair in pairs for name, group in zip(pair, ("treated", "control"), strict=True)}
    groups |= {"m16": "treated", "m17": "control"}
    reading = analyse(panel, treated=None, assignment=groups, pairs=pairs)
    assert "2 units of the test without a partner, not read: m16, m17." in reading.warnings


def test_pairs_that_none_told_are_the_nearest_and_no_experiment() -> None:
    panel = factor_panel(2, units=6)
    twins = np.vstack([panel.outcome, 1.1 * panel.outcome])
    reading = analyse(
        with_cost(panel_of(twins), treated=["m00", "m07"]), treated=["m00", "m07", "m02", "m09"], method="pairs"
    )
    assert reading.evidence == "counterfactual"
    assert any("Pairs were formed" in warning for warning in reading.warnings)
    assert set(reading.controls) == {"m06", "m01", "m08", "m03"}
    assert reading.start == 45


def test_an_outlier_is_told_and_the_effect_in_the_test_is_none() -> None:
    panel = factor_panel(2)
    spike = panel.outcome.copy()
    spike[7, 20] *= 4.0
    told = [warning for warning in analyse(panel_of(spike)).warnings if "robust deviations" in warning]
    assert len(told) == 1
    assert "m07 at 2026-01-25" in told[0]
    assert not [warning for warning in analyse(lifted(panel, TREATED, 45, 1.5)).warnings if "robust" in warning]


def test_a_poor_fit_is_told() -> None:
    panel = factor_panel(2)
    odd = panel.outcome.copy()
    odd[[3, 11]] *= 1.0 + 0.5 * np.sin(np.arange(60) / 3.0)
    warnings = " ".join(analyse(panel_of(odd)).warnings)
    assert "poor" in warnings
    assert "outside of all controls" in warnings


def test_tbr_is_labelled() -> None:
    assert any("planning" in warning for warning in analyse(factor_panel(2), method="tbr").warnings)


def test_zeros_and_returns_are_analysed() -> None:
    panel = factor_panel(2)
    outcome = panel.outcome.copy()
    outcome[3, 50], outcome[5, 45:], outcome[11, 30] = -20.0, 0.0, 0.0
    for method in ("sc", "asc", "sdid", "did", "tbr", "sc_t"):
        reading = analyse(panel_of(outcome), method=method)
        assert np.isfinite(reading.incremental.value)
    with pytest.raises(NoLogarithms, match="'m05'"):
        analyse(panel_of(outcome), method="log_did")
    others = analyse(panel_of(outcome), sensitivity=True).sensitivity
    assert "sold nothing" in next(other.note for other in others if other.method == "log_did")


def test_nothing_sold_in_the_test_is_an_effect() -> None:
    panel = factor_panel(2)
    outcome = panel.outcome.copy()
    outcome[[3, 11], 45:] = 0.0
    reading = analyse(panel_of(outcome), placebos=189)
    assert reading.lift.value == pytest.approx(-1.0)
    assert reading.p_value < 0.05
    assert reading.incremental.high < 0.0


@pytest.mark.parametrize("scale", [1e160, 1e-200])
def test_amounts_beyond_all_measure_are_named(scale: float) -> None:
    panel = factor_panel(1)
    with pytest.raises(InvalidInput, match="another unit") as caught:
        analyze_geo(panel_of(panel.outcome * scale), treated=["m01", "m02"], start=46)
    assert caught.value.where == "outcome"
    with pytest.raises(InvalidInput) as caught:
        analyze_geo(panel_of(panel.outcome, cost=panel.outcome * scale), treated=["m01", "m02"], start=46)
    assert caught.value.where == "cost"


@pytest.mark.parametrize("scale", [1e80, 1e-80])
def test_the_unit_of_money_does_not_change_a_reading(scale: float) -> None:
    panel = lifted(factor_panel(1, noise=0.02), ["m01", "m02"], 45, 0.1)
    plain, scaled = (
        analyze_geo(panel_of(panel.outcome * unit), treated=["m01", "m02"], start=46, placebos=60, sensitivity=False)
        for unit in (1.0, scale)
    )
    assert scaled.p_value == plain.p_value
    assert [scaled.lift.value, scaled.lift.low] == pytest.approx([plain.lift.value, plain.lift.low])


def test_a_lift_over_nothing_is_told_in_words() -> None:
    panel = factor_panel(1)
    reading = analyze_geo(panel, treated=["m01", "m02"], start=46, placebos=30, sensitivity=False)
    text = reading_text(replace(reading, lift=Estimate(float("nan"), None, None)), as_json=False)
    assert "nan" not in text
    assert "nothing would have been sold" in text


def test_a_number_that_is_also_the_label_of_another_period_is_said() -> None:
    panel = replace(factor_panel(1), periods=tuple(range(21, 81)))
    asked = {"treated": ["m01", "m02"], "method": "did", "placebos": 30, "sensitivity": False}
    reading = analyze_geo(panel, start="35", end=40, **asked)
    assert reading.start == 34
    assert sum("was taken for the number of a period" in warning for warning in reading.warnings) == 2
    assert "labelled 55; another is labelled 35, and is number 15" in reading.warnings[0]
    for periods in (tuple(range(1, 61)), tuple(range(1900, 1960))):
        reading = analyze_geo(replace(panel, periods=periods), start=35, end=periods[-1], **asked)
        assert not any("was taken for" in warning for warning in reading.warnings)


def test_an_excluded_unit_that_is_not_there_is_said() -> None:
    reading = analyze_geo(
        factor_panel(1), treated=["m01", "m02"], start=46, exclude=["m03", "atlantis"], method="did", placebos=30,
        sensitivity=False,
    )  # fmt: skip
    assert any("not in the panel: 'atlantis'." in warning for warning in reading.warnings)


@pytest.mark.parametrize("method", ["sc_indexed", "sc", "did", "log_did", "tbr", "sc_t"])
def test_spend_that_did_not_change_has_no_return(method: str) -> None:
    panel = lifted(factor_panel(9), TREATED, 45, 0.1)
    flat = np.repeat(0.1 * np.arange(1, len(panel.units) + 1)[:, None], len(panel.periods), axis=1)
    reading = analyse(replace(panel, cost=flat), method=method)
    assert not reading.cost
    assert reading.iroas is None


def test_a_pair_with_an_excluded_unit_takes_no_part() -> None:
    panel = factor_panel(9)
    pairs = [(panel.units[place], panel.units[place + 1]) for place in range(0, 20, 2)]
    reading = analyze_geo(
        panel, treated=[one for one, _ in pairs], pairs=pairs, start=46, exclude=[pairs[0][1]], sensitivity=False
    )
    assert pairs[0][1] not in reading.controls
    assert len(reading.treated) == 9
    assert any(f"{pairs[0][0]} and {pairs[0][1]}" in warning for warning in reading.warnings)


def test_synthetic_did_without_effect_is_rejected_as_seldom_as_it_says() -> None:
    """Independent noise on few controls: time weights follow the controls that they are fitted to, and no others."""
    rejected = 0
    for number in range(40):
        rng = np.random.default_rng([5, number])
        panel = panel_of(np.round(1000.0 * np.exp(0.05 * rng.standard_normal((12, 35)))))
        reading = analyze_geo(
            panel, treated=panel.units[:2], start=31, method="sdid", placebos=39, sensitivity=False, seed=number
        )
        rejected += reading.p_value < 0.1
    assert rejected <= 10
