"""Scenarios: what may be asked, what is answered, and what an answer must keep to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.services import cancel_job
from optimization.models import CurveVersion, Solve
from planning import selectors, services
from planning.models import Scenario
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests.cases import all_cases
from tests.planning.conftest import ASKED

RETAILER = ["onsite search", "Amazon"]
BOTH = [
    {"path": ["onsite search", "Amazon"], "min_spend": "3000"},
    {"path": ["onsite search", "Walmart"], "min_spend": "2000"},
]


def spend_of(scenario: Scenario, *, under: tuple[str, ...] = (), sku: str = "") -> float:
    paths = {cell["id"]: tuple(cell["path"].values()) for cell in scenario.solve.problem["cells"]}
    return sum(
        amount
        for name, amount in scenario.solve.solution["spend"].items()
        if paths[name][: len(under)] == under and sku in ("", paths[name][-1])
    )


# Asking --------------------------------------------------------------------------------------------------------------


def test_scenarios_are_numbered_in_order(draft):
    assert [draft().label, draft().label] == ["SC-0001", "SC-0002"]


WRONG: list[tuple[str, Any, str]] = [
    ("name", "  ", "no name"),
    ("name", "x" * 121, "121 characters"),
    ("horizon_start", "09/11/2026", "not a day"),
    ("horizon_end", "2026-11-01", "before it starts"),
    ("horizon_end", "2029-11-01", "days"),
    ("total_budget", "", "missing"),
    ("total_budget", "0", "not allowed"),
    ("total_budget", "-5", "not allowed"),
    ("total_budget", "NaN", "not a number"),
    ("total_budget", "inf", "not a number"),
    ("total_budget", "1e12", "too large"),
    ("total_budget", "10.001", "decimals"),
    ("total_budget", True, "not a number"),
    ("min_roas", "-1", "not allowed"),
    ("min_roas", "nan", "not a number"),
    ("reserve_fraction", "0.51", "too large"),
    ("stock_cover_threshold_days", "2.5", "decimals"),
    ("max_change_fraction", "-0.1", "not allowed"),
    ("bounds", "all", "list"),
    ("bounds[0]", {"path": ["onsite search", "Target"], "min_spend": 1}, "No line lies under"),
    ("bounds[0].path", {"path": [], "min_spend": 1}, "needs a path"),
    ("bounds[0]", {"path": RETAILER}, "least spend"),
    ("bounds[0]", {"path": RETAILER, "min_spend": 2, "max_spend": 1}, "above the most"),
    ("bounds[0].max_spend", {"path": RETAILER, "max_spend": "NaN"}, "not a number"),
    ("bounds[0]", {"path": RETAILER, "min_spend": 2, "mix": 1}, "no key 'mix'"),
    ("mix", "profit", "no field"),
]


def test_what_is_wrong_names_its_field(draft):
    with all_cases() as case:
        for field, value, word in WRONG:
            name = field.partition("[")[0]
            with case(f"{field}: {value}"):
                with pytest.raises(InvalidInput) as refused:
                    draft(**{name: [value] if "[" in field else value})
                assert refused.value.where == field
                assert word in refused.value.detail
                assert refused.value.fix
                assert not Scenario.objects.exists()


def test_every_finding_is_told_at_once(draft):
    with pytest.raises(InvalidInput) as refused:
        draft(name="", total_budget="-1", reserve_fraction="2")
    assert [one["where"] for one in refused.value.errors] == ["name", "total_budget", "reserve_fraction"]


def test_a_path_is_bound_once(draft):
    with pytest.raises(InvalidInput, match="bound twice"):
        draft(bounds=[{"path": RETAILER, "min_spend": 1}, {"path": RETAILER, "max_spend": 2}])


# Answering -----------------------------------------------------------------------------------------------------------


def test_the_whole_budget_is_placed_and_certified(solved):
    scenario = solved()
    assert scenario.status == "solved"
    assert scenario.solve.gap <= 1e-9
    assert scenario.solve.solution["total_spend"] == pytest.approx(4200)


def test_now_is_as_long_a_time_right_before(solved):
    scenario = solved()
    assert (str(scenario.current_start), str(scenario.current_end)) == ("2026-10-12", "2026-11-08")
    later = solved(horizon_start="2027-01-04", horizon_end="2027-01-17")
    assert (str(later.current_start), str(later.current_end)) == ("2026-10-26", "2026-11-08")


def test_never_below_the_current_mix(solved):
    first = solved()
    total = sum(Decimal(amount) for amount in first.current_spend.values())
    same = solved(total_budget=str(total))
    assert same.outlook["expected_proposed"] >= same.outlook["expected_now"]


def test_current_spend_within_the_largest_change(solved):
    first = solved()
    total = sum(Decimal(amount) for amount in first.current_spend.values())
    scenario = solved(total_budget=str(total), max_change_fraction="0.1")
    for name, amount in scenario.solve.solution["spend"].items():
        now = float(scenario.current_spend[name])
        assert 0.9 * now - 1e-6 <= amount <= 1.1 * now + 1e-6


def test_the_reserve_is_left_alone(solved):
    scenario = solved(reserve_fraction="0.05")
    assert scenario.solve.solution["total_spend"] == pytest.approx(0.95 * 4200)


def test_out_of_stock_gets_nothing_and_says_why(fitted, solved):
    fitted.empty_shelf("W001")
    scenario = solved()
    assert spend_of(scenario, under=("onsite search", "Walmart"), sku="SEA-SALT") == 0
    reasons = {name: reason["kind"] for name, reason in scenario.solve.solution["reasons"].items()}
    assert reasons["Walmart|onsite_search_top|SEA-SALT"] == "out_of_stock"
    assert reasons["Amazon|onsite_search_top|SEA-SALT"] != "out_of_stock", "the other retailer has some"
    assert spend_of(solved(stock_cover_threshold_days=0), sku="SEA-SALT", under=("onsite search", "Walmart")) > 0


def test_bounds_hold_on_any_level(solved):
    scenario = solved(bounds=[{"path": RETAILER, "max_spend": "500"}, {"path": ["onsite display"], "min_spend": "700"}])
    assert spend_of(scenario, under=tuple(RETAILER)) == pytest.approx(500)
    assert spend_of(scenario, under=("onsite display",)) >= 700 - 1e-6


def test_the_same_question_is_solved_once(solved):
    first, again = solved(), solved(name="Another name for it")
    assert first.solve_id == again.solve_id
    assert Solve.objects.count() == 1


def test_a_gain_comes_with_its_chance(solved):
    drawn = solved().outlook
    low, high = drawn["gain"]
    assert low <= drawn["expected_proposed"] - drawn["expected_now"] <= high
    assert 0 <= drawn["chance"] <= 1
    assert solved(name="again").outlook == drawn


def test_less_money_is_held_against_the_same_mix_of_it(solved):
    drawn = solved(total_budget="2000").outlook
    assert drawn["expected_proposed"] < drawn["expected_now"]
    assert drawn["expected_proposed"] > drawn["expected_same_mix"]
    assert drawn["chance"] < 0.1 < 0.9 < drawn["chance_same_mix"]


# Infeasible ----------------------------------------------------------------------------------------------------------


def test_infeasible_names_the_smallest_conflict_with_its_ways_out(solved):
    scenario = solved(bounds=[*BOTH, {"path": ["onsite display"], "max_spend": "900"}])
    assert scenario.status == "infeasible"
    told = {(way["field"], tuple(way["path"])): way for way in scenario.relaxations}
    assert set(told) == {("total_budget", ()), ("bounds", tuple(RETAILER)), ("bounds", ("onsite search", "Walmart"))}
    assert Decimal(told["bounds", tuple(RETAILER)]["needed"]) == Decimal(2200)
    assert all(way["restores"] and way["sales"] for way in scenario.relaxations)


def test_each_way_out_gives_what_it_promised(solved, alice):
    scenario = solved(bounds=BOTH, reserve_fraction="0.05")
    fields = [way["field"] for way in scenario.relaxations]
    assert fields.count("total_budget") == 1
    for choice, way in enumerate(scenario.relaxations):
        relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=choice)
        assert relaxed.status == "draft"
        answered = services.answer_scenario(scenario=relaxed, actor=alice)
        assert answered.status == "solved", way
        assert answered.solve.solution["objective_revenue"] == pytest.approx(way["sales"])


def test_a_largest_change_too_small_is_widened_by_the_least(solved, alice):
    scenario = solved(total_budget="40000", max_change_fraction="0.1", bounds=[{"path": RETAILER, "min_spend": "9000"}])
    (way,) = [way for way in scenario.relaxations if way["field"] == "max_change_fraction"]
    answered = services.answer_scenario(
        scenario=services.relax_scenario(
            actor=alice, scenario=scenario, choice=scenario.relaxations.index(way)
        ), actor=alice,
    )  # fmt: skip
    assert answered.status == "solved"
    tighter = Decimal(way["needed"]) - Decimal("0.0002")
    assert solved(total_budget="40000", max_change_fraction=tighter, bounds=scenario.bounds).status == "infeasible"


def test_a_return_out_of_reach_says_the_best(solved, alice):
    scenario = solved(min_roas="50", bounds=[{"path": RETAILER, "min_spend": "1000"}])
    (way,) = [way for way in scenario.relaxations if way["field"] == "min_roas"]
    assert 0 < Decimal(way["needed"]) < 50
    index = scenario.relaxations.index(way)
    relaxed = services.relax_scenario(actor=alice, scenario=scenario, choice=index)
    assert services.answer_scenario(scenario=relaxed, actor=alice).status == "solved"


def test_only_a_conflict_can_be_relaxed(solved, alice):
    with pytest.raises(Conflict, match="no conflict"):
        services.relax_scenario(actor=alice, scenario=solved(), choice=0)
    with pytest.raises(InvalidInput, match="no way out number 9"):
        services.relax_scenario(actor=alice, scenario=solved(bounds=BOTH), choice=9)


def test_the_check_agrees_with_the_solve(fitted, chips, alice, solved):
    good = services.check_scenario(actor=alice, given=ASKED, brand=chips)
    assert (good.feasible, good.lines, good.conflict) == (True, 5, [])
    bad = services.check_scenario(actor=alice, given=ASKED | {"bounds": BOTH}, brand=chips)
    assert (bad.feasible, bad.shortfall, bad.least) == (False, Decimal("800.00"), Decimal("5000.00"))
    assert not Solve.objects.exists(), "a check solves nothing"
    kept = [(way["field"], way["needed"]) for way in solved(bounds=BOTH).relaxations]
    assert [(way.field, str(way.needed)) for way in bad.conflict] == kept


# Life ----------------------------------------------------------------------------------------------------------------


def test_the_job_solves_and_fits_curves_where_there_are_none(market, chips, alice):
    scenario = services.create_scenario(actor=alice, given=ASKED, brand=chips)
    job = services.solve_scenario(actor=alice, scenario=scenario)
    scenario.refresh_from_db()
    assert scenario.status == "solving"
    run_queued_jobs()
    scenario.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, scenario.status) == ("succeeded", "solved"), job.problem
    assert scenario.curve_version == CurveVersion.objects.get()


def test_a_failure_is_told_by_scenario_and_job_alike(acme, alice):
    scenario = services.create_scenario(actor=alice, given=ASKED)
    job = services.solve_scenario(actor=alice, scenario=scenario)
    run_queued_jobs()
    scenario.refresh_from_db()
    job.refresh_from_db()
    assert (scenario.status, job.state) == ("failed", "failed")
    assert scenario.problem["detail"] == job.problem["detail"] == "No report has been published yet."


def test_nothing_changes_while_it_is_solved(draft, alice):
    scenario = draft()
    job = services.solve_scenario(actor=alice, scenario=scenario)
    for act in (
        lambda: services.solve_scenario(actor=alice, scenario=scenario),
        lambda: services.update_scenario(actor=alice, scenario=scenario, given={"total_budget": "1"}),
        lambda: services.delete_scenario(actor=alice, scenario=scenario),
    ):
        with pytest.raises(Conflict, match="being solved"):
            act()
    cancel_job(job_id=job.pk, actor=alice)
    assert services.update_scenario(actor=alice, scenario=scenario, given={"total_budget": "1"}).status == "draft"


def test_the_key_of_an_earlier_solve_does_not_leave_it_waiting(draft, fitted, alice):
    scenario = draft()
    first = services.solve_scenario(actor=alice, scenario=scenario, idempotency_key="one")
    run_queued_jobs()
    services.update_scenario(actor=alice, scenario=scenario, given={"name": "Other"})
    assert services.solve_scenario(actor=alice, scenario=scenario, idempotency_key="one") == first
    scenario.refresh_from_db()
    assert scenario.status == Scenario.Status.DRAFT


def test_an_edited_scenario_has_no_answer(solved, alice):
    scenario = solved()
    edited = services.update_scenario(actor=alice, scenario=scenario, given={"total_budget": "5000"})
    assert (edited.status, edited.solve, edited.current_spend) == ("draft", None, {})
    assert Solve.objects.count() == 1, "the answer itself is kept"


def test_an_answer_to_an_older_question_is_dropped(draft, alice):
    stale = draft()
    services.update_scenario(actor=alice, scenario=stale, given={"total_budget": "5000"})
    with pytest.raises(Conflict, match="changed while"):
        services.answer_scenario(scenario=stale, actor=alice)


def test_drafts_are_deleted_and_answers_kept(draft, solved, alice):
    services.delete_scenario(actor=alice, scenario=draft())
    assert not Scenario.objects.exists()
    with pytest.raises(Conflict, match="kept with its answer"):
        services.delete_scenario(actor=alice, scenario=solved())


def test_a_copy_asks_the_same(solved, alice):
    first = solved(reserve_fraction="0.05", bounds=[{"path": RETAILER, "max_spend": "500"}])
    copy = services.duplicate_scenario(actor=alice, scenario=first)
    assert (copy.status, copy.name) == ("draft", "Rest of the quarter (copy)")
    assert (copy.bounds, copy.reserve_fraction) == (first.bounds, first.reserve_fraction)


def test_roles_and_brands(draft, carol, dave, chips):
    scenario = draft()
    with pytest.raises(NotAllowed):
        services.create_scenario(actor=carol, given=ASKED, brand=chips)
    with pytest.raises(NotAllowed):
        services.solve_scenario(actor=carol, scenario=scenario)
    with pytest.raises(NotFound):
        services.solve_scenario(actor=dave, scenario=scenario)
    assert selectors.scenario_visible(user=carol, scenario_id=scenario.pk) == scenario
    with pytest.raises(NotFound):
        selectors.scenario_visible(user=dave, scenario_id=scenario.pk)
    assert not Job.objects.exists()
    assert Scenario.objects.get().status == "draft"
