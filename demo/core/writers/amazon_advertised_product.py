"""Amazon Ads console, Sponsored Products advertised product report, one row per day.

The same report comes as a workbook (numbers, dates as dates, rates as fractions) and as CSV (money with its sign,
`1.66%`, `Feb 1, 2026`); accounts in India have a 14-day window and call the other products `Brand Halo ASIN`.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.core.reported import Report
from demo.core.world import World
from demo.core.writers.console_workbook import write_workbook

SHEET = "Sponsored Product Advertised Pr"  # the console cuts sheet names at 31 characters
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LEADING = (
    "Date", "Portfolio name", "Currency", "Campaign Name", "Ad Group Name", "Advertised SKU", "Advertised ASIN",
    "Impressions", "Clicks", "Click-Thru Rate (CTR)", "Cost Per Click (CPC)", "Spend",
)  # fmt: skip
OUTCOMES_7_DAY = (
    "7 Day Total Sales ", "Total Advertising Cost of Sales (ACoS) ", "Total Return on Advertising Spend (RoAS)",
    "7 Day Total Orders (#)", "7 Day Total Units (#)", "7 Day Conversion Rate", "7 Day Advertised SKU Units (#)",
    "7 Day Other SKU Units (#)", "7 Day Advertised SKU Sales ", "7 Day Other SKU Sales ",
)  # fmt: skip
OUTCOMES_14_DAY = (
    "14 Day Total Sales (₹)", "Total Advertising Cost of Sales (ACoS) ", "Total Return on Advertising Spend (RoAS)",
    "14 Day Total Orders (#)", "14 Day Total Units (#)", "14 Day Conversion Rate", "14 Day Advertised ASIN Units (#)",
    "14 Day Brand Halo ASIN Units (#)", "14 Day Advertised ASIN Sales (₹)", "14 Day Brand Halo ASIN Sales (₹)",
)  # fmt: skip
HEADER = LEADING + OUTCOMES_7_DAY
HEADER_INDIA = LEADING + OUTCOMES_14_DAY


@dataclass(frozen=True)
class CsvStyle:
    """How one marketplace prints."""

    header: tuple[str, ...]
    money_sign: str
    date: Callable[[dt.date], str]
    suffix: str  # of the columns of the marketplace's window


def _month_first_name(day: dt.date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def _month_first_number(day: dt.date) -> str:
    return f"{day.month:02d}/{day.day:02d}/{day.year % 100:02d}"


US_STYLE = CsvStyle(HEADER, "$", _month_first_name, "")
UK_STYLE = CsvStyle(HEADER, "£", _month_first_name, "")
INDIA_STYLE = CsvStyle(HEADER_INDIA, "Rs.", _month_first_number, "_long")


def campaign_name(brand: str, split: str) -> str:
    return f"{brand} | SP | {split}"


def portfolio_name(brand: str, split: str) -> str:
    return "No Portfolio" if split == "Auto" else brand


def write_xlsx(path: Path, world: World, report: Report, currency: str) -> None:
    """The workbook: numbers as numbers, empty cells where there is nothing to divide by."""
    write_workbook(path, SHEET, HEADER, _workbook_rows(world, report, currency), claims_one_cell=False)


def _workbook_rows(world: World, report: Report, currency: str) -> Iterator[tuple[Any, ...]]:
    for leading, count in _rows(world, report, currency, ""):
        impressions, clicks, spend, sales = count["impressions"], count["clicks"], count["spend"], count["sales"]
        yield (
            *leading, impressions, clicks,
            round(clicks / impressions, 6),
            round(spend / 100 / clicks, 6) if clicks else None,
            spend / 100,
            sales / 100,
            round(spend / sales, 6) if sales else None,
            round(sales / spend, 6) if spend else None,
            count["orders"], count["units"],
            round(count["orders"] / clicks, 6) if clicks else None,
            count["units_same"], count["units_other"], count["sales_same"] / 100, count["sales_other"] / 100,
        )  # fmt: skip


def write_csv(path: Path, world: World, report: Report, currency: str, style: CsvStyle) -> None:
    """The CSV of the same report, in a marketplace's style, with the byte order mark the console writes."""

    def money(cents: int) -> str:
        return f"{style.money_sign}{cents // 100:,}.{cents % 100:02d}"

    def percent(part: int, whole: int) -> str:
        return f"{100 * part / whole:.2f}%" if whole else ""

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(style.header)
        for leading, count in _rows(world, report, currency, style.suffix):
            impressions, clicks, spend, sales = count["impressions"], count["clicks"], count["spend"], count["sales"]
            writer.writerow((
                style.date(leading[0]), *leading[1:], impressions, clicks,
                percent(clicks, impressions),
                money(round(spend / clicks)) if clicks else "",
                money(spend),
                money(sales),
                percent(spend, sales),
                f"{sales / spend:.2f}" if spend else "",
                count["orders"], count["units"], percent(count["orders"], clicks),
                count["units_same"], count["units_other"], money(count["sales_same"]), money(count["sales_other"]),
            ))  # fmt: skip


def _rows(world: World, report: Report, currency: str, suffix: str) -> Iterator[tuple[tuple[Any, ...], dict[str, int]]]:
    """Per row the leading cells and the whole numbers of one window."""
    names = {
        "impressions": "impressions",
        "clicks": "clicks",
        "spend": "spend",
        "sales": f"sales{suffix}",
        "sales_same": f"sales{suffix}_same",
        "sales_other": f"sales{suffix}_other",
        "orders": f"orders{suffix}",
        "units": f"units{suffix}",
        "units_same": f"units{suffix}_same",
        "units_other": f"units{suffix}_other",
    }
    counts = zip(*(report[column].tolist() for column in names.values()), strict=True)
    keys = zip(report["day"].tolist(), report["cell"].tolist(), report["split"].tolist(), strict=True)
    for (day, number, split_number), values in zip(keys, counts, strict=True):
        cell = world.cells[number]
        sku, split = cell.sku, cell.network.splits[split_number]
        leading = (
            report.date_of(day),
            portfolio_name(sku.brand, split),
            currency,
            campaign_name(sku.brand, split),
            f"{sku.flavour} {sku.pack_size}",
            sku.sku,
            sku.asin,
        )
        yield leading, dict(zip(names, values, strict=True))
