"""One rule for all networks: exactly where they tell it, nearly and said so, or not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from harmonization.core.rmis import Attribution
from metrics.core.attribution import as_reported, under
from metrics.core.definitions import METRICS
from metrics.core.query import query
from metrics.core.request import CommonRule, read_request
from metrics.core.table import MetricTable
from tests.metrics.frames import CLICK_7, CLICK_14, Published


def column(metric: str = "sales", click: int | None = 14, view: int | None = None, **more: Any) -> str:
    touch = "both" if view and click else "view" if view else "click"
    given: dict[str, Any] = {"match": "same_sku"} | more
    return Attribution(metric=metric, click_days=click, view_days=view, touch=touch, **given).column  # type: ignore[arg-type]


SAME_7, SAME_14, SAME_30 = column(click=7), column(click=14), column(click=30)
NTB_7 = column(click=7, match="total", ntb="new")
CRITEO = column(click=30, view=1, match="category", view_match="same_sku")


def ask(events: Published, metrics: str, by: str = "", **more: Any) -> MetricTable:
    given: dict[str, Any] = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)} | more
    return query(events, read_request(metrics=metrics.split(), dimensions=by.split(), **given))


def events_of(**by_report: dict[str, str]) -> Published:
    """A row per report with these attribution columns, told by its load."""
    events = Published(columns={name for columns in by_report.values() for name in columns})
    for report, columns in by_report.items():
        load = f"load of {report}"
        events.add(report, load=load, **{name: Decimal(value) for name, value in columns.items()})
        events.outcomes[load] = [*columns, *events.headline[load].values()]
    return events


def text(table: MetricTable, code: str) -> str:
    return " ".join(notice.text for notice in table.notices if notice.code == code)


@pytest.mark.parametrize(
    ("columns", "chosen", "fit"),
    [
        ([SAME_7, SAME_14, SAME_30], SAME_14, "exact"),
        ([SAME_7, SAME_30], SAME_7, "nearest"),
        ([SAME_30], SAME_30, "nearest"),
        # One that counts views is further off than any window.
        ([column(click=14, view=1), SAME_30], SAME_30, "nearest"),
        ([column(click=14, view=1)], column(click=14, view=1), "nearest"),
        # Purchases of another kind, of a channel or of new buyers are never taken for those asked for.
        ([CLICK_14, CRITEO, column(match="halo"), column(channel="store"), column(ntb="new")], None, "none"),
        ([column(click=None, view=14)], None, "none"),
        ([column(model="linear")], None, "none"),
        ([column("orders")], None, "none"),
        ([], None, "none"),
    ],
)
def test_the_column_under_a_rule(columns: list[str], chosen: str | None, fit: str) -> None:
    found = under(CommonRule(14, "same_sku"), METRICS["common_sales"], columns)
    assert (found.column, found.fit) == (chosen, fit)
    assert bool(found.difference) == (fit == "nearest")


def test_what_differs_is_said_with_its_direction() -> None:
    shorter = under(CommonRule(14, "same_sku"), METRICS["sales"], [SAME_7]).difference
    longer = under(CommonRule(14, "same_sku"), METRICS["sales"], [column(click=30, view=1)]).difference
    assert shorter == "7-day click instead of 14, so it counts less"
    assert longer == "30-day click instead of 14, so it counts more; views of 1 day are counted too"


def test_new_buyers_are_read_under_the_headlines_rule() -> None:
    headline = {"sales": CLICK_7}
    assert as_reported(METRICS["ntb_sales"], headline, [CLICK_7, NTB_7]).column == NTB_7
    other = column(click=14, match="total", ntb="new")
    assert as_reported(METRICS["ntb_sales"], headline, [CLICK_7, other]).column is None


def test_steps_before_the_sale_are_read_where_there_is_no_doubt() -> None:
    cart_7, cart_14 = column("add_to_cart", 7, match="total"), column("add_to_cart", 14, match="total")
    metric = METRICS["add_to_cart"]
    assert as_reported(metric, {}, [cart_14]).column == cart_14
    assert as_reported(metric, {}, [cart_7, cart_14]).column is None
    assert as_reported(metric, {"sales": CLICK_7}, [cart_7, cart_14]).column == cart_7


def test_networks_are_read_under_one_rule_and_told_how() -> None:
    events = events_of(advertised_product={SAME_7: "30"}, item={SAME_14: "20"})
    table = ask(events, "sales roas spend", "network", attribution="common_window")
    assert dict(table.lines.select("network", "sales").rows()) == {
        "amazon_ads": Decimal("30"),
        "walmart_connect": Decimal("20"),
    }
    assert "14-day click, same SKU" in text(table, "common_rule")
    assert "50% of spend is counted exactly so, 50% nearly." in text(table, "common_rule")
    assert "Amazon Ads tells no sales under that rule" in text(table, "nearest_rule")
    assert "7-day click instead of 14" in text(table, "nearest_rule")
    assert {item.network: item.fit for item in table.provenance.attributions} == {
        "amazon_ads": "nearest",
        "walmart_connect": "exact",
    }


def test_window_and_match_can_be_chosen() -> None:
    events = events_of(advertised_product={SAME_7: "30"}, item={SAME_14: "20"})
    table = ask(events, "sales", "network", attribution="common_window", window=7, match="total")
    assert dict(table.lines.select("network", "sales").rows()) == {
        "amazon_ads": Decimal("40"),
        "walmart_connect": Decimal("40"),
    }
    assert "14-day click instead of 7" in text(table, "nearest_rule")


def test_a_network_without_the_rule_is_missing_and_its_spend_is_under_no_return() -> None:
    events = events_of(advertised_product={SAME_14: "30"}, item={CRITEO: "500"})
    table = ask(events, "sales roas acos spend", "network", attribution="common_window")
    assert dict(table.lines.select("network", "roas").rows()) == {"amazon_ads": 3.0, "walmart_connect": None}
    totals = table.totals.row(0, named=True)
    assert (totals["sales"], totals["spend"], totals["roas"]) == (Decimal("30"), Decimal("20"), 3.0)
    assert totals["acos"] == pytest.approx(1 / 3)
    assert "Walmart Connect tells no sales of these purchases" in text(table, "rule_not_told")
    assert "50% not at all" in text(table, "common_rule")


def test_returns_of_all_attributions_stand_side_by_side() -> None:
    events = events_of(advertised_product={SAME_14: "30"})
    totals = ask(events, "roas reported_roas common_roas iroas").totals.row(0, named=True)
    assert (totals["roas"], totals["reported_roas"], totals["common_roas"], totals["iroas"]) == (4.0, 4.0, 3.0, 4.0)
    common = ask(events, "roas reported_roas", attribution="common_window").totals.row(0, named=True)
    assert (common["roas"], common["reported_roas"]) == (3.0, 4.0)


def test_the_share_of_new_buyers_is_of_those_who_tell_it() -> None:
    events = events_of(advertised_product={NTB_7: "10"}, item={})
    totals = ask(events, "ntb_sales ntb_share sales").totals.row(0, named=True)
    assert (totals["ntb_sales"], totals["sales"], totals["ntb_share"]) == (Decimal("10"), Decimal("80"), 0.25)


def test_totals_are_sums_of_lines_under_every_attribution() -> None:
    events = events_of(advertised_product={SAME_7: "30.10"}, item={SAME_14: "20.07"})
    for attribution in ("as_reported", "common_window", "incremental"):
        table = ask(events, "sales roas", "network", attribution=attribution, limit=1)
        shown = table.lines["sales"].sum() + table.rest["sales"].sum()
        assert shown == table.totals["sales"][0]


def test_viewable_impressions_are_over_the_rows_that_tell_them() -> None:
    events = Published(columns={"viewable_impressions"}, types={"viewable_impressions": pl.Int64})
    events.add(spend="10", viewable_impressions=50).add(spend="90", impressions=900)
    totals = ask(events, "viewable_impressions vcpm viewability").totals.row(0, named=True)
    assert totals["viewable_impressions"] == 50
    assert totals["vcpm"] == pytest.approx(200)
    assert totals["viewability"] == pytest.approx(0.5)


def test_what_no_report_has_is_missing() -> None:
    names = "video_completion vcpm reach detail_page_views ntb_orders"
    totals = ask(Published().add(), names).totals.row(0, named=True)
    assert [totals[name] for name in names.split()] == [None] * 5


def test_people_are_never_added() -> None:
    events = Published(columns={"reach"}, types={"reach": pl.Int64})
    events.add(reach=70).add(reach=50, campaign_name="other").add(campaign_name="third")
    table = ask(events, "reach", "campaign")
    assert dict(table.lines.select("campaign_label", "reach").rows()) == {"core": 70, "other": 50, "third": None}
    assert table.totals["reach"][0] is None
    assert ask(Published(columns={"reach"}, types={"reach": pl.Int64}).add(reach=70), "reach").totals["reach"][0] == 70


def test_previous_figures_are_under_the_same_rule() -> None:
    events = events_of(advertised_product={SAME_14: "30"})
    events.add("advertised_product", date(2026, 1, 6), load="earlier", **{SAME_14: Decimal("12")})
    table = ask(events, "roas", attribution="common_window", compare="previous")
    assert table.totals["roas"][0] == 3.0
    # The earlier load told no such column: what the table has for its rows is not its own.
    assert table.totals["previous.roas"][0] is None


def test_what_is_missing_under_a_rule_is_said_once() -> None:
    events = events_of(advertised_product={SAME_7: "30"}, item={SAME_14: "20"})
    table = ask(events, "sales common_sales orders ntb_sales spend", attribution="common_window")
    codes = [notice.code for notice in table.notices]
    assert (codes.count("nearest_rule"), codes.count("rule_not_told")) == (1, 1)
    assert "Amazon Ads and Walmart Connect tell no orders and new-to-brand sales" in text(table, "rule_not_told")
    assert all(notice.severity == "warn" for notice in table.notices if notice.code == "rule_not_told")


def test_a_column_beside_the_attribution_in_force_is_told_with_less_weight() -> None:
    table = ask(events_of(advertised_product={SAME_7: "30"}), "sales common_sales spend")
    assert [notice.severity for notice in table.notices if notice.code == "nearest_rule"] == ["info"]
