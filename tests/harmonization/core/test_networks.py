"""The shipped contracts on files in the networks' own forms; expected sums come from csv and Decimal alone."""

from __future__ import annotations

import datetime
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from harmonization.core.binding import InvalidParameter, PeriodNotTold
from harmonization.core.contract_examples import failed_examples
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract, shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.report import HarmonizeReport
from tests.harmonization.core.exports import SEARCH_TERM, column_sum, search_term_row, write_csv, write_xlsx


def attributed(report: HarmonizeReport, metric: str, **qualifiers: Any) -> Decimal:
    wanted = {"metric": metric, "channel": "all", "ntb": "all", **qualifiers}
    values = [
        total.value
        for total in report.attributed
        if all(getattr(total.attribution, name) == value for name, value in wanted.items())
    ]
    assert len(values) == 1, f"{len(values)} columns are {wanted}"
    return values[0]


@pytest.mark.parametrize("name", sorted(shipped_contracts()))
def test_examples_of_the_contract_hold(name: str) -> None:
    contract = find_contract(name)
    assert contract.examples
    assert failed_examples(contract) == []


def test_search_term_csv(tmp_path: Path) -> None:
    rows = [
        SEARCH_TERM,
        search_term_row("chips", spend="$2.37", sales="$1,010.10", same="$1,000.10", halo="$10.00"),
        search_term_row("crisps", day="11/13/18", last="11/19/18", impressions="1,204", spend="6.0"),
    ]
    path = write_csv(tmp_path / "st.csv", rows, encoding="utf-8-sig")
    report = harmonize_file(path, find_contract("amazon_sp_search_term"), out_dir=tmp_path / "out")
    assert (report.rows_in, report.rows_out, report.rows_quarantined, report.rows_skipped) == (2, 2, 0, 0)
    total = report.totals[0]
    assert (total.currency, total.impressions, total.clicks) == ("USD", 1304, 8)
    assert total.spend == column_sum(path, "Spend") == Decimal("8.37")
    assert attributed(report, "sales", match="total", click_days=7) == column_sum(path, "7 Day Total Sales")
    assert attributed(report, "sales", match="same_sku") == column_sum(path, "7 Day Advertised SKU Sales")
    assert attributed(report, "units", match="halo") == 2
    assert report.default_attribution["sales"] == "att__sales__c7__vx__click__total__all__all__last_touch"
    assert report.coverage_impressions == "clicked_only"
    assert {warning.code: warning.rows for warning in report.warnings} == {"ctr_agrees": 1, "cpc_agrees": 2}
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events["grain"].to_list() == ["day", "period"]
    assert events["period_end"].to_list() == [datetime.date(2020, 2, 1), datetime.date(2018, 11, 19)]
    assert events["source_row"].to_list() == [2, 3]
    assert {match.how for match in report.headers if match.header == "Spend "} == {"normalised"}


def test_search_term_of_india_has_its_own_window_and_signs(tmp_path: Path) -> None:
    headers = [header.strip().replace("7 Day", "14 Day") for header in SEARCH_TERM]
    headers = [f"{header} (₹)" if header.endswith("Sales") else header for header in headers]
    row = search_term_row(
        "chips", currency="INR", spend="Rs.201.68", sales="₹1,23,456.70", same="₹1,00,000.00", halo="₹23,456.70"
    )
    path = write_csv(tmp_path / "in.csv", [headers, row])
    report = harmonize_file(path, find_contract("amazon_sp_search_term"))
    assert [(total.currency, total.spend) for total in report.totals] == [("INR", Decimal("201.68"))]
    assert attributed(report, "sales", match="total", click_days=14) == Decimal("123456.70")
    assert {match.how for match in report.headers if "(₹)" in match.header} == {"unit_suffix"}


def test_advertised_product_workbook_is_exact_to_the_cent(tmp_path: Path) -> None:
    headers = [
        *("Date", "Portfolio name", "Currency", "Campaign Name", "Ad Group Name", "Advertised SKU"),
        *("Advertised ASIN", "", "Impressions", "Clicks", "Click-Thru Rate (CTR)", "Cost Per Click (CPC)", "Spend"),
        *("7 Day Total Sales", "ACOS", "ROAS", "7 Day Total Orders (#)", "7 Day Total Units (#)"),
        *("7 Day Conversion Rate", "7 Day Advertised SKU Units (#)", "7 Day Other SKU Units (#)"),
        *("7 Day Advertised SKU Sales", "7 Day Other SKU Sales"),
    ]
    amounts = [0.1 + 0.2, 201.68, 1234567.89, 19.99]
    rows: list[list[object]] = [list(headers)]
    for number, spend in enumerate(amounts):
        asin = f"B07XYZ000{number}"
        when = datetime.date(2020, 2, 1 + number)
        measures = [1000, 10, 0.01, spend / 10, spend, 3 * spend, 1 / 3, 3.0, 2, 3, 0.2, 2, 1, 2 * spend, spend]
        rows.append([when, "Snacks", "GBP", "Chips", "Core", f"SKU{number}", asin, None, *measures])
    path = write_xlsx(tmp_path / "ap.xlsx", rows)
    report = harmonize_file(path, find_contract("amazon_sp_advertised_product"), out_dir=tmp_path / "out")
    assert report.rows_out == 4
    expected = Decimal("0.30") + Decimal("201.68") + Decimal("1234567.89") + Decimal("19.99")
    assert report.totals[0].spend == expected
    assert attributed(report, "sales", match="total") == 3 * expected
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events["period_start"].to_list()[0] == datetime.date(2020, 2, 1)
    assert events["reported_ctr"].to_list() == [0.01] * 4
    assert set(events["sku_id_type"]) == {"asin"}
    assert [match.how for match in report.headers if not match.header] == ["unnamed"]


def test_walmart_windows_channels_and_new_buyers_stay_apart(tmp_path: Path) -> None:
    headers = [
        *("date", "campaignId", "campaignName", "adGroupId", "adGroupName", "itemId", "itemName", "placement"),
        *("numAdsShown", "numAdsClicks", "adSpend", "attributedSales3days", "attributedSales14days"),
        *("attributedSales30days", "attributedOrders14days", "unitsSold14days", "advertisedSkuSales14days"),
        *("otherSkuSales14days", "storeAttributedSales14days", "pickupAttributedSales14days"),
        *("deliveryAttributedSales14days", "ntbRevenue14days", "ntbUnits14days", "asOf"),
    ]
    tail = ["2", "3", "6.00", "4.00", "1.00", "2.00", "3.00", "5.00", "1", "2024-07-03 06:00:00"]
    rows = [
        headers,
        [
            "2024-07-01",
            "5",
            "A",
            "7",
            "B",
            "11",
            "Chips, 200 g",
            "Buy-Box",
            "90",
            "3",
            "1.10",
            "8",
            "10.00",
            "12",
            *tail,
        ],
        [
            "2024-07-01",
            "5",
            "A",
            "7",
            "B",
            "11",
            "Chips, 200 g",
            "Search Ingrid",
            "10",
            "1",
            ".5",
            "8",
            "10.00",
            "12",
            *tail,
        ],
        [
            "2024-07-01",
            "5",
            "A",
            "7",
            "B",
            "11",
            "Chips, 200 g",
            "Spark Board",
            "10",
            "1",
            "0",
            "8",
            "11.00",
            "12",
            *tail,
        ],
    ]
    path = write_csv(tmp_path / "wm.csv", rows)
    report = harmonize_file(path, find_contract("walmart_search_item"), out_dir=tmp_path / "out")
    assert report.totals[0].spend == column_sum(path, "adSpend") == Decimal("1.60")
    for days in (3, 14, 30):
        got = attributed(report, "sales", match="total", click_days=days)
        assert got == column_sum(path, f"attributedSales{days}days")
    for channel in ("store", "pickup", "delivery"):
        got = attributed(report, "sales", channel=channel)
        assert got == column_sum(path, f"{channel}AttributedSales14days")
    assert attributed(report, "sales", ntb="new") == column_sum(path, "ntbRevenue14days")
    assert report.default_attribution["sales"] == "att__sales__c14__vx__click__total__all__all__last_touch"
    assert report.unmapped_values == {"placement": {"Spark Board": 1}}
    sums = [warning for warning in report.warnings if warning.code == "sales_add_up"]
    assert [(warning.rows, warning.first_row) for warning in sums] == [(1, 4)]
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events["placement"].to_list() == ["onsite_pdp_buybox", "onsite_search_rest", "unknown"]
    assert events["as_of_utc"][0] == datetime.datetime(2024, 7, 3, 13, tzinfo=datetime.UTC)


CRITEO = [
    *("date", "accountId", "accountName", "campaignId", "campaignName", "lineItemId", "lineItemName", "retailerId"),
    *("retailerName", "brandId", "brandName", "productId", "productName", "pageType", "environment", "impressions"),
    *("clicks", "spend", "attributedSales", "attributedUnits", "attributedOrders", "ctr", "cpc", "roas"),
]
CRITEO_ROW = [
    *("2024-05-01", "42", "Acme", "900", "Always on", "9001", "Chips", "298", "Example Mart", "11", "Acme", "S1"),
    *("Chips", "search", "Web", "500", "10", "7.5", "33.30", "4", "3", "0.02", "0.75", "4.44"),
]


def test_criteo_defaults_credit_clicks_and_views_differently(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "criteo.csv", [CRITEO, CRITEO_ROW])
    report = harmonize_file(path, find_contract("criteo_performance"))
    sales = next(total for total in report.attributed if total.attribution.metric == "sales")
    assert sales.value == column_sum(path, "attributedSales")
    assert sales.attribution.qualifiers() == {
        "metric": "sales",
        "click_days": 30,
        "view_days": 1,
        "touch": "both",
        "match": "category",
        "channel": "all",
        "ntb": "all",
        "model": "last_touch",
        "view_match": "same_sku",
    }
    assert (report.accounts, report.retailers) == (("42",), ("298",))


def test_a_currency_that_nobody_names_is_told_to_be_assumed(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "criteo.csv", [CRITEO, CRITEO_ROW])
    contract = find_contract("criteo_performance")
    assert [warning.code for warning in harmonize_file(path, contract).warnings] == ["currency_assumed"]
    named = harmonize_file(path, contract, context=LoadContext(currency="EUR"))
    assert (named.warnings, named.totals[0].currency) == ((), "EUR")


def test_an_export_at_the_limit_of_rows_may_be_cut_off(tmp_path: Path) -> None:
    contract = find_contract("criteo_performance")
    short = contract.model_copy(update={"source": contract.source.model_copy(update={"row_limit": 2})})
    other = ["2024-05-02", *CRITEO_ROW[1:]]
    path = write_csv(tmp_path / "criteo.csv", [CRITEO, CRITEO_ROW, other])
    codes = [warning.code for warning in harmonize_file(path, short, context=LoadContext(currency="EUR")).warnings]
    assert codes == ["possibly_cut_off"]


@pytest.mark.parametrize(
    ("parameters", "column"),
    [
        ({"view_window": "none", "click_window": "7D"}, "att__sales__c7__vx__click__category__all__all__last_touch"),
        ({"click_window": "none"}, "att__sales__cx__v1__view__same_sku__all__all__last_touch"),
        ({"click_match": "sameSku"}, "att__sales__c30__v1__both__same_sku__all__all__last_touch"),
    ],
)
def test_criteo_windows_are_those_of_the_request(tmp_path: Path, parameters: dict[str, str], column: str) -> None:
    path = write_csv(tmp_path / "criteo.csv", [CRITEO, CRITEO_ROW])
    report = harmonize_file(path, find_contract("criteo_performance"), context=LoadContext(parameters=parameters))
    assert report.default_attribution["sales"] == column


@pytest.mark.parametrize(
    ("headers", "name"),
    [(SEARCH_TERM, "amazon_sp_search_term"), (CRITEO, "criteo_performance")],
)
def test_auto_finds_the_contract(tmp_path: Path, headers: list[str], name: str) -> None:
    row = search_term_row("chips") if headers is SEARCH_TERM else CRITEO_ROW
    path = write_csv(tmp_path / "export.csv", [headers, row])
    assert harmonize_file(path, list(shipped_contracts().values())).contract == name


def test_a_workbook_that_declares_one_cell_is_read_whole(tmp_path: Path) -> None:
    rows = [SEARCH_TERM, search_term_row("chips"), search_term_row("crisps")]
    whole = write_xlsx(tmp_path / "whole.xlsx", rows)
    path = tmp_path / "st.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "xl/worksheets/sheet1.xml":
                assert b'<dimension ref="A1:X3"/>' in content
                content = content.replace(b'<dimension ref="A1:X3"/>', b'<dimension ref="A1"/>')
            target.writestr(member, content)
    assert harmonize_file(path, find_contract("amazon_sp_search_term")).rows_out == 2


def test_the_first_sheet_with_rows_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "st.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet("Cover").write(0, 0, "Sponsored Products")
        page = workbook.add_worksheet("Data")
        for line, row in enumerate([SEARCH_TERM, search_term_row("chips")]):
            page.write_row(line, 0, row)
    report = harmonize_file(path, find_contract("amazon_sp_search_term"))
    assert (report.sheet, report.rows_out) == ("Data", 1)


def test_rows_of_a_workbook_keep_their_numbers(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "st.xlsx", [[], [], SEARCH_TERM, search_term_row("chips"), [], search_term_row("b")])
    report = harmonize_file(path, find_contract("amazon_sp_search_term"), out_dir=tmp_path / "out")
    assert pl.read_parquet(tmp_path / "out" / "events.parquet")["source_row"].to_list() == [4, 6]
    assert (report.header_row, report.skipped_by_reason) == (3, {"blank_row": 1})


CAMPAIGN_LIST = [
    "State",
    "Campaigns",
    "Type",
    "Start date",
    "Impressions",
    "Clicks",
    "Spend(USD)",
    "Orders",
    "Sales(USD)",
]
CAMPAIGN = ["ENABLED", "Chips", "SP", "Feb 1, 2020", "1204", "20", "12.40", "7", "61.00"]


def test_a_list_of_campaigns_is_of_the_days_that_were_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "campaigns.csv", [CAMPAIGN_LIST, CAMPAIGN])
    days = {"first_day": "2024-03-01", "last_day": "2024-03-31"}
    contract = find_contract("amazon_campaign_list")
    report = harmonize_file(path, contract, context=LoadContext(parameters=days), out_dir=tmp_path / "out")
    assert (report.period_start, report.period_end) == (datetime.date(2024, 3, 1), datetime.date(2024, 3, 31))
    assert pl.read_parquet(tmp_path / "out" / "events.parquet")["grain"].to_list() == ["period"]


@pytest.mark.parametrize("days", [{}, {"first_day": "2024-03-01"}])
def test_a_list_of_campaigns_without_its_days_is_refused(tmp_path: Path, days: dict[str, str]) -> None:
    path = write_csv(tmp_path / "campaigns.csv", [CAMPAIGN_LIST, CAMPAIGN])
    with pytest.raises(PeriodNotTold, match="which days") as problem:
        harmonize_file(path, list(shipped_contracts().values()), context=LoadContext(parameters=days))
    assert "first_day=2026-11-02" in problem.value.fix


def test_a_day_that_is_none_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "campaigns.csv", [CAMPAIGN_LIST, CAMPAIGN])
    days = {"first_day": "03/01/2024", "last_day": "2024-03-31"}
    with pytest.raises(InvalidParameter, match="no day"):
        harmonize_file(path, find_contract("amazon_campaign_list"), context=LoadContext(parameters=days))
