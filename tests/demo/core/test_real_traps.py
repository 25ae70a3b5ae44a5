"""The exports have the oddities of the real ones."""

from __future__ import annotations

import csv
import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

from demo.core.profiles import ACME
from demo.core.reported import Report
from demo.core.world import make_world
from demo.core.writers import criteo_performance
from tenants.core.problems import InvalidInput
from tests.demo.core.reading import number, read
from tests.demo.core.samples import Sample


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_console_csv_prints_signs_and_percent(acme: Sample) -> None:
    path = acme.path(acme.files("amazon_sp_advertised_product")[0]["file"])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = lines(path)
    assert re.fullmatch(r"[A-Z][a-z]{2} \d{1,2}, \d{4}", rows[0]["Date"])
    assert all(re.fullmatch(r"\d+\.\d\d%", row["Click-Thru Rate (CTR)"]) for row in rows)
    assert all(re.fullmatch(r"\$[\d,]+\.\d\d", row["Spend"]) for row in rows)
    for row in rows:
        assert (row["Total Advertising Cost of Sales (ACoS) "] == "") == (number(row["7 Day Total Sales "]) == 0)


def test_console_csv_of_other_marketplaces(acme: Sample) -> None:
    british, indian = acme.files("amazon_sp_advertised_product", "variant")
    assert (british["currency"], indian["currency"]) == ("GBP", "INR")
    assert all(row["Spend"].startswith("£") for row in lines(acme.path(british["file"])))
    rows = lines(acme.path(indian["file"]))
    assert all(re.fullmatch(r"Rs\.[\d,]+\.\d\d", row["Spend"]) for row in rows)
    assert any("," in row["Spend"] for row in rows)
    assert all(re.fullmatch(r"\d\d/\d\d/\d\d", row["Date"]) for row in rows)
    assert "14 Day Brand Halo ASIN Sales (₹)" in rows[0]


def test_search_term_workbook(acme: Sample) -> None:
    (truth,) = acme.files("amazon_sp_search_term")
    path = acme.path(truth["file"])
    # A reader that trusts the sheet's own extent sees one cell.
    book = load_workbook(path, read_only=True)
    assert [len(row) for row in book.active.iter_rows(values_only=True)] == [1]
    book.close()
    header, rows = read(path)
    assert header[9] == ""
    assert {"Total Advertising Cost of Sales (ACOS) ", "7 Day Total Sales "} <= set(header)
    unsold = [row for row in rows if row["7 Day Total Sales "] == 0]
    assert unsold
    assert all(row["Total Advertising Cost of Sales (ACOS) "] is None for row in unsold)
    assert {row["Match Type"] for row in rows} == {"-", "EXACT", "PHRASE", "BROAD"}
    assert {row["End Date"] - row["Start Date"] for row in rows} == {dt.timedelta(days=6)}
    assert all(row["Clicks"] > 0 and row["Click-Thru Rate (CTR)"] <= 1 for row in rows)


def test_walmart_tells_pacific_time_without_a_zone(acme: Sample) -> None:
    latest = acme.files("walmart_search_item")[-1]
    rows = lines(acme.path(latest["file"]))
    assert {row["asOf"] for row in rows} == {"2026-11-22 22:40:00"}
    assert latest["as_of"] == "2026-11-23T06:40:00+00:00"
    assert {row["placement"] for row in rows} <= {
        "Search Ingrid", "Search Carousel", "Item Buybox", "Item Carousel", "Home Page", "Stock Up"
    }  # fmt: skip


def test_criteo_ids_do_not_survive_as_numbers(acme: Sample) -> None:
    rows = lines(acme.path(acme.files("criteo_performance")[0]["file"]))
    assert any(int(float(row["lineItemId"])) != int(row["lineItemId"]) for row in rows)
    assert all(row["productId"].startswith("0") for row in rows)


def test_criteo_refuses_what_would_be_cut_off(tmp_path: Path) -> None:
    world = make_world(ACME, seed=7, until=dt.date(2026, 11, 22), scale=0.2)
    too_many = Report(world.first, world.last, {"day": np.zeros(100_001, dtype=np.int64)})
    with pytest.raises(InvalidInput, match="100000"):
        criteo_performance.write_csv(tmp_path / "long.csv", world, too_many)
    assert not (tmp_path / "long.csv").exists()


def test_the_latest_criteo_feed_is_broken(acme: Sample) -> None:
    *whole, broken = acme.files("criteo_performance")
    assert all("attributedSales" in file["columns"] for file in whole)
    assert broken["broken"]["renamed"] == {"attributedSales": "salesAttributed"}
    days = {row["date"] for row in lines(acme.path(broken["file"]))}
    missing = set(broken["broken"]["missing_days"])
    assert len(missing) == 2
    assert not missing & days
    resent = lines(acme.path(broken["broken"]["resent_as"]))
    assert {row["date"] for row in resent} == days | missing
    kept = [row for row in resent if row["date"] in days]
    assert sum((Decimal(row["spend"]) for row in kept), Decimal(0)) == Decimal(broken["totals"][0]["spend"])


def test_a_product_is_gone_while_money_is_spent(acme: Sample) -> None:
    over, running = acme.truth["world"]["out_of_stock"]
    assert running["last_day"] == acme.truth["last_day"]
    spend = sales = Decimal(0)
    for row in lines(acme.path(acme.files("walmart_search_item")[-1]["file"])):
        if row["itemId"] == running["retailer_product_id"]:
            spend += Decimal(row["adSpend"])
            sales += Decimal(row["attributedSales14days"])
            assert Decimal(row["advertisedSkuSales14days"]) == 0
    assert spend > 100
    assert sales < spend
    shelf = lines(acme.path("catalogue.csv"))
    out = [row for row in shelf if row["availability"] == "out_of_stock"]
    assert [(row["sku"], row["network"], row["units_in_stock"]) for row in out] == [
        (running["sku"], "walmart_connect", "0")
    ]
    assert not over["still_out"]
