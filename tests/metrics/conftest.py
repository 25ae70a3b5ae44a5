"""Two brands of acme with published reports: real rows in a Delta table, loads that own them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from django.utils import timezone

from accounts.core.permissions import Role
from accounts.models import Brand, User
from harmonization.core.rmis import MONEY
from harmonization.models import Account, EventTable, Load, TableVersion, Upload
from harmonization.selectors import EVENTS, events_folder
from tenants.models import Tenant
from tests import factories
from tests.metrics.frames import CLICK_7, CLICK_14, HEADLINES, NEW_14, ORDERS_7, ORDERS_14, SAME_7, SAME_14

FIRST = date(2026, 2, 2)
LAST = date(2026, 3, 1)
_SCHEMA: dict[str, Any] = {
    "event_key": pl.String,
    "source_row": pl.Int64,
    "load_id": pl.String,
    "network": pl.String,
    "brand_id": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "campaign_id": pl.String,
    "campaign_name": pl.String,
    "sku_id": pl.String,
    "placement": pl.String,
    "search_term": pl.String,
    "currency": pl.String,
    "impressions": pl.Int64,
    "clicks": pl.Int64,
    "spend": MONEY,
    **dict.fromkeys((CLICK_7, CLICK_14, ORDERS_7, ORDERS_14, SAME_7, SAME_14, NEW_14), MONEY),
}


@dataclass
class Shelf:
    """The published events of acme."""

    folder: Path

    def publish(
        self,
        account: Account,
        report: str,
        *,
        rank: int = 10,
        impressions: str = "all",
        restatement_days: int = 14,
        rows: list[dict[str, Any]],
    ) -> Load:
        """One load of an account with its rows; what a row does not say is usual."""
        network = account.retailer.network
        name = f"{account.pk}/{report}/{Load.objects.count()}"
        upload = Upload.objects.create(
            account=account,
            brand=account.brand,
            file_name="report.csv",
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            size=1,
        )
        load = Load(upload=upload, rows_in=len(rows), rows_out=len(rows))
        headline = HEADLINES["walmart_connect" if network == "walmart_connect" else "amazon_ads"]
        frame = pl.DataFrame(
            [self._row(load, number, network, headline, row) for number, row in enumerate(rows)], schema=_SCHEMA
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        staged = self.folder / f"{load.pk}.parquet"
        frame.write_parquet(staged)
        committed = events_folder().commit([staged], network=network, load_id=str(load.pk))
        load.status = Load.Status.PUBLISHED
        load.published_at = timezone.now()
        load.period_start, load.period_end = frame["period_start"].min(), frame["period_end"].max()
        load.report = {
            "report": report,
            "headline": headline,
            "attribution_columns": [
                {"column": name}
                for name in frame.columns
                if name.startswith("att__") and frame[name].null_count() < frame.height
            ],
            "coverage": {"rank": rank, "impressions": impressions},
            "restatement_days": restatement_days,
        }
        load.save()
        EventTable.objects.update_or_create(name=EVENTS, defaults={"version": committed.version})
        TableVersion.objects.create(table=EVENTS, version=committed.version, load=load, published_at=load.published_at)
        return load

    def _row(
        self, load: Load, number: int, network: str, headline: dict[str, str], row: dict[str, Any]
    ) -> dict[str, Any]:
        usual = {
            "event_key": f"{load.pk}-{number}",
            "source_row": number + 2,
            "load_id": str(load.pk),
            "network": network,
            # What a file claims about its brand must decide nothing.
            "brand_id": "whatever the file says",
            "period_start": FIRST,
            "campaign_name": "Core",
            "sku_id": "B001",
            "placement": "onsite_search_top",
            "currency": "USD",
            "impressions": 1000,
            "clicks": 20,
            "spend": Decimal("10"),
            headline["sales"]: Decimal("40"),
            headline["orders"]: Decimal("2"),
        }
        made = dict.fromkeys(_SCHEMA) | usual | row
        made["period_end"] = made["period_end"] or made["period_start"]
        return made


@pytest.fixture
def shelf(acme: Tenant, storage: Path) -> Shelf:
    return Shelf(storage / "staged")


def days(first: date = FIRST, last: date = LAST, **row: Any) -> list[dict[str, Any]]:
    """The same row on each day."""
    count = (last - first).days + 1
    return [{"period_start": first + timedelta(days=offset), **row} for offset in range(count)]


@pytest.fixture
def chips(acme: Tenant) -> Brand:
    return factories.BrandFactory(slug="chips")


@pytest.fixture
def nuts(acme: Tenant) -> Brand:
    return factories.BrandFactory(slug="nuts")


@pytest.fixture
def published(shelf: Shelf, chips: Brand, nuts: Brand) -> Shelf:
    """28 days: chips spends 10 a day at Amazon (told by two reports) and 5 at Walmart, nuts 1 at Amazon."""
    at = account_maker()
    amazon = at(chips, "amazon_ads")
    shelf.publish(amazon, "advertised_product", rows=days())
    weeks = [
        {"period_start": day, "period_end": day + timedelta(days=6), "search_term": "=cmd()", "spend": Decimal("70")}
        for day in (FIRST + timedelta(weeks=week) for week in range(4))
    ]
    shelf.publish(amazon, "search_term", rank=20, impressions="clicked_only", rows=weeks)
    shelf.publish(
        at(chips, "walmart_connect"), "item", rows=days(spend=Decimal("5"), campaign_name="=1+1", campaign_id="w1")
    )
    shelf.publish(at(nuts, "amazon_ads"), "advertised_product", rows=days(spend=Decimal("1"), campaign_name="Nuts"))
    return shelf


def account_maker() -> Callable[..., Account]:
    def make(brand: Brand | None, network: str, currency: str = "USD") -> Account:
        return factories.AccountFactory(
            brand=brand, retailer=factories.RetailerFactory(slug=network), currency=currency
        )

    return make


@pytest.fixture
def at() -> Callable[..., Account]:
    """`at(brand, network)`: an account."""
    return account_maker()


@pytest.fixture
def carol(acme: Tenant, nuts: Brand) -> User:
    """Viewer of nuts, and of nothing else."""
    return factories.person("carol", Role.VIEWER, brand=nuts)


def statements(asked: Any) -> list[str]:
    """What was asked of the database, without the search path that is set before each statement."""
    return [query["sql"] for query in asked.captured_queries if not query["sql"].startswith("SET search_path")]
