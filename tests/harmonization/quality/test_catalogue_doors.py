"""The catalogue page and REST of advertised ids, audiences and rates."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.core.permissions import Role
from harmonization.models import CrosswalkEntry, Listing, ProductIdentifier
from tests.conftest import api_of, browser_of
from tests.factories import BrandFactory, ProductFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.harmonization.quality.conftest import days

IDS = "/data/catalogue/?view=crosswalk"


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def onion(check, walmart) -> CrosswalkEntry:
    """An id that the catalogue does not know, beside one that it does."""
    product = ProductFactory(brand=walmart.brand, sku="SALT", name="Sea Salt")
    product.listings.create(retailer=walmart.retailer, retailer_sku="501")
    check(walmart_csv(*days(10), walmart_row("2026-08-04", item="777", spend="44.00").replace("Sea Salt", "Onion")))
    return CrosswalkEntry.objects.get(sku_id="777")


def test_the_page_shows_what_is_known_of_each_id(onion, browser):
    page = said(browser.get(IDS))
    assert "(1 open)" in page
    assert "not in the catalogue" in page
    assert "the retailer&#x27;s id" in page
    assert "$44" in page
    assert "777" not in said(browser.get(f"{IDS}&state=resolved"))


def test_deciding_on_the_page(onion, browser):
    address = f"/data/catalogue/ids/{onion.pk}/"
    refused = browser.post(address, {"sku": "NONE", "reason": "so"})
    assert refused.status_code == 404
    assert "There is no such product" in said(refused)
    assert browser.post(address, {"sku": "SALT", "reason": "A multipack."}).status_code == 302
    assert Listing.objects.get(retailer_sku="777").product.sku == "SALT"
    assert "A multipack." in said(browser.get(IDS))
    browser.post(address, {"act": "withdraw"})
    assert not Listing.objects.filter(retailer_sku="777").exists()


def test_rest_of_ids(onion, api):
    listed = api.get("/api/v1/crosswalk/", {"state": "unknown"}).json()["results"]
    assert [(row["sku_id"], row["sku"], row["spend"]) for row in listed] == [("777", None, {"USD": "44.00"})]
    decided = api.post(
        f"/api/v1/crosswalk/{onion.pk}/decide/", {"sku": "SALT", "reason": "A multipack."}, format="json"
    )
    assert (decided.json()["sku"], decided.json()["method"], decided.json()["decided_by"]) == (
        "SALT", "person", "alice@example.com",
    )  # fmt: skip
    assert api.post(f"/api/v1/crosswalk/{onion.pk}/withdraw/", format="json").json()["state"] == "unknown"


def test_a_candidate_of_another_brand_is_not_told(onion, check, walmart):
    secret = ProductFactory(brand=BrandFactory(slug="pretzels"), sku="SECRET", name="Pretzel")
    ProductIdentifier.objects.create(product=secret, retailer=walmart.retailer, kind="item_id", value="501")
    check(walmart_csv(*days(3)), "again.csv")
    carol = person("carol", Role.DATA_ENGINEER, brand=walmart.brand)
    (row,) = api_of(carol).get("/api/v1/crosswalk/", {"state": "conflict"}).json()["results"]
    assert [one["sku"] for one in row["candidates"]] == ["SALT"]
    page = said(browser_of(carol).get(IDS))
    assert "SALT" in page
    assert "SECRET" not in page
    taken = api_of(carol).post(
        f"/api/v1/crosswalk/{row['id']}/decide/", {"sku": "SECRET", "reason": "Mine now."}, format="json"
    )
    assert taken.status_code == 404


def test_audiences_and_rates(send, walmart, api, browser):
    send(b"audience_id,name,type\nA1,Snackers,crm\n", walmart, "a.csv", kind="audiences")
    send(b"date,currency,rate\n2026-11-20,GBP,1.3\n", None, "r.csv", kind="fx_rates")
    assert api.get("/api/v1/audiences/").json()["results"][0]["name"] == "Snackers"
    assert api.get("/api/v1/fx-rates/").json()["results"][0]["rate"] == "1.300000000000"
    assert "Snackers" in said(browser.get("/data/catalogue/?view=audiences"))
    assert "1.300000 USD" in said(browser.get("/data/catalogue/?view=rates"))


def test_uploads_of_every_kind_through_rest(walmart, api):
    file = SimpleUploadedFile("a.csv", b"audience_id,name,type\nA1,Snackers,crm\n")
    body = {"kind": "audiences", "file": file}
    assert api.post("/api/v1/uploads/", body, format="multipart").status_code == 400
    file.seek(0)
    taken = api.post("/api/v1/uploads/", body | {"account": str(walmart.pk)}, format="multipart").json()
    assert taken["imported"] == {"rows": 1, "audiences_created": 1, "audiences_updated": 0}
    assert taken["catalogue"] is None
