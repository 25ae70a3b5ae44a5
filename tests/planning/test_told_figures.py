"""Figures and words that the pages and the planner tell of an answer: each is the one that it says it is."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import numpy as np
import pytest

from metrics.services import NewFactor, publish_factors
from optimization import selectors as optimization
from optimization.core.instance import parse_problem
from optimization.services import recalibrate_curves
from planning import services
from rmn_site.ui.formats import money_compact
from tests.planning.test_aims import answer_of
from tests.planning.test_tools import call


def text_of(browser: Any, address: str) -> str:
    """A page as people read it."""
    page = browser.get(address)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))


@pytest.fixture
def half(fitted, chips, alice):
    """Half of what is attributed is caused."""
    factor = NewFactor(
        low=Decimal("0.33"), value=Decimal("0.5"), high=Decimal("0.75"), level=Decimal("0.9"), evidence="experiment",
        method="geo",
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-7", factors=[factor], brand=chips)


@pytest.mark.parametrize(
    "asks",
    [
        {},
        {"tail_fraction": "0.1"},
        {"mode": "flexible_target_marginal_roi", "target": "0.5"},
        {"weekly_budgets": [1050] * 4, "season": [1, 1, "1.6", 1]},
    ],
)
def test_the_incremental_part_is_what_is_earned_and_not_what_is_maximised(half, solved, browser, asks):
    scenario = solved(objective="incremental_sales", **asks)
    sold = sum(line["revenue_proposed"] for line in answer_of(scenario)["lines"])
    told = re.search(r"(\S+) of it incremental", text_of(browser, f"/scenarios/{scenario.pk}/"))
    assert told
    assert told[1] == money_compact(answer_of(scenario)["earned"], "USD") == money_compact(0.5 * sold, "USD")


def test_the_worst_cases_are_named_and_told(solved, browser, alice, api):
    scenario = solved(tail_fraction="0.1")
    shown = text_of(browser, f"/scenarios/{scenario.pk}/")
    assert "Maximise sales in the worst 10% of cases of Chips" in shown
    now, then = (money_compact(scenario.outlook[name], "USD") for name in ("tail_now", "tail_proposed"))
    assert f"{then} in the worst 10%, {now} now" in shown
    told = call("show_scenario", alice, scenario_id=scenario.label)
    assert told.maximises == "sales in the worst 10% of cases"
    assert (told.tail_now, told.tail_proposed) == (scenario.outlook["tail_now"], scenario.outlook["tail_proposed"])
    plain = solved(name="plain", objective="profit", margin_fraction="0.5")
    assert "Maximise expected profit of Chips" in text_of(browser, f"/scenarios/{plain.pk}/")
    assert call("show_scenario", alice, scenario_id=plain.label).tail_proposed is None


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ({"min_roas": "50"}, "a ROAS of 50"),
        ({"min_iroas": "50"}, "an incremental ROAS of 50"),
        ({"mode": "flexible_target_roi", "target": "50"}, "a return of 50"),
        ({"mode": "flexible_target_marginal_roi", "target": "50"}, "a return of 50"),
    ],
)
def test_a_return_that_no_line_earns_is_told_with_the_best_there_is(solved, browser, api, alice, asks, words):
    scenario = solved(**asks)
    assert scenario.status == "solved"
    assert answer_of(scenario)["total_spend"] == pytest.approx(0.0, abs=1e-6)
    (note,) = api.get(f"/api/v1/scenarios/{scenario.pk}/").json()["notes"]
    told = re.fullmatch(rf"No line earns {words} at any spend; the best return attainable is (\d+\.\d\d)\.", note)
    assert told
    problem = parse_problem(scenario.solve.problem)
    first = max(problem.responses.marginal(np.zeros(len(problem.cells))))
    assert float(told[1]) == pytest.approx(first, abs=0.02)
    assert note in text_of(browser, f"/scenarios/{scenario.pk}/")
    assert call("show_scenario", alice, scenario_id=scenario.label).notes == [note]


def test_a_return_that_lines_earn_is_told_without_a_word(solved, api):
    assert api.get(f"/api/v1/scenarios/{solved(min_roas='2').pk}/").json()["notes"] == []


def test_incremental_sales_stand_side_by_side(half, solved, browser, alice):
    asked, plain = solved(objective="incremental_sales"), solved(name="plain")
    found = services.compare_scenarios(user=alice, references=[asked.label, plain.label])
    (row,) = [one for one in found.totals if one.label == "Incremental sales"]
    # The curves are older than the factor, so what asked for no factor knows none.
    assert row.values == (pytest.approx(answer_of(asked)["earned"]), None)
    recalibrate_curves(brand=asked.brand)
    newer = solved(name="newer")
    found = services.compare_scenarios(user=alice, references=[asked.label, newer.label], per_week=True)
    (row,) = [one for one in found.totals if one.label == "Incremental sales"]
    sold = sum(line["revenue_proposed"] for line in answer_of(newer)["lines"])
    mean = optimization.incrementality_factors(asked.brand)["", ""].mean
    assert row.values[1] == pytest.approx(mean * sold / 4)
    assert row.values[0] == pytest.approx(answer_of(asked)["earned"] / 4)
    page = text_of(browser, f"/scenarios/compare/?scenarios={asked.label}&scenarios={newer.label}")
    assert f"Incremental sales {money_compact(answer_of(asked)['earned'], 'USD')}" in page
