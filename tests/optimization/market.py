"""A small market with known response: chips at two retailers, three products, reports day by day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Brand
from harmonization.models import Account, Listing, Product
from tests import factories
from tests.metrics.conftest import Shelf, days
from tests.metrics.frames import HEADLINES

#: A Monday; ten weeks of reports follow, of which the last two are still restated.
FIRST = date(2026, 8, 31)
WEEKS = 10
LAST = FIRST + timedelta(days=7 * WEEKS - 1)

NETWORKS = {"amazon": "amazon_ads", "walmart": "walmart_connect"}
#: (retailer, placement, retailer's id): a and k of sales a week = a ln(1 + x/k), and the usual spend a week
TRUTH = {
    ("amazon", "onsite_search_top", "B001"): (900.0, 150.0, 300.0),
    ("amazon", "onsite_search_top", "B002"): (500.0, 200.0, 250.0),
    ("amazon", "onsite_display", "B001"): (200.0, 120.0, 250.0),
    ("walmart", "onsite_search_top", "W001"): (1200.0, 300.0, 150.0),
    ("walmart", "onsite_search_top", "W003"): (400.0, 100.0, 140.0),
}
PRODUCTS = {"B001": "Sea Salt", "W001": "Sea Salt", "B002": "Paprika", "W003": "Vinegar"}


@dataclass
class Market:
    """What was made."""

    shelf: Shelf
    brand: Brand
    accounts: dict[str, Account]

    def listing(self, retailer_sku: str) -> Listing:
        return Listing.objects.get(retailer_sku=retailer_sku)

    def empty_shelf(self, retailer_sku: str, day: date = LAST) -> None:
        """Nothing is left of a product at its retailer."""
        Listing.objects.filter(retailer_sku=retailer_sku).update(units_in_stock=0, stock_as_of=day)


def open_market(shelf: Shelf, brand: Brand, *, weeks: int = WEEKS) -> Market:
    """Publish the market's reports."""
    products = {
        name: Product.objects.create(brand=brand, sku=name.upper().replace(" ", "-"), name=f"Chips {name}")
        for name in dict.fromkeys(PRODUCTS.values())
    }
    accounts = {}
    for slug, network in NETWORKS.items():
        retailer = factories.RetailerFactory(slug=slug, network=network)
        account = accounts[slug] = factories.AccountFactory(brand=brand, retailer=retailer)
        for _, _, sku in (cell for cell in TRUTH if cell[0] == slug):
            Listing.objects.get_or_create(
                product=products[PRODUCTS[sku]], retailer=account.retailer, retailer_sku=sku,
                defaults={"units_in_stock": 1000, "daily_unit_sales": Decimal(20), "stock_as_of": LAST},
            )  # fmt: skip
        shelf.publish(account, "advertised_product", rows=_rows(slug, weeks), restatement_days=14)
    return Market(shelf, brand, accounts)


def _rows(slug: str, weeks: int) -> list[dict[str, Any]]:
    column = HEADLINES[NETWORKS[slug]]["sales"]
    rows = []
    for number, ((name, placement, sku), (a, k, usual)) in enumerate(TRUTH.items()):
        if name != slug:
            continue
        for week in range(weeks):
            # A different swing for each cell, the same in every run.
            spend = usual * (1.0 + 0.6 * math.sin(1.7 * week + number))
            sales = a * math.log1p(spend / k)
            sold = {"spend": Decimal(f"{spend / 7:.2f}"), column: Decimal(f"{sales / 7:.2f}")}
            monday = FIRST + timedelta(days=7 * week)
            rows += days(monday, monday + timedelta(days=6), placement=placement, sku_id=sku, **sold)
    return rows
