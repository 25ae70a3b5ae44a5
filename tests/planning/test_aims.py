"""Scenarios that ask for more than sales of a budget: what may be asked, what is answered, and how it is built."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from harmonization.models import Product
from jobs.core.tools import tool_named
from optimization.core.instance import parse_problem
from optimization.core.solve import solve_budget
from planning import selectors, services
from planning.core.aim_words import objective_words
from planning.core.terms import read_terms
from planning.models import Scenario
from tenants.core.problems import InvalidInput
from tests.cases import all_cases
from tests.planning.conftest import ASKED
from tests.planning.test_pages import TYPED, row
from tests.planning.test_scenarios import RETAILER, spend_of

WALMART = ["onsite search", "Walmart"]
DISPLAY = ["onsite display"]
KNOWN = {tuple(RETAILER), tuple(DISPLAY), tuple(WALMART), ("onsite search",)}
FAR_APART = [{"path": WALMART, "max_spend": "1"}, {"path": RETAILER, "min_spend": "2000"}]


def answer_of(scenario: Scenario) -> dict[str, Any]:
    assert scenario.status == Scenario.Status.SOLVED, scenario.relaxations
    return scenario.solve.solution


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"objective": "units"}, "objective", "'units' is not known"),
    ({"mode": "greedy"}, "mode", "'greedy' is not known"),
    ({"mode": "flexible_target_roi"}, "target", "has no target"),
    ({"target": "2"}, "target", "takes no target"),
    ({"mode": "flexible_target_roi", "target": "0"}, "target", "not allowed"),
    ({"mode": "flexible_target_roi", "target": "nan"}, "target", "not a number"),
    ({"min_iroas": "-1"}, "min_iroas", "not allowed"),
    ({"max_cpa": "0"}, "max_cpa", "not allowed"),
    ({"max_cpa": "inf"}, "max_cpa", "not a number"),
    ({"margin_fraction": "1.5"}, "margin_fraction", "too large"),
    ({"margins": "half"}, "margins", "list is expected"),
    ({"margins": [{"path": RETAILER}]}, "margins[0].margin", "missing"),
    ({"margins": [{"path": ["attic"], "margin": 0.3}]}, "margins[0]", "No line lies under attic"),
    ({"margins": [{"path": RETAILER, "margin": 0.3}] * 2}, "margins[1]", "two margins"),
    ({"fixed": [["attic"]]}, "fixed[0]", "No line lies under attic"),
    ({"fixed": [[]]}, "fixed[0]", "list of names"),
    ({"fixed": [RETAILER, RETAILER]}, "fixed[1]", "named twice"),
    ({"fixed": [RETAILER], "bounds": [{"path": RETAILER, "max_spend": 3}]}, "fixed[0]", "has a bound too"),
    ({"shares": [{"path": RETAILER}]}, "shares[0]", "needs a least, a most, or both"),
    ({"shares": [{"path": RETAILER, "max_share": 1.2}]}, "shares[0].max_share", "too large"),
    ({"shares": [{"path": RETAILER, "min_share": 0.6, "max_share": 0.5}]}, "shares[0]", "above the most"),
    ({"shares": [{"path": RETAILER, "within": RETAILER, "max_share": 0.5}]}, "shares[0]", "all of itself"),
    ({"shares": [{"path": RETAILER, "of": [], "max_share": 0.5}]}, "shares[0]", "no key 'of'"),
    ({"shares": [{"path": RETAILER, "max_share": 0.5}] * 2}, "shares[1]", "limited twice"),
    ({"fair_level": "rmn"}, "fair_fraction", "needs a level and a fraction"),
    ({"fair_level": "team", "fair_fraction": 0.5}, "fair_level", "'team' is not known"),
    ({"weekly_budgets": [4200]}, "weekly_budgets", "1 weekly budgets for 28 days"),
    ({"weekly_budgets": [1000] * 4}, "weekly_budgets", "add up to 4,000.00, not to the total of 4,200.00"),
    ({"weekly_budgets": [1000, "x", 1000, 1000]}, "weekly_budgets[1]", "not a number"),
    ({"weekly_budgets": [4200, -1, 1, 0]}, "weekly_budgets[1]", "not allowed"),
    ({"season": [1, 1, 1, 1]}, "season", "no week has a budget"),
    ({"season": [1, 1], "weekly_budgets": [4200, 0, 0, 0]}, "season", "2 seasons for 4 weeks"),
    ({"season": [1, "x", 1, 1], "weekly_budgets": [4200, 0, 0, 0]}, "season[1]", "not a number"),
    ({"season": [1, -1, 1, 1], "weekly_budgets": [4200, 0, 0, 0]}, "season[1]", "not allowed"),
    ({"season": [0] * 4, "weekly_budgets": [4200, 0, 0, 0]}, "season", "nothing would sell"),
    ({"tail_fraction": "0"}, "tail_fraction", "not allowed"),
    ({"tail_fraction": "0.001"}, "tail_fraction", "less than two"),
    ({"tail_fraction": "1.5"}, "tail_fraction", "too large"),
    ({"ratios": [{"path": RETAILER, "other": WALMART}]}, "ratios[0]", "needs a least, a most, or both"),
    ({"ratios": [{"path": RETAILER, "max_ratio": 1}]}, "ratios[0].other", "list of names"),
    ({"ratios": [{"path": RETAILER, "other": ["attic"], "max_ratio": 1}]}, "ratios[0].other", "under attic"),
    ({"ratios": [{"path": RETAILER, "other": WALMART, "min_ratio": 2, "max_ratio": 1}]}, "ratios[0]", "above the most"),
    ({"ratios": [{"path": RETAILER, "other": RETAILER, "max_ratio": 1}]}, "ratios[0]", "against itself"),
    ({"ratios": [{"path": RETAILER, "other": RETAILER[:1], "max_ratio": 1}]}, "ratios[0]", "lies inside onsite search"),
    ({"ratios": [{"path": RETAILER, "other": WALMART, "max_ratio": 1}] * 2}, "ratios[1]", "twice"),
    ({"ratios": [{"path": RETAILER, "other": WALMART, "max_ratio": 1001}]}, "ratios[0].max_ratio", "too large"),
]  # fmt: skip


def test_what_is_wrong_names_its_field(draft):
    with all_cases() as case:
        for changes, where, said in WRONG:
            with case(f"{changes}"):
                with pytest.raises(InvalidInput) as refused:
                    draft(**changes)
                (found,) = [error for error in refused.value.errors if error["where"] == where]
                assert said in found["detail"]
                assert found["fix"]
                assert not Scenario.objects.exists()


def test_what_is_stored_reads_as_what_was_asked(draft):
    asked = {
        "objective": "profit", "mode": "flexible_target_roi", "target": "0.5", "min_iroas": "1.1", "max_cpa": "40",
        "margin_fraction": "0.35", "margins": [{"path": RETAILER, "margin": "0.4"}], "fixed": [DISPLAY],
        "shares": [{"path": RETAILER, "within": ["onsite search"], "max_share": "0.6"}], "fair_level": "rmn",
        "fair_fraction": "0.5", "weekly_budgets": [1000, 1000, 1000, 1200], "season": [1, "0.8", 1, "1.4"],
        "ratios": [{"path": RETAILER, "other": WALMART, "min_ratio": "0.5"}], "tail_fraction": "0.1",
    }  # fmt: skip
    scenario = Scenario.objects.get(pk=draft(**asked).pk)
    terms = selectors.terms_of(scenario)
    assert terms == read_terms(ASKED | asked, known_paths=KNOWN)
    assert read_terms(
        services.given_of(terms), known_paths=KNOWN
    ) == terms  # fmt: skip


def test_profit_takes_margins_from_the_catalogue_then_the_scenario(solved, draft):
    Product.objects.update(margin=Decimal("0.5"))
    Product.objects.filter(sku="VINEGAR").update(margin=None)
    with pytest.raises(InvalidInput) as refused:
        services.answer_scenario(scenario=draft(objective="profit"))
    assert refused.value.as_dict()["where"] == "margin_fraction"
    assert "1 of 5 lines" in str(refused.value)
    scenario = solved(
        objective="profit", margin_fraction="0.2", margins=[{"path": DISPLAY, "margin": "0"}], total_budget="50000"
    )
    cells = scenario.solve.problem["cells"]
    told = {(cell["path"]["placement"], cell["path"]["sku"]): cell["margin"] for cell in cells}
    assert told["onsite_display", "SEA-SALT"] == 0.0
    assert told["onsite_search_top", "SEA-SALT"] == 0.5
    assert told["onsite_search_top", "VINEGAR"] == 0.2
    answer = answer_of(scenario)
    assert answer["objective_kind"] == "profit"
    assert spend_of(scenario, under=("onsite display",)) == pytest.approx(0.0, abs=1e-6)
    margins = {cell["id"]: cell["margin"] for cell in cells}
    profit = sum(margins[one["cell"]] * one["revenue_proposed"] - one["proposed"] for one in answer["lines"])
    assert answer["earned"] == pytest.approx(profit)
    assert answer["unspent"]["amount"] == pytest.approx(50000.0 - answer["total_spend"])
    assert "earn back" in answer["unspent"]["why"]


def test_incremental_sales_count_as_attributed_until_something_is_measured(solved, alice, chips):
    plain, incremental = solved(), solved(objective="incremental_sales", name="incremental")
    assert answer_of(incremental)["objective"] == pytest.approx(answer_of(plain)["objective"])
    assert answer_of(incremental)["objective_kind"] == "incremental"
    found = services.check_scenario(actor=alice, given=ASKED | {"objective": "incremental_sales"}, brand=chips)
    assert found.incrementality == "none measured"
    assert services.check_scenario(actor=alice, given=ASKED, brand=chips).incrementality == ""


def test_targets_of_return_leave_money(solved):
    over_all = answer_of(solved(mode="flexible_target_roi", target="2.5", total_budget="90000"))
    assert over_all["objective_revenue"] == pytest.approx(2.5 * over_all["total_spend"], rel=1e-8)
    last = answer_of(solved(mode="flexible_target_marginal_roi", target="1.5", total_budget="90000"))
    spent = [line for line in last["lines"] if line["proposed"] > 1.0]
    assert all(line["marginal_proposed"] == pytest.approx(1.5, rel=1e-6) for line in spent)
    assert "target of 1.5" in last["unspent"]["why"]


def test_only_the_extra_money_is_placed_and_nobody_loses(solved, fitted, alice, chips):
    fitted.empty_shelf("W003")
    basis = selectors.basis_for(
        brand=chips, start=date(2026, 11, 9), end=date(2026, 12, 6)
    )  # fmt: skip
    assert basis.current is not None
    kept = sum(amount for cell, amount in basis.current.by_cell.items() if "VINEGAR" not in cell)
    asked = {"mode": "incremental_only", "total_budget": str(kept + 500)}
    found = services.check_scenario(actor=alice, given=ASKED | asked, brand=chips)
    assert found.extra == Decimal("500.00")
    answer = answer_of(solved(**asked))
    stays = [line for line in answer["lines"] if "VINEGAR" not in line["cell"]]
    assert all(line["proposed"] >= line["now"] * (1.0 - 1e-12) for line in stays)
    assert sum(line["proposed"] - line["now"] for line in stays) == pytest.approx(500.0, abs=1e-6)


def test_too_little_for_what_is_kept_names_the_mode(solved):
    scenario = solved(mode="incremental_only", total_budget="100")
    assert scenario.status == Scenario.Status.INFEASIBLE
    assert {way["field"] for way in scenario.relaxations} == {"total_budget", "mode"}
    assert all(way["restores"] for way in scenario.relaxations)
    relaxed = services.relax_scenario(
        actor=scenario.created_by, scenario=scenario,
        choice=next(at for at, way in enumerate(scenario.relaxations) if way["field"] == "mode"),
    )  # fmt: skip
    assert relaxed.mode == "fixed_budget"


def test_a_node_keeps_what_it_spends_now(solved):
    scenario = solved(fixed=[DISPLAY])
    now = sum(line["now"] for line in answer_of(scenario)["lines"] if "onsite_display" in line["cell"])
    assert spend_of(scenario, under=tuple(DISPLAY)) == pytest.approx(now, rel=1e-9)


def test_a_share_is_kept_and_the_engine_says_so(solved):
    scenario = solved(shares=[{"path": WALMART, "within": ["onsite search"], "max_share": "0.3"}])
    answer = answer_of(scenario)
    assert answer["engine"] == "cvxpy+clarabel"
    assert answer["gap"] <= 1e-6
    part = spend_of(scenario, under=tuple(WALMART)) / spend_of(scenario, under=("onsite search",))
    assert part == pytest.approx(0.3, rel=1e-6)


def test_shares_that_cannot_hold_are_named_with_a_way_out(solved, alice, chips):
    asked = {
        "shares": [{"path": WALMART, "max_share": "0.2"}],
        "bounds": [{"path": WALMART, "min_spend": "2000"}],
    }
    found = services.check_scenario(actor=alice, given=ASKED | asked, brand=chips)
    assert not found.feasible
    scenario = solved(**asked)
    assert scenario.status == Scenario.Status.INFEASIBLE
    ways = {way["field"]: way for way in scenario.relaxations}
    assert {"shares", "bounds"} <= set(ways)
    assert Decimal(ways["shares"]["needed"]) == pytest.approx(Decimal(2000) / 4200, abs=Decimal("0.0001"))
    assert ways["shares"]["text"] == "onsite search > Walmart at most 20.00% of the total"
    for at, way in enumerate(scenario.relaxations):
        assert way["restores"], way
        relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=at)
        assert services.answer_scenario(scenario=relaxed).status == Scenario.Status.SOLVED


def test_everybody_keeps_a_part(solved):
    free, fair = solved(), solved(fair_level="rmn", fair_fraction="0.98", name="fair")
    lines = answer_of(fair)["lines"]
    now = {name: sum(one["now"] for one in lines if one["cell"].startswith(name)) for name in ("Amazon", "Walmart")}
    got = {name: spend_of(fair, under=()) and sum(
        one["proposed"] for one in lines if one["cell"].startswith(name)) for name in now}  # fmt: skip
    total_now, total = sum(now.values()), sum(got.values())
    assert all(got[name] >= 0.98 * now[name] / total_now * total * (1.0 - 1e-7) for name in now)
    assert answer_of(fair)["objective"] < answer_of(free)["objective"]


def test_weekly_budgets_roll_forward(solved):
    scenario = solved(weekly_budgets=[3000, 0, 0, 1200])
    answer = answer_of(scenario)
    assert [row["period"] for row in answer["periods"]] == [1, 2, 3, 4]
    assert [row["spend"] for row in answer["periods"]] == pytest.approx([1000.0, 1000.0, 1000.0, 1200.0], rel=1e-6)
    assert answer["total_spend"] == pytest.approx(4200.0)
    assert sum(line["proposed"] for line in answer["lines"]) == pytest.approx(4200.0)
    assert answer["engine"] == "laminar"


def test_what_is_drawn_is_what_the_weeks_spend(solved, browser):
    late, even = solved(weekly_budgets=[0, 0, 0, 4200]), solved(weekly_budgets=[1050] * 4)
    for scenario in (late, even):
        low, high = scenario.outlook["sales_proposed"]
        assert low < scenario.outlook["expected_proposed"] < high
        # Both are of one truth: the gain drawn has the gain told inside it.
        least, most = scenario.outlook["gain"]
        assert least < scenario.outlook["expected_proposed"] - scenario.outlook["expected_now"] < most
    assert late.outlook["sales_proposed"][1] < even.outlook["sales_proposed"][0]
    assert "evenly over the weeks" in browser.get(f"/scenarios/{late.pk}/").content.decode()


def test_a_week_without_money_is_named(solved, alice):
    scenario = solved(weekly_budgets=[0, 0, 0, 4200], max_change_fraction="0.5")
    assert scenario.status == Scenario.Status.INFEASIBLE
    ways = {way["field"]: way for way in scenario.relaxations}
    assert "weekly_budgets" in ways
    at = scenario.relaxations.index(ways["weekly_budgets"])
    relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=at)
    assert Decimal(relaxed.total_budget) == sum(Decimal(one) for one in relaxed.weekly_budgets)


def test_a_cost_per_order_counts_orders(solved, draft, monkeypatch):
    # Too large to bind: what a line sells per order is told with the problem all the same.
    free = solved(total_budget="20000", max_cpa="100000")
    values = {cell["id"]: cell["response"]["revenue_per_conversion"] for cell in free.solve.problem["cells"]}

    def cost(scenario):
        orders = sum(line["revenue_proposed"] / values[line["cell"]] for line in answer_of(scenario)["lines"])
        return answer_of(scenario)["total_spend"] / orders

    most = round(cost(free) * 0.9, 2)
    kept = solved(total_budget="20000", max_cpa=str(most))
    assert cost(kept) == pytest.approx(most, rel=1e-6)
    assert answer_of(kept)["multipliers"]["max_cpa"] > 0.0
    monkeypatch.setattr(selectors, "order_values", lambda *args, **more: {})
    with pytest.raises(InvalidInput) as refused:
        services.answer_scenario(scenario=draft(max_cpa="40"))
    assert refused.value.as_dict()["where"] == "max_cpa"


def test_what_is_stored_with_the_answer_solves_to_it_again(solved):
    scenario = solved(shares=[{"path": WALMART, "max_share": "0.3"}], weekly_budgets=[1000, 1000, 1000, 1200])
    again = solve_budget(parse_problem(scenario.solve.problem))
    assert again.as_dict()["objective"] == pytest.approx(answer_of(scenario)["objective"], rel=1e-6)


# Doors ---------------------------------------------------------------------------------------------------------------


def test_the_builder_keeps_what_was_typed_and_shows_findings_beside_it(browser, fitted):
    page = browser.get("/scenarios/new/?brand=chips").content.decode()
    for name in ("objective", "mode", "target", "min_iroas", "max_cpa", "margin_percent", "weekly_budgets"):
        assert f'name="{name}"' in page
    typed = (
        TYPED
        | {"mode": "flexible_target_roi", "target": "", "weekly_budgets": "1; 2"}
        | row(0, "onsite search > Walmart", "", "120")
        | {"bound-0-kind": "share", "bound-0-within": "onsite search"}
        | row(1, "onsite display", "", "")
        | {"bound-1-kind": "fixed"}
    )
    answer = browser.post("/scenarios/new/?brand=chips", typed | {"act": "save"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "has no target" in page
    assert "2 weekly budgets for 28 days" in page
    assert "1.2 is too large" in page
    assert page.index('id="bound-0-error"') < page.index("1.2 is too large") < page.index('id="bound-1-path"')


def test_the_builder_stores_every_kind_of_row_and_shows_it_again(browser, fitted):
    typed = (
        TYPED
        | {"objective": "profit", "margin_percent": "35", "fair_level": "rmn", "fair_percent": "50"}
        | row(0, "onsite search > Walmart", "", "40")
        | {"bound-0-kind": "share", "bound-0-within": "onsite search"}
        | row(1, "onsite display", "", "")
        | {"bound-1-kind": "fixed"}
        | row(2, "onsite search > Amazon", "30", "")
        | {"bound-2-kind": "margin"}
        | row(3, "onsite search > Amazon", "100", "")
    )
    assert browser.post("/scenarios/new/?brand=chips", typed | {"act": "save"}).status_code == 302
    (scenario,) = Scenario.objects.all()
    assert scenario.shares == [{"path": WALMART, "within": ["onsite search"], "min_share": None, "max_share": "0.4000"}]
    assert scenario.fixed == [DISPLAY]
    assert scenario.margins == [{"path": RETAILER, "margin": "0.3000"}]
    assert scenario.bounds[0]["path"] == RETAILER
    page = browser.get(f"/scenarios/{scenario.pk}/edit/").content.decode()
    assert '<option value="share" selected>' in page
    assert '<option value="fixed" selected>' in page
    assert 'value="onsite search"' in page
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert "onsite search &gt; Walmart at most 40.00% of onsite search" in shown
    assert "onsite display keeps what it spends now" in shown


def test_live_feasibility_says_what_is_extra_and_what_is_not_measured(browser, fitted):
    typed = TYPED | {"objective": "incremental_sales", "mode": "incremental_only", "total_budget": "20000"}
    page = browser.post("/scenarios/check/?brand=chips", typed).content.decode()
    assert "Extra money to place" in page
    assert "none measured" in page


@pytest.mark.parametrize(
    "changes",
    [
        {"shares": [{"path": WALMART, "max_share": "0.2"}], "bounds": [{"path": WALMART, "min_spend": "2000"}]},
        {"mode": "incremental_only", "total_budget": "100"},
        {"weekly_budgets": [0, 0, 0, 4200], "max_change_fraction": "0.5"},
        {"fixed": [["onsite search"]], "total_budget": "100"},
        {"mode": "flexible_target_roi", "target": "900", "bounds": [{"path": WALMART, "min_spend": "2000"}]},
        {"fair_level": "rmn", "fair_fraction": "1", "bounds": FAR_APART},
    ],
)  # fmt: skip
def test_every_conflict_is_told_on_its_page(browser, solved, changes):
    scenario = solved(**changes)
    assert scenario.status == Scenario.Status.INFEASIBLE
    assert scenario.relaxations
    page = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert "in conflict" in page
    assert any(way["restores"] for way in scenario.relaxations)


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "profit", "margin_fraction": "0.4"},
        {"mode": "flexible_target_marginal_roi", "target": "2", "total_budget": "90000"},
        {"weekly_budgets": [3000, 0, 0, 1200]},
        {"shares": [{"path": WALMART, "max_share": "0.2"}]},
    ],
)
def test_every_answer_is_told_on_its_page_and_may_be_typed_over(browser, solved, alice, changes):
    scenario = solved(**changes)
    assert scenario.status == Scenario.Status.SOLVED
    shown = browser.get(f"/scenarios/{scenario.pk}/").content.decode()
    assert f"Maximise expected {objective_words(selectors.terms_of(scenario))} of" in shown
    found = services.simulate_allocation(
        actor=alice, scenario=scenario, allocation=[{"path": WALMART, "amount": "900"}], rest="proposed"
    )
    assert found.whole.sales > 0.0
    kept = services.keep_allocation(actor=alice, scenario=scenario, simulation=found)
    assert (kept.mode, kept.objective, kept.weekly_budgets) == ("fixed_budget", "sales", [])


def test_a_typed_share_is_judged(solved, alice):
    scenario = solved(shares=[{"path": WALMART, "max_share": "0.2"}])
    found = services.simulate_allocation(
        actor=alice, scenario=scenario, allocation=[{"path": WALMART, "amount": "3000"}], rest="zero"
    )
    assert "onsite search > Walmart at most 0.2 of the total" in [one.words for one in found.broken]


def test_what_binds_tells_a_share_and_what_more_of_it_earns(solved):
    scenario = solved(shares=[{"path": WALMART, "max_share": "0.2"}])
    found = services.explain_scenario(scenario=scenario)
    (share,) = [one for one in found.binding if one.price.field == "linear"]
    assert share.gain is not None
    assert share.gain > 0.0


def test_the_same_through_rest_and_the_planner(api, fitted, alice, chips):
    body = ASKED | {
        "brand": str(chips.pk), "objective": "profit", "margin_fraction": "0.4", "mode": "flexible_target_roi",
        "target": "0.2", "shares": [{"path": WALMART, "within": [], "max_share": "0.5"}],
    }  # fmt: skip
    answer = api.post("/api/v1/scenarios/", body, format="json")
    assert answer.status_code == 201, answer.json()
    shown = answer.json()
    assert shown["objective"] == "profit"
    assert shown["mode"] == "flexible_target_roi"
    assert shown["shares"][0]["max_share"] == "0.5000"
    tool = tool_named("create_scenario")
    told = tool.run(
        tool.input_model(
            brand="chips", name="Rest of the quarter", range={"start": "2026-11-09", "end": "2026-12-06"},
            total_budget="4200", currency="USD", objective="profit", usual_margin="0.4", mode="flexible_target_roi",
            target="0.2", constraints=[{"kind": "share_cap", "scope": "rmn=walmart", "value": "0.5"}],
        ),
        user=alice,
    )  # fmt: skip
    stored = Scenario.objects.get(pk=told.scenario)
    assert stored.target == Decimal("0.2")
    assert stored.shares == shown["shares"]


def test_the_document_of_the_api_names_every_field(api):
    schema = api.get("/api/v1/schema", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    fields = schema["components"]["schemas"]["NewScenarioRequest"]["properties"]
    assert {"objective", "mode", "target", "min_iroas", "max_cpa", "shares", "fixed", "weekly_budgets"} <= set(fields)
