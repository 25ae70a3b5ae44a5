"""The next test of a brand, through all its doors."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from measurement import services
from measurement.selectors.reserves import HeldReserve
from measurement.services.spent_reserves import Spent, spent_of
from planning import services as planning
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.measurement.test_use_in_planning import CELL, curves, market, read  # noqa: F401  fixtures

URL = "/api/v1/experiments/next/"


def test_every_cell_is_ranked_and_the_best_fits_the_reserve(alice, chips, curves):  # noqa: F811
    found = services.suggest_next_test(as_user=alice, brand=chips)
    assert {(one.candidate.retailer, one.candidate.placement) for one in found.ranked} == {
        (one["retailer"], one["placement"]) for one in curves.curves
    }
    assert found.best == found.ranked[0]
    assert [one.per_cost for one in found.ranked] == sorted((one.per_cost for one in found.ranked), reverse=True)
    dearest = max(one.candidate.cost for one in found.ranked)
    tight = services.suggest_next_test(as_user=alice, brand=chips, reserve=Decimal(repr(round(0.6 * dearest, 2))))
    assert {one.affordable for one in tight.ranked} == {True, False}
    assert services.suggest_next_test(as_user=alice, brand=chips, reserve=Decimal(0)).best is None


def test_what_was_tested_is_worth_less_than_before(alice, chips, curves, read):  # noqa: F811
    def worth():
        found = services.suggest_next_test(as_user=alice, brand=chips)
        return {(one.candidate.retailer, one.candidate.placement): one for one in found.ranked}

    before = worth()
    services.use_in_planning(as_user=alice, reading=read(0.5, 0.1))
    after = worth()
    assert after[CELL].value < 0.5 * before[CELL].value
    assert after[CELL].high - after[CELL].low < before[CELL].high - before[CELL].low
    assert after[CELL].candidate.log_se != before[CELL].candidate.log_se, "the last test says how precise one is"


def test_without_curves_or_with_nonsense_it_says_so(alice, chips, market):  # noqa: F811
    with pytest.raises(InvalidInput, match="Without response curves"):
        services.suggest_next_test(as_user=alice, brand=chips)
    for wrong in ({"reserve": Decimal(-1)}, {"reserve": Decimal("nan")}, {"weeks": 0}):
        with pytest.raises(InvalidInput):
            services.suggest_next_test(as_user=alice, brand=chips, **wrong)


def test_who_may_not_see_experiments_is_refused(chips, curves):  # noqa: F811
    with pytest.raises(NotAllowed):
        services.suggest_next_test(as_user=factories.person("carol", Role.RETAILER_ADOPS), brand=chips)
    other = factories.person("bob", Role.PLANNER, brand=factories.BrandFactory(slug="nuts"))
    with pytest.raises((NotAllowed, NotFound)):
        services.suggest_next_test(as_user=other, brand=chips)


def test_api_and_command_answer_as_the_service_does(alice, chips, curves, api):  # noqa: F811
    found = services.suggest_next_test(as_user=alice, brand=chips, reserve=Decimal(300))
    answer = api.get(URL, {"brand": str(chips.pk), "reserve": "300"})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["best"]["value"] == pytest.approx(found.best.value)
    assert len(told["ranked"]) == len(found.ranked)
    out = StringIO()
    call_command("suggest_test", "--tenant", "acme", "--brand", "chips", "--as", alice.email, "--reserve", "300",
                 "--json", stdout=out)  # fmt: skip
    assert json.loads(out.getvalue()) == told
    plain = StringIO()
    call_command("suggest_test", "--tenant", "acme", "--brand", "chips", "--as", alice.email, stdout=plain)
    assert plain.getvalue().startswith("Test next: ")
    with pytest.raises(CommandError, match="no brand nuts"):
        call_command("suggest_test", "--tenant", "acme", "--brand", "nuts", "--as", alice.email)
    assert api.get(URL, {"reserve": "-1"}).status_code == 400


def scenario_of(alice, brand, **changes):
    given = {"name": "Winter", "horizon_start": "2026-11-16", "horizon_end": "2026-12-13", "total_budget": "4000"}
    return planning.create_scenario(actor=alice, brand=brand, given=given | {"reserve_fraction": "0.1"} | changes)


def test_the_reserve_of_a_scenario_pays_less_what_is_registered(alice, chips, curves, api, read):  # noqa: F811
    held = scenario_of(alice, chips)
    found = services.suggest_next_test(as_user=alice, brand=chips, scenario=held.label)
    assert found.scenario is not None
    assert (found.scenario.label, found.reserve, found.taken) == (held.label, Decimal("400.00"), 0)
    typed = services.suggest_next_test(as_user=alice, brand=chips, reserve=Decimal(400))
    assert found.ranked == typed.ranked
    read(planned_spend=Decimal(150), start_date=date(2026, 11, 16), end_date=date(2026, 12, 13))
    read(planned_spend=Decimal(90), start_date=date(2026, 12, 14), end_date=date(2026, 12, 31))
    left = services.suggest_next_test(as_user=alice, brand=chips, scenario=str(held.pk))
    assert (left.reserve, left.taken) == (Decimal("250.00"), Decimal(150))
    told = api.get(URL, {"brand": str(chips.pk), "scenario": held.label}).json()
    assert (told["scenario"], told["reserve"], told["taken"]) == (held.label, "250.00", "150.00")
    out = StringIO()
    call_command("suggest_test", "--tenant", "acme", "--brand", "chips", "--as", alice.email, "--scenario", held.label,
                 "--json", stdout=out)  # fmt: skip
    assert json.loads(out.getvalue())["reserve"] == "250.00"
    assert api.get(URL, {"brand": str(chips.pk)}).json()["scenario"] is None


def test_what_tests_spend_of_a_reserve_is_counted_by_day_and_currency(alice, chips, curves, read):  # noqa: F811
    held = scenario_of(alice, chips)
    whole = {"start_date": date(2026, 11, 16), "end_date": date(2026, 12, 13)}
    read(planned_spend=Decimal(150), currency="EUR", **whole)
    read(planned_spend=None, **whole)
    read(planned_spend=Decimal(60), brand=None, **whole)
    read(planned_spend=Decimal(290), start_date=date(2026, 11, 15), end_date=date(2026, 12, 13))
    read(planned_spend=Decimal(280), state="cancelled", cancelled_at=datetime(2026, 11, 22, 9, tzinfo=UTC), **whole)
    read(planned_spend=Decimal(999), state="cancelled", cancelled_at=datetime(2026, 11, 1, 9, tzinfo=UTC), **whole)
    found = services.suggest_next_test(as_user=alice, brand=chips, scenario=held.label)
    assert (found.taken, found.reserve) == (Decimal(280 + 70), Decimal(50))
    told = " ".join(found.left_out)
    for words in ("it costs EUR", "does not say what it costs", "it is of all brands"):
        assert words in told, words
    bob = factories.person("bob", Role.PLANNER, brand=chips)
    seen = services.suggest_next_test(as_user=bob, brand=chips, scenario=held.label)
    assert "1 test that you may not see" in " ".join(seen.left_out)
    assert "of all brands" not in " ".join(seen.left_out)


def test_a_plan_of_all_brands_pays_for_the_tests_of_each(alice, chips, read, market):  # noqa: F811
    held = HeldReserve(
        label="SC-0009", name="All", amount=Decimal(400), currency="USD", start=date(2026, 11, 16),
        end=date(2026, 12, 13), brand_id=None, brand_name="all brands",
    )  # fmt: skip
    for brand in (chips, None):
        read(planned_spend=Decimal(60), brand=brand, start_date=held.start, end_date=held.end)
    assert spent_of(held, as_user=alice) == Spent(Decimal(120))


def test_a_blank_scenario_is_none(chips, curves, api):  # noqa: F811
    assert api.get(URL, {"brand": str(chips.pk), "scenario": ""}).json()["scenario"] is None


def test_a_scenario_that_cannot_pay_is_refused(alice, chips, curves, api):  # noqa: F811
    nuts = factories.BrandFactory(slug="nuts", name="Nuts")
    mine, other = scenario_of(alice, chips), scenario_of(alice, nuts)
    with pytest.raises(InvalidInput, match="Give one of both"):
        services.suggest_next_test(as_user=alice, brand=chips, scenario=mine.label, reserve=Decimal(1))
    with pytest.raises(InvalidInput, match="plans the money of Nuts"):
        services.suggest_next_test(as_user=alice, brand=chips, scenario=other.label)
    bob = factories.person("bob", Role.PLANNER, brand=chips)
    with pytest.raises(NotFound):
        services.suggest_next_test(as_user=bob, brand=chips, scenario=other.label)
    assert api.get(URL, {"brand": str(chips.pk), "scenario": "SC-9999"}).status_code == 404
    assert [one.label for one in services.scenarios_with_reserve(as_user=bob, brand=chips)] == [mine.label]
    assert services.scenarios_with_reserve(as_user=bob, brand=nuts) == []
