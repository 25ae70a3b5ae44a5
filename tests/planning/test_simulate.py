"""Typed allocations through their doors."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from jobs.core.tools import tool_named
from planning import services
from planning.answers import result_of
from planning.models import Scenario
from tenants.core.problems import InvalidInput, NotAllowed
from tests.conftest import browser_of
from tests.planning.test_scenarios import RETAILER


def simulated(alice, scenario, *amounts, **options):
    allocation = [{"scope": scope, "amount": amount} for scope, amount in amounts]
    return services.simulate_allocation(actor=alice, scenario=scenario, allocation=allocation, **options)


def test_the_proposal_typed_in_is_the_best_there_is(alice, solved):
    scenario = solved(bounds=[{"path": RETAILER, "max_spend": "900"}])
    first = next(line for line in result_of(scenario).lines if line.cell)
    told = simulated(alice, scenario, (" > ".join(first.path), str(first.proposed)), rest="proposed")
    assert not told.broken
    assert abs(told.left) < 0.05
    assert told.whole.sales == pytest.approx(result_of(scenario).sales_proposed, rel=1e-5)


def test_less_than_the_best_by_what_is_left(alice, solved):
    scenario = solved()
    told = simulated(alice, scenario, ("channel=onsite display", "2000"), ("channel=onsite search", "2200"))
    assert told.whole.typed == Decimal(4200)
    assert told.left > 100
    assert told.whole.sales + told.left == pytest.approx(result_of(scenario).sales_proposed, rel=1e-6)
    low, high = told.outlook["sales_proposed"]
    assert low < told.whole.sales < high
    assert sum(one.sales for one in told.effects(1)) == pytest.approx(told.whole.sales)
    assert sum(one.typed for one in told.effects(2)) == told.whole.typed


def test_the_current_spend_typed_in_changes_nothing(alice, solved):
    scenario = solved()
    now = sum(Decimal(one) for one in scenario.current_spend.values())
    told = simulated(alice, scenario, ("rmn=Amazon", str(sum(
        line.now for line in result_of(scenario).lines if line.path[1:2] == ("Amazon",)))))  # fmt: skip
    assert told.whole.typed == now
    assert told.whole.gain == pytest.approx(0.0, abs=1e-6)
    assert all(line.change == 0 for line in told.lines)


def test_a_draft_is_judged_by_the_newest_curves_and_a_viewer_may_not(alice, carol, draft):
    scenario = draft(max_change_fraction="0.1")
    told = simulated(alice, scenario, ("rmn=Walmart", "4000"))
    assert {one.words for one in told.broken} >= {"The budget", "The most of single lines"}
    with pytest.raises(InvalidInput, match="no proposal"):
        simulated(alice, scenario, ("rmn=Walmart", "40"), rest="proposed")
    with pytest.raises(InvalidInput, match="split cannot be"):
        simulated(alice, scenario, ("rmn=Walmart", "40"), split="fair")
    with pytest.raises(NotAllowed):
        simulated(carol, scenario, ("rmn=Walmart", "40"))


def test_the_page_answers_and_keeps_what_was_typed(browser, solved, alice):
    scenario = solved()
    address = f"/scenarios/{scenario.pk}/simulate/"
    text = browser.get(address).content.decode()
    assert 'name="l-Amazon|onsite_display|SEA-SALT"' in text
    typed = {"l-Amazon|onsite_display|SEA-SALT": "1000.00", "start": "current", "act": "simulate"}
    text = browser.post(address, typed).content.decode()
    assert "Left on the table" in text
    assert 'value="1000.00"' in text
    assert "style=" not in text
    wrong = browser.post(address, typed | {"table": "rmn=Target, 5"})
    assert wrong.status_code == 400
    assert "No line lies in Target" in wrong.content.decode()
    assert Scenario.objects.count() == 1
    browser.post(address, typed | {"act": "keep"})
    kept = services.answer_scenario(scenario=Scenario.objects.get(number=2), actor=alice)
    amounts = {line.cell: line.proposed for line in result_of(kept).lines if line.cell}
    assert amounts["Amazon|onsite_display|SEA-SALT"] == Decimal("1000.00")
    assert kept.status == "solved"


def test_a_viewer_has_no_such_page(carol, solved):
    assert browser_of(carol).get(f"/scenarios/{solved().pk}/simulate/").status_code == 403


def test_rest_the_command_and_the_planner_say_the_same(api, alice, solved, tmp_path):
    scenario = solved()
    body = {"allocation": [{"scope": "rmn=Walmart", "amount": "500"}]}
    told = api.post(f"/api/v1/scenarios/{scenario.pk}/simulate/", body, format="json").json()
    wrong = {"allocation": [{"scope": "rmn=Walmart", "amount": "x"}, {"amount": 1}], "rest": "current"}
    answer = api.post(f"/api/v1/scenarios/{scenario.pk}/simulate/", wrong, format="json")
    assert [one["where"] for one in answer.json()["errors"]] == ["allocation[0]", "allocation[1]"]
    assert api.post(f"/api/v1/scenarios/{scenario.pk}/simulate/", {"x": 1}, format="json").status_code == 400
    file = tmp_path / "typed.csv"
    file.write_text("scope,amount\nrmn=Walmart,500\n")
    out = StringIO()
    call_command("scenarios", "--tenant", "acme", "--json", "simulate", "SC-0001", str(file), stdout=out)
    assert json.loads(out.getvalue())["whole"] == told["whole"]
    tool = tool_named("simulate_allocation")
    by_tool = tool.run(
        tool.input_model(scenario_id="SC-0001", allocation=[{"scope": "rmn=Walmart", "amount": 500}]), user=alice
    )
    assert by_tool.left == told["left"]
    assert by_tool.by_retailer == told["by_retailer"]
