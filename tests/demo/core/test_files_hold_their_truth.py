"""Every file, read again by other means, sums to what truth.json says, to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.demo.core.reading import meanings, number, read, total, traffic_header
from tests.demo.core.samples import Sample

QUALIFIERS = ("metric", "click_days", "view_days", "touch", "match", "channel", "ntb")


def check(sample: Sample, truth: dict[str, Any]) -> None:
    header, rows = read(sample.path(truth["file"]))
    assert header == truth["columns"]
    assert len(rows) == truth["rows"] > 0
    (traffic,) = truth["totals"]
    for name in ("impressions", "clicks", "spend"):
        assert total(rows, traffic_header(header, name)) == Decimal(traffic[name]), name
    found = {qualifiers: total(rows, name) for name, qualifiers in meanings(header).items()}
    told = {tuple(entry[key] for key in QUALIFIERS): Decimal(entry["value"]) for entry in truth["attributed"]}
    assert found == told
    assert all(value > 0 for value in told.values())


@pytest.mark.parametrize(
    "contract",
    ["amazon_sp_advertised_product", "amazon_sp_search_term", "walmart_search_item", "criteo_performance"],
)
def test_files_of_each_contract(acme: Sample, contract: str) -> None:
    files = acme.files(contract) + acme.files(contract, "variant")
    assert files
    for truth in files:
        check(acme, truth)


def test_files_of_the_second_company(birch: Sample) -> None:
    for truth in birch.truth["files"]:
        check(birch, truth)


@pytest.mark.parametrize(
    ("contract", "key"),
    [
        ("amazon_sp_advertised_product", ("Date", "Campaign Name", "Ad Group Name", "Advertised ASIN")),
        (
            "amazon_sp_search_term",
            ("Start Date", "Campaign Name", "Ad Group Name", "Targeting", "Match Type", "Customer Search Term"),
        ),
        ("walmart_search_item", ("date", "campaignId", "adGroupId", "itemId", "placement")),
        ("criteo_performance", ("date", "campaignId", "lineItemId", "productId", "pageType", "environment")),
    ],
)
def test_a_row_has_a_key_of_its_own(acme: Sample, contract: str, key: tuple[str, ...]) -> None:
    for truth in acme.files(contract):
        rows = read(acme.path(truth["file"]))[1]
        assert len({tuple(row[name] for name in key) for row in rows}) == len(rows)


def test_nothing_is_written_that_is_not_told(acme: Sample) -> None:
    told = {file["file"] for file in acme.truth["files"]}
    told |= {"catalogue.csv", "geo_sales.csv", "geo_test.json", "truth.json"}
    root = acme.manifest.out_dir
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == told


def test_later_exports_replace_earlier_ones(acme: Sample) -> None:
    """The settled truth of Walmart is the latest word on each key."""
    latest: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
    for truth in acme.files("walmart_search_item"):
        for row in read(acme.path(truth["file"]))[1]:
            key = tuple(row[name] for name in ("date", "campaignId", "adGroupId", "itemId", "placement"))
            if key not in latest or latest[key][0] < row["asOf"]:
                latest[key] = (row["asOf"], row)
    rows = [row for _, row in latest.values()]
    truth = acme.truth["networks"]["walmart_connect"]
    assert len(rows) == truth["rows"]
    assert total(rows, "adSpend") == Decimal(truth["totals"][0]["spend"])
    assert total(rows, "attributedSales14days") == Decimal(truth["attributed"][1]["value"])


def test_a_restatement_only_adds(acme: Sample) -> None:
    early, late = acme.files("walmart_search_item")[-2:]
    assert late["restates"] == [late["first_day"], early["last_day"]]
    key = ("date", "adGroupId", "itemId", "placement")
    before = {tuple(row[name] for name in key): row for row in read(acme.path(early["file"]))[1]}
    grown = 0
    for row in read(acme.path(late["file"]))[1]:
        was = before.get(tuple(row[name] for name in key))
        if was is None:
            assert row["date"] > early["last_day"]
            continue
        assert (row["adSpend"], row["numAdsClicks"]) == (was["adSpend"], was["numAdsClicks"])
        for name in meanings(list(row)):
            assert number(row[name]) >= number(was[name])
        grown += number(row["attributedSales14days"]) > number(was["attributedSales14days"])
    assert grown > 50


def test_the_two_amazon_reports_differ_as_told(acme: Sample) -> None:
    (terms,) = acme.files("amazon_sp_search_term")
    weeks = [
        row for file in acme.files("amazon_sp_advertised_product")[-2:] for row in read(acme.path(file["file"]))[1]
    ]
    searched = read(acme.path(terms["file"]))[1]
    assert total(searched, "Clicks") == total(weeks, "Clicks")
    assert total(searched, "7 Day Total Sales ") == total(weeks, "7 Day Total Sales ")
    assert total(searched, "7 Day Total Orders (#)") == total(weeks, "7 Day Total Orders (#)")
    assert Decimal("0.0015") < 1 - total(searched, "Spend") / total(weeks, "Spend") < Decimal("0.0025")
    assert Decimal("0.45") < total(searched, "Impressions") / total(weeks, "Impressions") < Decimal("0.55")


def test_parts_make_the_total_at_walmart(acme: Sample) -> None:
    for truth in acme.files("walmart_search_item"):
        for row in read(acme.path(truth["file"]))[1]:
            value = {name: number(row[name]) for name in meanings(list(row))}
            whole = value["attributedSales14days"]
            # What was ordered online for shipping has no column: the three channels may stay below the total.
            shown = sum(value[f"{channel}AttributedSales14days"] for channel in ("store", "pickup", "delivery"))
            assert shown <= whole
            assert value["advertisedSkuSales14days"] + value["otherSkuSales14days"] == whole
            assert value["attributedSales3days"] <= whole <= value["attributedSales30days"]
            assert value["ntbRevenue14days"] <= whole
            assert value["ntbUnits14days"] <= value["unitsSold14days"]
            assert value["attributedOrders14days"] <= value["unitsSold14days"]


@pytest.mark.parametrize("contract", ["amazon_sp_advertised_product", "amazon_sp_search_term"])
def test_parts_make_the_total_at_amazon(acme: Sample, contract: str) -> None:
    for truth in acme.files(contract) + acme.files(contract, "variant"):
        for row in read(acme.path(truth["file"]))[1]:
            value = {
                (metric, match): number(row[name]) for name, (metric, _, _, _, match, *_) in meanings(list(row)).items()
            }
            assert value["sales", "same_sku"] + value["sales", "halo"] == value["sales", "total"]
            assert value["units", "same_sku"] + value["units", "halo"] == value["units", "total"]
            assert value["orders", "total"] <= value["units", "total"]
