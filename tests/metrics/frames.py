"""Published events made by hand: one row per call, in the columns that harmonisation writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from harmonization.core.rmis import MONEY, Attribution

CLICK_7 = Attribution(metric="sales", click_days=7, view_days=None, touch="click", match="total").column
CLICK_14 = Attribution(metric="sales", click_days=14, view_days=None, touch="click", match="total").column
ORDERS_7 = Attribution(metric="orders", click_days=7, view_days=None, touch="click", match="total").column
ORDERS_14 = Attribution(metric="orders", click_days=14, view_days=None, touch="click", match="total").column
SAME_7 = Attribution(metric="sales", click_days=7, view_days=None, touch="click", match="same_sku").column
SAME_14 = Attribution(metric="sales", click_days=14, view_days=None, touch="click", match="same_sku").column
NEW_14 = Attribution(metric="sales", click_days=14, view_days=None, touch="click", match="total", ntb="new").column
OUTCOMES = (CLICK_7, CLICK_14, ORDERS_7, ORDERS_14)
HEADLINES = {
    "amazon_ads": {"sales": CLICK_7, "orders": ORDERS_7},
    "walmart_connect": {"sales": CLICK_14, "orders": ORDERS_14},
}
_SCHEMA: dict[str, Any] = {
    "load_id": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "campaign_id": pl.String,
    "campaign_name": pl.String,
    "ad_group_id": pl.String,
    "ad_group_name": pl.String,
    "sku_id": pl.String,
    "product_name": pl.String,
    "placement": pl.String,
    "search_term": pl.String,
    "ad_product": pl.String,
    "currency": pl.String,
    "impressions": pl.Int64,
    "clicks": pl.Int64,
    "spend": MONEY,
    **dict.fromkeys(OUTCOMES, MONEY),
    "rmn_sku": pl.String,
    "rmn_product": pl.String,
    "rmn_brand_id": pl.String,
    "rmn_brand": pl.String,
    "rmn_account_id": pl.String,
    "rmn_account": pl.String,
    "rmn_retailer_id": pl.String,
    "rmn_retailer": pl.String,
    "rmn_network": pl.String,
    "rmn_report": pl.String,
    "rmn_report_rank": pl.Int32,
    "rmn_report_impressions": pl.String,
}
#: report -> (network, rank, impressions)
_REPORTS = {
    "advertised_product": ("amazon_ads", 10, "all"),
    "search_term": ("amazon_ads", 20, "clicked_only"),
    "item": ("walmart_connect", 10, "all"),
}


@dataclass(frozen=True)
class Until:
    network: str
    account: str
    restating_until: date


@dataclass
class Published:
    """Events to be, and the view of them.

    Attributes:
        columns: that the table has besides the usual ones; attributed outcomes unless `types` says otherwise.
    """

    _rows: list[dict[str, Any]] = field(default_factory=list)
    headline: dict[str, dict[str, str]] = field(default_factory=dict)
    finality: list[Until] = field(default_factory=list)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    version: int = 3
    as_of: datetime = datetime(2026, 3, 1, 2, 10, tzinfo=UTC)
    columns: set[str] = field(default_factory=set)
    types: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> pl.LazyFrame:
        return pl.LazyFrame(self._rows, schema=self._schema)

    @property
    def _schema(self) -> dict[str, Any]:
        return dict.fromkeys(sorted(self.columns), MONEY) | self.types | _SCHEMA

    def add(
        self,
        report: str = "advertised_product",
        day: date = date(2026, 2, 2),
        *,
        days: int = 1,
        account: str = "",
        brand: str = "acme",
        spend: str = "10",
        clicks: int = 5,
        impressions: int = 100,
        sales: str | None = "40",
        orders: str | None = "2",
        currency: str = "USD",
        load: str = "",
        **columns: Any,
    ) -> Published:
        """One row; returns self, so that rows can be chained."""
        network, rank, held = _REPORTS[report]
        account = account or f"{network} account"
        load = load or f"{account}/{report}"
        self.headline.setdefault(load, HEADLINES[network])
        row = dict.fromkeys(self._schema) | {
            "load_id": load,
            "period_start": day,
            "period_end": day + timedelta(days=days - 1),
            "campaign_name": "core",
            "currency": currency,
            "impressions": impressions,
            "clicks": clicks,
            "spend": Decimal(spend),
            HEADLINES[network]["sales"]: None if sales is None else Decimal(sales),
            HEADLINES[network]["orders"]: None if orders is None else Decimal(orders),
            "rmn_brand_id": brand,
            "rmn_brand": brand.title(),
            "rmn_account_id": f"id of {account}",
            "rmn_account": account,
            "rmn_retailer_id": f"id of {network}",
            "rmn_retailer": network.title(),
            "rmn_network": network,
            "rmn_report": report,
            "rmn_report_rank": rank,
            "rmn_report_impressions": held,
        }
        self._rows.append(row | columns)
        return self
