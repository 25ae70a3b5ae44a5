"""Advertised ids find their product by the best evidence there is, and say where it disagrees."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest

from harmonization.core.crosswalk import CONFIDENCE, crosswalk

CHIPS, CRISPS = "00036000291452", "04006381333931"
CASE_OF_CHIPS = "10036000291459"
CATALOGUE = pl.DataFrame(
    [
        ("CHIPS-200", "amazon", "B07XYZ1234", "asin", CHIPS, "Acme Chips, 200 g"),
        ("CHIPS-200", "walmart", "501", "item_id", CHIPS, "Acme Chips, 200 g"),
        ("CRISPS-90", "amazon", "B07XYZ9999", "asin", CRISPS, "Acme Crisps 90 g"),
        ("CRISPS-90", "walmart", "SELL-9", "seller_sku", CRISPS, "Acme Crisps 90 g"),
        ("BOOK", "amazon", "none", "item_id", "09780306406157", "A book"),
    ],
    schema=["sku", "retailer_id", "source_id", "source_id_type", "gtin14", "product_name"],
    orient="row",
)


def resolved(catalogue: pl.DataFrame = CATALOGUE, **cells: Any) -> dict[str, Any]:
    row = {"retailer_id": "amazon", "sku_id": "?", "sku_id_type": "asin"} | cells
    schema = {name: pl.Date() if name == "day" else pl.String() for name in row}
    return crosswalk(pl.DataFrame([row], schema=schema), catalogue).row(0, named=True)


@pytest.mark.parametrize(
    ("cells", "sku", "method"),
    [
        ({"sku_id": "B07XYZ1234"}, "CHIPS-200", "exact_id"),
        ({"sku_id": "501", "sku_id_type": None, "retailer_id": None}, "CHIPS-200", "exact_id"),
        ({"gtin14": "036000291452"}, "CHIPS-200", "gtin"),
        ({"sku_id": "4006381333931", "sku_id_type": "ean"}, "CRISPS-90", "gtin"),
        ({"sku_id": "0306406152"}, "BOOK", "gtin"),
        ({"gtin14": CASE_OF_CHIPS}, "CHIPS-200", "gtin_of_pack"),
        ({"seller_sku": "CRISPS-90"}, "CRISPS-90", "seller_sku"),
        ({"sku_id": "SELL-9", "sku_id_type": "mpn"}, "CRISPS-90", "seller_sku"),
        ({"product_name": "acme chips 200 G"}, "CHIPS-200", "name"),
    ],
)
def test_evidence_of_each_kind(cells: dict[str, Any], sku: str, method: str) -> None:
    found = resolved(**cells)
    assert (found["sku"], found["method"], found["confidence"]) == (sku, method, CONFIDENCE[method])
    assert found["conflict"] is None


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"sku_id": "501"},
        {"sku_id": "B07XYZ1234", "retailer_id": "walmart"},
        {"sku_id": "B07XYZ1234", "sku_id_type": "item_id"},
        {"gtin14": "036000291453"},
        {"product_name": "Acme Chips"},
        {"product_name": "!!!"},
        {"sku_id": None},
    ],
)
def test_what_is_no_evidence_finds_nothing(cells: dict[str, Any]) -> None:
    found = resolved(**cells)
    assert (found["sku"], found["method"], found["confidence"], found["candidates"]) == (None, None, 0.0, None)


def test_weaker_evidence_for_another_product_is_told_and_lowers_the_confidence() -> None:
    found = resolved(sku_id="B07XYZ1234", gtin14=CRISPS)
    assert (found["sku"], found["conflict"], found["confidence"]) == ("CHIPS-200", "disagrees", 0.5)
    assert [(each["sku"], each["method"]) for each in found["candidates"]] == [
        ("CHIPS-200", "exact_id"),
        ("CRISPS-90", "gtin"),
    ]


def test_weaker_evidence_for_the_same_product_is_no_conflict() -> None:
    found = resolved(sku_id="B07XYZ1234", gtin14=CHIPS, product_name="Acme Chips, 200 g")
    assert (found["confidence"], found["conflict"], len(found["candidates"])) == (1.0, None, 1)


def test_nothing_is_decided_between_equals() -> None:
    twice = pl.concat([CATALOGUE, CATALOGUE.head(1).with_columns(pl.lit("CHIPS-NEW").alias("sku"))])
    found = resolved(twice, sku_id="B07XYZ1234")
    assert (found["sku"], found["conflict"], found["confidence"]) == (None, "several", 0.0)
    assert [each["sku"] for each in found["candidates"]] == ["CHIPS-200", "CHIPS-NEW"]


def test_an_id_counts_on_the_days_it_is_valid() -> None:
    first, change = datetime.date(2024, 1, 1), datetime.date(2024, 6, 1)
    old = CATALOGUE.head(1).with_columns(
        pl.lit(first).alias("valid_from"), pl.lit(change - datetime.timedelta(days=1)).alias("valid_to")
    )
    new = CATALOGUE.head(1).with_columns(
        pl.lit("CHIPS-NEW").alias("sku"),
        pl.lit(change).alias("valid_from"),
        pl.lit(None, dtype=pl.Date).alias("valid_to"),
    )
    both = pl.concat([old, new])
    assert resolved(both, sku_id="B07XYZ1234", day=datetime.date(2024, 5, 31))["sku"] == "CHIPS-200"
    assert resolved(both, sku_id="B07XYZ1234", day=change)["sku"] == "CHIPS-NEW"
    assert resolved(both, sku_id="B07XYZ1234", day=datetime.date(2023, 1, 1))["sku"] is None


def test_rows_keep_their_order_and_their_columns() -> None:
    rows = pl.DataFrame(
        {
            "retailer_id": ["amazon"] * 3,
            "sku_id": ["?", "B07XYZ9999", "B07XYZ1234"],
            "sku_id_type": ["asin"] * 3,
            "spend": [1, 2, 3],
        }
    )
    found = crosswalk(rows, CATALOGUE)
    assert found["sku"].to_list() == [None, "CRISPS-90", "CHIPS-200"]
    assert found["spend"].to_list() == [1, 2, 3]
    assert crosswalk(rows.head(0), CATALOGUE).is_empty()
    assert crosswalk(rows, CATALOGUE.head(0))["sku"].to_list() == [None] * 3
