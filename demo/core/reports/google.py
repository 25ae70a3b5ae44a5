"""Google Ads: money in micros, finer than a cent, in nested names of the REST interface or bare ones of connectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from demo.core.reports.tables import Column, Form, Table, attribution, count, day, micros, money, text

NETWORK: Final = "google_ads"
REST: Final = Form("rest_usd", "json", window=30, records="results")
LINES: Final = Form("lines_gz", "ndjson", currency="EUR", window=30, packed="gz")
CONNECTOR: Final = Form("connector_gbp", currency="GBP", window=30)
SEVEN_DAYS: Final = Form("seven_days", window=7, parameters={"click_window": "7D"})
FORMS: Final = (REST, LINES, CONNECTOR, SEVEN_DAYS)
CAMPAIGN: Final = (
    ("campaign.id", "campaign_id"), ("campaign.name", "campaign"),
)  # fmt: skip
AD_GROUP: Final = (*CAMPAIGN, ("adGroup.id", "ad_group_id"), ("adGroup.name", "ad_group"))
PRODUCT: Final = (
    *AD_GROUP, ("segments.productItemId", "product_code"), ("segments.productTitle", "product"),
    ("segments.productBrand", "brand"),
)  # fmt: skip


def _name(form: Form, header: str) -> str:
    """Connectors keep `cost_micros` of `metrics.costMicros`, and `campaign_id` of `campaign.id`."""
    if form.kind in ("json", "ndjson"):
        return header
    snake = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in header)
    outer, _, name = snake.partition(".")
    return name if outer in ("metrics", "segments") else f"{outer}_{name}"


def _report(dimensions: tuple[tuple[str, str], ...]) -> Callable[[Form], tuple[Column, ...]]:
    def columns(form: Form) -> tuple[Column, ...]:
        days = form.window
        counted = attribution("orders", days, model="data_driven")
        worth = attribution("sales", days, model="data_driven")
        seen = attribution("view_through_conversions", None, 1)
        named = (
            day("segments.date"), text("customer.id", choices=("1234567890",)),
            *(text(header, key) for header, key in dimensions), text("segments.device", choices=("MOBILE", "DESKTOP")),
            text("segments.adNetworkType", choices=("SEARCH", "CONTENT")),
            count("metrics.impressions", "impressions", "impressions"), count("metrics.clicks", "clicks", "clicks"),
            micros("metrics.costMicros", "cost_micros", "spend"),
            count("metrics.conversions", f"orders{days}", counted),
            money("metrics.conversionsValue", f"sales{days}", worth),
            count("metrics.allConversions", f"orders{days}_all"),
            count("metrics.viewThroughConversions", "orders1_seen", seen),
        )  # fmt: skip
        return tuple(replace(each, header=_name(form, each.header)) for each in named)

    return columns


TABLES: Final = (
    Table("google_campaign", NETWORK, _report(CAMPAIGN), FORMS, knows_currency=False),
    Table("google_ad_group", NETWORK, _report(AD_GROUP), FORMS, knows_currency=False),
    Table("google_shopping", NETWORK, _report(PRODUCT), FORMS, knows_currency=False),
)
