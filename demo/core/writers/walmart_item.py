"""Walmart Connect, Sponsored Search item report: CSV, one row per day, ad group, item and placement.

Sales are split by channel, but what was ordered online for shipping has no column: it is the total less store, pickup
and delivery. `asOf` is Pacific time without saying so, as the late evening of the last reported day.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo.core.measures import cents_to_text
from demo.core.reported import Report
from demo.core.world import World

HEADER = (
    "date", "campaignId", "campaignName", "adGroupId", "adGroupName", "itemId", "itemName", "placement",
    "numAdsShown", "numAdsClicks", "adSpend", "attributedSales3days", "attributedSales14days",
    "attributedSales30days", "attributedOrders14days", "unitsSold14days", "advertisedSkuSales14days",
    "otherSkuSales14days", "storeAttributedSales14days", "pickupAttributedSales14days",
    "deliveryAttributedSales14days", "ntbRevenue14days", "ntbUnits14days", "asOf",
)  # fmt: skip
NUMBERS = (
    "impressions", "clicks", "spend", "sales_short", "sales", "sales_long", "orders", "units", "sales_same",
    "sales_other", "sales_store", "sales_pickup", "sales_delivery", "ntb_sales", "ntb_units",
)  # fmt: skip
MONEY_COLUMNS = frozenset({"spend", "ntb_sales"} | {name for name in NUMBERS if name.startswith("sales")})
EXPORT_TIME = dt.time(22, 40)


def as_of_pacific(as_of: dt.date) -> dt.datetime:
    """The local time at which an export of all days before `as_of` was made: the evening before."""
    return dt.datetime.combine(as_of - dt.timedelta(days=1), EXPORT_TIME)


def write_csv(path: Path, world: World, report: Report) -> None:
    """The rows of a report, in its order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(world, report))


def rows(world: World, report: Report, campaign: int = 0) -> Iterator[tuple[Any, ...]]:
    """Rows as text and whole numbers. `campaign` tells apart several campaigns of the same brand and type."""
    as_of = f"{as_of_pacific(report.as_of):%Y-%m-%d %H:%M:%S}"
    dates = {day: report.date_of(day).isoformat() for day in set(report["day"].tolist())}
    leading: dict[tuple[int, int], tuple[Any, ...]] = {}
    columns = [
        [cents_to_text(cents) for cents in report[name].tolist()] if name in MONEY_COLUMNS else report[name].tolist()
        for name in NUMBERS
    ]
    keys = zip(report["day"].tolist(), report["cell"].tolist(), report["split"].tolist(), strict=True)
    for (day, cell, split), numbers in zip(keys, zip(*columns, strict=True), strict=True):
        who = leading.get((cell, split))
        if who is None:
            who = leading[cell, split] = _leading(world, cell, split, campaign)
        yield (dates[day], *who, *numbers, as_of)


def _leading(world: World, number: int, split: int, campaign: int) -> tuple[Any, ...]:
    cell = world.cells[number]
    brands = [brand for brand, _ in world.profile.brands]
    brand, product = brands.index(cell.sku.brand), world.catalogue.index(cell.sku)
    splits = len(cell.network.splits)
    line = (campaign * len(brands) + brand) * splits + split
    name = f"{cell.sku.brand} - {cell.network.splits[split]}" + (f" {campaign + 1}" if campaign else "")
    return (
        2_104_000 + 7 * line,
        name,
        38_110_000 + 11 * (line * len(world.catalogue) + product),
        f"{cell.sku.flavour} {cell.sku.pack_size}",
        cell.sku.walmart_item_id,
        cell.sku.product_name,
        cell.placement.raw,
    )
