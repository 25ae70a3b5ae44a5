"""Ratios of two nodes, seasons of the weeks, and the mean of the worst cases, through every door."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from optimization import selectors as curves
from optimization import services as optimization
from optimization.core.instance import parse_problem
from optimization.core.search import tail_value
from planning import selectors, services
from planning.models import Scenario
from planning.presenters import infeasible_context
from tests.planning.conftest import ASKED
from tests.planning.test_aims import WALMART, answer_of
from tests.planning.test_pages import TYPED, row
from tests.planning.test_scenarios import RETAILER, spend_of

AMAZON = tuple(RETAILER)
RATIO = {"path": WALMART, "other": RETAILER, "max_ratio": "0.25"}


def tail_of(scenario: Scenario) -> float:
    """The worst tenth of the stored draws, of what the answer spends."""
    problem = parse_problem(scenario.solve.problem)
    spend = np.array([scenario.solve.solution["spend"][name] for name in problem.ids])
    return tail_value(problem, spend)


def test_a_ratio_is_kept(solved):
    scenario = solved(ratios=[RATIO])
    part = spend_of(scenario, under=tuple(WALMART)) / spend_of(scenario, under=AMAZON)
    assert part == pytest.approx(0.25, rel=1e-6)
    assert answer_of(scenario)["gap"] <= 1e-6
    assert answer_of(scenario)["engine"] == "cvxpy+clarabel"


def test_a_ratio_that_cannot_hold_is_named_with_a_way_out(solved, alice, chips, browser):
    asked = {"ratios": [RATIO], "bounds": [{"path": WALMART, "min_spend": "2000"}]}
    found = services.check_scenario(actor=alice, given=ASKED | asked, brand=chips)
    assert not found.feasible
    assert {way.field for way in found.conflict} >= {"ratios", "bounds", "total_budget"}
    scenario = solved(**asked)
    assert scenario.status == Scenario.Status.INFEASIBLE
    ways = {way["field"]: way for way in scenario.relaxations}
    assert ways["ratios"]["text"] == "onsite search > Walmart at most 0.25 times onsite search > Amazon"
    assert Decimal(ways["ratios"]["needed"]) == pytest.approx(Decimal(2000) / 2200, abs=Decimal("0.0002"))
    for at, way in enumerate(scenario.relaxations):
        assert way["restores"], way
        relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=at)
        assert services.answer_scenario(scenario=relaxed).status == Scenario.Status.SOLVED
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert "at most 0.25 times onsite search &gt; Amazon" in shown


def test_a_season_draws_money_to_its_week(solved):
    usual = solved(weekly_budgets=[4200, 0, 0, 0])
    high = solved(weekly_budgets=[4200, 0, 0, 0], season=[1, 1, "1.6", "0.4"])
    flat = [one["spend"] for one in answer_of(usual)["periods"]]
    bent = [one["spend"] for one in answer_of(high)["periods"]]
    assert flat == pytest.approx([1050.0] * 4, rel=1e-6)
    assert bent[2] > 1.5 * bent[0] > 2.0 * bent[3]
    assert sum(bent) == pytest.approx(4200.0)
    low, most = high.outlook["sales_proposed"]
    assert low < high.outlook["expected_proposed"] < most
    assert high.outlook["expected_proposed"] > usual.outlook["expected_proposed"]


def test_a_season_scales_what_is_simulated(solved, alice):
    usual, double = solved(weekly_budgets=[1050] * 4), solved(weekly_budgets=[1050] * 4, season=[2] * 4)
    typed = [{"path": RETAILER, "amount": "1000"}]
    told = [services.simulate_allocation(actor=alice, scenario=one, allocation=typed) for one in (usual, double)]
    assert told[1].whole.sales == pytest.approx(2.0 * told[0].whole.sales)
    assert told[1].outlook["sales_proposed"] == pytest.approx([2.0 * x for x in told[0].outlook["sales_proposed"]])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"objective": "profit", "margin_fraction": "0.5", "total_budget": "20000"},
        {"weekly_budgets": [2000, 0, 1000, 1200], "season": ["1", "1.3", "1", "0.8"]},
        {"mode": "flexible_target_marginal_roi", "target": "1.5", "total_budget": "20000"},
    ],
)
def test_the_worst_cases_are_better_than_under_the_expected_optimum(solved, more):
    plain, careful = solved(**more), solved(**more, tail_fraction="0.1", name="careful")
    answer = answer_of(careful)
    assert answer["objective_kind"] == "cvar"
    assert answer["gap"] <= 1e-5
    if not more.get("weekly_budgets"):
        assert answer["objective"] == pytest.approx(tail_of(careful), rel=1e-6)
        other = parse_problem(careful.solve.problem)
        spend = np.array([answer_of(plain)["spend"][name] for name in other.ids])
        assert tail_value(other, spend) <= answer["objective"] * (1.0 + 1e-6)
    assert careful.outlook["tail_proposed"] < careful.outlook["expected_proposed"]
    assert careful.outlook["tail_now"] < careful.outlook["expected_now"]


def test_what_was_turned_down_is_valued_by_the_worst_cases(solved):
    careful = solved(tail_fraction="0.1")
    told = services.explain_scenario(scenario=careful)
    assert told.alternatives
    # The budget is what is spent now, so the current mix is allowed and cannot be better.
    assert all(one.below >= -1e-6 * answer_of(careful)["objective"] for one in told.alternatives if not one.broken)
    assert all(one.worth < one.sales for one in told.alternatives)


def test_draws_of_a_posterior_decide_what_is_risky(fitted, alice, chips, draft):
    """Walmart's lines return the same on average, but lose most of it together in every fifth draw."""
    version = curves.latest_curves(brand=chips)
    count = 100
    frames = []
    for one in version.curves:
        shaky = one["retailer"] == "Walmart"
        level = np.where(np.arange(count) % 5 == 0, 0.2, 1.2) if shaky else np.ones(count)
        frames.append(
            pl.DataFrame({"draw": np.arange(count), "a": one["params"]["a"] * level}).with_columns(
                retailer=pl.lit(one["retailer"]), placement=pl.lit(one["placement"]), sku=pl.lit(one["sku"]),
                family=pl.lit(one["family"]), k=pl.lit(float(one["params"]["k"])),
                reference_spend=pl.lit(float(one["reference_spend"])),
            )
        )  # fmt: skip
    content = io.BytesIO()
    pl.concat(frames).write_parquet(content)
    optimization.import_curves(
        actor=alice, brand=chips, content=content.getvalue(), source="elsewhere",
        data_start=date(2026, 1, 5), data_end=date(2026, 11, 1),
    )  # fmt: skip
    plain = services.answer_scenario(scenario=draft())
    careful = services.answer_scenario(scenario=draft(tail_fraction="0.1"))
    basis = selectors.basis_for(brand=chips, start=careful.horizon_start, end=careful.horizon_end)
    assert basis.version.method == "imported"
    stored = parse_problem(careful.solve.problem)
    assert stored.tail is not None
    assert stored.tail.scenarios.shape == (count, len(stored.cells))
    for at, cell in enumerate(stored.cells):
        wanted = [0.2, 1.2] if "Walmart" in cell.id else [1.0]
        assert sorted(set(stored.tail.scenarios[:, at])) == pytest.approx(wanted)
    assert spend_of(careful, under=tuple(WALMART)) < 0.5 * spend_of(plain, under=tuple(WALMART))
    # The outlook is of the same draws: in four of five, Walmart sells a fifth more; the worst tenth are the others.
    lines = answer_of(careful)["lines"]
    at_walmart = sum(one["revenue_proposed"] for one in lines if one["cell"].startswith("Walmart"))
    elsewhere = sum(one["revenue_proposed"] for one in lines) - at_walmart
    assert careful.outlook["tail_proposed"] == pytest.approx(elsewhere + 0.2 * at_walmart, rel=1e-6)
    assert careful.outlook["tail_proposed"] == pytest.approx(tail_of(careful), rel=1e-5)
    assert careful.outlook["tail_proposed"] > plain_tail(plain)


def plain_tail(plain: Scenario) -> float:
    lines = answer_of(plain)["lines"]
    return sum(one["revenue_proposed"] * (0.2 if one["cell"].startswith("Walmart") else 1.0) for one in lines)


# Doors ---------------------------------------------------------------------------------------------------------------


def test_the_builder_stores_ratios_seasons_and_the_worst_cases(browser, fitted):
    typed: dict[str, Any] = (
        TYPED
        | {"weekly_budgets": "4200; 0; 0; 0", "season": "1; 1; 1.6; 0.4", "tail_percent": "10"}
        | row(0, "onsite search > Walmart", "", "0.25")
        | {"bound-0-kind": "ratio", "bound-0-within": "onsite search > Amazon"}
    )
    assert browser.post("/scenarios/new/?brand=chips", typed | {"act": "save"}).status_code == 302
    (scenario,) = Scenario.objects.all()
    assert scenario.ratios == [{"path": WALMART, "other": RETAILER, "min_ratio": None, "max_ratio": "0.2500"}]
    assert scenario.season == ["1.0000", "1.0000", "1.6000", "0.4000"]
    assert scenario.tail_fraction == Decimal("0.1")
    page = browser.get(f"/scenarios/{scenario.pk}/edit/").content.decode()
    assert '<option value="ratio" selected>' in page
    assert 'value="1; 1; 1.6; 0.4"' in page
    assert 'name="tail_percent" value="10"' in page
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert "onsite search &gt; Walmart at most 0.25 times onsite search &gt; Amazon" in shown
    assert "Seasons of the weeks: 1, 1, 1.6, 0.4" in shown
    assert "The mean of the worst 10% of what may be true is maximised" in shown
    services.answer_scenario(scenario=scenario)
    assert "sales in the worst 10% of cases" in browser.get(f"/scenarios/{scenario.pk}/").content.decode()


def test_the_builder_shows_findings_beside_their_rows_and_fields(browser, fitted):
    typed = (
        TYPED
        | {"season": "1; 1", "tail_percent": "0.5"}
        | row(0, "onsite search > Walmart", "3", "2")
        | {"bound-0-kind": "ratio", "bound-0-within": "onsite search > Amazon"}
    )
    answer = browser.post("/scenarios/new/?brand=chips", typed | {"act": "save"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "no week has a budget" in page
    assert "less than two of them" in page
    assert page.index('id="bound-0-error"') < page.index("The least ratio, 3.0000, is above the most, 2.0000")


def test_live_feasibility_judges_ratios(browser, fitted):
    typed = (
        TYPED
        | row(0, "onsite search > Walmart", "", "0.25")
        | {"bound-0-kind": "ratio", "bound-0-within": "onsite search > Amazon"}
    )
    assert "can be met" in browser.post("/scenarios/check/?brand=chips", typed).content.decode()
    typed |= row(1, "onsite search > Walmart", "2000", "") | {"bound-1-kind": "spend"}
    page = browser.post("/scenarios/check/?brand=chips", typed).content.decode()
    assert "cannot be met together" in page
    assert "0.25 times onsite search &gt; Amazon" in page


def test_rest_takes_and_shows_them_and_comparison_tells_them(api, chips, fitted, solved):
    body = ASKED | {
        "brand": str(chips.pk), "ratios": [RATIO], "weekly_budgets": [4200, 0, 0, 0], "season": [1, 1, "1.6", "0.4"],
        "tail_fraction": "0.1",
    }  # fmt: skip
    answer = api.post("/api/v1/scenarios/", body, format="json")
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert told["tail_fraction"] == "0.1000"
    assert told["ratios"][0]["max_ratio"] == "0.2500"
    copy = api.post(f"/api/v1/scenarios/{told['id']}/duplicate/", {}, format="json").json()
    assert [copy[name] for name in ("ratios", "season", "tail_fraction")] == [
        told[name] for name in ("ratios", "season", "tail_fraction")
    ]
    plain = solved(name="plain")
    careful = services.answer_scenario(scenario=Scenario.objects.get(pk=told["id"]))
    rows = api.get(f"/api/v1/scenarios/compare/?scenarios={plain.pk},{careful.pk}").json()["terms"]
    labels = {one["label"]: one["values"][1] for one in rows}
    assert labels["onsite search > Walmart against onsite search > Amazon, at most, times"] == "0.25"
    assert labels["Worst cases that count"] == "10.00%"
    assert labels["Seasons of the weeks"] == "1, 1, 1.6, 0.4"


@pytest.mark.parametrize(
    ("field", "limit", "second", "asked", "floor", "needed"),
    [
        ("ratios", "max_ratio", "other", "2", "1000", "3.3334"),
        ("shares", "max_share", "within", "0.9", "285", "0.9500"),
    ],
)
def test_of_two_limits_of_one_node_the_one_in_conflict_is_named(
    solved, alice, browser, field, limit, second, asked, floor, needed
):
    display = ["onsite display"]
    rows = [{"path": WALMART, second: node, limit: asked} for node in (RETAILER, display)]
    scenario = solved(
        **{field: rows},
        bounds=[{"path": display, "max_spend": "300"}, {"path": WALMART, "min_spend": floor}],
    )
    assert scenario.status == Scenario.Status.INFEASIBLE
    ((at, way),) = [(at, one) for at, one in enumerate(scenario.relaxations) if one["field"] == field]
    assert way["within"] == display
    assert way["restores"]
    assert way["needed"] == needed
    relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=at)
    assert services.answer_scenario(scenario=relaxed).status == Scenario.Status.SOLVED
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    marked = [
        words for words, bad, _ in infeasible_context(scenario)["constraints"] if bad and "Walmart at most" in words
    ]
    assert len(marked) == 1
    assert marked[0].endswith("onsite display")
    assert marked[0].replace(">", "&gt;") in shown
