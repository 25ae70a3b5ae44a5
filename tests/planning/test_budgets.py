"""Budgets, and spend against them, through every door."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from harmonization.models import Account, Retailer
from jobs.core.tools import tool_named
from metrics import services as metrics
from optimization.models import CurveVersion
from planning import services
from planning.answers import result_of
from planning.models import Budget
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.conftest import browser_of
from tests.metrics.conftest import days
from tests.optimization.market import LAST

#: The market's reports end the day before.
DAY = date(2026, 11, 9)
MONTH = {"period_start": "2026-11-01", "period_end": "2026-11-30"}


@pytest.fixture
def budget(fitted, chips, alice):
    """`budget(amount="3000")`: of chips in November."""

    def _budget(**changes):
        return services.set_budget(actor=alice, given={"brand": str(chips.pk), "amount": "3000", **MONTH} | changes)

    return _budget


def paced(user, **options):
    return services.forecast_pacing(user=user, **({"as_of": DAY} | options)).budgets


def test_spend_to_date_is_that_of_the_reports(budget, alice):
    budget()
    (found,) = paced(alice)
    since = services.forecast_pacing(user=None, as_of=DAY).budgets[0]
    assert found.pace.spent == since.pace.spent > 0
    assert found.pace.spent_until == LAST
    assert found.pace.planned == pytest.approx(3000 / 30 * 8)
    assert found.pace.low < found.pace.projected < found.pace.high
    assert found.pace.status == "over"
    assert date(2026, 11, 9) < found.pace.cap_day < date(2026, 11, 30)
    assert any("may still restate" in note for note in found.pace.notes)


def test_a_budget_of_a_retailer_counts_that_retailer(budget, alice, fitted):
    for name in ("Amazon", "Walmart"):
        budget(retailer=str(Retailer.objects.get(name=name).pk))
    budget()
    whole, *parts = sorted((one.pace.spent for one in paced(alice)), reverse=True)
    assert sum(parts) == pytest.approx(whole)
    assert len(paced(alice, scope="rmn=amazon")) == 1
    with pytest.raises(InvalidInput, match="not told by sku"):
        paced(alice, scope="sku=X")
    budget(account=str(fitted.accounts["amazon"].pk), campaign="none such")
    empty = next(one for one in paced(alice) if one.budget.campaign)
    assert empty.pace.status == "no data"


def test_days_count_by_the_accounts_own_calendar(budget, alice, monkeypatch):
    """At half past midnight in London it is still the day before in Los Angeles."""
    from django.utils import timezone as clock

    Retailer.objects.filter(name="Amazon").update(timezone="America/Los_Angeles")
    now = clock.datetime(2026, 11, 9, 0, 30, tzinfo=clock.get_fixed_timezone(0))
    monkeypatch.setattr("planning.services.pacing.timezone.now", lambda: now)
    budget()
    (found,) = services.forecast_pacing(user=alice).budgets
    assert found.zones == ("America/Los_Angeles", "UTC")
    # In Los Angeles 8 November is still running, so its figures are not a whole day yet.
    assert found.pace.spent_until == date(2026, 11, 7)


def test_what_is_not_told_at_once_is_counted(budget, alice, api, browser, monkeypatch):
    monkeypatch.setattr("planning.services.pacing.MOST_BUDGETS", 1)
    budget(period_start="2026-11-02")
    budget()
    assert [one.budget.period_start.day for one in paced(alice)] == [2], "the latest period stays"
    told = api.get("/api/v1/pacing/?as_of=2026-11-09").json()
    assert (len(told["budgets"]), told["left_out"]) == (1, 1)
    assert "1 budget of the earliest periods left out" in browser.get("/pacing/?as_of=2026-11-09").content.decode()
    out = StringIO()
    call_command("pacing", "--tenant", "acme", "--as-of", "2026-11-09", stdout=out)
    assert "1 budget of the earliest periods left out" in out.getvalue()


def test_campaigns_are_read_together_and_told_apart(budget, fitted, alice, chips, monkeypatch):
    account = factories.AccountFactory(brand=chips, retailer=fitted.accounts["amazon"].retailer)
    first = LAST - timedelta(days=29)
    rows = [
        row for name, cost in (("c1", 5), ("c2", 7)) for row in days(first, LAST, campaign_id=name, spend=Decimal(cost))
    ]
    fitted.shelf.publish(account, "advertised_product", rows=rows)
    asked = []
    real = metrics.query_metrics
    monkeypatch.setattr(metrics, "query_metrics", lambda **given: asked.append(given) or real(**given))
    for campaign in ("c1", "c2", "c3"):
        budget(account=str(account.pk), campaign=campaign)
    spent = {one.budget.campaign: one.pace.spent for one in paced(alice)}
    assert spent == {"c1": 8 * 5.0, "c2": 8 * 7.0, "c3": 0.0}
    assert len(asked) == 1


def test_the_same_scope_and_period_is_one_budget(budget):
    first, second = budget(), budget(amount="3100.50")
    assert first.pk == second.pk
    assert Budget.objects.get().amount == Decimal("3100.50")


def test_an_account_is_one_scope_with_its_retailer_named_or_not(budget, fitted):
    account = fitted.accounts["amazon"]
    first = budget(account=str(account.pk))
    second = budget(account=str(account.pk), retailer=str(account.retailer_id), amount="10")
    assert first.pk == second.pk
    assert Budget.objects.get().retailer == account.retailer


def test_budgets_of_accounts_from_before_get_their_retailer(budget, fitted):
    migration = import_module("planning.migrations.0004_budgets_of_accounts_name_the_retailer")
    for newer in (True, False):
        named = budget(account=str(fitted.accounts["amazon"].pk))
        Budget.objects.update(updated_at=datetime(2026, 11, 2 if newer else 4, tzinfo=UTC))
        lone = budget(account=str(fitted.accounts["walmart"].pk))
        Budget.objects.filter(pk=lone.pk).update(retailer=None)
        blank = Budget.objects.create(
            brand=named.brand, account=named.account, period_start=named.period_start, period_end=named.period_end,
            amount=Decimal(7), currency="USD",
        )  # fmt: skip
        Budget.objects.filter(pk=blank.pk).update(updated_at=datetime(2026, 11, 3, tzinfo=UTC))
        migration.name_the_retailer(apps, None)
        kept = blank if newer else named
        assert set(Budget.objects.values_list("pk", flat=True)) == {kept.pk, lone.pk}, "the one set last stays"
        assert not Budget.objects.filter(retailer=None).exists()
        Budget.objects.all().delete()


def test_a_typed_amount_is_in_the_currency_of_its_scope(budget, fitted, chips):
    assert budget().currency == "USD"
    Budget.objects.update(currency="EUR")
    replaced = budget(amount="3100")
    assert (replaced.amount, replaced.currency) == (3100, "EUR"), "that of the budget it replaces"
    Account.objects.filter(pk=fitted.accounts["walmart"].pk).update(currency="CAD")
    later = {"period_start": "2026-12-01", "period_end": "2026-12-31"}
    assert budget(**later, retailer=str(Retailer.objects.get(name="Walmart").pk)).currency == "CAD"
    version = CurveVersion.objects.get(brand=chips)
    CurveVersion.objects.filter(pk=version.pk).update(settings=version.settings | {"currency": "GBP"})
    assert budget(**later).currency == "GBP", "accounts differ: that of the newest curves"
    Account.objects.update(currency="CAD")
    assert budget(period_start="2026-12-02", period_end="2026-12-31").currency == "CAD"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"period_end": "2026-10-01"}, "period_end"),
        ({"period_end": "x"}, "period_end"),
        ({"period_end": "2029-01-01"}, "period_end"),
        ({"campaign": "12"}, "campaign"),
        ({"retailer": "x"}, "retailer"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_budget_is_refused(budget, changes, where):
    with pytest.raises(InvalidInput) as caught:
        budget(**changes)
    assert caught.value.where == where
    assert not Budget.objects.exists()


def test_a_scenario_becomes_budgets(solved, alice):
    scenario = solved(reserve_fraction="0.05")
    made = services.budgets_from_scenario(actor=alice, scenario=scenario)
    assert {one.retailer.name for one in made} == {"Amazon", "Walmart"}
    assert sum(one.amount for one in made) == result_of(scenario).allocated
    assert {one.period_start for one in made} == {scenario.horizon_start}
    eve = date(2026, 11, 8)
    assert {one.pace.status for one in paced(alice, every=True, as_of=eve)} == {"not begun"}
    assert "not begun" not in {one.pace.status for one in paced(alice, every=True)}, "its first day is running"


def test_budgets_of_a_former_answer_go(solved, budget, alice):
    scenario = solved()
    other = budget()
    amazon = next(
        one for one in services.budgets_from_scenario(actor=alice, scenario=scenario) if one.retailer.name == "Amazon"
    )
    given = {"horizon_start": "2026-11-16", "horizon_end": "2026-12-13"}
    scenario = services.update_scenario(actor=alice, scenario=scenario, given=given)
    scenario = services.answer_scenario(scenario=scenario, actor=alice)
    made = services.budgets_from_scenario(actor=alice, scenario=scenario)
    assert amazon not in made
    assert set(Budget.objects.all()) == {other, *made}


def test_a_retailer_of_another_name_now_is_named(solved, alice):
    scenario = solved()
    Retailer.objects.filter(name="Amazon").update(name="Amazon US")
    with pytest.raises(Conflict, match="for Amazon, and no retailer has that name"):
        services.budgets_from_scenario(actor=alice, scenario=scenario)
    assert not Budget.objects.exists()


def test_what_is_not_ones_own(budget, draft, alice, carol, dave, chips):
    made = budget()
    assert len(paced(carol)) == 1
    assert paced(dave) == []
    with pytest.raises(NotAllowed):
        services.delete_budget(actor=carol, budget=made)
    with pytest.raises(NotFound):
        services.set_budget(actor=dave, given={"brand": str(chips.pk), "amount": "1", **MONTH})
    with pytest.raises(Conflict, match="draft"):
        services.budgets_from_scenario(actor=alice, scenario=draft())


def test_the_page_shows_sets_and_takes_away(browser, carol, budget, chips):
    budget()
    text = browser.get("/pacing/?as_of=2026-11-09").content.decode()
    for words in ("Used up", "burnup-spec", "may still restate", "Set a budget"):
        assert words in text
    assert "style=" not in text
    typed = {"brand": str(chips.pk), **MONTH, "amount": "x"}
    wrong = browser.post("/pacing/", typed)
    assert wrong.status_code == 400
    assert "is not a number" in wrong.content.decode()
    browser.post("/pacing/", typed | {"amount": "4000"})
    assert Budget.objects.get().amount == 4000
    viewer = browser_of(carol)
    assert "Set a budget" not in viewer.get("/pacing/").content.decode()
    viewer.post(f"/pacing/{Budget.objects.get().pk}/delete/")
    assert Budget.objects.exists()
    browser.post(f"/pacing/{Budget.objects.get().pk}/delete/")
    assert not Budget.objects.exists()
    assert browser.get("/pacing/?as_of=soon").status_code == 400


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_a_day_out_of_all_reach_is_refused_at_every_door(browser, api, alice, budget, day):
    budget()
    assert browser.get(f"/pacing/?as_of={day}").status_code == 400
    told = api.get(f"/api/v1/pacing/?as_of={day}")
    assert (told.status_code, told.json()["where"]) == (400, "as_of")
    with pytest.raises(CommandError, match=r"reach back|not come yet"):
        call_command("pacing", "--tenant", "acme", "--as-of", day)
    tool = tool_named("forecast_pacing")
    with pytest.raises(InvalidInput):
        tool.run(tool.input_model(as_of=day), user=alice)


def test_rest_the_command_and_the_planner_say_the_same(api, alice, fitted, chips):
    body = {"brand": str(chips.pk), **MONTH, "amount": "3000"}
    made = api.post("/api/v1/budgets/", body, format="json")
    assert made.status_code == 201
    assert [one["id"] for one in api.get("/api/v1/budgets/").json()["results"]] == [made.json()["id"]]
    told = api.get("/api/v1/pacing/?as_of=2026-11-09").json()
    out = StringIO()
    call_command("pacing", "--tenant", "acme", "--as-of", "2026-11-09", "--json", stdout=out)
    assert json.loads(out.getvalue()) == told
    tool = tool_named("forecast_pacing")
    by_tool = tool.run(tool.input_model(as_of=DAY), user=alice).budgets
    assert by_tool[0]["projected"] == told["budgets"][0]["projected"]
    assert api.get("/api/v1/pacing/?as_of=2999-01-01").status_code == 400
    assert api.delete(f"/api/v1/budgets/{made.json()['id']}/").status_code == 204
    wrong = api.post("/api/v1/budgets/", body | {"amount": "-1", "period_end": "x"}, format="json").json()
    assert [one["where"] for one in wrong["errors"]] == ["period_end", "amount"]
