"""Public test data of connectors, harmonised: every report's totals against sums by csv and Decimal alone.

The folder is named by RMN_REFERENCE_DATA (docs/reference-data.md). What each column means is written down here a second
time, apart from the contracts.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from harmonization.core.detect import NoContractFits
from harmonization.core.engine import harmonize_file
from harmonization.core.library import shipped_contracts

FOLDER = (
    Path(os.environ["RMN_REFERENCE_DATA"]) / "networks" / "fivetran" if os.environ.get("RMN_REFERENCE_DATA") else None
)
pytestmark = pytest.mark.skipif(FOLDER is None, reason="RMN_REFERENCE_DATA is not set: see docs/reference-data.md")
library = cache(lambda: list(shipped_contracts().values()))

Row = dict[str, str]


@dataclass(frozen=True)
class Reading:
    """Of which contract a file is, its columns of delivery, and its figures: label to column and rows that count."""

    contract: str
    figures: dict[str, tuple[str, Callable[[Row], bool]]] = field(default_factory=dict)
    clicks: str = "clicks"
    spend: str = "spend"
    delivery: bool = True


def every(row: Row) -> bool:
    return True


def of_kind(kind: str) -> Callable[[Row], bool]:
    return lambda row: row["action_type"] == kind


def microsoft(contract: str) -> Reading:
    return Reading(
        f"microsoft_{contract}_daily",
        {"orders, 30-day click, total": ("conversions", every), "sales, 30-day click, total": ("revenue", every)},
    )


def amazon(contract: str, figures: dict[str, tuple[str, Callable[[Row], bool]]] | None = None) -> Reading:
    return Reading(f"amazon_v3_{contract}", figures or {}, spend="cost")


def actions(contract: str, metrics: dict[str, str], columns: dict[str, str]) -> Reading:
    """Each metric of a kind of action, of all channels and of the advertiser's site, under each window."""
    figures = {}
    for metric, kind in metrics.items():
        for window, column in columns.items():
            figures[f"{metric}, {window}, total"] = (column, of_kind(kind))
            figures[f"{metric}, {window}, total, online"] = (column, of_kind(f"offsite_conversion.fb_pixel_{kind}"))
    return Reading(contract, figures, delivery=False)


SETTING, CLICK, VIEW = "7-day click + 1-day view", "7-day click", "1-day view"
COUNTS = {"orders": "purchase", "add_to_cart": "add_to_cart", "detail_page_views": "view_content"}
REPORTS = {
    "amazon_ads/amazon_ads_ad_group_level_report_data.csv": amazon("sp_ad_groups"),
    "amazon_ads/amazon_ads_advertised_product_report_data.csv": amazon("sp_advertised_product"),
    "amazon_ads/amazon_ads_campaign_level_report_data.csv": amazon(
        "sp_campaigns",
        {
            "sales, 7-day click, total": ("sales_7_d", every),
            "sales, 30-day click, total": ("sales_30_d", every),
            "orders, 30-day click, total": ("purchases_30_d", every),
        },
    ),
    "amazon_ads/amazon_ads_search_term_ad_keyword_report_data.csv": amazon("sp_search_term"),
    "amazon_ads/amazon_ads_targeting_keyword_report_data.csv": amazon("sp_targeting"),
    "facebook_ads/facebook_ads_basic_ad_data.csv": Reading("meta_ad", clicks="inline_link_clicks"),
    "facebook_ads/facebook_ads_basic_ad_actions_data.csv": actions(
        "meta_ad_actions", COUNTS, {SETTING: "value", CLICK: "_7_d_click", VIEW: "_1_d_view"}
    ),
    "facebook_ads/facebook_ads_basic_ad_action_values_data.csv": actions(
        "meta_ad_action_values", {"sales": "purchase"}, {SETTING: "value", CLICK: "_7_d_click"}
    ),
    "facebook_ads/facebook_ads_demographics_country_data.csv": Reading(
        "meta_demographics_country", clicks="inline_link_clicks"
    ),
    "facebook_ads/facebook_ads_demographics_region_data.csv": Reading(
        "meta_demographics_region", clicks="inline_link_clicks"
    ),
    "facebook_ads/facebook_ads_demographics_country_actions_data.csv": actions(
        "meta_demographics_country_actions", COUNTS, {SETTING: "value"}
    ),
    "facebook_ads/facebook_ads_demographics_region_actions_data.csv": actions(
        "meta_demographics_region_actions", COUNTS, {SETTING: "value"}
    ),
    **{
        f"microsoft_ads/microsoft_ads_{name}_performance_daily_report_data.csv": microsoft(contract)
        for name, contract in (
            ("account", "account"),
            ("ad", "ad"),
            ("ad_group", "ad_group"),
            ("campaign", "campaign"),
            ("geographic", "geographic"),
            ("keyword", "keyword"),
            ("search", "search_query"),
        )
    },
}
#: What connectors keep beside the reports: what campaigns, ads and accounts are called, and were called before.
NO_REPORTS = (
    "amazon_ads/amazon_ads_ad_group_history_data.csv",
    "amazon_ads/amazon_ads_campaign_history_data.csv",
    "amazon_ads/amazon_ads_keyword_history_data.csv",
    "amazon_ads/amazon_ads_portfolio_history_data.csv",
    "amazon_ads/amazon_ads_product_ad_history_data.csv",
    "amazon_ads/amazon_ads_profile_data.csv",
    "facebook_ads/facebook_ads_account_history_data.csv",
    "facebook_ads/facebook_ads_ad_history_data.csv",
    "facebook_ads/facebook_ads_ad_set_history_data.csv",
    "facebook_ads/facebook_ads_campaign_history_data.csv",
    "facebook_ads/facebook_ads_creative_history_data.csv",
    "microsoft_ads/microsoft_ads_account_history_data.csv",
    "microsoft_ads/microsoft_ads_ad_group_history_data.csv",
    "microsoft_ads/microsoft_ads_ad_history_data.csv",
    "microsoft_ads/microsoft_ads_campaign_history_data.csv",
    "microsoft_ads/microsoft_ads_keyword_history_data.csv",
)


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name.strip(): value.strip() for name, value in row.items()} for row in csv.DictReader(file)]


def total(rows: list[Row], column: str, counts: Callable[[Row], bool] = every) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column] and counts(row)), Decimal(0))


def test_every_file_is_spoken_for() -> None:
    assert FOLDER is not None
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.csv")}
    assert there == {*REPORTS, *NO_REPORTS}


@pytest.mark.parametrize("name", REPORTS)
def test_totals_are_the_sums_of_the_file(name: str) -> None:
    assert FOLDER is not None
    reading = REPORTS[name]
    rows = rows_of(FOLDER / name)
    report = harmonize_file(FOLDER / name, library())
    assert report.contract == reading.contract
    assert (report.rows_in, report.rows_out, report.rows_quarantined) == (len(rows), len(rows), 0)
    found = {
        "impressions": sum(of.impressions for of in report.totals),
        "clicks": sum(of.clicks for of in report.totals),
        "spend": sum((of.spend for of in report.totals), Decimal(0)),
    }
    delivered = {"impressions": "impressions", "clicks": reading.clicks, "spend": reading.spend}
    assert found == {measure: total(rows, column) if reading.delivery else 0 for measure, column in delivered.items()}
    by_label: dict[str, Decimal] = {}
    for figure in report.attributed:  # once for each currency
        label = figure.attribution.label
        by_label[label] = by_label.get(label, Decimal(0)) + figure.value
    assert by_label == {label: total(rows, column, counts) for label, (column, counts) in reading.figures.items()}


@pytest.mark.parametrize("name", NO_REPORTS)
def test_what_is_no_report_is_refused_by_what_it_misses(name: str) -> None:
    assert FOLDER is not None
    with pytest.raises(NoContractFits, match=r"misses|knows only") as problem:
        harmonize_file(FOLDER / name, library())
    assert all(error["detail"] for error in problem.value.errors)
