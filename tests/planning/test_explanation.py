"""Why an answer is what it is: what binds, what a little more of it earns, and what was turned down."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest
from django.core.management import call_command

from planning import services
from planning.models import Scenario
from tenants.core.problems import Conflict
from tests.planning.test_scenarios import RETAILER

CAP = {"path": RETAILER, "max_spend": "300"}


def test_a_price_is_what_one_percent_more_earns(solved):
    told = services.explain_scenario(scenario=solved(bounds=[CAP], reserve_fraction="0.05"))
    assert [one.price.field for one in told.binding] == ["max_spend", "budget"]
    for one in told.binding:
        assert one.gain == pytest.approx(one.first_order, rel=0.02)
    cap = told.binding[0]
    assert cap.step == pytest.approx(3.0)
    assert cap.price.lines == 2


def test_nothing_turned_down_within_the_terms_sells_more(solved):
    told = services.explain_scenario(scenario=solved())
    assert {one.name for one in told.alternatives} >= {"Equal split", "Current mix, scaled", "Current spend as it is"}
    for one in told.alternatives:
        assert one.broken or one.below > 0
        if one.name != "Current spend as it is":
            assert one.spend == pytest.approx(4200)


def test_a_least_return_has_a_price_too(solved, draft):
    best = solved().outlook["expected_proposed"] / 4200
    tight = solved(min_roas=f"{best * 1.2:.4f}")
    roas = next(one for one in services.explain_scenario(scenario=tight).binding if one.price.field == "min_roas")
    assert roas.gain == pytest.approx(roas.first_order, rel=0.05)
    with pytest.raises(Conflict, match="draft"):
        services.explain_scenario(scenario=draft())


def test_a_return_that_is_often_missed_is_tightened(solved, alice, browser):
    best = solved().outlook["expected_proposed"] / 4200
    tight = solved(min_roas=f"{best * 1.2:.4f}")
    assert 0.2 < tight.outlook["chance_roas"] < 0.8
    stricter = services.tighten_scenario(actor=alice, scenario=tight)
    assert (stricter.status, stricter.min_roas > tight.min_roas) == ("draft", True)
    answered = services.answer_scenario(scenario=stricter, actor=alice)
    spent = answered.solve.solution["total_spend"]
    # The draws of the stricter answer reach the return that was asked for at first, about as often as promised.
    assert answered.outlook["sales_proposed"][0] / spent > float(tight.min_roas) * 0.97
    assert "Draft with" in browser.get(f"/scenarios/{tight.pk}/").content.decode()
    browser.post(f"/scenarios/{tight.pk}/tighten/")
    assert Scenario.objects.filter(min_roas=stricter.min_roas).count() == 2
    with pytest.raises(Conflict, match="no least ROAS"):
        services.tighten_scenario(actor=alice, scenario=solved())


def test_lines_are_filtered_by_what_holds_them(browser, solved):
    scenario = solved(bounds=[CAP])
    key = "node_cap:onsite search/Amazon"
    text = browser.get(f"/scenarios/{scenario.pk}/?constraint={key}&binding_sort=-held").content.decode()
    lines = text.partition('id="lines"')[2]
    assert f'<option value="{key}" selected>' in lines
    assert lines.partition("<tfoot>")[0].count('<span class="dot') == 2
    assert "$300.00" in lines.partition("<tfoot>")[2]
    assert "What was turned down" in text


def test_a_price_names_what_is_maximised(browser, alice, solved):
    earned, sold = solved(objective="profit", margin_fraction="0.9"), solved(name="sold")
    pages = [browser.get(f"/scenarios/{one.pk}/").content.decode() for one in (earned, sold)]
    assert ["profit from the next dollar" in text for text in pages] == [True, False]
    assert ["sales from the next dollar" in text for text in pages] == [False, True]
    assert ["meet at one marginal return" in text for text in pages] == [False, True]
    for one, words in ((earned, "profit"), (sold, "sales")):
        file = browser.get(f"/scenarios/{one.pk}/export/?export=csv").content.decode()
        assert f" of {words}\n" in file.replace("\r", "").replace('"', "")
        (total,) = csv.reader(line for line in file.splitlines() if line.startswith("total"))
        assert bool(total[13]) == (words == "sales")
    for others, label in (
        ([sold], "what each one maximises"),
        ([solved(objective="profit", margin_fraction="0.8")], "profit"),
    ):
        asked = [str(one.pk) for one in (earned, *others)]
        found = services.compare_scenarios(user=alice, references=asked)
        assert f"Marginal return, {label}" in {row.label for row in found.totals}


def test_rest_and_the_command_say_the_same(api, solved):
    scenario = solved(bounds=[CAP])
    told = api.get(f"/api/v1/scenarios/{scenario.pk}/explanation/").json()
    assert told["binding"][0]["key"] == "node_cap:onsite search/Amazon"
    out = StringIO()
    call_command("scenarios", "--tenant", "acme", "--json", "explain", "SC-0001", stdout=out)
    assert json.loads(out.getvalue()) == told
    assert api.post(f"/api/v1/scenarios/{scenario.pk}/tighten/").status_code == 409
