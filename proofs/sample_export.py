"""An export of any size whose rows are told by a seed, and the contract that reads it."""

from __future__ import annotations

from pathlib import Path

CONTRACT = """schema_version: rmis/1
name: proof_daily
version: 1
title: Daily product report for proofs
network: proof_network
report: daily_product
coverage: {rank: 10, impressions: all}
source: {formats: [csv], timezone: UTC, currency: USD, grain: day}
fields:
  - {target: period_start, headers: [Day], required: true, date_formats: ["%Y-%m-%d"]}
  - {target: campaign_id, headers: [Campaign id], required: true}
  - {target: campaign_name, headers: [Campaign], required: true}
  - {target: sku_id, headers: [Item], required: true, transforms: [identifier]}
  - target: placement
    headers: [Zone]
    value_map:
      keep_raw_in: placement_raw
      default: unknown
      values: {Search: onsite_search_rest, Home: onsite_home, Product page: onsite_pdp}
  - {target: impressions, headers: [Views], required: true}
  - {target: clicks, headers: [Clicks], required: true}
  - {target: spend, headers: [Cost], required: true}
attributions:
  - {id: sales, metric: sales, match: total, click_days: 14, headers: [Sales 14 d], required: true}
  - {id: units, metric: units, match: total, click_days: 14, headers: [Units 14 d], required: true}
default_attribution: {sales: sales}
rules:
  - {id: spend_not_negative, kind: range, column: spend, min: 0}
natural_key: [period_start, campaign_id, sku_id, placement_raw]
restatement_days: 14
"""
_HEADER = "Day,Campaign id,Campaign,Item,Zone,Views,Clicks,Cost,Sales 14 d,Units 14 d\n"
_BATCH = 200_000


def write_export(path: Path, rows: int, *, seed: int, first: int = 0) -> Path:
    """An export of `rows` rows in November 2026; one in a thousand breaks a rule, some repeat another.

    Rows are numbered from `first`, which decides their day, campaign and item: exports that share numbers share keys.
    """
    import numpy as np

    draw = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for start in range(first, first + rows, _BATCH):
            numbers = np.arange(start, min(start + _BATCH, first + rows))
            views = draw.integers(1, 50_000, len(numbers))
            clicks = (views * draw.uniform(0, 0.05, len(numbers))).astype(int)
            cents = draw.integers(0, 100_000, len(numbers))
            sales = draw.integers(0, 400_000, len(numbers))
            lines = [
                f"2026-11-{1 + n * 28 // max(rows, 1) % 28:02d},{9000 + n % 40},Campaign {n % 40},{100_000 + n // 3},"
                f"{('Search', 'Home', 'Product page')[n % 3]},{v},{c},{'-' if n % 1000 == 7 else ''}{m / 100:.2f},"
                f"{s / 100:.2f},{s // 900}\n"
                for n, v, c, m, s in zip(
                    numbers.tolist(), views.tolist(), clicks.tolist(), cents.tolist(), sales.tolist(), strict=True
                )
            ]
            file.writelines(lines)
            # The last line of every batch stands twice: the second one is to be skipped.
            file.write(lines[-1])
    return path
