"""Amazon Ads console, Sponsored Products: the six reports in the notations of three marketplaces.

The workbook holds numbers, dates as dates and rates as fractions, and claims to be one cell large; the CSV of the same
account prints money with its sign and `1.66%`. Accounts in India have a 14-day window, `(₹)` in headers and call the
other products `Brand Halo ASIN`.
"""

from __future__ import annotations

from typing import Final

from demo.core.reports.tables import (
    Column,
    Form,
    Style,
    Table,
    attribution,
    count,
    day,
    empty,
    money,
    month_name,
    month_number,
    ratio,
    signed,
    text,
)

NETWORK: Final = "amazon_ads"
US: Final = Form(
    "usd_7_day", window=7, byte_order_mark=True, style=Style(signed("$"), month_name, percent=True, grouped=True)
)
UK: Final = Form("gbp_7_day", currency="GBP", window=7, style=Style(signed("£"), month_name, percent=True))
INDIA: Final = Form(
    "inr_14_day", currency="INR", factor=83, window=14, style=Style(signed("Rs."), month_number, percent=True)
)
WORKBOOK: Final = Form("usd_7_day_workbook", "xlsx", window=7)
INDIAN_WORKBOOK: Final = Form("inr_14_day_workbook", "xlsx", currency="INR", factor=83, window=14)
FORMS: Final = (US, UK, INDIA, WORKBOOK, INDIAN_WORKBOOK)

MATCH_TYPES: Final = ("EXACT", "PHRASE", "BROAD", "-")
PLACEMENTS: Final = (
    "Top of Search on-Amazon",
    "Rest of search on Amazon",
    "Product pages on Amazon",
    "First page Top of Search on Amazon",
)
CAMPAIGN_FORMS: Final = (
    Form("usd", style=Style(percent=True), parameters={"first_day": "2026-11-02", "last_day": "2026-11-15"}),
    Form(
        "inr_14_day",
        currency="INR",
        factor=83,
        style=Style(signed("₹"), month_name, percent=True),
        parameters={"first_day": "2026-11-02", "last_day": "2026-11-15", "click_window": "14D"},
    ),
)


def _sign(form: Form) -> str:
    return " (₹)" if form.currency == "INR" else " "


def _leading(*, period: bool) -> tuple[Column, ...]:
    days = (day("Start Date"), day("End Date", "last")) if period else (day("Date"),)
    return (*days, text("Portfolio name", "portfolio"), text("Currency", "currency"), text("Campaign Name", "campaign"))


def _traffic(*, ctr: bool = True) -> tuple[Column, ...]:
    rate = (ratio("Click-Thru Rate (CTR)", "clicks", "impressions"),) if ctr else ()
    return (
        count("Impressions", "impressions", "impressions"), count("Clicks", "clicks", "clicks"), *rate,
        money("Spend", "spend", "spend"),
    )  # fmt: skip


def _totals(form: Form) -> tuple[Column, ...]:
    days, sign = form.window, _sign(form)
    return (
        money(f"{days} Day Total Sales{sign}", f"sales{days}", attribution("sales", days)),
        ratio("Total Advertising Cost of Sales (ACoS) ", "spend", f"sales{days}"),
        ratio("Total Return on Advertising Spend (RoAS)", f"sales{days}", "spend"),
        count(f"{days} Day Total Orders (#)", f"orders{days}", attribution("orders", days)),
        count(f"{days} Day Total Units (#)", f"units{days}", attribution("units", days)),
    )


def _splits(form: Form) -> tuple[Column, ...]:
    days, sign = form.window, _sign(form)
    same, halo = ("Advertised ASIN", "Brand Halo ASIN") if form.currency == "INR" else ("Advertised SKU", "Other SKU")
    return (
        ratio(f"{days} Day Conversion Rate", f"orders{days}", "clicks"),
        count(f"{days} Day {same} Units (#)", f"units{days}_same", attribution("units", days, match="same_sku")),
        count(f"{days} Day {halo} Units (#)", f"units{days}_other", attribution("units", days, match="halo")),
        money(f"{days} Day {same} Sales{sign}", f"sales{days}_same", attribution("sales", days, match="same_sku")),
        money(f"{days} Day {halo} Sales{sign}", f"sales{days}_other", attribution("sales", days, match="halo")),
    )


def _search_term(form: Form) -> tuple[Column, ...]:
    return (
        *_leading(period=True), text("Ad Group Name", "ad_group"), text("Targeting", "keyword"),
        text("Match Type", choices=MATCH_TYPES), text("Customer Search Term", "search_term"), empty(""),
        *_traffic(), *_totals(form), *_splits(form),
    )  # fmt: skip


def _advertised_product(form: Form) -> tuple[Column, ...]:
    return (
        *_leading(period=False), text("Ad Group Name", "ad_group"), text("Advertised SKU", "seller_sku"),
        text("Advertised ASIN", "asin"), *_traffic(), *_totals(form), *_splits(form),
    )  # fmt: skip


def _targeting(form: Form) -> tuple[Column, ...]:
    return (
        *_leading(period=False), text("Ad Group Name", "ad_group"), text("Targeting", "keyword"),
        text("Match Type", choices=MATCH_TYPES), *_traffic(),
        ratio("Top-of-search Impression Share", "viewable", "impressions"), *_totals(form), *_splits(form),
    )  # fmt: skip


def _placement(form: Form) -> tuple[Column, ...]:
    return (
        *_leading(period=False), text("Bidding strategy", choices=("Fixed bids", "Dynamic bids - down only")),
        text("Placement", choices=PLACEMENTS), *_traffic(ctr=False), *_totals(form),
    )  # fmt: skip


def _campaign(form: Form) -> tuple[Column, ...]:
    """Its dates are those of the campaign's life; the period is what the page was set to."""
    sign, days = ("₹", 14) if form.currency == "INR" else ("USD", 7)
    return (
        text("State", choices=("ENABLED", "PAUSED")), text("Campaigns", "campaign"),
        text("Status", choices=("CAMPAIGN_STATUS_ENABLED", "CAMPAIGN_PAUSED")),
        text("Type", choices=("SP", "SB", "SD")), text("Targeting", choices=("MANUAL", "AUTOMATIC")),
        text("Campaign bidding strategy", choices=("Dynamic bids - down only",)),
        text("Start date", choices=("Feb 1, 2020", "Mar 15, 2024")), text("End date", choices=("",)),
        text("Portfolio", "portfolio"), text(f"Budget({sign})", choices=("25.00",)),
        count("Impressions", "impressions", "impressions"), count("Clicks", "clicks", "clicks"),
        ratio("CTR", "clicks", "impressions"), money(f"Spend({sign})", "spend", "spend"),
        count("Orders", f"orders{days}", attribution("orders", days)),
        money(f"Sales({sign})", f"sales{days}", attribution("sales", days)),
        ratio("ACOS", "spend", f"sales{days}"), ratio("ROAS", f"sales{days}", "spend"),
        count("NTB orders", f"orders{days}_new", attribution("orders", days, ntb="new", ntb_lookback_months=12)),
        money(f"NTB sales({sign})", f"sales{days}_new", attribution("sales", days, ntb="new", ntb_lookback_months=12)),
    )  # fmt: skip


def _over_time(form: Form) -> tuple[Column, ...]:
    return (
        day("Start Date"), day("End Date", "last"), text("Portfolio name", "portfolio"), text("Currency", "currency"),
        count("Clicks", "clicks", "clicks"), money("Spend", "spend", "spend"),
    )  # fmt: skip


SHEETS: Final = {  # the console cuts sheet names at 31 characters
    "search_term": "Sponsored Product Search Term R",
    "advertised_product": "Sponsored Product Advertised Pr",
    "targeting": "Sponsored Product Keyword Repor",
    "placement": "Sponsored Products Placement Re",
    "over_time": "Sponsored Products Performance ",
}
TABLES: Final = (
    Table("amazon_sp_search_term", NETWORK, _search_term, FORMS, span=7, sheet=SHEETS["search_term"]),
    Table("amazon_sp_advertised_product", NETWORK, _advertised_product, FORMS, sheet=SHEETS["advertised_product"]),
    Table("amazon_sp_targeting", NETWORK, _targeting, FORMS, sheet=SHEETS["targeting"]),
    Table("amazon_sp_placement", NETWORK, _placement, FORMS, sheet=SHEETS["placement"]),
    Table("amazon_campaign_list", NETWORK, _campaign, CAMPAIGN_FORMS, things=8, span=14),
    Table("amazon_sp_performance_over_time", NETWORK, _over_time, FORMS, things=1, sheet=SHEETS["over_time"]),
)
