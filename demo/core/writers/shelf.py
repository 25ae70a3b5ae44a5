"""What a brand knows of its own: the catalogue with stock by retailer, and sales by state."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from demo.core.geo_test import GeoPanel
from demo.core.measures import cents_to_text
from demo.core.streams import stream
from demo.core.world import World

CATALOGUE_HEADER = (
    "sku", "gtin14", "asin", "walmart_item_id", "criteo_product_id", "brand", "product_name", "pack_size", "price",
    "margin", "network", "retailer", "units_in_stock", "daily_unit_sales", "availability",
)  # fmt: skip
GEO_HEADER = ("date", "state", "sales")
LOW_COVER_DAYS = 7
LOW_COVER_SHARE = 0.05  # of the listings that are about to run out


def write_catalogue(path: Path, world: World) -> list[dict[str, str]]:
    """One row per product and retailer that lists it; stock cover in days is units_in_stock / daily_unit_sales.

    Where a product is out of stock, daily_unit_sales is what it sold before. Returns the rows written.
    """
    rng = stream(world.seed, world.profile.key, "stock")
    gone = {(episode.network, episode.sku.sku) for episode in world.out_of_stock if episode.still_out}
    rows = []
    for sku in world.catalogue:
        for network in world.profile.networks:
            daily = sku.weekly_units / 7 * float(rng.uniform(0.5, 1.6))
            low = bool(rng.random() < LOW_COVER_SHARE)
            cover = float(rng.uniform(2, LOW_COVER_DAYS - 1) if low else rng.uniform(14, 75))
            if not any(cell.network is network and cell.sku == sku for cell in world.cells):
                continue
            out = (network.key, sku.sku) in gone
            stock = 0 if out else math.ceil(cover * daily)
            values = (
                sku.sku, sku.gtin14, sku.asin, sku.walmart_item_id, sku.criteo_product_id, sku.brand,
                sku.product_name, sku.pack_size, cents_to_text(sku.price_cents), f"{sku.margin_bp / 10_000:.4f}",
                network.key, network.retailer, str(stock), f"{daily:.1f}",
                "out_of_stock" if out else "limited" if low else "in_stock",
            )  # fmt: skip
            rows.append(dict(zip(CATALOGUE_HEADER, values, strict=True)))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CATALOGUE_HEADER)
        writer.writeheader()
        writer.writerows(rows)
    return rows


def write_geo_sales(path: Path, panel: GeoPanel) -> int:
    """The panel, day by day. Which states were treated stands in the design, not here. Returns the number of rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(GEO_HEADER)
        for day, sales in enumerate(panel.sales.tolist()):
            date = panel.date_of(day).isoformat()
            writer.writerows(
                (date, state, cents_to_text(cents)) for state, cents in zip(panel.states, sales, strict=True)
            )
    return int(panel.sales.size)
