"""Walmart Connect: Sponsored Search with windows of 3, 14 and 30 days, Display with 14 and 30, in one file each.

Sales are split by product, by channel and by new buyers, and no split may be added to another. What was ordered online
for shipping has no column: it is the total less store, pickup and delivery. Display figures count views as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from demo.core.reports.tables import (
    Column,
    Form,
    Style,
    Table,
    attribution,
    count,
    day,
    money,
    month_number,
    ratio,
    text,
)
from harmonization.core.rmis import Channel

NETWORK: Final = "walmart_connect"
SEARCH_WINDOWS: Final = (3, 14, 30)
DISPLAY_WINDOWS: Final = (14, 30)
CHANNELS: Final[tuple[Channel, ...]] = ("store", "pickup", "delivery")
SPOTS: Final = (
    "Buy-Box", "Search Ingrid", "Home Page", "Stock Up", "Search Carousel", "Item Buybox", "Item Carousel", "New Place",
)  # fmt: skip
PAGES: Final = ("Search", "Item", "Browse", "Homepage", "Others")
FORMS: Final = (Form("snapshot"), Form("snapshot_gz", packed="gz"), Form("ad_center", style=Style(date=month_number)))


def _search_outcomes() -> Iterator[Column]:
    for days in SEARCH_WINDOWS:
        tail = f"{days}days"
        yield money(f"attributedSales{tail}", f"sales{days}", attribution("sales", days))
        yield count(f"attributedOrders{tail}", f"orders{days}", attribution("orders", days))
        yield count(f"unitsSold{tail}", f"units{days}", attribution("units", days))
        yield money(f"advertisedSkuSales{tail}", f"sales{days}_same", attribution("sales", days, match="same_sku"))
        yield money(f"otherSkuSales{tail}", f"sales{days}_other", attribution("sales", days, match="halo"))
        yield count(f"advertisedSkuUnits{tail}", f"units{days}_same", attribution("units", days, match="same_sku"))
        yield count(f"otherSkuUnits{tail}", f"units{days}_other", attribution("units", days, match="halo"))
        for channel in CHANNELS:
            qualified = attribution("sales", days, channel=channel)
            yield money(f"{channel}AttributedSales{tail}", f"sales{days}_{channel}", qualified)
            qualified = attribution("orders", days, channel=channel)
            yield count(f"{channel}AttributedOrders{tail}", f"orders{days}_{channel}", qualified)
        yield money(f"ntbRevenue{tail}", f"sales{days}_new", attribution("sales", days, ntb="new"))
        yield count(f"ntbOrders{tail}", f"orders{days}_new", attribution("orders", days, ntb="new"))
        yield count(f"ntbUnits{tail}", f"units{days}_new", attribution("units", days, ntb="new"))


def _search(*dimensions: Column) -> tuple[Column, ...]:
    return (
        day("date"), text("campaignId", "campaign_id"), text("campaignName", "campaign"),
        text("adGroupId", "ad_group_id"), text("adGroupName", "ad_group"), *dimensions,
        count("numAdsShown", "impressions", "impressions"), count("numAdsClicks", "clicks", "clicks"),
        money("adSpend", "spend", "spend"), *_search_outcomes(), text("asOf", choices=("2026-11-16 22:40:00",)),
    )  # fmt: skip


def _item(form: Form) -> tuple[Column, ...]:
    return _search(text("itemId", "item_id"), text("itemName", "product"), text("placement", choices=SPOTS))


def _keyword(form: Form) -> tuple[Column, ...]:
    return _search(
        text("keywordId", "keyword_id"), text("biddedKeyword", "keyword"), text("searchedKeyword", "search_term"),
        text("matchType", choices=("exact", "phrase", "broad")), text("bid", choices=("0.80",)),
    )  # fmt: skip


def _placement(form: Form) -> tuple[Column, ...]:
    return _search(text("placement", choices=SPOTS))


def _page_type(form: Form) -> tuple[Column, ...]:
    return _search(text("pageType", choices=PAGES))


def _display_outcomes(*, featured: bool) -> Iterator[Column]:
    for days in DISPLAY_WINDOWS:
        tail = f"{days}days"
        yield money(f"attributedSales{tail}", f"sales{days}_all", attribution("sales", days, days))
        yield count(f"attributedOrders{tail}", f"orders{days}_all", attribution("orders", days, days))
        yield count(f"attributedUnits{tail}", f"units{days}_all", attribution("units", days, days))
        for channel in CHANNELS:
            qualified = attribution("sales", days, days, channel=channel)
            yield money(f"{channel}AttributedSales{tail}", f"sales{days}_{channel}", qualified)
            qualified = attribution("orders", days, days, channel=channel)
            yield count(f"{channel}AttributedOrders{tail}", f"orders{days}_{channel}", qualified)
        if featured:
            for kind, match, fact in (("Featured", "same_sku", "same"), ("Halo", "halo", "other")):
                qualified = attribution("sales", days, days, match=match, channel="store")  # type: ignore[arg-type]
                yield money(f"storeAttributed{kind}Sales{tail}", f"sales{days}_{fact}", qualified)
                qualified = attribution("units", days, days, match=match, channel="store")  # type: ignore[arg-type]
                yield count(f"storeAttributed{kind}Units{tail}", f"units{days}_{fact}", qualified)


def _display(*dimensions: Column, featured: bool) -> tuple[Column, ...]:
    return (
        text("campaignExtId", "campaign_id"), text("campaignName", "campaign"), *dimensions, day("date"),
        count("numAdsShown", "impressions", "impressions"), count("numAdsClicks", "clicks", "clicks"),
        money("adSpend", "spend", "spend"), ratio("ctr", "clicks", "impressions"),
        *_display_outcomes(featured=featured),
    )  # fmt: skip


def _display_campaign(form: Form) -> tuple[Column, ...]:
    media = text("mediaType", choices=("Onsite", "Offsite"))
    return _display(media, text("brand", "brand"), text("category", "category"), featured=True)


def _display_line_item(form: Form) -> tuple[Column, ...]:
    return _display(text("adGroupExtId", "ad_group_id"), text("adGroupName", "ad_group"), featured=False)


def _display_item(form: Form) -> tuple[Column, ...]:
    """It has outcomes and no delivery."""
    return (
        text("campaignExtId", "campaign_id"), day("date"), text("itemId", "item_id"), text("itemName", "product"),
        *_display_outcomes(featured=True),
    )  # fmt: skip


TABLES: Final = (
    Table("walmart_search_item", NETWORK, _item, FORMS, things=8, knows_currency=False),
    Table("walmart_search_keyword", NETWORK, _keyword, FORMS, knows_currency=False),
    Table("walmart_search_placement", NETWORK, _placement, FORMS, things=8, knows_currency=False),
    Table("walmart_search_page_type", NETWORK, _page_type, FORMS, things=5, knows_currency=False),
    Table("walmart_display_campaign", NETWORK, _display_campaign, FORMS, knows_currency=False),
    Table("walmart_display_line_item", NETWORK, _display_line_item, FORMS, knows_currency=False),
    Table("walmart_display_item", NETWORK, _display_item, FORMS, knows_currency=False),
)
