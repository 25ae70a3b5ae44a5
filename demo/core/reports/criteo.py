"""Criteo Retail Media: the performance report and the attributed transactions, each under two requests.

The file does not tell the attribution that was asked for, nor its currency. Ids have 18 digits, which is more than a
float holds, and the retailer's product ids start with zeros.
"""

from __future__ import annotations

from typing import Final

from demo.core.reports.tables import Column, Form, Table, attribution, count, day, money, ratio, text
from harmonization.core.rmis import Attribution, Metric, Ntb

NETWORK: Final = "criteo"
PAGES: Final = ("search", "home", "category", "productDetail", "checkout", "confirmation", "deals", "newPage")
LAST_CLICK: Final = {
    "click_window": "14D",
    "click_match": "sameBrand",
    "view_window": "none",
    "view_match": "sameSku",
}
REQUESTS: Final = (Form("defaults_eur", currency="EUR"), Form("click_14_brand_usd", parameters=LAST_CLICK))


def _asked(form: Form, metric: Metric, ntb: Ntb = "all") -> Attribution:
    if form.parameters:
        return attribution(metric, 14, match="brand", ntb=ntb)
    return attribution(metric, 30, 1, match="category", view_match="same_sku", ntb=ntb)


def _performance(form: Form) -> tuple[Column, ...]:
    days = 14 if form.parameters else 30
    return (
        day("date"), text("accountId", choices=("42000017",)), text("accountName", "account"),
        text("campaignId", "campaign_id"), text("campaignName", "campaign"), text("lineItemId", "ad_group_id"),
        text("lineItemName", "ad_group"), text("retailerId", choices=("298",)),
        text("retailerName", choices=("Example Mart",)), text("brandId", choices=("7751820013",)),
        text("brandName", "brand"), text("productId", "product_code"), text("productName", "product"),
        text("pageType", choices=PAGES), text("environment", choices=("Web", "MobileWeb", "App")),
        count("impressions", "impressions", "impressions"), count("clicks", "clicks", "clicks"),
        money("spend", "spend", "spend"), money("attributedSales", f"sales{days}", _asked(form, "sales")),
        count("attributedUnits", f"units{days}", _asked(form, "units")),
        count("attributedOrders", f"orders{days}", _asked(form, "orders")),
        money("newToBrandAttributedSales", f"sales{days}_new", _asked(form, "sales", "new")),
        count("newToBrandAttributedUnits", f"units{days}_new", _asked(form, "units", "new")),
        money("assistedSales", f"sales{days}_other", _asked(form, "assisted_sales")),
        count("assistedUnits", f"units{days}_other", _asked(form, "assisted_units")),
        count("videosStarted", "video_starts", "video_starts"), count("videosPlayedTo25", "video_q25", "video_q25"),
        count("videosPlayedTo50", "video_q50", "video_q50"), count("videosPlayedTo75", "video_q75", "video_q75"),
        count("videosPlayedTo100", "video_completes", "video_completes"), ratio("ctr", "clicks", "impressions"),
        ratio("roas", f"sales{days}", "spend"),
    )  # fmt: skip


def _transactions(form: Form) -> tuple[Column, ...]:
    """One row per purchase. The day is that of the ad; the purchase came later."""
    days = 14 if form.parameters else 30
    return (
        day("advertisedDate"), text("advertisedHour", choices=("7", "13", "22")), day("purchasedDate", "last"),
        text("purchasedHour", choices=("9", "18")), text("accountId", choices=("42000017",)),
        text("campaignId", "campaign_id"), text("lineItemId", "ad_group_id"),
        text("advertisedProductId", "product_code"), text("advertisedProductGtin", "upc"),
        text("purchasedProductId", choices=("000101-AC", "000202-AC")),
        text("advertisedEngagement", choices=("click", "view")),
        text("advertisedToPurchasedProductRelationship", choices=("sameSku", "sameCategory", "sameBrand")),
        text("salesChannel", choices=("Online", "Offline")), text("retailerId", choices=("298",)),
        text("pageType", choices=PAGES), count("attributedUnits", f"units{days}", _asked(form, "units")),
        money("attributedSales", f"sales{days}", _asked(form, "sales")),
    )  # fmt: skip


LINES: Final = Form("defaults_lines", "ndjson")
TABLES: Final = (
    Table("criteo_performance", NETWORK, _performance, (*REQUESTS, LINES), things=8, knows_currency=False),
    Table("criteo_attributed_transactions", NETWORK, _transactions, (*REQUESTS, LINES), things=8, knows_currency=False),
)
