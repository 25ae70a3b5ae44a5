"""Anomalies of days: what is planted is found, with its rows and money, and what is usual is not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from harmonization.core.anomalies import KINDS, FileFacts, Surroundings, find_anomalies
from harmonization.core.day_statistics import DayStatistics, merge, summarise
from harmonization.core.findings import Found
from harmonization.core.rmis import MONEY

FIRST = date(2026, 8, 3)
DAYS = 84
SALES = "att__sales__c14__vx__click__total__all__all__last_touch"


def rows(days: int = DAYS) -> list[dict[str, Any]]:
    """Four campaigns of ten rows a day, each day a little different."""
    return [
        {
            "event_key": f"{day}-{campaign}-{line}",
            "period_start": FIRST + timedelta(days=day),
            "period_end": FIRST + timedelta(days=day),
            "currency": "USD",
            "campaign_id": f"c{campaign}",
            "campaign_name": f"Campaign {campaign}",
            "sku_id": f"s{line}",
            "impressions": 2000 + 17 * ((day * 7 + line) % 11),
            "clicks": 20 + (day * 3 + line + campaign) % 4,
            "spend": Decimal(20 + (day * 5 + line * 3 + campaign) % 5) + Decimal(day) / 100,
            "reported_ctr": None,
            SALES: Decimal(100),
        }
        for day in range(days)
        for campaign in range(4)
        for line in range(10)
    ]


def frame(lines: list[dict[str, Any]]) -> pl.LazyFrame:
    schema = {
        **dict.fromkeys(["event_key", "currency", "campaign_id", "campaign_name", "sku_id"], pl.String),
        **dict.fromkeys(["period_start", "period_end"], pl.Date),
        **dict.fromkeys(["impressions", "clicks"], pl.Int64),
        **dict.fromkeys(["spend", SALES], MONEY),
        "reported_ctr": pl.Float64,
    }
    return pl.LazyFrame(lines, schema=schema)


def find(lines: list[dict[str, Any]], *files: FileFacts, today: date = date(2026, 11, 22)) -> list[Found]:
    statistics = summarise(frame(lines), headline={"sales": SALES})
    return find_anomalies(statistics, Surroundings(today=today, currency="USD", files=files))


def on(line: dict[str, Any], first: int, last: int | None = None) -> bool:
    return first <= (line["period_start"] - FIRST).days <= (first if last is None else last)


def one(found: list[Found], kind: str) -> Found:
    (only,) = found
    assert only.kind == kind
    return only


def test_usual_days_are_no_finding():
    assert find(rows()) == []


def test_every_kind_is_declared():
    assert {"level_shift", "ctr_change", "cpc_change"} <= KINDS


def test_a_column_that_empties():
    lines = rows()
    for line in lines:
        if on(line, 70, 75) and line["campaign_id"] in ("c1", "c2"):
            line["sku_id"] = None
    found = one(find(lines), "null_rate")
    assert (found.first_day, found.last_day) == (FIRST + timedelta(days=70), FIRST + timedelta(days=75))
    assert found.rows == 6 * 2 * 10
    assert found.money == {"USD": sum(line["spend"] for line in lines if line["sku_id"] is None)}
    assert found.evidence["column"] == "sku_id"


def test_a_column_that_was_always_half_empty_is_usual():
    lines = rows()
    for line in lines:
        if line["campaign_id"] in ("c1", "c2"):
            line["sku_id"] = None
    assert find(lines) == []


def test_negative_cost():
    lines = rows()
    lines[500]["spend"], lines[900]["spend"] = Decimal("-12.50"), Decimal("-0.25")
    found = one(find(lines), "negative_cost")
    assert (found.rows, found.money) == (2, {"USD": Decimal("12.75")})


def test_future_dates():
    found = one(find(rows(), today=FIRST + timedelta(days=DAYS - 3)), "future_dates")
    assert (found.severity, found.rows, found.first_day) == ("critical", 80, FIRST + timedelta(days=DAYS - 2))


def test_missing_days():
    lines = [line for line in rows() if not on(line, 60, 62)]
    found = one(find(lines), "missing_days")
    assert found.evidence["days"] == ["2026-10-02", "2026-10-03", "2026-10-04"]
    usual = sum(line["spend"] for line in lines if on(line, 32, 59)) / 28 * 3
    assert found.money["USD"] == round(usual, 2)


def test_an_account_that_advertises_now_and_then_misses_nothing():
    assert find([line for line in rows() if (line["period_start"] - FIRST).days % 3 == 0]) == []


def test_zero_spend():
    lines = rows()
    for line in lines:
        if on(line, 50):
            line["spend"] = Decimal(0)
    found = one(find(lines), "zero_spend")
    assert found.first_day == found.last_day == FIRST + timedelta(days=50)
    assert found.rows == 40
    assert Decimal(800) < found.money["USD"] < Decimal(1000)


@pytest.mark.parametrize("factor", [Decimal("0.4"), Decimal("2.5")])
def test_a_campaign_whose_spend_shifts(factor):
    lines = rows()
    for line in lines:
        if on(line, 74, 83) and line["campaign_id"] == "c2":
            line["spend"] *= factor
    found = {one.kind: one for one in find(lines)}
    assert set(found) == {"level_shift", "cpc_change"}  # the clicks stayed, so each costs more or less as well
    shift = found["level_shift"]
    assert shift.evidence["campaign"] == "c2"
    assert shift.first_day == FIRST + timedelta(days=74)
    assert shift.evidence["ratio"] == pytest.approx(float(factor), rel=0.1)
    spent = sum(line["spend"] for line in lines if on(line, 74, 83) and line["campaign_id"] == "c2")
    assert float(shift.money["USD"]) == pytest.approx(abs(float(spent - spent / factor)), rel=0.1)


def test_a_shift_of_months_ago_is_history():
    lines = rows()
    for line in lines:
        if on(line, 40, 44) and line["campaign_id"] == "c2":
            line["spend"] *= 3
    assert find(lines) == []


def test_weekends_that_are_always_low_are_usual():
    lines = rows()
    for line in lines:
        if line["period_start"].weekday() >= 5:
            line["spend"] *= Decimal("0.2")
    assert find(lines) == []


def test_clicks_that_are_counted_differently():
    lines = rows()
    for line in lines:
        if on(line, 76, 83) and line["campaign_id"] == "c3":
            line["impressions"] //= 2
    found = one(find(lines), "ctr_change")
    assert found.evidence["ratio"] == pytest.approx(2, rel=0.1)


def test_a_day_told_twice():
    lines = rows()
    first = {(line["campaign_id"], line["sku_id"]): line for line in lines if on(line, 20)}
    for line in lines:
        if on(line, 27):
            same = first[line["campaign_id"], line["sku_id"]]
            line.update({name: same[name] for name in ("impressions", "clicks", "spend")})
    found = one(find(lines), "duplicated_day")
    assert (found.severity, found.first_day) == ("critical", FIRST + timedelta(days=27))
    assert found.money == {"USD": sum(line["spend"] for line in lines if on(line, 27))}


@pytest.mark.parametrize(
    ("file", "severity"),
    [
        (FileFacts("a.csv", 100_000, FIRST, FIRST + timedelta(days=9), row_limit=100_000), "critical"),
        (FileFacts("a.csv", 5, FIRST, FIRST + timedelta(days=99), day_limit=100), "warn"),
        (FileFacts("a.csv", 1_048_575, FIRST, FIRST), "warn"),
    ],
)
def test_files_that_are_cut_off(file, severity):
    found = one(find(rows(), file), "truncated")
    assert (found.severity, found.subject, found.rows) == (severity, "a.csv", file.rows)


def test_files_below_the_limit_are_whole():
    whole = FileFacts("a.csv", 99_999, FIRST, FIRST + timedelta(days=98), row_limit=100_000, day_limit=100)
    assert find(rows(), whole) == []


def test_the_currency_changes():
    lines = rows()
    for line in lines:
        if on(line, 60, DAYS):
            line["currency"] = "INR"
    found = [one for one in find(lines) if one.kind == "currency_change"]
    assert [one.subject for one in found] == ["USD to INR on 2026-10-02"]
    assert found[0].money == {"INR": sum(line["spend"] for line in lines if on(line, 60, DAYS))}


def test_stated_ratios_that_disagree():
    lines = rows()
    for place, line in enumerate(lines):
        right = line["clicks"] / line["impressions"]
        line["reported_ctr"] = round(right * (100 if place < 100 else 1), 4)
    found = one(find(lines), "ratio_mismatch")
    assert (found.subject, found.rows) == ("reported_ctr", 100)
    assert found.money == {"USD": sum(line["spend"] for line in lines[:100])}


def test_rounding_is_no_disagreement():
    lines = rows()
    for line in lines:
        line["reported_ctr"] = round(line["clicks"] / line["impressions"], 4)
    assert find(lines) == []


def test_weeks_say_nothing_about_days():
    lines = rows()
    for line in lines:
        line["period_end"] += timedelta(days=6)
    assert find([line for line in lines if not on(line, 60, 62)]) == []


def test_parts_add_up_to_the_whole():
    lines = rows()
    lines[3]["sku_id"], lines[7]["spend"] = None, Decimal(-1)
    whole = summarise(frame(lines), headline={"sales": SALES})
    parts = [summarise(frame(lines[start::3]), headline={"sales": SALES}) for start in range(3)]
    merged = merge(parts)
    for name in ("days", "campaigns"):
        a, b = (getattr(each, name).sort("day", *_keys(each, name)) for each in (whole, merged))
        assert a.equals(b.select(a.columns))


def test_a_column_that_a_part_lacks_is_empty_there():
    lines = rows(days=2)
    full = summarise(frame(lines[:40]), headline={})
    lacking = summarise(frame(lines[40:]).drop("sku_id"), headline={})
    days = merge([full, lacking]).days.sort("day")
    assert days["nulls__sku_id"].to_list() == [0, 40]


def _keys(statistics: DayStatistics, name: str) -> list[str]:
    return ["campaign"] if name == "campaigns" else []
