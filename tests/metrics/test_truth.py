"""Real formats with a known truth, through harmonisation: the planner's figures are the truth to the cent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from demo.core.exports import write_sample_exports
from harmonization.core.engine import harmonize_file
from harmonization.core.library import shipped_contracts
from harmonization.core.load_context import LoadContext
from metrics.core.query import query
from metrics.core.request import read_request
from metrics.core.table import MetricTable


@dataclass
class View:
    """Harmonised files as published events of one account."""

    rows: pl.LazyFrame
    headline: dict[str, dict[str, str]]
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    version: int = 1
    finality: list[Any] = field(default_factory=list)
    as_of: datetime = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Sample:
    truth: dict[str, Any]
    view: View

    def ask(self, metrics: str, by: str = "", **more: Any) -> MetricTable:
        days = {
            name: date.fromisoformat(self.truth[f"{end}_day"]) for name, end in (("start", "first"), ("end", "last"))
        }
        return query(self.view, read_request(metrics=metrics.split(), dimensions=by.split(), **days | more))


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A year of one account in two reports that repeat each other for half of it."""
    folder: Path = tmp_path_factory.mktemp("exports")
    write_sample_exports(folder, scale=0.2, networks=["amazon_ads"])
    truth = json.loads((folder / "truth.json").read_text())
    frames, headline = [], {}
    for file in truth["files"]:
        if file["network"] != "amazon_ads" or "variants/" in file["file"]:
            continue
        load = file["file"]
        context = LoadContext(account_id="us", currency="USD", parameters={})
        out = folder / "events" / load
        report = harmonize_file(folder / load, shipped_contracts()[file["contract"]], out_dir=out, context=context)
        assert report.events_path is not None
        headline[load] = dict(report.default_attribution)
        frames.append(
            pl.scan_parquet(report.events_path).with_columns(
                pl.lit(load).alias("load_id"),
                pl.lit("us").alias("rmn_account_id"),
                pl.lit("Acme US").alias("rmn_account"),
                pl.lit("Amazon").alias("rmn_retailer"),
                pl.lit(report.network).alias("rmn_network"),
                pl.lit(report.report).alias("rmn_report"),
                pl.lit(report.coverage_rank).alias("rmn_report_rank"),
                pl.lit(report.coverage_impressions).alias("rmn_report_impressions"),
            )
        )
    return Sample(truth, View(pl.concat(frames, how="diagonal"), headline))


def test_a_year_in_two_reports_is_counted_once(amazon: Sample) -> None:
    totals = amazon.ask("spend impressions clicks sales orders").totals.row(0, named=True)
    true = amazon.truth["networks"]["amazon_ads"]
    attributed = {item["metric"]: Decimal(item["value"]) for item in true["attributed"] if item["match"] == "total"}
    assert totals["spend"] == Decimal(true["totals"][0]["spend"])
    assert totals["impressions"] == true["totals"][0]["impressions"]
    assert totals["clicks"] == true["totals"][0]["clicks"]
    assert totals["sales"] == attributed["sales"]
    assert totals["orders"] == attributed["orders"]


def test_search_terms_come_from_their_report_and_the_rest_of_the_year_has_no_name(amazon: Sample) -> None:
    table = amazon.ask("spend", "search_term")
    term_file = next(file for file in amazon.truth["files"] if "search_term" in file["file"])
    told = table.lines.filter(pl.col("search_term").is_not_null())["spend"].sum()
    assert told == Decimal(term_file["totals"][0]["spend"])
    before = amazon.ask("spend", end=date(2026, 5, 24)).totals["spend"][0]
    assert table.lines.filter(pl.col("search_term").is_null())["spend"].sum() == before
    assert {notice.code for notice in table.notices} >= {"partial_report", "dimension_not_told", "repeated_report"}


def test_weekly_rows_are_not_drawn_by_day(amazon: Sample) -> None:
    table = amazon.ask("spend", "date", filters={"search_term": _a_term(amazon)}, start=date(2026, 5, 25))
    assert table.lines["date"].to_list() == [None]
    assert "grain_mismatch" in {notice.code for notice in table.notices}


def _a_term(amazon: Sample) -> list[str]:
    return [str(amazon.ask("spend", "search_term", limit=3).lines["search_term"].drop_nulls()[0])]
