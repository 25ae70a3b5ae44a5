"""A second reading of the exports, with csv, openpyxl and Decimal alone.

It shares nothing with the generator or the harmoniser: headers and their meaning are written out again here.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

Qualifiers = tuple[str, int, int | None, str, str, str, str]


def console(days: int, same: str, other: str, unit: str = "") -> dict[str, Qualifiers]:
    """The outcome columns of an Amazon console report; `unit` ends the headers of money."""

    def qualified(metric: str, match: str) -> Qualifiers:
        return (metric, days, None, "click", match, "all", "all")

    return {
        f"{days} Day Total Sales {unit}": qualified("sales", "total"),
        f"{days} Day Total Orders (#)": qualified("orders", "total"),
        f"{days} Day Total Units (#)": qualified("units", "total"),
        f"{days} Day {same} Units (#)": qualified("units", "same_sku"),
        f"{days} Day {other} Units (#)": qualified("units", "halo"),
        f"{days} Day {same} Sales {unit}": qualified("sales", "same_sku"),
        f"{days} Day {other} Sales {unit}": qualified("sales", "halo"),
    }


AMAZON = console(7, "Advertised SKU", "Other SKU")
AMAZON_INDIA = console(14, "Advertised ASIN", "Brand Halo ASIN", "(₹)")
WALMART: dict[str, Qualifiers] = {
    "attributedSales3days": ("sales", 3, None, "click", "total", "all", "all"),
    "attributedSales14days": ("sales", 14, None, "click", "total", "all", "all"),
    "attributedSales30days": ("sales", 30, None, "click", "total", "all", "all"),
    "attributedOrders14days": ("orders", 14, None, "click", "total", "all", "all"),
    "unitsSold14days": ("units", 14, None, "click", "total", "all", "all"),
    "advertisedSkuSales14days": ("sales", 14, None, "click", "same_sku", "all", "all"),
    "otherSkuSales14days": ("sales", 14, None, "click", "halo", "all", "all"),
    "storeAttributedSales14days": ("sales", 14, None, "click", "total", "store", "all"),
    "pickupAttributedSales14days": ("sales", 14, None, "click", "total", "pickup", "all"),
    "deliveryAttributedSales14days": ("sales", 14, None, "click", "total", "delivery", "all"),
    "ntbRevenue14days": ("sales", 14, None, "click", "total", "all", "new"),
    "ntbUnits14days": ("units", 14, None, "click", "total", "all", "new"),
}
CRITEO: dict[str, Qualifiers] = {
    "attributedSales": ("sales", 30, 1, "both", "category", "all", "all"),
    "salesAttributed": ("sales", 30, 1, "both", "category", "all", "all"),
    "attributedUnits": ("units", 30, 1, "both", "category", "all", "all"),
    "attributedOrders": ("orders", 30, 1, "both", "category", "all", "all"),
}
TRAFFIC = {
    "impressions": ("Impressions", "numAdsShown", "impressions"),
    "clicks": ("Clicks", "numAdsClicks", "clicks"),
    "spend": ("Spend", "adSpend", "spend"),
}


def read(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Header and rows as written; cells of a CSV are text."""
    if path.suffix == ".xlsx":
        header, *rows = load_workbook(path).active.iter_rows(values_only=True)
        return [name or "" for name in header], [dict(zip(header, row, strict=True)) for row in rows]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), list(reader)


def number(value: Any) -> Decimal:
    """The exact number a cell shows; workbook floats by their shortest notation."""
    if value is None or value == "":
        return Decimal(0)
    text = str(value).removeprefix("Rs.").lstrip("$£").replace(",", "")
    return Decimal(text)


def total(rows: list[dict[str, Any]], header: str) -> Decimal:
    return sum((number(row[header]) for row in rows), Decimal(0))


def meanings(header: list[str]) -> dict[str, Qualifiers]:
    """The attributed columns among these headers, and what each means."""
    known = AMAZON | AMAZON_INDIA | WALMART | CRITEO
    return {name: known[name] for name in header if name in known}


def traffic_header(header: list[str], name: str) -> str:
    return next(candidate for candidate in TRAFFIC[name] if candidate in header)
