"""Factors: which holds for a row, how sums are multiplied, and what is said while there are none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from metrics.core.incrementality import Factor, in_force
from metrics.core.query import query
from metrics.core.request import Period, read_request
from metrics.core.table import MetricTable
from tests.metrics.frames import Published

FEBRUARY = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)}
IROAS = "spend sales iroas iroas_low iroas_high"


def factor(value: float = 0.5, **more: Any) -> Factor:
    given: dict[str, Any] = {
        "id": f"factor {value}", "outcome": "sales", "low": value - 0.1, "value": value, "high": value + 0.1,
        "level": 0.8, "evidence": "experiment", "method": "geo", "source": "GT-001", "version": 1,
    }  # fmt: skip
    return Factor(**(given | more))


def ask(events: Published, metrics: str, *factors: Factor, by: str = "", **more: Any) -> MetricTable:
    request = read_request(metrics=metrics.split(), dimensions=by.split(), **(FEBRUARY | more))
    return query(events, request, factors=factors)


def totals(table: MetricTable) -> dict[str, Any]:
    return table.totals.row(0, named=True)


def codes(table: MetricTable) -> set[str]:
    return {notice.code for notice in table.notices}


def test_without_a_factor_it_is_one_and_said_so() -> None:
    table = ask(Published().add(), IROAS, attribution="incremental")
    assert (totals(table)["sales"], totals(table)["iroas"]) == (Decimal("40"), 4.0)
    assert "no_factors" in codes(table)
    assert "no_factors" not in codes(ask(Published().add(), "sales"))


def test_the_factor_makes_sales_fall_with_low_and_high() -> None:
    found = totals(ask(Published().add(), IROAS, factor(0.5), attribution="incremental"))
    assert found["sales"] == Decimal("20")
    assert (found["iroas"], found["iroas_low"], found["iroas_high"]) == pytest.approx((2.0, 1.6, 2.4))


@pytest.mark.parametrize(
    ("scope", "sales"),
    [
        ({"retailer": "id of amazon_ads"}, {"amazon_ads": 20, "walmart_connect": 40}),
        ({"retailer": "id of walmart_connect", "placement": "onsite_home"}, {"amazon_ads": 40, "walmart_connect": 20}),
        ({"placement": "onsite_cart"}, {"amazon_ads": 40, "walmart_connect": 40}),
        ({"campaign_type": "sponsored_brands"}, {"amazon_ads": 20, "walmart_connect": 40}),
        ({"brand": "acme"}, {"amazon_ads": 20, "walmart_connect": 20}),
        ({"brand": "another"}, {"amazon_ads": 40, "walmart_connect": 40}),
        ({"valid_from": date(2026, 2, 3)}, {"amazon_ads": 40, "walmart_connect": 20}),
        ({"valid_to": date(2026, 2, 2)}, {"amazon_ads": 20, "walmart_connect": 40}),
        ({"outcome": "orders"}, {"amazon_ads": 40, "walmart_connect": 40}),
    ],
)
def test_a_factor_holds_for_its_scope_and_days(scope: dict[str, Any], sales: dict[str, int]) -> None:
    events = Published().add(ad_product="sponsored_brands").add("item", date(2026, 2, 3), placement="onsite_home")
    table = ask(events, "sales", factor(0.5, **scope), by="network", attribution="incremental")
    assert {name: int(value) for name, value in table.lines.select("network", "sales").rows()} == sales


def test_the_most_specific_factor_counts_and_the_latest_of_equals() -> None:
    events = Published().add(placement="onsite_home").add(placement="onsite_cart", campaign_name="other")
    known = (
        factor(0.9),
        factor(0.5, retailer="id of amazon_ads", version=1),
        factor(0.25, retailer="id of amazon_ads", version=2),
        factor(0.75, retailer="id of amazon_ads", placement="onsite_home"),
    )
    table = ask(events, "sales", *known, by="placement", attribution="incremental")
    assert dict(table.lines.select("placement", "sales").rows()) == {
        "onsite_home": Decimal("30"),
        "onsite_cart": Decimal("10"),
    }


def test_lines_rest_and_totals_agree() -> None:
    events = Published().add(sales="33.33").add("item", sales="10.01").add("item", sales="7.77", campaign_name="x")
    table = ask(events, IROAS, factor(1 / 3), by="network campaign", attribution="incremental", limit=1)
    assert table.lines["sales"].sum() + table.rest["sales"].sum() == totals(table)["sales"]


def test_a_line_knows_how_much_of_it_was_measured_and_tested() -> None:
    events = Published().add().add("item", spend="30")
    known = factor(0.5, retailer="id of amazon_ads"), factor(0.6, placement="onsite_home", evidence="econometric")
    table = ask(events, IROAS, *known, by="network")
    lines = {row["network"]: row for row in table.lines.iter_rows(named=True)}
    assert lines["amazon_ads"]["spend.measured"] == lines["amazon_ads"]["spend.tested"] == Decimal("10")
    assert lines["walmart_connect"]["spend.measured"] is None
    assert "25% of the spend in USD has a factor" in " ".join(notice.text for notice in table.notices)


def test_a_comparison_takes_the_factors_of_its_own_days() -> None:
    events = Published().add(day=date(2026, 2, 2)).add(day=date(2026, 1, 5))
    known = factor(0.5, valid_from=date(2026, 2, 1)), factor(0.25, valid_to=date(2026, 1, 31))
    found = totals(ask(events, "incremental_sales", *known, compare="previous"))
    assert (found["incremental_sales"], found["previous.incremental_sales"]) == (Decimal("20"), Decimal("10"))


def test_only_factors_in_force_are_told() -> None:
    period = Period(date(2026, 2, 1), date(2026, 2, 28))
    over, ahead = factor(0.1, valid_to=date(2026, 1, 31)), factor(0.2, valid_from=date(2026, 3, 1))
    assert in_force([over, ahead, factor(0.3), factor(0.4, outcome="orders")], "sales", period) == [factor(0.3)]
