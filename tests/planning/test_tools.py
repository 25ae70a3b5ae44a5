"""The planner's tools: one list of constraints over scopes, and learning, each within what a person may do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from jobs.core.tools import tool_named
from jobs.draining import run_queued_jobs
from jobs.models import Job
from optimization.models import LearningProgramme, LearningWeek
from planning import learning_tools
from planning.models import Scenario
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests.cases import all_cases
from tests.optimization.programme import START
from tests.planning.conftest import CALL
from tests.planning.test_aims import WALMART
from tests.planning.test_scenarios import RETAILER


def call(name: str, person: Any, /, **given: Any) -> Any:
    tool = tool_named(name)
    return tool.run(tool.input_model(**given), user=person)


def test_a_list_of_constraints_becomes_a_scenario(fitted, alice):
    told = call(
        "create_scenario", alice,
        **CALL | {
            "objective": "profit", "usual_margin": "0.4", "tail_fraction": "0.1", "fair_level": "rmn",
            "fair_fraction": "0.5",
            "weeks": [{"budget": "1050"}, {"budget": "1050", "season": "1.4"}, {"budget": "1050"}, {"budget": "1050"}],
            "constraints": [
                {"kind": "min_roas", "value": "1.2"},
                {"kind": "max_cpa", "value": "40"},
                {"kind": "max_change_pct", "value": "80"},
                {"kind": "oos_threshold", "value": "5"},
                {"kind": "experiment_reserve", "value": "0.1"},
                {"kind": "cap", "scope": "channel=onsite search/rmn=walmart", "value": "900"},
                {"kind": "floor", "scope": "rmn=walmart", "value": "100"},
                {"kind": "fixed", "scope": "channel=onsite display"},
                {"kind": "fixed", "scope": "sku=PAPRIKA", "value": "200"},
                {"kind": "share_cap", "scope": "rmn=Walmart", "of": "channel=onsite search", "value": "0.6"},
                {"kind": "ratio_floor", "scope": "rmn=walmart", "of": "channel=onsite search/rmn=amazon", "value": 1},
                {"kind": "margin", "scope": "rmn=walmart", "value": "0.3"},
            ],
        },
    )  # fmt: skip
    made = Scenario.objects.get(pk=told.scenario)
    assert (made.min_roas, made.max_cpa, made.max_change_fraction) == (Decimal("1.2"), Decimal(40), Decimal("0.8"))
    assert (made.stock_cover_threshold_days, made.reserve_fraction) == (5, Decimal("0.1"))
    assert made.bounds[0] == {"path": WALMART, "min_spend": "100.00", "max_spend": "900.00"}
    assert made.bounds[1]["path"][-1] == "PAPRIKA"
    assert made.bounds[1]["min_spend"] == made.bounds[1]["max_spend"] == "200.00"
    assert made.fixed == [["onsite display"]]
    assert made.shares[0] == {
        "path": WALMART, "within": ["onsite search"], "min_share": None, "max_share": "0.6000"
    }  # fmt: skip
    assert made.ratios[0] == {"path": WALMART, "other": RETAILER, "min_ratio": "1.0000", "max_ratio": None}
    assert made.margins == [{"path": WALMART, "margin": "0.3000"}]
    assert made.season == ["1.0000", "1.4000", "1.0000", "1.0000"]
    assert (made.tail_fraction, made.fair_fraction) == (Decimal("0.1"), Decimal("0.5"))


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"currency": "EUR"}, "currency", "in USD, not EUR"),
    ({"range": {"start": "2026-12-06", "end": "2026-11-09"}}, "range.end", "before it starts"),
    ({"usual_margin": "2"}, "usual_margin", "too large"),
    ({"weeks": [{"budget": "4200"}]}, "weeks", "1 weekly budgets for 28 days"),
    ({"constraints": [{"kind": "cap", "scope": "rmn=attic", "value": 1}]}, "constraints[0].scope", "under rmn=attic"),
    ({"constraints": [{"kind": "cap", "scope": "rmn=amazon", "value": 1}]}, "constraints[0].scope", "2 nodes"),
    ({"constraints": [{"kind": "cap", "value": 1}]}, "constraints[0].scope", "of a node"),
    ({"constraints": [{"kind": "cap", "scope": "rmn=walmart"}]}, "constraints[0].value", "no value"),
    ({"constraints": [{"kind": "cap", "scope": "rmn=walmart", "of": "rmn=amazon", "value": 1}]}, "constraints[0].of",
     "takes no `of`"),
    ({"constraints": [{"kind": "min_roas", "scope": "rmn=walmart", "value": 2}]}, "constraints[0].scope", "whole"),
    ({"constraints": [{"kind": "min_roas", "value": 2}] * 2}, "constraints[1]", "twice"),
    ({"constraints": [{"kind": "min_roas", "value": 2}, {"kind": "floor", "scope": "rmn=walmart", "value": -1}]},
     "constraints[1].value", "not allowed"),
    ({"constraints": [{"kind": "min_roas", "value": -2}]}, "constraints[0]", "not allowed"),
    ({"constraints": [{"kind": "floor", "scope": "rmn=walmart", "value": 5},
                      {"kind": "cap", "scope": "channel=onsite search/rmn=Walmart", "value": 4}]},
     "constraints[0]", "above the most"),
    ({"weeks": [{"budget": "1050"}] * 3 + [{"budget": "1050", "season": -1}]}, "weeks[3].season", "not allowed"),
    ({"weeks": [{"budget": "1050"}, {"budget": -1}]}, "weeks[1].budget", "not allowed"),
    ({"constraints": [{"kind": "ratio_cap", "scope": "rmn=walmart", "value": 1}]}, "constraints[0].of", "second node"),
    ({"constraints": [{"kind": "ratio_cap", "scope": "rmn=walmart", "of": "rmn=walmart", "value": 1}]},
     "constraints[0]", "against itself"),
    ({"constraints": [{"kind": "max_change_pct", "value": 12000}]}, "constraints[0].value", "12000 is too large"),
    ({"constraints": [{"kind": "max_change_pct", "value": -50}]}, "constraints[0].value", "-50 is not allowed"),
    ({"constraints": [{"kind": "fixed", "scope": "rmn=walmart", "value": 100},
                      {"kind": "cap", "scope": "rmn=walmart", "value": 500}]},
     "constraints[1]", "limited twice: by cap here and by fixed at constraints[0]"),
    ({"min_iroas_by": "cautious"}, "min_iroas_by", "none is asked for"),
]  # fmt: skip


def test_what_is_wrong_is_told_where_it_was_said(fitted, alice):
    with all_cases() as case:
        for changes, where, said in WRONG:
            with case(f"{changes}"):
                with pytest.raises(InvalidInput) as refused:
                    call("create_scenario", alice, **CALL | changes)
                assert refused.value.where == where
                assert said in refused.value.detail
                assert refused.value.fix
    with pytest.raises(InvalidInput) as refused:
        call("create_scenario", alice, **CALL | {"constraints": [{"kind": "max_change_pct", "value": 12000}]})
    assert refused.value.fix == "Give at most 9,900."
    for changes in (
        {"horizon_start": "2026-11-09"},
        {"constraints": [{"kind": "sheer will", "value": 1}]},
        {"constraints": [{"kind": "cap", "scope": "rmn=walmart\n", "value": 1}]},
    ):
        with pytest.raises(ValidationError):
            call("create_scenario", alice, **CALL | changes)
    assert not Scenario.objects.exists()


def test_who_may_not_plan_creates_and_learns_nothing(fitted, alice, carol, dave, solved):
    scenario = solved()
    with pytest.raises(NotAllowed):
        call("create_scenario", carol, **CALL)
    with pytest.raises(NotFound):
        call("create_scenario", dave, **CALL)
    start = {"scenario_id": scenario.label, "name": "Weekly", "first_week": START}
    with pytest.raises(NotAllowed):
        call("start_learning", carol, **start)
    with pytest.raises(NotFound):
        call("start_learning", dave, **start)
    assert not LearningProgramme.objects.exists()
    made = call("start_learning", alice, **start)
    with pytest.raises(NotAllowed):
        call("run_learning", carol, programme_id=made.label)
    for tool in ("run_learning", "show_learning"):
        with pytest.raises(NotFound):
            call(tool, dave, programme_id=made.label)
    assert call("list_learning", dave).programmes == []
    assert call("show_learning", carol, programme_id=str(made.programme)).label == made.label
    assert not Job.objects.filter(kind="optimization.learn").exists()


def test_learning_is_started_run_and_inspected(fitted, alice, carol, solved):
    scenario = solved()
    made = call(
        "start_learning", alice, scenario_id=scenario.label, name="Weekly", first_week=START,
        settings={"reserve": 0.05},
    )  # fmt: skip
    assert (made.weekly_budget, made.currency, made.settings["reserve"]) == ("1050.00", "USD", 0.05)
    empty = call("show_learning", carol, programme_id=made.label)
    assert (empty.weeks, empty.newest, empty.lines) == ([], None, [])
    job = call("run_learning", alice, programme_id=made.label, week=START).job
    run_queued_jobs()
    assert Job.objects.get(pk=job).state == "succeeded"
    told = call("show_learning", carol, programme_id=made.label)
    assert told.newest["status"] == "proposed"
    assert [one["monday"] for one in told.weeks] == [START]
    assert sum(float(line["proposed"]) for line in told.lines) == pytest.approx(1050.0, abs=0.01)
    assert all(line["why"] for line in told.lines)
    listed = call("list_learning", carol)
    assert [one.label for one in listed.programmes] == [made.label]
    assert (listed.programmes[0].observed_weeks, listed.not_listed) == (empty.observed_weeks, 0)
    # No tool accepts: that is a person's.
    assert LearningWeek.objects.get().status == "proposed"
    with pytest.raises(NotFound):
        tool_named("decide_learning")


def test_what_cannot_be_learnt_from_says_why(fitted, alice, draft, solved):
    asked = draft()
    with pytest.raises(Conflict, match="is draft"):
        call("start_learning", alice, scenario_id=asked.label, name="Weekly")
    weekly = solved(weekly_budgets=[1050] * 4)
    with pytest.raises(InvalidInput, match="several periods"):
        call("start_learning", alice, scenario_id=weekly.label, name="Weekly", first_week=START)
    good = solved(name="good")
    with pytest.raises(InvalidInput) as refused:
        call("start_learning", alice, scenario_id=good.label, name="Weekly", settings={"temperature": 2.0})
    assert refused.value.where == "settings.temperature"
    with pytest.raises(NotFound):
        call("show_learning", alice, programme_id="LP-0099")


def test_a_list_that_is_cut_says_so_and_asks_once(fitted, alice, solved, monkeypatch):
    scenario = solved()
    for name in ("one", "two", "three"):
        call("start_learning", alice, scenario_id=scenario.label, name=name, first_week=START)
    with CaptureQueriesContext(connection) as all_three:
        assert call("list_learning", alice).not_listed == 0
    monkeypatch.setattr(learning_tools, "_MOST_PROGRAMMES", 1)
    with CaptureQueriesContext(connection) as only_one:
        told = call("list_learning", alice)
    assert ([one.name for one in told.programmes], told.not_listed) == (["three"], 2)
    # One more query counts the rest; none is asked per programme.
    assert len(all_three) <= len(only_one)
