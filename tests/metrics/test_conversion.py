"""Money in one currency: at the rate of each row's day, never guessed, never added without."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from metrics.core.conversion import OLDEST_RATE_DAYS, Rate, Rates
from metrics.core.query import query
from metrics.core.request import read_request
from metrics.core.table import MetricTable
from tests.metrics.frames import Published

MONDAY, TUESDAY = date(2026, 2, 2), date(2026, 2, 3)
RATES = Rates(
    base="USD",
    rates=(
        Rate(MONDAY, "GBP", Decimal("1.25")),
        Rate(TUESDAY, "GBP", Decimal("1.5")),
        Rate(MONDAY, "EUR", Decimal("1.25")),
    ),
)


def ask(events: Published, metrics: str, by: str = "", rates: Rates = RATES, **more: Any) -> MetricTable:
    given: dict[str, Any] = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)} | more
    return query(events, read_request(metrics=metrics.split(), dimensions=by.split(), **given), rates=rates)


def test_each_row_is_converted_at_its_own_day() -> None:
    events = Published().add(day=MONDAY, spend="10", currency="GBP").add(day=TUESDAY, spend="10", currency="GBP")
    totals = ask(events, "spend sales roas clicks", money="USD").totals.row(0, named=True)
    assert totals["currency"] == "USD"
    assert totals["spend"] == Decimal("27.5")
    assert totals["sales"] == Decimal("110")
    assert totals["clicks"] == 10
    assert totals["roas"] == 4


def test_currencies_are_added_once_they_are_one() -> None:
    events = Published().add(spend="7.77").add("item", spend="4", currency="GBP")
    table = ask(events, "spend", "network", money="USD")
    assert table.totals.rows() == [("USD", Decimal("12.77"))]
    assert {notice.code for notice in table.notices} >= {"converted"}
    assert "several_currencies" not in {notice.code for notice in table.notices}


def test_a_currency_that_is_not_the_base_is_reached_through_it() -> None:
    table = ask(Published().add(spend="8", currency="GBP").add("item", spend="5"), "spend", money="EUR")
    assert table.totals.rows() == [("EUR", Decimal("12"))]


def test_a_row_without_a_rate_keeps_its_currency_and_is_told() -> None:
    events = Published().add(spend="10").add("item", spend="500", currency="INR")
    table = ask(events, "spend", money="USD")
    assert table.totals.rows() == [("INR", Decimal("500")), ("USD", Decimal("10"))]
    assert any(notice.code == "rate_missing" and "INR" in notice.text for notice in table.notices)


def test_a_row_of_several_days_is_converted_at_its_last() -> None:
    events = Published().add(day=MONDAY, days=2, spend="10", currency="GBP")
    assert ask(events, "spend", money="USD").totals.rows() == [("USD", Decimal("15"))]


def test_an_old_rate_serves_some_days_and_no_more() -> None:
    late = date.fromordinal(TUESDAY.toordinal() + OLDEST_RATE_DAYS)
    events = Published().add(day=late, spend="2", currency="GBP")
    assert ask(events, "spend", money="USD").totals.rows() == [("USD", Decimal("3"))]
    too_late = Published().add(day=date.fromordinal(late.toordinal() + 1), spend="2", currency="GBP")
    assert ask(too_late, "spend", money="USD").totals.rows() == [("GBP", Decimal("2"))]


def test_no_rate_is_taken_from_the_future() -> None:
    events = Published().add(day=date(2026, 2, 1), spend="2", currency="GBP")
    assert ask(events, "spend", money="USD").totals.rows() == [("GBP", Decimal("2"))]


def test_without_conversion_money_is_native() -> None:
    events = Published().add(spend="10").add("item", spend="4", currency="GBP")
    assert ask(events, "spend").totals.rows() == [("GBP", Decimal("4")), ("USD", Decimal("10"))]


def test_a_filter_on_the_currency_is_on_that_of_the_row() -> None:
    events = Published().add(spend="10").add("item", day=MONDAY, spend="4", currency="GBP")
    table = ask(events, "spend", money="USD", filters={"currency": ["GBP"]})
    assert table.totals.rows() == [("USD", Decimal("5"))]
