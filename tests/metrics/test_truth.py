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
from harmonization.core.binding import HeadersDoNotFit
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


def sample(folder: Path, network: str) -> Sample:
    """A year of one account, from the exports of a network."""
    write_sample_exports(folder, scale=0.2, networks=[network])
    truth = json.loads((folder / "truth.json").read_text())
    frames, headline, outcomes = [], {}, {}
    for file in truth["files"]:
        if file["network"] != network or "variants/" in file["file"]:
            continue
        load = file["file"]
        context = LoadContext(account_id="us", currency="USD", parameters={})
        out = folder / "events" / load
        try:
            report = harmonize_file(folder / load, shipped_contracts()[file["contract"]], out_dir=out, context=context)
        except HeadersDoNotFit:
            continue  # the broken feed is refused whole
        assert report.events_path is not None
        headline[load] = dict(report.default_attribution)
        outcomes[load] = [total.attribution.column for total in report.attributed]
        frames.append(
            pl.scan_parquet(report.events_path).with_columns(
                pl.lit(load).alias("load_id"),
                pl.lit("us").alias("rmn_account_id"),
                pl.lit("Acme US").alias("rmn_account"),
                pl.lit(network).alias("rmn_retailer"),
                pl.lit(report.network).alias("rmn_network"),
                pl.lit(report.report).alias("rmn_report"),
                pl.lit(report.coverage_rank).alias("rmn_report_rank"),
                pl.lit(report.coverage_impressions).alias("rmn_report_impressions"),
            )
        )
    # A row that a later file repeats replaces the earlier one, as publishing does.
    rows = pl.concat(frames, how="diagonal").unique("event_key", keep="last", maintain_order=True)
    return Sample(truth, View(rows, headline, outcomes))


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A year of one account in two reports that repeat each other for half of it."""
    return sample(tmp_path_factory.mktemp("amazon"), "amazon_ads")


@pytest.fixture(scope="module")
def walmart(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A year of one account with windows of 3, 14 and 30 days side by side."""
    return sample(tmp_path_factory.mktemp("walmart"), "walmart_connect")


@pytest.fixture(scope="module")
def criteo(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A year of one account whose figures count views, and purchases of the category."""
    return sample(tmp_path_factory.mktemp("criteo"), "criteo")


def true_sales(of: Sample, network: str, **rule: Any) -> Decimal:
    """The one figure of the truth that a rule names."""
    usual = {"metric": "sales", "channel": "all", "ntb": "all"} | rule
    found = [
        Decimal(item["value"])
        for item in of.truth["networks"][network]["attributed"]
        if all(item[name] == value for name, value in usual.items())
    ]
    assert len(found) == 1, rule
    return found[0]


@pytest.mark.parametrize("days", [3, 14, 30])
def test_every_window_of_walmart_is_the_truth(walmart: Sample, days: int) -> None:
    table = walmart.ask("sales", attribution="common_window", window=days, match="total")
    assert table.totals["sales"][0] == true_sales(walmart, "walmart_connect", click_days=days, match="total")
    assert [item.fit for item in table.provenance.attributions] == ["exact"]


def test_same_sku_sales_are_the_truth_where_both_networks_are_asked_alike(walmart: Sample, amazon: Sample) -> None:
    for of, network, days in ((walmart, "walmart_connect", 14), (amazon, "amazon_ads", 7)):
        table = of.ask("sales roas", attribution="common_window")
        true = true_sales(of, network, click_days=days, match="same_sku")
        assert table.totals["sales"][0] == true
        # What the network shows is more: other products of the brand are in it.
        assert of.ask("sales").totals["sales"][0] == true_sales(of, network, click_days=days, match="total") > true


def test_amazon_is_read_at_its_nearest_window_and_never_scaled(amazon: Sample) -> None:
    shorter = amazon.ask("sales", attribution="common_window", window=7)
    usual = amazon.ask("sales", attribution="common_window")
    assert shorter.totals["sales"][0] == usual.totals["sales"][0]
    assert {item.fit for item in shorter.provenance.attributions} == {"exact"}
    assert {item.difference for item in usual.provenance.attributions} == {
        "7-day click instead of 14, so it counts less"
    }


def test_sales_of_a_category_are_not_those_of_a_sku(criteo: Sample) -> None:
    table = criteo.ask("sales roas spend", attribution="common_window")
    assert (table.totals["sales"][0], table.totals["roas"][0]) == (None, None)
    assert "rule_not_told" in {notice.code for notice in table.notices}
    alike = criteo.ask("sales", attribution="common_window", window=30, match="category")
    assert alike.totals["sales"][0] == criteo.ask("sales").totals["sales"][0]
    assert {item.difference for item in alike.provenance.attributions} == {"views of 1 day are counted too"}


def test_new_buyers_are_the_truth(walmart: Sample) -> None:
    totals = walmart.ask("ntb_sales ntb_share sales").totals.row(0, named=True)
    true = true_sales(walmart, "walmart_connect", click_days=14, match="total", ntb="new")
    assert totals["ntb_sales"] == true
    assert totals["ntb_share"] == pytest.approx(float(true) / float(totals["sales"]))


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
