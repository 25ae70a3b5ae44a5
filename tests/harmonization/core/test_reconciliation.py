"""Reconciliation: stretches that both reports cover, differences explained by what is known, the rest flagged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from harmonization.core.reconciliation import Compared, Side, compare, finding_of, spans_of, stretches
from harmonization.core.rmis import MONEY

FIRST = date(2026, 11, 2)
SALES = "att__sales__c7__vx__click__total__all__all__last_touch"


def line(day: int, *, days: int = 1, campaign: str = "Chips", **changes: Any) -> dict[str, Any]:
    start = FIRST + timedelta(days=day)
    return {
        "period_start": start,
        "period_end": start + timedelta(days=days - 1),
        "currency": "USD",
        "campaign_id": None,
        "campaign_name": campaign,
        "impressions": 1000,
        "clicks": 40,
        "spend": Decimal("20.00"),
        SALES: Decimal("80.00"),
    } | changes


def side(report: str, lines: list[dict[str, Any]], **known: Any) -> Side:
    schema = {
        **dict.fromkeys(["currency", "campaign_id", "campaign_name"], pl.String),
        **dict.fromkeys(["period_start", "period_end"], pl.Date),
        **dict.fromkeys(["impressions", "clicks"], pl.Int64),
        **dict.fromkeys(["spend", SALES], MONEY),
    }
    outcomes = known.pop("outcomes", {"sales": SALES})
    spans = spans_of(pl.LazyFrame(lines, schema=schema), outcomes=outcomes)
    return Side(report=report, spans=spans, outcomes=outcomes, **known)


def days(count: int = 14, **changes: Any) -> list[dict[str, Any]]:
    return [line(day, **changes) for day in range(count)]


def told(a: Side, b: Side, metric: str = "spend", **options: Any) -> Compared:
    (only,) = [one for one in compare(a, b, **options) if one.metric == metric]
    return only


def at(day: int) -> datetime:
    return datetime(2026, 11, 2, tzinfo=UTC) + timedelta(days=day)


def test_days_against_days_and_weeks():
    single = [(FIRST + timedelta(days=n), FIRST + timedelta(days=n)) for n in range(10)]
    week = [(FIRST, FIRST + timedelta(days=6)), (FIRST + timedelta(days=7), FIRST + timedelta(days=13))]
    assert stretches(single, single[2:4]) == single[2:4]
    assert stretches(single, week) == week[:1]  # of the second week four days are missing
    assert stretches(week, single) == week[:1]


def test_periods_that_cross_are_one_stretch():
    a = [(FIRST, FIRST + timedelta(days=3)), (FIRST + timedelta(days=4), FIRST + timedelta(days=7))]
    b = [(FIRST, FIRST + timedelta(days=1)), (FIRST + timedelta(days=2), FIRST + timedelta(days=7))]
    assert stretches(a, b) == [(FIRST, FIRST + timedelta(days=7))]


def test_equal_reports_agree():
    found = compare(side("product", days()), side("campaign", days()))
    assert [(one.metric, one.verdict, one.difference) for one in found] == [
        (metric, "agrees", 0) for metric in ("impressions", "clicks", "spend", "sales")
    ]


def test_weeks_reconcile_with_days():
    weeks = [line(0, days=7, spend=Decimal("140.00"), clicks=280), line(7, days=7, spend=Decimal("140.00"), clicks=280)]
    found = told(side("product", days()), side("search_term", weeks))
    assert (found.verdict, found.total_a, found.evidence["stretches"]) == ("agrees", Decimal(280), 2)


def test_clicked_only_explains_impressions_and_nothing_else():
    fewer = side("search_term", days(impressions=480, spend=Decimal("19.00")), clicked_only=True)
    assert told(side("product", days()), fewer, "impressions").explanation == "clicked_only"
    assert told(side("product", days()), fewer, "spend").verdict == "flagged"
    more = side("search_term", days(impressions=1200), clicked_only=True)
    assert told(side("product", days()), more, "impressions").verdict == "flagged"


def test_two_tenths_of_a_percent_agree():
    days_off = days()
    days_off[0]["spend"] += Decimal("0.55")
    found = told(side("product", days()), side("campaign", days_off))
    assert (found.verdict, found.explanation) == ("agrees", "tolerance")
    days_off[1]["spend"] += Decimal("0.55")
    assert told(side("product", days()), side("campaign", days_off)).verdict == "flagged"


def test_a_contract_can_widen_the_tolerance():
    off = days(spend=Decimal("20.15"))
    assert told(side("product", days()), side("campaign", off)).verdict == "flagged"
    assert (
        told(side("product", days()), side("campaign", off), tolerances={"spend": Decimal("0.01")}).verdict == "agrees"
    )


def test_half_a_cent_a_row_is_rounding():
    split = [line(day, spend=Decimal("0.25"), campaign=f"C{n}") for day in range(14) for n in range(4)]
    whole = [line(day, spend=Decimal("1.02"), campaign="C0") for day in range(14)]
    assert told(side("product", split), side("campaign", whole)).explanation == "rounding"
    whole[4]["spend"] = Decimal("1.03")  # more than half a cent for each of its five rows
    assert told(side("product", split), side("campaign", whole)).verdict == "flagged"


def test_another_time_zone_moves_days_but_no_sum():
    shifted = days()
    shifted[3]["spend"], shifted[4]["spend"] = Decimal("15.00"), Decimal("25.00")
    a, b = side("product", days(), timezone="UTC"), side("campaign", shifted, timezone="America/Los_Angeles")
    assert told(a, b).explanation == "time_zone"
    assert told(a, side("campaign", shifted, timezone="UTC")).verdict == "agrees"


def test_young_days_of_an_older_export_are_explained():
    grown = days()
    for each in grown[10:]:
        each[SALES] = Decimal("100.00")
    older = side("product", days(), exported_at=at(14), restatement_days=7)
    assert told(older, side("campaign", grown, exported_at=at(20)), "sales").explanation == "restatement"
    # Days that were final then, and sums that shrink, are not.
    assert told(older, side("campaign", grown, exported_at=at(14)), "sales").verdict == "flagged"
    grown[0][SALES] = Decimal("100.00")
    assert told(older, side("campaign", grown, exported_at=at(20)), "sales").verdict == "flagged"


def test_sales_of_other_windows_are_not_compared():
    other = side("campaign", days(), outcomes={"sales": SALES.replace("c7", "c14")})
    assert [one.metric for one in compare(side("product", days()), other)] == ["impressions", "clicks", "spend"]


def test_no_common_days():
    later = [line(day) for day in range(20, 25)]
    (found,) = compare(side("product", days()), side("campaign", later))
    assert (found.verdict, found.explanation) == ("not_comparable", "no_common_days")
    assert finding_of(found) is None


def test_a_flagged_difference_names_days_campaigns_and_money():
    extra = [*days(), line(5, campaign="Pretzels", spend=Decimal("30.00"))]
    found = told(side("product", days()), side("campaign", extra))
    assert found.evidence["only_in_b"] == ["Pretzels"]
    assert found.evidence["largest"] == [{"stretch": "2026-11-07", "a": "20.000000", "b": "50.000000"}]
    finding = finding_of(found)
    assert finding is not None
    assert (finding.severity, finding.money, finding.rows) == ("critical", {"USD": Decimal(30)}, 3)


@pytest.mark.parametrize("verdict", ["agrees", "explained"])
def test_only_flagged_differences_are_findings(verdict):
    assert finding_of(Compared("a", "b", "spend", "USD", FIRST, FIRST, Decimal(1), Decimal(2), verdict)) is None
