"""Amazon Ads console, Sponsored Products search term report: a workbook of weekly rows.

As the console writes it: trailing spaces in headers, `ACOS` in capitals, a column without a name or content, rates as
fractions, an empty ACOS where nothing was sold, `-` as the match type of automatic targeting, and a sheet that claims
to hold one cell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.core.search_terms import SearchTermReport
from demo.core.world import World
from demo.core.writers.amazon_advertised_product import campaign_name, portfolio_name
from demo.core.writers.console_workbook import write_workbook

SHEET = "Sponsored Product Search Term R"
HEADER = (
    "Start Date", "End Date", "Portfolio name", "Currency", "Campaign Name", "Ad Group Name", "Targeting",
    "Match Type", "Customer Search Term", "", "Impressions", "Clicks", "Click-Thru Rate (CTR)",
    "Cost Per Click (CPC)", "Spend", "7 Day Total Sales ", "Total Advertising Cost of Sales (ACOS) ",
    "Total Return on Advertising Spend (ROAS)", "7 Day Total Orders (#)", "7 Day Total Units (#)",
    "7 Day Conversion Rate", "7 Day Advertised SKU Units (#)", "7 Day Other SKU Units (#)",
    "7 Day Advertised SKU Sales ", "7 Day Other SKU Sales ",
)  # fmt: skip
NUMBERS = (
    "impressions", "clicks", "spend", "sales", "orders", "units", "units_same", "units_other", "sales_same",
    "sales_other",
)  # fmt: skip


def write_xlsx(path: Path, world: World, weekly: SearchTermReport, currency: str) -> None:
    """One row per week, campaign, ad group and search term."""
    write_workbook(path, SHEET, HEADER, _rows(world, weekly, currency), claims_one_cell=True)


def _rows(world: World, weekly: SearchTermReport, currency: str) -> Iterator[tuple[Any, ...]]:
    report = weekly.report
    keys = zip(report["day"].tolist(), report["cell"].tolist(), report["split"].tolist(), strict=True)
    counts = zip(*(report[name].tolist() for name in NUMBERS), strict=True)
    for (day, number, split_number), term, values in zip(keys, weekly.terms, counts, strict=True):
        impressions, clicks, spend, sales, orders, units, units_same, units_other, sales_same, sales_other = values
        cell = world.cells[number]
        sku, split = cell.sku, cell.network.splits[split_number]
        start = report.date_of(day)
        yield (
            start, start + dt.timedelta(days=6), portfolio_name(sku.brand, split), currency,
            campaign_name(sku.brand, split), f"{sku.flavour} {sku.pack_size}", term.targeting, term.match_type,
            term.text, None, impressions, clicks, round(clicks / impressions, 6), round(spend / 100 / clicks, 6),
            spend / 100, sales / 100, round(spend / sales, 6) if sales else None,
            round(sales / spend, 6) if spend else None, orders, units, round(orders / clicks, 6), units_same,
            units_other, sales_same / 100, sales_other / 100,
        )  # fmt: skip
