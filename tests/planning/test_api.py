"""Scenarios over REST, by command and by planner tool: the same services, the same words."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from jobs.core.tools import tool_named
from jobs.draining import run_queued_jobs
from jobs.models import Job
from planning.models import Scenario
from tenants.core.problems import InvalidInput, NotFound
from tests.conftest import api_of
from tests.planning.conftest import ASKED, CALL
from tests.planning.test_scenarios import BOTH, RETAILER


@pytest.fixture
def body(chips) -> dict:
    return ASKED | {"brand": str(chips.pk)}


def test_from_question_to_file(api, fitted, body):
    made = api.post("/api/v1/scenarios/", body, format="json")
    assert made.status_code == 201
    address = f"/api/v1/scenarios/{made.json()['id']}/"
    changed = api.patch(address, {"bounds": [{"path": RETAILER, "max_spend": 500}]}, format="json").json()
    assert changed["bounds"] == [{"path": RETAILER, "min_spend": None, "max_spend": "500.00"}]
    started = api.post(f"{address}solve/")
    assert started.status_code == 202
    run_queued_jobs()
    answered = api.get(address).json()
    assert (answered["status"], answered["label"]) == ("solved", "SC-0001")
    assert answered["solution"]["total_spend"] == pytest.approx(4200)
    assert answered["outlook"]["gain"][0] <= answered["outlook"]["gain"][1]
    assert api.get(f"{address}lines/")["Content-Type"].startswith("text/csv")
    assert api.get(f"{address}lines/?export=pdf").status_code == 400


def test_every_wrong_field_is_listed(api, fitted, body):
    answer = api.post("/api/v1/scenarios/", body | {"total_budget": "1e12", "reserve_fraction": -1}, format="json")
    assert answer.status_code == 400
    assert [one["where"] for one in answer.json()["errors"]] == ["total_budget", "reserve_fraction"]
    assert api.post("/api/v1/scenarios/", [1], format="json").status_code == 400
    assert api.post("/api/v1/scenarios/", body | {"brand": "chips"}, format="json").status_code == 400
    assert not Scenario.objects.exists()


def test_a_check_solves_nothing(api, fitted, body):
    told = api.post("/api/v1/scenarios/check/", body | {"bounds": BOTH}, format="json").json()
    assert (told["feasible"], told["shortfall"]) == (False, "800.00")
    assert told["conflict"][0]["move"] == "Raise it to 5,000"
    assert not Scenario.objects.exists()


def test_a_conflict_is_relaxed_and_copied(api, solved):
    scenario = solved(bounds=BOTH)
    address = f"/api/v1/scenarios/{scenario.pk}/"
    relaxed = api.post(f"{address}relax/", {"choice": 0}, format="json").json()
    assert (relaxed["status"], relaxed["total_budget"]) == ("draft", "5000.00")
    assert api.post(f"{address}relax/", {"choice": 7}, format="json").status_code == 400
    assert api.post(f"{address}duplicate/", {"name": "B"}, format="json").json()["name"] == "B"
    assert api.delete(f"/api/v1/scenarios/{relaxed['id']}/").status_code == 204
    assert api.delete(address).status_code == 409


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"brand": "chips"}, "brand", "'chips' is no id of a brand"),
        ({"brand": ""}, "brand", "'' is no id of a brand"),
        ({"name": "a\x00"}, "name", "no text"),
        ({"total_budget": "NaN"}, "total_budget", "'NaN' is not a number"),
        ({"total_budget": "1e12"}, "total_budget", "1e12 is too large"),
        ({"horizon_start": "2026-13-01"}, "horizon_start", "'2026-13-01' is not a day"),
        ({"season": {"a": 1}}, "season", "A list is expected"),
        ({"tail_fraction": True}, "tail_fraction", "'True' is not a number"),
    ],
)
def test_bad_fields_are_told_with_place_and_fix(api, fitted, body, changes, where, said):
    answer = api.post("/api/v1/scenarios/", body | changes, format="json")
    told = answer.json()
    assert (answer.status_code, told["where"]) == (400, where)
    assert said in told["detail"]
    assert told["fix"]
    assert not Scenario.objects.exists()


def test_a_forecast_of_no_day_or_brand_is_refused(api, fitted):
    told = api.get("/api/v1/pacing/?as_of=tomorrow").json()
    assert (told["where"], told["fix"]) == ("as_of", "Write it as YYYY-MM-DD.")
    budget = {"brand": "chips", "amount": "5", "period_start": "2026-11-09", "period_end": "2026-11-10"}
    assert api.post("/api/v1/budgets/", budget, format="json").json()["where"] == "brand"


def test_the_same_key_is_one_solve(api, draft):
    address = f"/api/v1/scenarios/{draft().pk}/solve/"
    first, again = (api.post(address, HTTP_IDEMPOTENCY_KEY="solve-1") for _ in range(2))
    assert first.json() == again.json()
    assert api.post(address).status_code == 409
    assert Job.objects.count() == 1


def test_roles_and_brands(api, draft, carol, dave, body):
    scenario = draft()
    address = f"/api/v1/scenarios/{scenario.pk}/"
    viewer, stranger = api_of(carol), api_of(dave)
    assert viewer.get(address).status_code == 200
    assert stranger.get("/api/v1/scenarios/").json()["results"] == []
    for client, refusal in ((viewer, 403), (stranger, 404)):
        assert client.patch(address, {"name": "Mine"}, format="json").status_code == refusal
        assert client.delete(address).status_code == refusal
        assert client.post("/api/v1/scenarios/", body, format="json").status_code == refusal
        for act in ("solve", "duplicate"):
            assert client.post(f"{address}{act}/", {}, format="json").status_code == refusal
    assert stranger.post("/api/v1/scenarios/", ASKED, format="json").status_code == 403
    scenario.refresh_from_db()
    assert (scenario.name, Scenario.objects.count()) == (ASKED["name"], 1)
    assert api_of(None).get("/api/v1/scenarios/").status_code == 401


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("scenarios", "--tenant", "acme", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_asks_and_answers(fitted, alice, tmp_path):
    file = tmp_path / "asked.json"
    file.write_text(json.dumps(ASKED | {"bounds": BOTH}))
    told = json.loads(command("--json", "--as", alice.email, "--brand", "chips", "create", str(file)))
    assert told["status"] == "draft"
    assert "Raise it to 5,000" in command("solve", "SC-0001")
    assert json.loads(command("--json", "list"))[0]["status"] == "infeasible"
    assert "infeasible" in command("show", told["id"])
    with pytest.raises(CommandError, match="Nobody here"):
        command("create", str(file))
    with pytest.raises(CommandError, match="no scenario 'SC-0009'"):
        command("show", "SC-0009")
    file.write_text(json.dumps(ASKED | {"name": "", "total_budget": "-1"}))
    with pytest.raises(CommandError, match=r"no name(.|\n)*total_budget"):
        command("--as", alice.email, "create", str(file))


def test_the_planner_asks_solves_and_reads(fitted, alice, carol, dave):
    create, solve, show, curves = (
        tool_named(name) for name in ("create_scenario", "optimize_budget", "show_scenario", "list_response_curves")
    )
    made = create.run(create.input_model(**CALL), user=alice)
    solve.run(solve.input_model(scenario_id=str(made.scenario)), user=alice)
    run_queued_jobs()
    told = show.run(show.input_model(scenario_id=made.label), user=carol)
    assert (told.status, told.gap <= 1e-9, len(told.lines)) == ("solved", True, 5)
    assert told.lines[0]["why"]
    with pytest.raises(NotFound):
        show.run(show.input_model(scenario_id=made.label), user=dave)
    with pytest.raises(InvalidInput):
        create.run(create.input_model(**CALL | {"total_budget": "-1"}), user=alice)
    assert curves.run(curves.input_model(sku="SEA-SALT"), user=alice).curve_count == 3
