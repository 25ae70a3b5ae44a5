"""Traps of cells: what networks and spreadsheets do to numbers, dates and ids, one test each."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from harmonization.core.contract import Contract, parse_contract
from tests.harmonization.core.exports import csv_bytes
from tests.harmonization.core.forms import as_ndjson, harmonised

CONTRACT = """schema_version: rmis/1
name: trap_events
version: 1
title: Events with every trap
network: example
report: events
coverage: {{rank: 10, impressions: all}}
source:
  formats: [csv, xlsx, json, ndjson, parquet]
  timezone: {zone}
  currency: EUR
  decimal_sign: "{decimal}"
  thousands_sign: "{thousands}"
  grain: day
fields:
  - {{target: period_start, headers: [Day], required: true, date_formats: ["%d.%m.%Y", excel]}}
  - target: event_ts_utc
    headers: [At]
    date_formats: [iso, epoch_ms, "%Y-%m-%d %H:%M:%S"]
    timezone: {zone}
  - {{target: gtin14, headers: [GTIN], transforms: [gtin14]}}
  - {{target: sku_id, headers: [SKU], transforms: [identifier]}}
  - {{target: impressions, headers: [Views]}}
  - {{target: clicks, headers: [Clicks]}}
  - {{target: spend, headers: [Cost]}}
natural_key: [period_start, sku_id]
restatement_days: 0
"""


def contract(zone: str = "America/New_York", decimal: str = ".", thousands: str = ",") -> Contract:
    return parse_contract(CONTRACT.format(zone=zone, decimal=decimal, thousands=thousands))


def row(**cells: str) -> dict[str, str]:
    plain = {"Day": "2026-11-02", "At": "", "GTIN": "", "SKU": "s1", "Views": "9", "Clicks": "1", "Cost": "1.00"}
    return plain | cells


def read(tmp_path: Path, *rows: dict[str, str], **form: Any) -> tuple[pl.DataFrame, dict[int, list[str]]]:
    """The good rows, and the rules that each quarantined row broke, by its number."""
    cells = [list(rows[0]), *(list(each.values()) for each in rows)]
    _, events, quarantine = harmonised(tmp_path, "events.csv", csv_bytes(cells), contract(**form))
    return events, dict(zip(quarantine["source_row"], quarantine["rule_ids"].to_list(), strict=True))


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "value"),
    [
        ("1.234,56", ",", ".", "1234.56"),
        ("1 234,56", ",", " ", "1234.56"),
        ("1\u202f234,56 €", ",", " ", "1234.56"),
        ("1'234.56", ".", "'", "1234.56"),
        ("1,23,456.70", ".", ",", "123456.70"),
        ("-1.234,56", ",", ".", "-1234.56"),
        ("(12,00)", ",", ".", "-12.00"),
    ],
)
def test_amounts_in_the_signs_of_the_contract(
    tmp_path: Path, text: str, decimal: str, thousands: str, value: str
) -> None:
    events, _ = read(tmp_path, row(Cost=text), decimal=decimal, thousands=thousands)
    assert events["spend"].to_list() == [Decimal(value)]


@pytest.mark.parametrize("text", ["1.234,56", "12,5", "1,2345", "1 234.56", "1.2.3", "12.00)", "NaN", "inf", "=1+1"])
def test_an_amount_in_other_signs_is_never_guessed(tmp_path: Path, text: str) -> None:
    events, broken = read(tmp_path, row(), row(SKU="s2", Cost=text))
    assert events.height == 1
    assert broken == {3: ["readable_spend"]}


@pytest.mark.parametrize("text", ["1e309", "9" * 40, "99999999999999999999.99"])
def test_an_amount_beyond_the_schema_is_no_null(tmp_path: Path, text: str) -> None:
    events, broken = read(tmp_path, row(Cost=text))
    assert (events.height, broken) == (0, {2: ["readable_spend"]})


def test_a_time_that_a_clock_change_leaves_out_never_was(tmp_path: Path) -> None:
    events, broken = read(tmp_path, row(), row(SKU="s2", At="2026-03-08 02:30:00"))
    assert (events.height, broken) == (1, {3: ["readable_event_ts_utc"]})


def test_an_hour_that_a_clock_change_repeats_is_the_earlier_one(tmp_path: Path) -> None:
    events, _ = read(tmp_path, row(At="2026-11-01 01:30:00"))
    assert events["event_ts_utc"].to_list() == [datetime.datetime(2026, 11, 1, 5, 30, tzinfo=datetime.UTC)]


@pytest.mark.parametrize(
    "text",
    ["1719792000000", "2024-07-01T00:00:00Z", "2024-06-30T20:00:00-04:00", "2024-06-30 20:00:00", "1719792000000.0"],
)
def test_instants_in_five_spellings_are_one(tmp_path: Path, text: str) -> None:
    events, _ = read(tmp_path, row(At=text))
    assert events["event_ts_utc"].to_list() == [datetime.datetime(2024, 7, 1, tzinfo=datetime.UTC)]


@pytest.mark.parametrize("text", ["171979200000000", "17197920", "2024-06-31T00:00:00Z", "2024-07-01T25:00:00Z"])
def test_stamps_of_another_length_and_days_that_are_none(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, row(At=text))[1] == {2: ["readable_event_ts_utc"]}


def test_serial_numbers_of_a_spreadsheet_are_days(tmp_path: Path) -> None:
    events, broken = read(tmp_path, row(Day="46328"), row(Day="46328.0", SKU="s2"), row(Day="32.13.2026", SKU="s3"))
    assert events["period_start"].to_list() == [datetime.date(2026, 11, 2)] * 2
    assert broken == {4: ["readable_period_start"]}


def test_a_gtin_that_a_spreadsheet_ate_is_not_guessed(tmp_path: Path) -> None:
    rows = [row(GTIN="4006381333931"), row(SKU="s2", GTIN="7.61E+12"), row(SKU="s3", GTIN="4006381333931.0")]
    events, broken = read(tmp_path, *rows, row(SKU="s4", GTIN="4006381333932"))
    assert events["gtin14"][0] == "04006381333931"
    assert broken[3] == ["readable_gtin14"]
    assert broken[5] == ["readable_gtin14"]


def test_a_product_id_that_became_a_number_is_the_id(tmp_path: Path) -> None:
    assert read(tmp_path, row(SKU="123456.0"))[0]["sku_id"].to_list() == ["123456"]


def test_money_in_json_is_the_text_that_was_sent(tmp_path: Path) -> None:
    text = as_ndjson([row(Cost="COST", SKU="s1")]).replace(b'"COST"', b"12345678901.123456")
    _, events, _ = harmonised(tmp_path, "events.ndjson", text, contract())
    assert events["spend"].to_list() == [Decimal("12345678901.123456")]


def test_typed_parquet_columns_are_read_like_text(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "Day": [datetime.date(2026, 11, 2), None],
            "At": [datetime.datetime(2026, 11, 2, 9, 30, tzinfo=datetime.UTC)] * 2,
            "GTIN": [4006381333931, 4006381333931],
            "SKU": [501, 502],
            "Views": [10.0, 1.5],
            "Clicks": [1, 1],
            "Cost": [0.1 + 0.2, 1.0],
        }
    )
    sink = io.BytesIO()
    frame.write_parquet(sink)
    _, events, quarantine = harmonised(tmp_path, "events.parquet", sink.getvalue(), contract())
    only = events.row(0, named=True)
    assert only["event_ts_utc"] == datetime.datetime(2026, 11, 2, 9, 30, tzinfo=datetime.UTC)
    assert (only["gtin14"], only["sku_id"], only["impressions"]) == ("04006381333931", "501", 10)
    assert only["spend"] == Decimal("0.300000")
    assert "readable_impressions" in quarantine["rule_ids"][0]
