"""Scenarios side by side."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from jobs.core.tools import tool_named
from optimization import services as optimization
from planning import services
from planning.answers import currency_of
from planning.models import Scenario
from tenants.core.problems import Conflict, InvalidInput, NotFound
from tests.planning.test_scenarios import BOTH, RETAILER


@pytest.fixture
def pair(solved):
    """Two answers: four weeks, and two weeks with a cap on Amazon."""
    return [
        solved(),
        solved(name="Half", horizon_end="2026-11-22", total_budget="2100", reserve_fraction="0.05",
               bounds=[{"path": RETAILER, "max_spend": "150"}]),
    ]  # fmt: skip


def compared(alice, *scenarios, **options):
    return services.compare_scenarios(user=alice, references=[str(one.pk) for one in scenarios], **options)


def row(found, label):
    return next(one for one in (*found.totals, *found.terms) if one.label == label).values


def test_columns_add_up_to_their_budgets(alice, pair):
    for per_week, budgets in ((False, ["4200.00", "2100.00"]), (True, ["1050.00", "1050.00"])):
        found = compared(alice, *pair, per_week=per_week)
        sums = [sum(line.amounts[at] or 0 for line in found.lines) for at in (0, 1)]
        assert sums == [Decimal(one) for one in budgets]
        assert row(found, "Budget") == tuple(float(one) for one in budgets)


def test_the_largest_difference_stands_first(alice, pair):
    spreads = [line.spread for line in compared(alice, *pair).lines if line.cell]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] > 0


def test_what_is_not_like_with_like_is_named(alice, pair):
    words = " ".join(compared(alice, *pair).cautions)
    assert "SC-0001 28 days; SC-0002 14 days" in words
    assert "look at it per week" in words
    assert "per week of each" in " ".join(compared(alice, *pair, per_week=True).cautions)
    assert not compared(alice, pair[0], services.answer_scenario(
        scenario=services.duplicate_scenario(actor=alice, scenario=pair[0]), actor=alice)).cautions  # fmt: skip


def test_terms_that_differ_are_marked(alice, pair):
    found = compared(alice, *pair)
    differing = {one.label for one in found.terms if one.differs}
    assert {"Horizon", "Total budget", "Experiment reserve", "onsite search > Amazon, at most"} <= differing
    assert "Days of stock needed" not in differing
    assert row(found, "onsite search > Amazon, at most") == (None, "$150")
    assert row(found, "Price of: onsite search > Amazon at most")[0] is None
    assert row(found, "Price of: onsite search > Amazon at most")[1] > 0


def test_lines_are_narrowed_by_scope_and_constraint(alice, pair):
    found = compared(alice, *pair)
    under = found.narrowed(scope=("onsite search", "Walmart"))
    assert under
    assert all(line.path[:2] == ("onsite search", "Walmart") for line in under)
    bound = found.narrowed(constraint="cap of Amazon")
    assert bound
    assert all("cap of Amazon" in line.bindings for line in bound)


def test_one_without_an_answer_says_why(alice, pair, solved, draft):
    found = compared(alice, *pair, solved(bounds=BOTH), draft())
    assert row(found, "Spend")[2:] == (None, None)
    assert any("SC-0003 is infeasible" in words and "relax" in words for words in found.cautions)
    assert any("SC-0004 is draft" in words for words in found.cautions)


def test_only_answers_need_one_currency(alice, chips, pair, draft):
    asked = draft()
    version = optimization.fit_curves(brand=chips).version
    assert currency_of(asked) == "USD"
    version.pk, version.number, version._state.adding = uuid4(), version.number + 1, True
    version.settings = version.settings | {"currency": "EUR"}
    version.save()
    # Money of a question is that of the curves it will be answered with, not the tenant's.
    assert (currency_of(asked), currency_of(pair[0])) == ("EUR", "USD")
    found = compared(alice, asked, *pair)
    assert found.currency == "USD"
    assert row(found, "Budget") == (None, 4200.0, 2100.0)
    assert row(found, "Total budget")[0].startswith("€")
    other = Scenario.objects.get(pk=pair[1].pk)
    other.curve_version = version
    other.save()
    with pytest.raises(Conflict, match=r"SC-0001 in USD, SC-0002 in EUR\.$"):
        compared(alice, asked, pair[0], other)


def test_too_few_too_many_or_unsolved_are_refused(alice, pair, draft):
    with pytest.raises(InvalidInput, match="one scenario"):
        compared(alice, pair[0], pair[0])
    with pytest.raises(InvalidInput, match="6 scenarios"):
        services.compare_scenarios(user=alice, references=[f"SC-000{n}" for n in range(1, 7)])
    with pytest.raises(Conflict, match="SC-0003 is draft"):
        compared(alice, pair[0], draft())
    with pytest.raises(NotFound):
        services.compare_scenarios(user=alice, references=["SC-0001", "SC-0099"])


def test_anothers_scenario_does_not_exist(dave, pair):
    with pytest.raises(NotFound):
        compared(dave, *pair)


def test_the_page_keeps_its_state_in_the_address(browser, pair):
    address = "/scenarios/compare/?scenarios=SC-0001,SC-0002"
    text = browser.get(f"{address}&per=week&constraint=cap of Amazon").content.decode()
    assert "Not all of this is like with like" in text
    assert '<option value="cap of Amazon" selected>' in text
    assert "style=" not in text
    file = browser.get("/scenarios/compare/export/?scenarios=SC-0001,SC-0002&constraint=cap of Amazon&per=week")
    assert file["Content-Disposition"] == 'attachment; filename="SC-0001_SC-0002.csv"'
    lines = [line for line in file.content.decode("utf-8-sig").splitlines() if line.startswith("line,")]
    assert text.count('<th scope="row"><span class="dot') == len(lines) > 0


def test_the_page_offers_a_choice_and_tells_a_refusal(browser, pair, draft):
    assert "SC-0002 Half" in browser.get("/scenarios/compare/").content.decode()
    draft()
    answer = browser.get("/scenarios/compare/?scenarios=SC-0001&scenarios=SC-0003")
    assert answer.status_code == 409
    assert "Fewer than two of these are solved" in answer.content.decode()
    assert browser.get("/scenarios/compare/?scenarios=SC-0001,SC-0099").status_code == 404


def test_rest_answers_the_same(api, alice, pair):
    told = api.get("/api/v1/scenarios/compare/?scenarios=SC-0001,SC-0002&scope=onsite search > Amazon").json()
    assert [one["label"] for one in told["scenarios"]] == ["SC-0001", "SC-0002"]
    assert {tuple(line["path"][:2]) for line in told["lines"]} == {("onsite search", "Amazon")}
    file = api.get("/api/v1/scenarios/compare/lines/?scenarios=SC-0001,SC-0002&export=xlsx")
    assert file.content[:2] == b"PK"
    assert api.get("/api/v1/scenarios/compare/").status_code == 400
    out = StringIO()
    call_command("scenarios", "--tenant", "acme", "--json", "compare", "SC-0001", "SC-0002", stdout=out)
    whole = api.get("/api/v1/scenarios/compare/?scenarios=SC-0001,SC-0002").json()
    assert json.loads(out.getvalue()) == whole
    tool = tool_named("compare_scenarios")
    by_tool = tool.run(tool.input_model(scenario_ids=["SC-0001", str(pair[1].pk)]), user=alice)
    assert by_tool.per_week, "horizons differ, so the planner is told money per week"
    assert by_tool.cautions


@pytest.mark.parametrize("label", ["x" * 8 + "-xxxx-xxxx-xxxx-" + "x" * 12, "SC-9", "", "5" * 36])
def test_a_command_names_the_label_it_does_not_know(acme, label):
    with pytest.raises(CommandError, match="There is no scenario"):
        call_command("scenarios", "--tenant", "acme", "show", label)
