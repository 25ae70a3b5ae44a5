"""Pages of curves: what they show, and that their forms do what the services do."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from accounts.core.permissions import Role
from jobs.models import Job
from metrics.models import IncrementalityFactor
from optimization import selectors, services
from optimization.models import CurveAdjustment, CurveVersion
from tests import factories
from tests.conftest import browser_of
from tests.metrics.conftest import days
from tests.optimization.market import LAST, TRUTH

CELL = {"retailer": "Amazon", "placement": "onsite_search_top", "sku": "SEA-SALT"}
QUERIES_OF_VERSION = 34
TYPED = {"act": "override", "family": "log", "a": "5000", "k": "70", "reason": "The May test"}


@pytest.fixture
def version(market, chips, alice) -> CurveVersion:
    return services.fit_curves(brand=chips, actor=alice).version


@pytest.fixture
def cell(version) -> str:
    return f"/curves/{version.pk}/cell/?{urlencode(CELL)}"


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_without_curves_the_list_says_what_will_be_here(browser, chips):
    assert "No curves yet" in text(browser.get("/curves/"))


def test_the_list_shows_versions_and_their_check(browser, version):
    page = text(browser.get("/curves/"))
    assert "Chips v1" in page
    assert "not checked" in page, "ten weeks are too few to hold eight out"
    assert "16 are needed" in page


def test_the_list_fits(browser, market, chips):
    answer = browser.post("/curves/fit/", {"brand": str(chips.pk)})
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}/")
    assert (job.kind, job.brand) == ("optimization.fit", chips)


def test_newer_data_are_told(browser, version, market):
    assert "Newer data" not in text(browser.get(f"/curves/{version.pk}/"))
    later = days(LAST + timedelta(days=1), LAST + timedelta(days=7), sku_id="B001")
    market.shelf.publish(market.accounts["amazon"], "advertised_product", rows=later)
    assert selectors.newer_data(version) == LAST + timedelta(days=7)
    for address in ("/curves/", f"/curves/{version.pk}/"):
        assert "Newer data exist" in text(browser.get(address))
    services.fit_curves(brand=version.brand)
    page = text(browser.get(f"/curves/{version.pk}/"))
    assert "are solved with" in page
    assert "Newer data" not in page


def test_a_version_shows_its_cells_and_narrows_them(browser, version):
    page = text(browser.get(f"/curves/{version.pk}/"))
    assert page.count("/cell/?") == len(TRUTH)
    assert "Chips Sea Salt" in page
    narrowed = text(browser.get(f"/curves/{version.pk}/", {"retailer": "Walmart", "search": "vin"}))
    assert narrowed.count("/cell/?") == 1
    assert "No such cells" in text(browser.get(f"/curves/{version.pk}/", {"state": "overridden"}))


@pytest.mark.parametrize("sort", ["roas", "-roas", "marginal", "-usual", "cell", "shrinkage", "weeks", "nothing"])
def test_cells_are_sorted(browser, version, sort):
    assert text(browser.get(f"/curves/{version.pk}/", {"sort": sort})).count("/cell/?") == len(TRUTH)


def test_the_file_has_what_the_page_shows(browser, version, alice):
    services.set_factor(actor=alice, brand=version.brand, retailer="Walmart", mean=0.6, standard_error=0.1, reason="A")
    answer = browser.get(f"/curves/{version.pk}/export/", {"retailer": "Walmart", "sort": "-roas"})
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig").partition("\r\n\r\n")[0])))
    assert {line["Retailer"] for line in lines} == {"Walmart"}
    assert [float(line["Return"]) for line in lines] == sorted((float(line["Return"]) for line in lines), reverse=True)
    assert {(line["Incrementality factor"], line["Source of factor"]) for line in lines} == {("0.6", "person")}
    assert browser.get(f"/curves/{version.pk}/export/", {"export": "xlsx"}).content[:2] == b"PK"
    assert browser.get(f"/curves/{version.pk}/export/", {"export": "pdf"}).status_code == 400


def test_a_curve_shows_its_weeks(browser, version, cell):
    page = text(browser.get(cell))
    assert "Chips Sea Salt" in page
    assert "10 weeks are shown" in page
    assert browser.get(cell.replace("SEA-SALT", "NOTHING")).status_code == 404


def test_an_override_is_made_shown_and_revoked(browser, version, cell, alice):
    assert browser.post(cell, TYPED).status_code == 302
    held = CurveAdjustment.objects.get()
    assert (held.a, held.created_by, held.scope) == (5000.0, alice, "Amazon, onsite search top, SEA-SALT")
    page = text(browser.get(cell))
    assert "Overridden by alice: The May test" in page
    assert "As fitted" in page
    assert "overridden" in text(browser.get(f"/curves/{version.pk}/"))
    assert browser.post(f"/curves/adjustments/{held.pk}/revoke/", {"reason": ""}).status_code == 302
    assert "Overridden by" in text(browser.get(cell)), "without a reason nothing is taken back"
    browser.post(f"/curves/adjustments/{held.pk}/revoke/", {"reason": "A typo"})
    page = text(browser.get(cell))
    assert "alice: A typo" in page
    assert "As fitted" not in page


def test_a_wrong_override_keeps_what_was_typed(browser, version, cell):
    answer = browser.post(cell, TYPED | {"k": "0", "exponent": "2"})
    assert answer.status_code == 400
    assert "is not more than zero" in text(answer)
    assert "has no exponent" in text(answer)
    assert "The May test" in text(answer)
    assert not CurveAdjustment.objects.exists()


def test_a_prior_of_a_whole_retailer(browser, version, cell):
    typed = {"act": "prior", "scope": "retailer", "roas": "9", "spread": "0.1", "reason": "Peers"}
    assert browser.post(cell, typed).status_code == 302
    held = CurveAdjustment.objects.get()
    assert (held.kind, held.retailer, held.placement, held.sku, held.spread) == ("prior", "Amazon", "", "", 0.1)
    assert "With a prior of alice" in text(browser.get(cell))
    services.fit_curves(brand=version.brand)
    services.revoke_adjustment(actor=held.created_by, adjustment_id=held.pk, reason="No")
    newest = selectors.latest_curves(brand=version.brand)
    assert "that no longer counts" in text(browser.get(f"/curves/{newest.pk}/"))


def test_a_reader_sees_and_changes_nothing(version, cell, chips):
    reader = browser_of(factories.person("erin", Role.APPROVER, brand=chips))
    page = text(reader.get(cell))
    assert "Override this curve" not in page
    assert reader.post(cell, TYPED).status_code == 403
    assert not CurveAdjustment.objects.exists()


def test_factors_are_set_and_shown(browser, version, chips, alice):
    assert "No factor in force" in text(browser.get("/curves/factors/"))
    typed = {
        "brand": str(chips.pk),
        "retailer": "Amazon",
        "mean": "0.6",
        "standard_error": "0.1",
        "reason": "Two tests",
    }
    assert browser.post("/curves/factors/", typed | {"mean": "20"}).status_code == 400
    assert not IncrementalityFactor.objects.exists()
    assert browser.post("/curves/factors/", typed).status_code == 302
    assert IncrementalityFactor.objects.get().value == Decimal("0.6")
    page = text(browser.get("/curves/factors/"))
    assert "In force today for Chips" in page
    assert "Two tests" in page
    assert "± 0.10" in text(browser.get(f"/curves/{version.pk}/"))


def test_the_navigation_leads_here(browser, version):
    assert '<a class="nav-link active" href="/curves/"' in text(browser.get("/curves/")) or "/curves/" in text(
        browser.get("/")
    )


def test_a_version_costs_the_same_however_many_cells(browser, version, django_assert_num_queries):
    with django_assert_num_queries(QUERIES_OF_VERSION):
        browser.get(f"/curves/{version.pk}/")
    CurveVersion.objects.filter(pk=version.pk).update(
        curves=[{**one, "sku": f"{one['sku']}-{copy}"} for one in version.curves for copy in range(9)]
    )
    with django_assert_num_queries(QUERIES_OF_VERSION):
        browser.get(f"/curves/{version.pk}/")
