"""Advertised ids against the catalogue: found, kept, decided, and what nobody knows with its spend."""

from __future__ import annotations

import pytest

from accounts.core.permissions import Role
from harmonization.models import CrosswalkEntry, DataFinding, Listing, ProductIdentifier
from harmonization.services import check_account, decide_product, withdraw_decision
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests.factories import ProductFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.harmonization.quality.conftest import days


@pytest.fixture
def salt(walmart):
    """A product that Walmart lists as 501."""
    product = ProductFactory(brand=walmart.brand, sku="SALT", name="Sea Salt")
    product.listings.create(retailer=walmart.retailer, retailer_sku="501")
    return product


def entry(sku_id: str) -> CrosswalkEntry:
    return CrosswalkEntry.objects.get(sku_id=sku_id)


def test_without_a_catalogue_nothing_is_asked(check):
    check(walmart_csv(*days(10)))
    assert entry("501").state == "unknown"
    assert not DataFinding.objects.exists()


def test_the_retailers_own_id_is_sure(check, salt):
    check(walmart_csv(*days(10)))
    found = entry("501")
    assert (found.state, found.product, found.method, found.confidence) == ("resolved", salt, "exact_id", 1.0)
    assert (found.rows, found.spend) == (10, {"USD": "113.00"})
    assert not DataFinding.objects.exists()


def test_ids_that_nobody_knows_are_a_finding_with_their_spend(check, salt, walmart):
    check(walmart_csv(*days(10), walmart_row("2026-08-04", item="777", spend="44.00").replace("Sea Salt", "Onion")))
    finding = DataFinding.objects.get()
    assert (finding.kind, finding.rows, finding.money) == ("unknown_products", 1, {"USD": "44.00"})
    assert finding.evidence["largest"] == ["777 Onion"]
    onion = ProductFactory(brand=walmart.brand, sku="ONION", name="Onion rings")
    onion.listings.create(retailer=walmart.retailer, retailer_sku="777")
    check_account(account=walmart)
    assert DataFinding.objects.get().state == "resolved"


def test_two_products_that_claim_an_id_are_a_conflict(check, salt, walmart):
    other = ProductFactory(brand=walmart.brand, sku="SALT2", name="Salt, old")
    ProductIdentifier.objects.create(product=other, retailer=walmart.retailer, kind="item_id", value="501")
    check(walmart_csv(*days(10)))
    found = entry("501")
    assert (found.state, found.product) == ("conflict", None)
    assert {one["sku"] for one in found.candidates} == {"SALT", "SALT2"}


def test_a_person_decides_and_it_stands(check, salt, walmart, alice):
    check(walmart_csv(*days(10), walmart_row("2026-08-04", item="777").replace("Sea Salt", "Onion")))
    with pytest.raises(InvalidInput):
        decide_product(actor=alice, entry=entry("777"), product=salt, reason=" ")
    decide_product(actor=alice, entry=entry("777"), product=salt, reason="A multipack.")
    assert Listing.objects.get(retailer_sku="777").product == salt
    Listing.objects.filter(retailer_sku="777").delete()  # a catalogue may come that no longer has it
    check_account(account=walmart)
    found = entry("777")
    assert (found.state, found.product, found.method, found.reason) == ("resolved", salt, "person", "A multipack.")
    assert DataFinding.objects.get().state == "resolved"


def test_a_decision_can_be_withdrawn(check, salt, alice):
    check(walmart_csv(*days(10), walmart_row("2026-08-04", item="777").replace("Sea Salt", "Onion")))
    with pytest.raises(Conflict):
        withdraw_decision(actor=alice, entry=entry("777"))
    decide_product(actor=alice, entry=entry("777"), product=salt, reason="A multipack.")
    withdraw_decision(actor=alice, entry=entry("777"))
    assert (entry("777").state, entry("777").product) == ("unknown", None)
    assert not Listing.objects.filter(retailer_sku="777").exists()


def test_planners_decide_nothing(check, salt):
    check(walmart_csv(*days(10)))
    with pytest.raises(NotAllowed):
        decide_product(actor=person("paul", Role.PLANNER), entry=entry("501"), product=salt, reason="so")


def test_ids_whose_rows_are_gone_are_gone(check, salt, walmart):
    check(walmart_csv(walmart_row("2026-08-03", item="777")))
    check(walmart_csv(walmart_row("2026-08-03", item="501")), "later.csv")
    assert set(CrosswalkEntry.objects.values_list("sku_id", flat=True)) <= {"501", "777"}
    assert entry("501").product == salt
