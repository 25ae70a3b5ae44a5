"""The long view tells every figure of the wide table once, with all its qualifiers."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from harmonization.core.attributions_long import attributions_long
from harmonization.core.rmis import ATTRIBUTIONS, MONEY, Attribution

SALES = Attribution("sales", 30, 1, "both", "category", view_match="same_sku", gross_net="net")
UNITS = Attribution("units", 14, None, "click", "total", ntb="new", ntb_lookback_months=12)


def frame(**more: list[str]) -> pl.LazyFrame:
    columns = {"event_key": ["a", "b"], SALES.column: ["1.5", "0"], UNITS.column: [None, "2"], **more}
    return pl.LazyFrame(columns).with_columns(pl.col(SALES.column, UNITS.column).cast(MONEY))


def test_each_figure_is_a_row_of_the_schema() -> None:
    long = attributions_long(frame()).collect(engine="streaming")
    assert long.schema == {column.name: column.dtype for column in ATTRIBUTIONS}
    rows = {(row["event_key"], row["metric"]): row for row in long.iter_rows(named=True)}
    assert {key: row["value"] for key, row in rows.items()} == {
        ("a", "sales"): Decimal("1.5"),
        ("b", "sales"): 0,
        ("b", "units"): 2,
    }
    assert rows["b", "units"] | {"event_key": None, "value": None} == dict.fromkeys(long.columns) | {
        "metric": "units",
        "click_days": 14,
        "touch": "click",
        "match": "total",
        "channel": "all",
        "ntb": "new",
        "ntb_lookback_months": 12,
        "model": "last_touch",
    }
    assert (rows["a", "sales"]["view_match"], rows["a", "sales"]["gross_net"]) == ("same_sku", "net")


def test_the_product_that_was_bought_comes_from_its_event() -> None:
    long = attributions_long(frame(purchased_gtin=["00036000291452", "00096385074"])).collect()
    assert set(long.select("event_key", "purchased_gtin").rows()) == {("a", "00036000291452"), ("b", "00096385074")}


def test_events_without_figures_have_no_rows() -> None:
    long = attributions_long(pl.LazyFrame({"event_key": ["a"]})).collect()
    assert long.is_empty()
    assert long.schema == {column.name: column.dtype for column in ATTRIBUTIONS}


def test_a_column_that_only_looks_like_a_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="att__mood"):
        attributions_long(pl.LazyFrame({"event_key": ["a"], "att__mood": ["1"]}))
