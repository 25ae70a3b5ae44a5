"""Criteo Retail Media performance report: CSV, one row per day, line item, page type and environment.

Attribution is the default: 30 days after a click for any product of the category, and one day after a view for the
same product, in one figure. Ids have 18 digits (more than a float holds) and the retailer's product ids start with
zeros. The service cuts a report off at 100,000 rows without a word, so longer ones are refused here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.core.measures import cents_to_text
from demo.core.reported import Report
from demo.core.world import World
from tenants.core.problems import InvalidInput

HEADER = (
    "date", "accountId", "accountName", "campaignId", "campaignName", "lineItemId", "lineItemName", "retailerId",
    "retailerName", "brandId", "brandName", "productId", "productName", "pageType", "environment", "impressions",
    "clicks", "spend", "attributedSales", "attributedUnits", "attributedOrders", "ctr", "cpc", "roas",
)  # fmt: skip
LONGEST_REPORT = 100_000
CAMPAIGN_BASE, LINE_ITEM_BASE, BRAND_BASE = 501_893_275_110_400_000, 613_402_771_983_200_000, 7_751_820_000


def write_csv(path: Path, world: World, report: Report, renamed: Mapping[str, str] | None = None) -> None:
    """The rows of a report, in its order. `renamed` gives columns another name: the drift of a broken feed.

    Raises:
        InvalidInput: the report is longer than the network would deliver whole.
    """
    if len(report) > LONGEST_REPORT:
        raise InvalidInput(
            f"{len(report)} rows are more than a Criteo report holds ({LONGEST_REPORT}).",
            where=path.name,
            fix="Write the period in more files, or use a smaller scale.",
        )
    renames = renamed or {}
    leading: dict[int, tuple[Any, ...]] = {}
    numbers = zip(
        *(report[name].tolist() for name in ("impressions", "clicks", "spend", "sales", "units", "orders")),
        strict=True,
    )
    keys = zip(report["day"].tolist(), report["cell"].tolist(), report["split"].tolist(), strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([renames.get(name, name) for name in HEADER])
        for (day, cell, split), (impressions, clicks, spend, sales, units, orders) in zip(keys, numbers, strict=True):
            if cell not in leading:
                leading[cell] = _leading(world, cell)
            writer.writerow((
                report.date_of(day).isoformat(), *leading[cell], world.cells[cell].network.splits[split],
                impressions, clicks, cents_to_text(spend), cents_to_text(sales), units, orders,
                f"{clicks / impressions:.6f}",
                f"{spend / 100 / clicks:.6f}" if clicks else "",
                f"{sales / spend:.6f}" if spend else "",
            ))  # fmt: skip


def _leading(world: World, number: int) -> tuple[Any, ...]:
    cell = world.cells[number]
    brands = [brand for brand, _ in world.profile.brands]
    brand, product = brands.index(cell.sku.brand), world.catalogue.index(cell.sku)
    network = cell.network
    return (
        network.account_id, network.account_name,
        str(CAMPAIGN_BASE + 4_096 * brand + int(network.retailer_id)), f"{cell.sku.brand} always on",
        str(LINE_ITEM_BASE + 8_193 * product + int(network.retailer_id)), f"{cell.sku.flavour} {cell.sku.pack_size}",
        network.retailer_id, network.retailer, str(BRAND_BASE + 13 * brand), cell.sku.brand,
        cell.sku.criteo_product_id, cell.sku.product_name, cell.placement.raw,
    )  # fmt: skip
