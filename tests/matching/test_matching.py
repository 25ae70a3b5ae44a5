"""What columns are taken for: by words, by values, by arithmetic; and when nothing is said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benches._label_scores import Score, read_labels, score
from benches.matching import answers, matched_without_itself
from harmonization.core.contract import Contract
from harmonization.core.matching.columns import match_columns
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.knowledge import learn
from harmonization.core.matching.proposal import ProposedColumn
from harmonization.core.matching.reranker import RerankRequest
from harmonization.core.matching.units import find_currency
from tests.matching.conftest import DEV


def propose_for(table: dict[str, Sequence[str]], without: Sequence[str] = ()) -> dict[str, ProposedColumn]:
    matched = match_columns(list(table), list(table.values()), learn([], without), without=without)
    return {column.source: column for column in matched.columns}


def target_of(header: str, *cells: str) -> str | None:
    return propose_for({header: cells})[header].target


@pytest.mark.parametrize(
    "header",
    [
        "campaign budget", "max bid", "keyword id", "search impression share", "video completion rate", "click id",
        "campaign start date", "average order value", "id", "name", "landing page url", "zzz", "_fivetran_synced",
        "purchased product name", "parent asin", "cost per unit sold", "creative template id", "order id",
    ],
)  # fmt: skip
def test_abstains_where_rmis_has_no_column(header: str) -> None:
    proposed = propose_for({header: []})[header]
    assert proposed.target is None
    assert proposed.reason


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("Amount Spent", "spend"), ("Media Cost (USD)", "spend"), ("Imps", "impressions"), ("Viewable Impressions",
        "viewable_impressions"), ("Invalid Clicks", "invalid_clicks"), ("Avg. CPC", "reported_cpc"), ("eCPM",
        "reported_cpm"), ("Cost per order", "reported_cpa"), ("Line Item Name", "ad_group_name"), ("Search Query",
        "search_term"), ("publisher_id", "retailer_id"), ("ts (event time)", "event_ts_utc"), ("Brand", "brand_name"),
        ("unique_shoppers", "reach"), ("third_quartile_video_views", "video_q75"), ("order count", "orders"),
    ],
)  # fmt: skip
def test_words_of_the_trade(header: str, target: str) -> None:
    assert target_of(header) == target


def test_qualifiers_of_an_outcome() -> None:
    table = ["Halo Revenue 30 days", "Store Orders (14d)", "NTB units 7d", "View-through sales 1 day", "Assisted sales"]
    proposed = propose_for(dict.fromkeys(table, ()))
    said = {header: column.attribution.as_dict() for header, column in proposed.items() if column.attribution}
    blank = {"click_days": None, "view_days": None, "match": "total", "channel": "all", "ntb": "all", "touch": None}
    clicks = blank | {"touch": "click"}
    assert said == {
        "Halo Revenue 30 days": clicks | {"metric": "sales", "click_days": 30, "match": "halo"},
        "Store Orders (14d)": clicks | {"metric": "orders", "click_days": 14, "channel": "store"},
        "NTB units 7d": clicks | {"metric": "units", "click_days": 7, "ntb": "new"},
        "View-through sales 1 day": blank | {"metric": "sales", "view_days": 1, "touch": "view"},
        "Assisted sales": blank | {"metric": "assisted_sales"},
    }


def told(proposed: dict[str, ProposedColumn]) -> dict[str, tuple[object, ...]]:
    """Of each outcome its metric, windows and touch."""
    said = {header: column.attribution.as_dict() for header, column in proposed.items() if column.attribution}
    return {h: (one["metric"], one["click_days"], one["view_days"], one["touch"]) for h, one in said.items()}


def test_clicks_alone_beside_every_touch_are_two_figures() -> None:
    table = {"sales": ["9.50", "4.00"], "salesClicks": ["7.00", "4.00"], "addToCart": ["3", "1"], "cartAddViews": ["1"]}
    assert told(propose_for(table)) == {
        "sales": ("sales", None, None, "both"),
        "salesClicks": ("sales", None, None, "click"),
        "addToCart": ("add_to_cart", None, None, "both"),
        "cartAddViews": ("add_to_cart", None, None, "view"),
    }
    more = {"sales": ["9.50", "4.00"], "salesClicks": ["7.00", "5.00"]}
    # A part that is more than the whole is none.
    assert told(propose_for(more))["sales"] == ("sales", None, None, None)
    both = told(propose_for({"Orders 14 days": ["2"], "Click orders 14 days": ["1"]}))
    assert both["Orders 14 days"] == ("orders", 14, 14, "both")
    assert both["Click orders 14 days"] == ("orders", 14, None, "click")


@pytest.mark.parametrize(
    ("header", "windows"),
    [
        ("Exposure-attributed sales 14 days", (14, 14, "both")), ("Sales (30d click or impression)", (30, 30, "both")),
        ("Post-view and post-click sales 14d", (14, 14, "both")), ("Sales 7d post-click", (7, None, "click")),
        ("Sales 7d click 1d view", (7, 1, "both")), ("Sales 1d post view", (None, 1, "view")),
    ],
)  # fmt: skip
def test_one_window_of_exposure_holds_for_clicks_and_views(
    header: str, windows: tuple[int | None, int | None, str]
) -> None:
    assert told(propose_for({header: []})) == {header: ("sales", *windows)}


def test_a_column_of_gtins_is_one_whatever_it_is_called() -> None:
    cells = ("00036000291452", "00012345678905", "04006381333931")
    proposed = propose_for({"Feld 7": cells})["Feld 7"]
    assert (proposed.target, proposed.transforms) == ("gtin14", ("gtin14",))
    assert target_of("Feld 7", "00036000291453", "00012345678906", "04006381333932") is None


def test_a_product_is_the_advertised_one_unless_it_was_bought(contracts: list[Contract]) -> None:
    delivery = ["Impressions", "Clicks"]
    for header, target in (
        ("Product SKU", "sku_id"), ("product_sku", "sku_id"), ("Product Id", "sku_id"), ("seller_sku", "seller_sku"),
        ("Purchased SKU", "purchased_sku_id"), ("Sold Product Id", "purchased_sku_id"),
    ):  # fmt: skip
        headers = [*delivery, header]
        matched = match_columns(headers, [[] for _ in headers], learn(contracts))
        assert matched.columns[2].target == target, header
    # Where nothing is delivered, and no contract of the network says otherwise, it is the same.
    assert match_columns(["product_sku"], [[]], learn(contracts)).columns[0].target == "sku_id"


def test_what_rows_of_purchases_call_id_is_no_id_of_a_report(contracts: list[Contract]) -> None:
    knowledge = learn(contracts)
    assert "event_id" in {spelled.meaning.target for spelled in knowledge.lookup("id")}
    assert match_columns(["id"], [[]], knowledge).columns[0].target is None
    single = learn(contracts, ["meta", "criteo", "google"])
    assert "breakdown" in {spelled.meaning.target for spelled in single.lookup("order_id")}
    matched = match_columns(["order_id", "impressions"], [["7", "8"], ["10", "20"]], single)
    assert matched.columns[0].target is None


def test_values_that_do_not_suit_outweigh_a_name() -> None:
    assert target_of("clicks", "shoes", "shirts") is None
    assert target_of("currency", "alice", "bob") is None
    assert target_of("campaign", "Chips - Exact", "Nuts") == "campaign_name"
    assert target_of("campaign", "301122334455", "301122334499") == "campaign_id"
    assert target_of("customer id", "77", "77", "77") == "account_id"
    assert target_of("customer id", "77", "78", "79") == "user_id"


def test_a_quotient_is_known_by_its_values() -> None:
    table = {"Impressions": ["1000", "500", "800"], "Clicks": ["10", "20", "4"], "Spend": ["5.00", "8.00", "3.00"]}
    table |= {"Spalte 4": ["1.0", "4.0", "0.5"], "Spalte 5": ["0.50", "0.40", "0.75"]}
    proposed = propose_for(table)
    assert (proposed["Spalte 4"].target, proposed["Spalte 4"].unit) == ("reported_ctr", "percent")
    assert (proposed["Spalte 5"].target, proposed["Spalte 5"].unit) == ("reported_cpc", "money")
    assert "equals spend / clicks in 3 of 3 rows" in proposed["Spalte 5"].reason


def test_cost_in_millionths_without_a_word_for_it() -> None:
    table = {"clicks": ["10", "20", "4"], "cost": ["5000000", "8000000", "3000000"]}
    table |= {"average_cpc": ["500000", "400000", "750000"]}
    proposed = propose_for(table)
    assert {proposed[name].unit for name in ("cost", "average_cpc")} == {"micros"}
    assert propose_for({"clicks": ["10", "20"], "cost": ["5", "8"]})["cost"].unit == "money"


def test_a_meaning_is_given_once_and_the_loser_is_told() -> None:
    proposed = propose_for({"All conversions": ["4", "2"], "Conversions": ["3", "1"]})
    assert proposed["Conversions"].target == "orders"
    assert proposed["All conversions"].target is None
    assert proposed["All conversions"].reason == "'Conversions' is orders already"


def test_windows_side_by_side_are_different_figures() -> None:
    proposed = propose_for({"sales7d": ["1"], "sales14d": ["2"], "sales_14d_ntb": ["1"]})
    assert [column.target for column in proposed.values()] == ["sales"] * 3


def test_day_and_month_that_cannot_be_told_apart_are_said_so() -> None:
    told = propose_for({"Date": ["05/06/2024", "06/07/2024"]})["Date"]
    assert told.transforms == ({"to_date": ["%m/%d/%Y"]},)
    assert "cannot be told apart" in told.reason
    assert "cannot" not in propose_for({"Date": ["05/26/2024"]})["Date"].reason


class _Backwards:
    """Answers with the last first, and with places that do not exist."""

    def rerank(self, requests: Sequence[RerankRequest]) -> list[list[int]]:
        self.seen = requests
        return [[99, -1, *reversed(range(len(request.candidates)))] for request in requests]


def test_a_reranker_orders_what_was_found_and_no_more() -> None:
    reranker = _Backwards()
    matched = match_columns(["customer_id"], [["7", "8", "9"]], learn([]), reranker=reranker)
    assert matched.columns[0].target == "account_id"  # the values say user_id, the re-ranker otherwise
    assert [request.header for request in reranker.seen] == ["customer_id"]


def test_withheld_contracts_are_not_known(contracts: list[Contract]) -> None:
    assert learn(contracts).lookup("numAdsShown")
    assert not learn(contracts, ["walmart"]).lookup("numAdsShown")
    assert {contract.network.split("_")[0] for contract in learn(contracts, ["walmart"]).contracts} >= {"criteo"}


def _scores(embedder: Embedder | None, *, headers_only: bool = False) -> Score:
    total = Score()
    for labels in read_labels(DEV):
        matched = matched_without_itself(labels, embedder, headers_only=headers_only)
        currency = find_currency(matched.decisions)
        total.add(score(labels, answers(matched), currency.how, currency.code))
    return total


def test_floor_with_each_network_left_out(minilm: Embedder) -> None:
    found = _scores(minilm)
    assert (found.columns, found.labelled) == (263, 232)
    assert found.labelled - found.right <= 1
    assert found.mapped - found.right == 0
    assert found.labelled - found.whole <= 1


def test_floor_by_words_and_values_alone() -> None:
    found = _scores(None)
    assert found.labelled - found.right <= 5
    assert found.mapped - found.right <= 1


def test_floor_of_headers_without_rows(minilm: Embedder) -> None:
    found = _scores(minilm, headers_only=True)
    assert found.labelled - found.right <= 2
    # Without a row nothing tells a rate in per cent from a fraction.
    assert found.right - found.whole <= 7
