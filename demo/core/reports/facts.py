"""What happened, in whole cents and whole counts, before any report is written of it.

One row is one thing on one day: a campaign with its ad group, product, keyword and placement. Windows nest (what was
bought within 7 days was bought within 14), parts add up to their whole, and nobody is new to the brand twice.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, Final

Row = dict[str, Any]

WINDOWS: Final = (1, 3, 7, 14, 30)
FLAVOURS: Final = ("Sea Salt", "Paprika", "Chilli", "Masala", "Rosemary", "Lime", "Onion", "Cheddar")
PACKS: Final = ("150 g", "200 g", "12 x 40 g")
UPC_PREFIX: Final = "0850012"


def make_rows(
    rng: random.Random, *, first: dt.date, days: int = 14, things: int = 4, span: int = 1, factor: int = 1
) -> list[Row]:
    """Rows of `things` things over `days` days in steps of `span` days. `factor` turns the prices into a currency."""
    made = []
    for start in range(0, days, span):
        for thing in range(things):
            day = first + dt.timedelta(days=start)
            made.append(_identity(thing) | {"date": day, "last": day + dt.timedelta(days=span - 1)} | _traffic(rng))
            row = made[-1]
            row["spend"] *= factor
            row |= _outcomes(rng, row["clicks"], price=factor * (199 + 37 * thing))
    return made


def check_digit(digits: str) -> str:
    """GS1's check digit of the digits before it (GS1 General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _identity(thing: int) -> Row:
    flavour, pack = FLAVOURS[thing % len(FLAVOURS)], PACKS[thing % len(PACKS)]
    upc = f"{UPC_PREFIX}{thing:04d}"
    return {
        "thing": thing,
        "portfolio": "Snacks" if thing % 3 else "",
        "campaign_id": 217_000_000_000_001 + 4_096 * thing,
        "campaign": f"Acme | {flavour} {thing}",
        "ad_group_id": 318_000_000_000_001 + 8_192 * thing,
        "ad_group": f"Core, {flavour}",
        "ad_id": 419_000_000_000_001 + 16_384 * thing,
        "keyword_id": 520_000_000_000_001 + 32_768 * thing,
        "keyword": f"{flavour.lower()} chips",
        "search_term": f'{flavour.lower()} chips "{pack}"',
        "asin": f"B0ACME{thing:04d}",
        "seller_sku": f"ACME-{flavour[:3].upper()}-{thing:03d}",
        "item_id": 550_000_000 + 17 * thing,
        "product_code": f"{thing:06d}-AC",
        "product": f"Acme Chips, {flavour}, {pack}",
        "pack_size": pack,
        "upc": upc + check_digit(upc),
        "brand": "Acme",
        "category": "Snacks > Chips",
        "account": "Acme Snacks",
    }


def _traffic(rng: random.Random) -> Row:
    impressions = rng.randint(40, 9_000)
    clicks = 0 if rng.random() < 0.2 else rng.randint(1, max(1, impressions // 20))
    spend = sum(rng.randint(8, 240) for _ in range(clicks))
    starts = rng.randint(0, impressions // 2)
    quarters = sorted((rng.randint(0, starts) for _ in range(4)), reverse=True)
    return {
        "impressions": impressions,
        "viewable": rng.randint(0, impressions),
        "clicks": clicks,
        "spend": spend,
        "cost_micros": spend * 10_000 + (rng.randint(0, 9_999) if clicks else 0),
        "reach": rng.randint(1, impressions),
        "video_starts": starts,
        "video_q25": quarters[0],
        "video_q50": quarters[1],
        "video_q75": quarters[2],
        "video_completes": quarters[3],
    }


def _outcomes(rng: random.Random, clicks: int, *, price: int) -> Row:
    """Units, orders and sales by window: of the product and of others, by channel, new to the brand, after a view."""
    row: Row = {}
    same = other = seen = new = 0
    for days in WINDOWS:
        same += rng.randint(0, clicks // 8 + 1) if clicks else 0
        other += rng.randint(0, clicks // 16) if clicks else 0
        seen += rng.randint(0, 2)
        new = min(new + rng.randint(0, 1), same)
        for name, units in {"": same + other, "_same": same, "_other": other, "_seen": seen, "_new": new}.items():
            row[f"units{days}{name}"] = units
            row[f"orders{days}{name}"] = -(-units * 22 // 25)
            row[f"sales{days}{name}"] = units * price + (31 * other if name in ("", "_other") else 0)
        for metric in ("sales", "orders", "units"):
            # With views: what was bought after a click, and what was bought after a view without one.
            row[f"{metric}{days}_all"] = row[f"{metric}{days}"] + row[f"{metric}{days}_seen"]
            left = row[f"{metric}{days}"]
            for channel in ("store", "pickup", "delivery"):
                row[f"{metric}{days}_{channel}"] = part = rng.randint(0, left // 2)
                left -= part
        row[f"carts{days}"] = row[f"units{days}_all"] + rng.randint(0, 5)
        row[f"details{days}"] = row[f"carts{days}"] + rng.randint(0, 20)
    return row
