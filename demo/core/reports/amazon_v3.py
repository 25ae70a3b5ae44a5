"""Amazon Ads reporting API, version 3: packed JSON, and the tables that connectors make of it.

Sponsored Products show windows of 1, 7, 14 and 30 days after a click side by side. Brands and Display have one of 14
days; their bare names count views too, `...Clicks` clicks alone, `...Promoted` the promoted products.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from demo.core.reports.tables import Column, Form, Table, attribution, count, day, money, text
from harmonization.core.rmis import Metric

NETWORK: Final = "amazon_ads"
WINDOWS: Final = (1, 7, 14, 30)
DAYS: Final = 14
API: Final = Form("usd", "json", packed="gz")
API_RUPEES: Final = Form("inr", "json", currency="INR", factor=83)
CONNECTOR: Final = Form("connector_gbp", currency="GBP")
FORMS: Final = (API, API_RUPEES, CONNECTOR)
PLACEMENTS: Final = ("Top of Search on-Amazon", "Detail Page on-Amazon", "Other on-Amazon", "Off Amazon")


def _named(form: Form, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Connectors write `sales_7_d` for `sales7d`."""
    if form is not CONNECTOR:
        return columns
    return tuple(replace(column, header=_snake(column.header)) for column in columns)


def _snake(name: str) -> str:
    parts = re.findall(r"[A-Z]?[a-z]+|\d+|[A-Z]+(?![a-z])", name)
    return "_".join(part.lower() for part in parts)


def _campaign() -> tuple[Column, ...]:
    return (
        day("date"), text("campaignId", "campaign_id"), text("campaignName", "campaign"),
        text("campaignStatus", choices=("ENABLED", "PAUSED")), text("campaignBudgetCurrencyCode", "currency"),
    )  # fmt: skip


def _ad_group() -> tuple[Column, ...]:
    return text("adGroupId", "ad_group_id"), text("adGroupName", "ad_group")


def _delivery() -> tuple[Column, ...]:
    return (
        count("impressions", "impressions", "impressions"), count("clicks", "clicks", "clicks"),
        money("cost", "spend", "spend"),
    )  # fmt: skip


def _products(*, others: bool) -> Iterator[Column]:
    """Sponsored Products: the other products' part is there for 7 days only, and not in the campaign report."""
    for days in WINDOWS:
        yield count(f"purchases{days}d", f"orders{days}", attribution("orders", days))
        yield count(f"purchasesSameSku{days}d", f"orders{days}_same", attribution("orders", days, match="same_sku"))
        yield count(f"unitsSoldClicks{days}d", f"units{days}", attribution("units", days))
        yield count(f"unitsSoldSameSku{days}d", f"units{days}_same", attribution("units", days, match="same_sku"))
        yield money(f"sales{days}d", f"sales{days}", attribution("sales", days))
        same = attribution("sales", days, match="same_sku")
        yield money(f"attributedSalesSameSku{days}d", f"sales{days}_same", same)
    if others:
        yield money("salesOtherSku7d", "sales7_other", attribution("sales", 7, match="halo"))
        yield count("unitsSoldOtherSku7d", "units7_other", attribution("units", 7, match="halo"))


def _both(*, ntb: bool) -> Iterator[Column]:
    """Brands and Display: after a click or a view, and after a click."""
    yield from _outcome(count, "purchases", "orders", ntb)
    yield from _outcome(money, "sales", "sales", ntb)
    yield from _outcome(count, "unitsSold", "units", ntb)
    if ntb:
        yield count("addToCart", "carts14", attribution("add_to_cart", DAYS, DAYS))
        yield count("addToCartClicks", "carts7", attribution("add_to_cart", DAYS))
        yield count("detailPageViews", "details14", attribution("detail_page_views", DAYS, DAYS))


def _outcome(make: Callable[..., Column], name: str, metric: Metric, ntb: bool) -> Iterator[Column]:
    yield make(name, f"{metric}14_all", attribution(metric, DAYS, DAYS))
    yield make(f"{name}Clicks", f"{metric}14", attribution(metric, DAYS))
    if ntb:
        new = f"newToBrand{name[0].upper()}{name[1:]}"
        yield make(new, f"{metric}14_new", attribution(metric, DAYS, DAYS, ntb="new", ntb_lookback_months=12))
        yield make(f"{new}Clicks", f"{metric}7_new", attribution(metric, DAYS, ntb="new", ntb_lookback_months=12))


def _video() -> tuple[Column, ...]:
    return (
        count("videoFirstQuartileViews", "video_q25", "video_q25"),
        count("videoMidpointViews", "video_q50", "video_q50"),
        count("videoThirdQuartileViews", "video_q75", "video_q75"),
        count("videoCompleteViews", "video_completes", "video_completes"),
    )  # fmt: skip


COST_TYPE: Final = text("costType", choices=("CPC", "VCPM"))


def _sp_campaigns(form: Form) -> tuple[Column, ...]:
    own = (text("campaignBiddingStrategy", choices=("legacy",)), text("placementClassification", choices=PLACEMENTS))
    return _named(form, (*_campaign(), *own, *_delivery(), *_products(others=False)))


def _sp_ad_groups(form: Form) -> tuple[Column, ...]:
    return _named(form, (*_campaign(), *_ad_group(), *_delivery(), *_products(others=False)))


def _sp_advertised_product(form: Form) -> tuple[Column, ...]:
    own = (text("adId", "ad_id"), text("advertisedAsin", "asin"), text("advertisedSku", "seller_sku"))
    return _named(form, (*_campaign(), *_ad_group(), *own, *_delivery(), *_products(others=True)))


def _sp_search_term(form: Form) -> tuple[Column, ...]:
    own = (*_keyword(), text("searchTerm", "search_term"))
    return _named(form, (*_campaign(), *_ad_group(), *own, *_delivery(), *_products(others=True)))


def _sp_targeting(form: Form) -> tuple[Column, ...]:
    return _named(form, (*_campaign(), *_ad_group(), *_keyword(), *_delivery(), *_products(others=True)))


def _keyword() -> tuple[Column, ...]:
    return (
        text("keywordId", "keyword_id"), text("keyword", "keyword"), text("targeting", "keyword"),
        text("matchType", choices=("EXACT", "PHRASE", "BROAD", "TARGETING_EXPRESSION")),
    )  # fmt: skip


def _sb_campaigns(form: Form) -> tuple[Column, ...]:
    promoted = (
        count("purchasesPromoted", "orders14_same", attribution("orders", DAYS, DAYS, match="same_sku")),
        money("salesPromoted", "sales14_same", attribution("sales", DAYS, DAYS, match="same_sku")),
        count("viewableImpressions", "viewable", "viewable_impressions"),
    )
    return _named(form, (*_campaign(), COST_TYPE, *_delivery(), *_both(ntb=True), *promoted, *_video()))


def _sb_search_term(form: Form) -> tuple[Column, ...]:
    own = (
        text("keywordId", "keyword_id"), text("keywordText", "keyword"), text("matchType", choices=("EXACT", "BROAD")),
        text("searchTerm", "search_term"), COST_TYPE,
    )  # fmt: skip
    seen = (count("viewableImpressions", "viewable", "viewable_impressions"),)
    return _named(form, (*_campaign(), *_ad_group(), *own, *_delivery(), *_both(ntb=False), *seen, *_video()))


def _display_only() -> tuple[Column, ...]:
    return (
        count("purchasesPromotedClicks", "orders14_same", attribution("orders", DAYS, match="same_sku")),
        money("salesPromotedClicks", "sales14_same", attribution("sales", DAYS, match="same_sku")),
        count("impressionsViews", "viewable", "viewable_impressions"),
        count("addToCartViews", "units14_seen", attribution("add_to_cart", None, DAYS)),
    )


def _sd_campaigns(form: Form) -> tuple[Column, ...]:
    return _named(form, (*_campaign(), COST_TYPE, *_delivery(), *_both(ntb=True), *_display_only(), *_video()))


def _sd_advertised_product(form: Form) -> tuple[Column, ...]:
    own = (*_ad_group(), text("adId", "ad_id"), text("promotedAsin", "asin"), text("promotedSku", "seller_sku"))
    return _named(form, (*_campaign(), *own, *_delivery(), *_both(ntb=True), *_display_only(), *_video()))


TABLES: Final = (
    Table("amazon_v3_sp_campaigns", NETWORK, _sp_campaigns, FORMS),
    Table("amazon_v3_sp_ad_groups", NETWORK, _sp_ad_groups, FORMS),
    Table("amazon_v3_sp_advertised_product", NETWORK, _sp_advertised_product, FORMS),
    Table("amazon_v3_sp_search_term", NETWORK, _sp_search_term, FORMS),
    Table("amazon_v3_sp_targeting", NETWORK, _sp_targeting, FORMS),
    Table("amazon_v3_sb_campaigns", NETWORK, _sb_campaigns, FORMS),
    Table("amazon_v3_sb_search_term", NETWORK, _sb_search_term, FORMS),
    Table("amazon_v3_sd_campaigns", NETWORK, _sd_campaigns, FORMS),
    Table("amazon_v3_sd_advertised_product", NETWORK, _sd_advertised_product, FORMS),
)
