"""The export that `benches.harmonize` reads: an hourly item report of a made-up network, and its contract.

Rows are a function of their number alone, so that every run on every machine reads the same file. No two rows share a
natural key: rows of one second are rows of different items.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

HEADERS = (
    "date", "eventTime", "campaignId", "campaignName", "adGroupId", "itemGtin", "placement", "device", "impressions",
    "clicks", "adSpend", "attributedSales14days",
)  # fmt: skip
CONTRACT = """\
schema_version: rmis/1
name: bench_hourly
version: 1
title: Bench network, item report by the second
network: bench_network
report: hourly_item
retailer_id: bench
ad_product: sponsored_products
cost_model: cpc
sku_id_type: gtin
coverage: {rank: 10, impressions: all}
source:
  formats: [csv]
  timezone: America/New_York
  currency: USD
  grain: event
fields:
  - {target: period_start, headers: [date], required: true, date_formats: ["%Y-%m-%d"]}
  - {target: event_ts_utc, headers: [eventTime], required: true, date_formats: ["%Y-%m-%d %H:%M:%S"]}
  - {target: campaign_id, headers: [campaignId], required: true, transforms: [identifier]}
  - {target: campaign_name, headers: [campaignName]}
  - {target: ad_group_id, headers: [adGroupId], required: true, transforms: [identifier]}
  - {target: sku_id, headers: [itemGtin], required: true}
  - target: placement
    headers: [placement]
    value_map:
      keep_raw_in: placement_raw
      default: unknown
      values:
        Search Top: onsite_search_top
        Search Ingrid: onsite_search_rest
        Search Carousel: onsite_search_carousel
        Buy-Box: onsite_pdp_buybox
        Item Carousel: onsite_pdp
        Home Page: onsite_home
        Browse: onsite_browse
        Cart: onsite_cart
  - target: device
    headers: [device]
    value_map: {default: other, values: {App iOS: app, App Android: app, Desktop Web: desktop, Mobile Web: mobile}}
  - {target: impressions, headers: [impressions], required: true}
  - {target: clicks, headers: [clicks], required: true}
  - {target: spend, headers: [adSpend], required: true}
attributions:
  - {id: sales_total, metric: sales, match: total, click_days: from_header, headers: ["attributedSales{days}days"]}
default_attribution: {sales: sales_total}
derived:
  - {target: reported_ctr, expression: clicks / impressions}
  - {target: reported_cpc, expression: spend / clicks}
rules:
  - {id: dates_present, kind: not_null, columns: [period_start, event_ts_utc]}
  - {id: dimensions_present, kind: not_null, columns: [campaign_id, ad_group_id, sku_id]}
  - {id: measures_present, kind: not_null, columns: [impressions, clicks, spend]}
  - {id: gtin_form, kind: regex, column: sku_id, pattern: "^[0-9]{14}$"}
  - {id: gtin_digit, kind: gtin_check, column: sku_id}
  - {id: campaign_form, kind: regex, column: campaign_id, pattern: "^[0-9]{1,20}$"}
  - {id: device_known, kind: in_set, column: device, values: [app, desktop, mobile, other]}
  - {id: impressions_not_negative, kind: range, column: impressions, min: 0}
  - {id: clicks_not_negative, kind: range, column: clicks, min: 0}
  - {id: spend_plausible, kind: range, column: spend, min: 0, max: 100000}
  - {id: sales_not_negative, kind: range, column: sales_total, min: 0}
  - {id: date_plausible, kind: range, column: period_start, min: "2012-01-01"}
  - {id: clicks_within_impressions, kind: expression, expression: clicks <= impressions}
  - {id: cpc_plausible, kind: expression, expression: spend <= 50 * clicks, severity: warn}
skip:
  - {id: total_row, column: first, pattern: "(?i)^total$"}
natural_key: [event_ts_utc, campaign_id, ad_group_id, sku_id, placement_raw]
restatement_days: 14
"""
#: A span without a change of clocks in New York, so that every local second of the clean export exists once.
FIRST = pl.datetime(2026, 4, 1)
SPAN_DAYS = 200
ITEMS, CAMPAIGNS, AD_GROUPS = 5000, 400, 6
PLACEMENTS = (
    "Search Top",
    "Search Ingrid",
    "Search Carousel",
    "Buy-Box",
    "Item Carousel",
    "Home Page",
    "Browse",
    "Cart",
)
DEVICES = ("App iOS", "App Android", "Desktop Web", "Mobile Web")
#: One row in so many is bad in the export with bad rows, and one in so many repeats the row before it.
BAD_EVERY, REPEAT_EVERY = 1000, 4000
_STEP = 500_000
NEXT_DIGIT = {str(digit): str((digit + 1) % 10) for digit in range(10)}


def write_export(path: Path, rows: int, *, bad: bool = False) -> None:
    """`rows` rows below a header; with `bad`, some of them as no network should write them."""
    with path.open("wb") as file:
        file.write((",".join(HEADERS) + "\n").encode())
        for first in range(0, rows, _STEP):
            part = _rows(np.arange(first, min(first + _STEP, rows)), rows)
            if bad:
                part = _spoilt(part)
            part.drop("n").write_csv(file, include_header=False, quote_style="never")


def _rows(n: np.ndarray, rows: int) -> pl.DataFrame:
    def draw(salt: int, below: int) -> np.ndarray:
        mixed = (n.astype(np.uint64) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        return (mixed % np.uint64(below)).astype(np.int64)

    item, campaign = n % ITEMS, draw(1, CAMPAIGNS)
    impressions = 1 + draw(2, 9000)
    clicks = impressions * draw(3, 40) // 1000
    cents = clicks * (20 + draw(4, 180))
    found = pl.DataFrame(
        {
            "n": n,
            "eventTime": pl.Series(n * (SPAN_DAYS * 86_400) // rows),
            "campaignId": 500_000 + campaign,
            "campaignName": pl.Series([f"Acme Chips {number:03d} always on" for number in range(CAMPAIGNS)]).gather(
                campaign
            ),
            "adGroupId": 7_000_000 + campaign * AD_GROUPS + draw(5, AD_GROUPS),
            "itemGtin": pl.Series([_gtin(number) for number in range(ITEMS)]).gather(item),
            "placement": pl.Series(PLACEMENTS).gather(draw(6, len(PLACEMENTS))),
            "device": pl.Series(DEVICES).gather(draw(7, len(DEVICES))),
            "impressions": impressions,
            "clicks": clicks,
            "adSpend": cents,
            "attributedSales14days": cents * draw(8, 900) // 100,
        }
    )
    return found.with_columns(
        (FIRST + pl.duration(seconds="eventTime")).dt.strftime("%Y-%m-%d %H:%M:%S").alias("eventTime"),
        _money("adSpend"),
        _money("attributedSales14days"),
        pl.col("campaignId", "adGroupId", "impressions", "clicks").cast(pl.String),
    ).select("n", pl.col("eventTime").str.slice(0, 10).alias("date"), *HEADERS[1:])


def _money(name: str) -> pl.Expr:
    cents = pl.col(name)
    fraction = (cents % 100).cast(pl.String).str.zfill(2)
    return pl.concat_str((cents // 100).cast(pl.String), fraction, separator=".").alias(name)


def _gtin(number: int) -> str:
    """A GTIN-14 with its check digit (GS1 General Specifications, 7.9)."""
    body = f"{4_012_345_000_00 + number * 7:013d}"
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return f"{body}{-weighed % 10}"


def _spoilt(part: pl.DataFrame) -> pl.DataFrame:
    """Every kind of bad cell in turn, and rows that say what the row before them said."""
    kind = (pl.col("n") // BAD_EVERY) % 6

    def where(number: int) -> pl.Expr:
        return (pl.col("n") % BAD_EVERY == BAD_EVERY // 2) & (kind == number)

    spoilt = part.with_columns(
        pl.when(where(0))
        .then(pl.lit("-1.00"))
        .when(where(1))
        .then(pl.lit("n.a."))
        .otherwise("adSpend")
        .alias("adSpend"),
        pl.when(where(2))
        .then(pl.col("itemGtin").str.slice(0, 12))
        .when(where(5))
        .then(pl.col("itemGtin").str.slice(0, 13) + pl.col("itemGtin").str.slice(13).replace(NEXT_DIGIT))
        .otherwise("itemGtin")
        .alias("itemGtin"),
        pl.when(where(3)).then(pl.lit("soon")).otherwise("eventTime").alias("eventTime"),
        pl.when(where(4)).then(pl.lit("")).otherwise("impressions").alias("impressions"),
    )
    repeated = pl.col("n") % REPEAT_EVERY == REPEAT_EVERY - 1
    return spoilt.with_columns(
        pl.when(repeated).then(pl.col(name).shift(1)).otherwise(name).alias(name) for name in HEADERS
    )
