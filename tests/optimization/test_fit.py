"""Curves from published reports: which weeks count, what is kept, and that the same is kept once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from harmonization.models import Product
from jobs.draining import run_queued_jobs
from optimization import selectors, services
from optimization.models import CurveVersion
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.metrics.conftest import days
from tests.optimization.market import FIRST, LAST, TRUTH


def curve(version: CurveVersion, sku: str, placement: str = "onsite_search_top", retailer: str = "Amazon") -> dict:
    wanted = {"retailer": retailer, "placement": placement, "sku": sku}
    (found,) = [one for one in version.curves if wanted.items() <= one.items()]
    return found


def test_every_cell_gets_a_curve_of_its_final_weeks(market, chips, alice):
    version = services.fit_curves(brand=chips, actor=alice).version
    assert len(version.curves) == len(TRUTH)
    assert (version.number, version.data_start, version.data_end) == (1, FIRST, LAST)
    assert {one["n_weeks"] for one in version.curves} == {8}, "the last two weeks may still be restated"
    assert version.diagnostics["rows_left_out"] == {"still restating": 2 * len(TRUTH)}


def test_curves_tell_the_better_product(market, chips):
    version = services.fit_curves(brand=chips).version
    better, worse = curve(version, "SEA-SALT"), curve(version, "SEA-SALT", "onsite_display")
    slope = [one["params"]["a"] / one["params"]["k"] for one in (better, worse)]
    assert slope[0] > 2 * slope[1]


def test_the_same_data_and_settings_are_one_version(market, chips):
    first, again = services.fit_curves(brand=chips), services.fit_curves(brand=chips)
    assert (first.created, again.created) == (True, False)
    assert again.version.pk == first.version.pk
    assert CurveVersion.objects.count() == 1
    other = services.fit_curves(brand=chips, weeks=6)
    assert (other.created, other.version.number) == (True, 2)


def test_new_data_make_a_new_version(market, chips):
    services.fit_curves(brand=chips)
    market.shelf.publish(market.accounts["amazon"], "other", rows=days(LAST, LAST + timedelta(days=1), sku_id="B001"))
    again = services.fit_curves(brand=chips)
    assert (again.created, again.version.number) == (True, 2)


def test_a_changed_catalogue_makes_a_new_version(market, chips):
    services.fit_curves(brand=chips)
    Product.objects.filter(sku="SEA-SALT").update(sku="SEA-SALT-2")
    again = services.fit_curves(brand=chips)
    assert again.created
    assert curve(again.version, "SEA-SALT-2")["n_weeks"] == 8


def test_two_reports_of_one_account_are_not_added(market, chips):
    before = services.fit_curves(brand=chips).version
    rows = days(FIRST, LAST, sku_id="B001", spend=Decimal("500"))
    market.shelf.publish(market.accounts["amazon"], "search_term", rank=20, rows=rows)
    after = services.fit_curves(brand=chips).version
    assert curve(after, "SEA-SALT")["observed_spend"] == curve(before, "SEA-SALT")["observed_spend"]


def test_a_week_with_missing_days_is_left_out(shelf, chips):
    account = factories.AccountFactory(brand=chips, retailer=factories.RetailerFactory(slug="amazon"))
    rows = [row for row in days(FIRST, LAST) if row["period_start"] != FIRST + timedelta(days=10)]
    shelf.publish(account, "advertised_product", rows=rows, restatement_days=0)
    version = services.fit_curves(brand=chips).version
    assert version.diagnostics["rows_left_out"] == {"reported in part": 1}
    assert version.curves[0]["n_weeks"] == 9


def test_a_week_of_an_empty_shelf_says_nothing_of_the_response(market, chips):
    market.empty_shelf("B002", FIRST + timedelta(days=9))
    version = services.fit_curves(brand=chips).version
    assert curve(version, "PAPRIKA")["n_weeks"] == 7
    assert version.diagnostics["rows_out_of_stock"] == 1


def test_spend_without_a_product_is_counted_not_lost(market, chips):
    other = factories.AccountFactory(brand=chips, retailer=factories.RetailerFactory(slug="criteo"))
    market.shelf.publish(other, "campaign", rows=days(FIRST, LAST, sku_id=None, spend=Decimal("3")))
    version = services.fit_curves(brand=chips).version
    assert version.diagnostics["spend_left_out"]["no SKU told"] == "210.000000"


def test_a_brand_is_fitted_from_its_own_rows(market, chips, shelf):
    nuts = factories.BrandFactory(slug="nuts")
    account = factories.AccountFactory(brand=nuts, retailer=factories.RetailerFactory(slug="amazon"))
    shelf.publish(account, "advertised_product", rows=days(FIRST, LAST, sku_id="N001"))
    assert {one["sku"] for one in services.fit_curves(brand=nuts).version.curves} == {"N001"}
    assert len(services.fit_curves().version.curves) == len(TRUTH) + 1


def test_nothing_published_says_what_to_do(acme, chips):
    with pytest.raises(InvalidInput, match="Upload reports"):
        services.fit_curves(brand=chips)


def test_only_restated_weeks_say_so(shelf, chips):
    account = factories.AccountFactory(brand=chips, retailer=factories.RetailerFactory(slug="amazon"))
    shelf.publish(account, "advertised_product", rows=days(FIRST, FIRST + timedelta(days=13)), restatement_days=14)
    with pytest.raises(InvalidInput, match="still restating"):
        services.fit_curves(brand=chips)
    assert not CurveVersion.objects.exists()


def test_the_job_fits_and_says_which_version(market, chips, alice):
    job = services.request_fit(actor=alice, brand=chips)
    run_queued_jobs()
    job.refresh_from_db()
    assert job.state == "succeeded", job.problem
    assert job.result["number"] == 1
    assert CurveVersion.objects.get().created_by == alice


def test_roles_decide_who_fits_and_who_sees(market, chips, alice):
    viewer = factories.person("carol", Role.VIEWER, brand=chips)
    nuts = factories.BrandFactory(slug="nuts")
    stranger = factories.person("dave", Role.PLANNER, brand=nuts)
    with pytest.raises(NotAllowed):
        services.request_fit(actor=viewer, brand=chips)
    with pytest.raises(NotFound):
        services.request_fit(actor=stranger, brand=chips)
    version = services.fit_curves(brand=chips, actor=alice).version
    with pytest.raises(NotFound):
        selectors.curve_version_visible(user=stranger, version_id=version.pk)
    assert list(selectors.curve_versions_listed(user=stranger)) == []


def test_command(market, chips):
    out = StringIO()
    call_command("fit_curves", "--tenant", "acme", "--brand", "chips", "--json", stdout=out)
    assert '"number": 1' in out.getvalue()
    with pytest.raises(CommandError, match="no brand 'crisps'"):
        call_command("fit_curves", "--tenant", "acme", "--brand", "crisps")
