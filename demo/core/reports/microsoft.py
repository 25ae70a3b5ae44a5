"""Microsoft Advertising: daily performance reports as connectors keep them, split by device, network and match type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from demo.core.reports.tables import Column, Form, Style, Table, attribution, count, day, money, month_number, text

NETWORK: Final = "microsoft_ads"
FORMS: Final = (
    Form("connector_usd", window=30),
    Form("sheet_eur", "xlsx", currency="EUR", window=30),
    Form("seven_days", currency="GBP", window=7, style=Style(date=month_number), parameters={"click_window": "7D"}),
)
ACCOUNT: Final = text("account_id", choices=("150175881",))
CAMPAIGN: Final = (ACCOUNT, text("campaign_id", "campaign_id"))
AD_GROUP: Final = (*CAMPAIGN, text("ad_group_id", "ad_group_id"))
AD: Final = (*AD_GROUP, text("ad_id", "ad_id"))
KEYWORD: Final = (*AD, text("keyword_id", "keyword_id"))
SPLITS: Final = (
    text("device_os", choices=("Windows", "Android", "Unknown")),
    text("device_type", choices=("Computer", "Smartphone")),
    text("network", choices=("Bing and Yahoo! search", "AOL search")), text("ad_distribution", choices=("Search",)),
    text("bid_match_type", choices=("Broad", "Phrase")), text("delivered_match_type", choices=("Exact", "Phrase")),
    text("top_vs_other", choices=("Bing and Yahoo! search - Top", "AOL search - Other")),
)  # fmt: skip
PLACE: Final = (
    text("location_type", choices=("Presence", "Fenced")), text("country", choices=("United States", "Mexico")),
    text("state", choices=("California", "")), text("city", choices=("Los Angeles", "Puebla")),
    text("goal", choices=("Purchase",)),
)  # fmt: skip


def _report(*dimensions: Column, names_currency: bool = True) -> Callable[[Form], tuple[Column, ...]]:
    def columns(form: Form) -> tuple[Column, ...]:
        days = form.window
        currency = (text("currency_code", "currency"),) if names_currency else ()
        return (
            day("date"), *dimensions, *currency, *SPLITS, count("clicks", "clicks", "clicks"),
            count("impressions", "impressions", "impressions"), money("spend", "spend", "spend"),
            count("conversions", f"orders{days}", attribution("orders", days)),
            money("revenue", f"sales{days}", attribution("sales", days)),
            count("all_conversions", f"orders{days}_all"), money("all_revenue", f"sales{days}_all"),
        )  # fmt: skip

    return columns


BUDGET: Final = (text("budget_association_status", choices=("Current",)), text("budget_name", choices=("General",)))
QUERY: Final = text("search_query", "search_term")
TABLES: Final = (
    Table("microsoft_account_daily", NETWORK, _report(ACCOUNT), FORMS, things=6),
    Table("microsoft_campaign_daily", NETWORK, _report(*CAMPAIGN, *BUDGET), FORMS),
    Table("microsoft_ad_group_daily", NETWORK, _report(*AD_GROUP, text("language", choices=("English",))), FORMS),
    Table("microsoft_ad_daily", NETWORK, _report(*AD), FORMS),
    Table("microsoft_keyword_daily", NETWORK, _report(*KEYWORD), FORMS),
    Table(
        "microsoft_search_query_daily", NETWORK, _report(*KEYWORD, QUERY, names_currency=False), FORMS,
        knows_currency=False,
    ),
    Table("microsoft_geographic_daily", NETWORK, _report(*AD_GROUP, *PLACE), FORMS),
)  # fmt: skip
