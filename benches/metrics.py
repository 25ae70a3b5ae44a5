"""How much the semantic layer costs over the bare sum: `python -m benches.metrics [--rows 2000000] [--json]`.

Both read the same Parquet files in the same run: a query of the planner (which report speaks, each load under its own
headline, totals, notices), and a plain Polars group_by of the same columns, which double-counts and knows no rules.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from harmonization.core.rmis import MONEY, Attribution
from metrics.core.incrementality import Factor
from metrics.core.query import query
from metrics.core.request import read_request

FIRST, DAYS = date(2025, 1, 1), 364
NETWORKS = {"amazon": 7, "walmart": 14, "criteo": 30}


def attribution(metric: Any, window: int) -> str:
    """A total, click-through attribution column."""
    return Attribution(metric=metric, click_days=window, view_days=None, touch="click", match="total").column


@dataclass
class View:
    """Published events from a folder."""

    rows: pl.LazyFrame
    headline: dict[str, dict[str, str]]
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    version: int = 1
    finality: list[Any] = field(default_factory=list)
    as_of: datetime = datetime(2026, 1, 1, tzinfo=UTC)


def write_events(folder: Path, rows: int, seed: int = 7) -> View:
    """A year of daily rows in monthly loads of three networks, and Amazon's weekly search-term rows on top."""
    draw = np.random.default_rng(seed)
    headline: dict[str, dict[str, str]] = {}
    owners = []
    per_load = rows // (12 * 4)
    for network, report, rank in (
        ("amazon", "advertised_product", 10),
        ("amazon", "search_term", 20),
        ("walmart", "item", 10),
        ("criteo", "performance", 10),
    ):
        for month in range(12):
            load = f"0193-{network}-{report}-{month:02d}".ljust(36, "0")
            window = NETWORKS[network]
            headline[load] = {"sales": attribution("sales", window), "orders": attribution("orders", window)}
            _load(draw, per_load, month, load, weekly=report == "search_term", columns=headline[load]).write_parquet(
                folder / f"{network}-{report}-{month:02d}.parquet"
            )
            owners.append((load, network, f"{network} id", f"{network} account", report, rank))
    of_load = pl.LazyFrame(
        owners,
        schema=["load_id", "rmn_network", "rmn_account_id", "rmn_account", "rmn_report", "rmn_report_rank"],
        orient="row",
    ).with_columns(rmn_report_impressions=pl.lit("all"), rmn_retailer_id=pl.col("rmn_account_id"))
    found = pl.scan_parquet(sorted(folder.glob("*.parquet")), missing_columns="insert", schema=_schema())
    return View(rows=found.join(of_load, on="load_id", how="inner", maintain_order="left"), headline=headline)


def _schema() -> dict[str, Any]:
    outcomes = [attribution(metric, window) for metric in ("sales", "orders") for window in NETWORKS.values()]
    return {
        "load_id": pl.String,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "campaign_name": pl.String,
        "sku_id": pl.String,
        "currency": pl.String,
        "impressions": pl.Int64,
        "clicks": pl.Int64,
        "spend": MONEY,
        **dict.fromkeys(outcomes, MONEY),
    }


def _load(
    draw: np.random.Generator, rows: int, month: int, load: str, *, weekly: bool, columns: dict[str, str]
) -> pl.DataFrame:
    day = draw.integers(0, 28, rows) // (7 if weekly else 1) * (7 if weekly else 1)
    start = (
        pl.Series("period_start", [FIRST + timedelta(days=28 * month)] * rows)
        + pl.Series(day).cast(pl.Int64).cast(pl.Duration("ms")) * 86_400_000
    )
    cents = draw.integers(1, 5000, rows)
    frame = pl.DataFrame(
        {
            "load_id": pl.Series([load]).new_from_index(0, rows),
            "period_start": start.cast(pl.Date),
            "campaign_name": pl.Series(draw.integers(0, 40, rows)).cast(pl.String),
            "sku_id": pl.Series(draw.integers(0, 400, rows)).cast(pl.String),
            "currency": pl.Series(["USD"]).new_from_index(0, rows),
            "impressions": draw.integers(1, 9000, rows),
            "clicks": draw.integers(0, 90, rows),
            "spend": cents / 100,
            columns["sales"]: cents / 25,
            columns["orders"]: draw.integers(0, 4, rows).astype(float),
        }
    )
    money = ["spend", *columns.values()]
    return frame.with_columns(
        pl.col(money).cast(MONEY), (pl.col("period_start") + pl.duration(days=6 if weekly else 0)).alias("period_end")
    )


def plain(view: View, keys: list[str]) -> pl.DataFrame:
    """The same columns, summed without any rule."""
    outcomes = sorted({column for of_load in view.headline.values() for column in of_load.values()})
    inside = (pl.col("period_start") >= FIRST) & (pl.col("period_end") <= FIRST + timedelta(days=DAYS - 1))
    return (
        view.rows.filter(inside)
        .group_by(*keys, "currency")
        .agg(pl.col("spend", "clicks", "impressions", *outcomes).sum())
        .collect(engine="streaming")
    )


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Median wall time."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


FIGURES = ["spend", "sales", "roas", "orders", "cpc", "ctr"]
#: The table of the Performance page: returns under three attributions side by side.
RETURNS = ["spend", "sales", "reported_roas", "common_roas", "iroas", "iroas_low", "iroas_high"]
QUERIES: dict[str, tuple[list[str], list[str], list[str]]] = {
    "by network": (FIGURES, ["network"], ["rmn_network"]),
    "by day": (FIGURES, ["date"], ["period_start"]),
    "by network and campaign": (FIGURES, ["network", "campaign"], ["rmn_network", "rmn_account_id", "campaign_name"]),
    "by SKU": (FIGURES, ["sku"], ["sku_id"]),
    "three attributions": (RETURNS, ["network", "campaign"], ["rmn_network", "rmn_account_id", "campaign_name"]),
}
FACTORS = [
    Factor(
        id=retailer, outcome="sales", retailer=f"{retailer} id", low=0.4, value=0.5, high=0.6, level=0.8,
        evidence="experiment", method="geo", source="bench", version=1,
    )
    for retailer in NETWORKS
]  # fmt: skip


def measure(rows: int, repeats: int) -> dict[str, Any]:
    """Seconds of each query, planned and plain, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        view = write_events(Path(folder), rows)
        found: dict[str, Any] = {"rows": view.rows.select(pl.len()).collect().item(), "queries": {}}
        for name, (metrics, dimensions, keys) in QUERIES.items():
            request = read_request(
                metrics=metrics,
                dimensions=dimensions,
                match="total",
                start=FIRST,
                end=FIRST + timedelta(days=DAYS - 1),
            )
            bare = seconds(lambda keys=keys: plain(view, keys), repeats)  # type: ignore[misc]
            planned = seconds(lambda request=request: query(view, request, factors=FACTORS), repeats)  # type: ignore[misc]
            found["queries"][name] = {
                "planned_seconds": round(planned, 3),
                "plain_seconds": round(bare, 3),
                "ratio": round(planned / bare, 2),
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = measure(options.rows, options.repeats)
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    sys.stdout.write(f"{found['rows']:,} rows\n")
    for name, figures in found["queries"].items():
        sys.stdout.write(
            f"{name:<24} {figures['planned_seconds']:>7.3f} s   plain {figures['plain_seconds']:>7.3f} s"
            f"   ratio {figures['ratio']:.2f}\n"
        )


if __name__ == "__main__":
    main()
