"""What the planner reads, how it adds up, and what it says about it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from metrics.core.query import query
from metrics.core.request import read_request
from metrics.core.table import MetricTable, roll_up
from tenants.core.problems import InvalidInput
from tests.metrics.frames import CLICK_14, Published, Until

MONDAY = date(2026, 2, 2)


def ask(events: Published | None, metrics: str, by: str = "", **more: Any) -> MetricTable:
    given = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)} | more
    return query(events, read_request(metrics=metrics.split(), dimensions=by.split(), **given))


def only(frame: pl.DataFrame, column: str) -> Any:
    assert frame.height == 1
    return frame[column][0]


def codes(table: MetricTable) -> list[str]:
    return [notice.code for notice in table.notices]


def test_a_ratio_is_the_ratio_of_sums() -> None:
    events = Published().add(spend="1", sales="9").add(spend="9", sales="9")
    assert only(ask(events, "roas").totals, "roas") == pytest.approx(1.8)


def test_a_ratio_over_nothing_is_missing() -> None:
    events = Published().add(spend="5", clicks=0)
    totals = ask(events, "cpc ctr").totals
    assert only(totals, "cpc") is None
    assert only(totals, "ctr") == 0


def test_money_is_exact() -> None:
    events = Published()
    for _ in range(1000):
        events.add(spend="0.1")
    assert only(ask(events, "spend").totals, "spend") == Decimal("100")


def test_what_no_report_tells_is_missing_and_not_zero() -> None:
    table = ask(Published().add(sales=None), "sales units")
    assert only(table.totals, "sales") is None
    assert only(table.totals, "units") is None
    assert "metric_not_reported" in codes(table)


def test_two_reports_of_an_account_are_never_summed() -> None:
    events = Published().add(spend="10").add("search_term", days=7, spend="10")
    table = ask(events, "spend")
    assert only(table.totals, "spend") == Decimal("10")
    assert [item.report for item in table.provenance.reports] == ["advertised_product"]
    left = table.provenance.left_out[0]
    assert (left.report, left.reason, left.rows, left.spend) == ("search_term", "repeats", 1, Decimal("10"))
    assert "repeated_report" in codes(table)


def test_the_report_that_has_the_dimension_speaks() -> None:
    events = Published().add(spend="10").add("search_term", days=7, spend="7", search_term="chips")
    table = ask(events, "spend impressions", "search_term")
    assert table.lines.rows() == [("chips", "USD", Decimal("7"), 100)]
    assert "partial_report" in codes(table)
    assert table.provenance.left_out[0].report == "advertised_product"


def test_a_filter_chooses_the_report_too() -> None:
    events = Published().add(spend="10").add("search_term", days=7, spend="7", search_term="chips")
    table = ask(events, "spend", filters={"search_term": ["chips"]})
    assert only(table.totals, "spend") == Decimal("7")


def test_a_filter_needs_its_report_more_than_a_split_does() -> None:
    events = Published().add(day=MONDAY).add("search_term", MONDAY, days=7, spend="7", search_term="chips")
    table = ask(events, "spend", "date", filters={"search_term": ["chips"]})
    assert table.lines.select("date", "spend").rows() == [(None, Decimal("7"))]


def test_another_report_speaks_for_the_days_of_none() -> None:
    events = Published().add(day=MONDAY, spend="10")
    events.add("search_term", MONDAY, days=7, spend="10").add("search_term", date(2026, 2, 9), days=7, spend="4")
    table = ask(events, "spend")
    assert only(table.totals, "spend") == Decimal("14")
    assert sum(item.rows for item in table.provenance.left_out) == 1


def test_a_report_loaded_by_day_and_again_as_a_sum_counts_once() -> None:
    events = Published().add(day=MONDAY, spend="4", load="daily").add(day=date(2026, 2, 3), spend="6", load="daily")
    events.add(day=MONDAY, days=7, spend="10", load="sum of the week")
    table = ask(events, "spend")
    assert only(table.totals, "spend") == Decimal("10")
    assert (table.provenance.left_out[0].reason, table.provenance.left_out[0].rows) == ("repeats", 1)


def test_of_a_month_exported_again_and_again_the_last_export_counts() -> None:
    events = Published().add(day=MONDAY, days=5, spend="50", load="on the 5th")
    events.add(day=MONDAY, days=10, spend="100", load="on the 10th").add(day=MONDAY, days=20, spend="200", load="last")
    table = ask(events, "spend")
    assert only(table.totals, "spend") == Decimal("200")
    assert sum(item.spend for item in table.provenance.left_out) == Decimal("150")


def test_days_are_read_rather_than_their_sum_though_it_differs_a_little() -> None:
    events = Published().add(day=MONDAY, days=3, spend="30.06", load="sum")
    for day in range(3):
        events.add(day=MONDAY + timedelta(days=day), spend="10", load=f"day {day}")
    assert only(ask(events, "spend").totals, "spend") == Decimal("30")


def test_rows_of_one_load_and_rows_of_one_period_do_not_repeat_each_other() -> None:
    events = Published().add(day=MONDAY, days=7, load="one").add(day=MONDAY, days=3, load="one", campaign_name="short")
    events.add(account="other", day=MONDAY, days=7, load="a").add(account="other", day=MONDAY, days=7, load="b")
    assert only(ask(events, "spend").totals, "spend") == Decimal("40")


def test_reports_of_other_accounts_are_no_repetition() -> None:
    events = Published().add(account="east").add("search_term", account="west")
    assert only(ask(events, "spend").totals, "spend") == Decimal("20")


def test_a_dimension_that_a_network_does_not_tell_keeps_its_spend() -> None:
    events = Published().add("search_term", spend="7", search_term="chips").add("item", spend="3")
    table = ask(events, "spend", "search_term")
    assert dict(table.lines.select("search_term", "spend").rows()) == {"chips": Decimal("7"), None: Decimal("3")}
    assert only(table.totals, "spend") == Decimal("10")
    assert "dimension_not_told" in codes(table)


def test_rows_of_a_week_are_not_split_by_day() -> None:
    events = Published().add("search_term", MONDAY, days=7, spend="7").add("item", MONDAY, spend="3")
    table = ask(events, "spend", "date")
    assert table.lines.select("date", "spend").rows() == [(MONDAY, Decimal("3")), (None, Decimal("7"))]
    assert "grain_mismatch" in codes(table)


def test_rows_of_a_week_fit_a_week() -> None:
    table = ask(Published().add("search_term", MONDAY, days=7, spend="7"), "spend", "week")
    assert table.lines.select("week", "spend").rows() == [(MONDAY, Decimal("7"))]
    assert "grain_mismatch" not in codes(table)


def test_the_daily_report_speaks_where_days_are_asked_for() -> None:
    events = Published().add("search_term", MONDAY, days=1, spend="6").add("advertised_product", MONDAY, days=7)
    assert ask(events, "spend", "date").lines.select("date", "spend").rows() == [(MONDAY, Decimal("6"))]


def test_rows_that_reach_out_of_the_period_are_left_out_and_told() -> None:
    table = ask(Published().add("search_term", MONDAY, days=7).add("item", MONDAY), "spend", end=date(2026, 2, 5))
    assert only(table.totals, "spend") == Decimal("10")
    assert [(item.report, item.reason) for item in table.provenance.left_out] == [("search_term", "straddles")]
    assert "straddling_rows" in codes(table)


def test_each_load_is_read_under_its_own_headline() -> None:
    events = Published().add(sales="40").add("item", sales="60", orders=None)
    # What Walmart's load says under the other window must not be read.
    events.add("item", load="late", sales="5", **{CLICK_14: Decimal("5")})
    events.headline["late"] = {}
    table = ask(events, "sales", "network")
    assert dict(table.lines.select("network", "sales").rows()) == {
        "amazon_ads": Decimal("40"),
        "walmart_connect": Decimal("60"),
    }
    assert "networks_count_differently" in codes(table)


def test_currencies_are_never_added() -> None:
    events = Published().add(spend="10").add("item", account="uk", spend="4", currency="GBP")
    table = ask(events, "spend", "network")
    assert table.totals.rows() == [("GBP", Decimal("4")), ("USD", Decimal("10"))]
    assert table.currencies == ["GBP", "USD"]
    assert "several_currencies" in codes(table)


def test_totals_are_the_sum_of_the_lines_also_beyond_the_limit() -> None:
    events = Published()
    for number in range(7):
        events.add(spend=f"{number}.03", sku_id=f"sku {number}")
    table = ask(events, "spend roas", "sku", limit=3)
    assert (table.lines.height, table.line_count) == (3, 7)
    assert table.lines["spend"].sum() + only(table.rest, "spend") == only(table.totals, "spend")
    assert list(table.lines["sku"]) == ["sku 6", "sku 5", "sku 4"]


def test_sub_totals_are_sums_of_lines() -> None:
    events = Published().add(spend="1", sales="4").add(spend="3", sales="4", campaign_name="other").add("item")
    table = ask(events, "spend roas", "network campaign")
    rolled = roll_up(table.lines, table.request, ("network",))
    assert dict(rolled.select("network", "roas").rows()) == {"amazon_ads": 2.0, "walmart_connect": 4.0}


def test_campaigns_of_the_same_name_stay_apart() -> None:
    events = Published().add().add("item")
    table = ask(events, "spend", "campaign")
    assert table.lines.height == 2
    assert table.request.dimensions == ("account", "campaign")


@pytest.mark.parametrize(
    ("compare", "first", "last"),
    [
        ("previous", date(2026, 2, 5), date(2026, 2, 7)),
        ("previous_exact", date(2026, 2, 9), date(2026, 2, 11)),
        ("year", date(2025, 2, 13), date(2025, 2, 15)),
    ],
)
def test_what_is_compared_with(compare: str, first: date, last: date) -> None:
    """Of Thursday 12 to Saturday 14 February 2026."""
    events = Published().add(day=date(2026, 2, 12), spend="5")
    for at, day in enumerate((first - timedelta(days=1), first, last, last + timedelta(days=1))):
        events.add(day=day, spend=str(10**at), campaign_name="before")
    table = ask(events, "spend", start=date(2026, 2, 12), end=date(2026, 2, 14), compare=compare)
    assert only(table.totals, "previous.spend") == Decimal("110")


def test_a_comparison_lies_day_on_day() -> None:
    events = Published().add(day=date(2026, 2, 10), spend="6").add(day=date(2026, 2, 3), spend="4")
    table = ask(events, "spend", "date", start=date(2026, 2, 9), end=date(2026, 2, 15), compare="previous")
    assert table.lines.rows() == [(date(2026, 2, 10), "USD", Decimal("6"), Decimal("4"))]


def test_a_line_that_is_gone_is_still_compared() -> None:
    events = Published().add(day=date(2026, 2, 10), campaign_name="new")
    events.add(day=date(2026, 2, 3), spend="4", campaign_name="gone")
    table = ask(events, "spend", "campaign", start=date(2026, 2, 9), end=date(2026, 2, 15), compare="previous")
    lines = dict(zip(table.lines["campaign_label"], table.lines["previous.spend"], strict=True))
    assert lines == {"new": None, "gone": Decimal("4")}
    assert only(table.totals, "previous.spend") == Decimal("4")


def test_a_product_is_one_at_every_retailer_where_the_catalogue_knows_it() -> None:
    events = Published().add(sku_id="B001", rmn_sku="CHIPS-1", rmn_product="Chips").add("item", sku_id="55")
    events.add("item", sku_id="77", rmn_sku="CHIPS-1", rmn_product="Chips", product_name="CHIPS SALTED 12OZ")
    lines = ask(events, "spend", "sku").lines.select("sku", "sku_label", "spend").rows()
    assert lines == [("CHIPS-1", "Chips", Decimal("20")), ("55", None, Decimal("10"))]


def test_days_without_a_row_are_told() -> None:
    table = ask(Published().add(day=MONDAY).add(day=date(2026, 2, 5)), "spend")
    assert [day.day for day in table.provenance.gaps[0].days] == [3, 4]
    assert "days_missing" in codes(table)


def test_a_feed_that_stopped_is_told() -> None:
    events = Published().add(day=MONDAY).add("item", MONDAY)
    for day in (3, 4, 5):
        events.add("item", date(2026, 2, day))
    gap = ask(events, "spend").provenance.gaps[0]
    assert (gap.account, [day.day for day in gap.days]) == ("amazon_ads account", [3, 4, 5])


def test_a_weekly_feed_is_not_behind_within_its_week() -> None:
    events = Published().add("search_term", MONDAY, days=7)
    for day in range(2, 15):
        events.add("item", date(2026, 2, day))
    assert ask(events, "spend").provenance.gaps == ()
    assert len(ask(events.add("item", date(2026, 2, 15)), "spend").provenance.gaps[0].days) == 7


def test_an_account_that_is_gone_is_told() -> None:
    events = Published().add(day=date(2026, 2, 10)).add("item", date(2026, 2, 3)).add(day=date(2026, 2, 3))
    table = ask(events, "spend", start=date(2026, 2, 9), end=date(2026, 2, 15), compare="previous")
    assert "nothing_now" in codes(table)


def test_no_events_is_an_empty_table_that_says_so() -> None:
    table = ask(None, "spend roas", "campaign", compare="previous")
    assert table.is_empty
    assert codes(table) == ["no_data"]
    assert {"spend", "roas", "previous.roas", "campaign_label"} <= set(table.lines.columns)


def test_no_row_in_the_period_says_so() -> None:
    table = ask(Published().add(day=date(2025, 1, 1)), "spend", "network")
    assert table.is_empty
    assert codes(table) == ["no_rows"]


@pytest.mark.parametrize(
    ("change", "where", "named"),
    [
        ({"metrics": ["spent"]}, "metrics", "spend"),
        ({"metrics": []}, "metrics", "spend"),
        ({"dimensions": ["colour"]}, "dimensions", "network"),
        ({"filters": {"colour": ["red"]}}, "filters", "network"),
        ({"filters": {"date": ["2026-02-02"]}}, "date", "start and end"),
        ({"start": date(2026, 3, 1)}, "end", "Swap"),
        ({"start": date(2020, 1, 1)}, "start", "1100"),
        ({"compare": "yesterday"}, "compare", "previous_exact"),
        ({"window": 0}, "window", "90"),
        ({"match": "luck"}, "match", "same_sku"),
        ({"money": "dollars"}, "money", "EUR"),
        ({"attribution": "guess"}, "attribution", "as_reported"),
        ({"sort": "-clicks"}, "sort", "spend"),
        ({"limit": 0}, "limit", "100,000"),
        ({"dimensions": ["network", "brand", "ad_group", "sku", "week"]}, "dimensions", "6"),
    ],
)
def test_bad_requests_name_the_place_and_the_fix(change: dict[str, Any], where: str, named: str) -> None:
    given: dict[str, Any] = {"metrics": ["spend"], "start": date(2026, 2, 1), "end": date(2026, 2, 28)} | change
    with pytest.raises(InvalidInput) as caught:
        read_request(**given)
    assert caught.value.where == where
    assert named in caught.value.fix


def test_accounts_of_one_name_at_two_networks_both_say_until_when_they_restate():
    events = Published().add(account="Acme").add("item", account="Acme", rmn_account_id="id at walmart")
    until = date(2026, 2, 20)
    events.finality = [Until("amazon_ads", "Acme", until), Until("walmart_connect", "Acme", until)]
    restating = ask(events, "spend").provenance.restating
    assert [item.network for item in restating] == ["amazon_ads", "walmart_connect"]
