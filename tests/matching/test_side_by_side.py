"""Several columns that tell one thing, figures that others explain, and touches that no header names."""

from __future__ import annotations

import pytest

from harmonization.core.matching.minilm import MiniLM, model_folder
from tests.matching.test_matching import propose_for, told


def targets(table: dict[str, tuple[str, ...]]) -> dict[str, str | None]:
    return {header: column.target for header, column in propose_for(table).items()}


@pytest.mark.parametrize(
    ("wide", "fine", "target"),
    [
        ("campaign_status", "status", "status"), ("Campaign state", "Ad group status", "status"),
        ("campaignStatus", "adKeywordStatus", "status"), ("ProductCategory1", "ProductCategory2", "product_category"),
        ("l1_category_name", "l2_category_name", "product_category"), ("page type", "placement name", "placement"),
        ("ad_network_type", "ad position", "placement"), ("platform", "impression device", "device"),
        ("Match type", "Keyword match type", "match_type"), ("account_id", "advertiser_id", "account_id"),
        ("AccountNumber", "AccountId", "account_id"), ("Link clicks", "Clicks (all)", "clicks"),
        ("CTR (link click-through rate)", "CTR (all)", "reported_ctr"), ("All conv.", "Conversions", "orders"),
        ("Total purchases", "Purchases", "orders"), ("unique_clicks", "clicks", "clicks"),
    ],
)  # fmt: skip
def test_of_two_the_finer_or_plainer_is_kept(wide: str, fine: str, target: str) -> None:
    for order in ((wide, fine), (fine, wide)):
        assert targets(dict.fromkeys(order, ())) == {wide: None, fine: target}


@pytest.mark.parametrize("header", ["campaign_status", "ProductCategory1", "page type", "Link clicks", "account_id"])
def test_alone_the_wider_one_counts(header: str) -> None:
    assert targets({header: ()})[header] is not None


def test_a_retailer_s_account_is_not_the_advertiser_s() -> None:
    assert targets({"publisher_account_id": ()}) == {"publisher_account_id": None}


def test_how_many_there_are_is_not_which() -> None:
    table = ("total_campaigns", "Number of SKUs", "num_products", "New buyers", "newToBrandCustomers")
    assert set(targets(dict.fromkeys(table, ())).values()) == {None}
    assert targets({"Total impressions": (), "assisted_items": ()}) == {
        "Total impressions": "impressions",
        "assisted_items": "assisted_units",
    }


def test_views_are_those_seen_or_of_videos_or_all() -> None:
    seen = {"impressions": ("900", "800"), "views": ("700", "600"), "clicks": ("9", "8")}
    assert targets(seen)["views"] == "viewable_impressions"
    assert targets(seen | {"views": ("950", "600")})["views"] is None
    assert targets({"views": (), "clicks": (), "video completes": ()})["views"] == "video_views"
    assert targets({"views": (), "clicks": ()})["views"] == "impressions"


def test_cost_is_what_clicks_cost() -> None:
    table = {"clicks": ("702", "96"), "cpc": ("0.70", "0.92"), "revenue": ("491.40", "88.32"), "sales": ("3310.9", "4")}
    assert targets(table) == {"clicks": "clicks", "cpc": "reported_cpc", "revenue": "spend", "sales": "sales"}
    assert "spend" not in targets(table | {"revenue": ("4910", "8")}).values()
    share = {"clicks": ("430", "99"), "avg_cpc": ("0.65", "0.60"), "adcost": ("12.65", "18.00")}
    share |= {"income": ("2210.30", "330.00"), "total_spent": ("279.50", "59.40")}
    assert targets(share)["total_spent"] == "spend"
    assert targets(share)["adcost"] == "reported_acos"


def test_what_is_left_of_a_total_beside_its_halo() -> None:
    table = {"sales 14d": ("55.84", "22.47"), "sales hero 14d": ("41.88", "0"), "halo sales 14d": ("13.96", "22.47")}
    column = propose_for(table)["sales hero 14d"].attribution
    assert column is not None
    assert (column.match, column.click_days) == ("same_sku", 14)
    wrong = propose_for(table | {"sales hero 14d": ("99", "0")})["sales hero 14d"]
    assert wrong.target is None


def test_orders_that_clicks_cannot_have_earned() -> None:
    table = {"clicks": ("60", "40"), "orders 14 days": ("50", "45"), "sales 14 days": ("500", "450")}
    assert told(propose_for(table))["sales 14 days"] == ("sales", 14, 14, "both")
    assert told(propose_for(table | {"clicks": ("600", "400")}))["sales 14 days"] == ("sales", 14, None, "click")
    # The shortest window tells: within a month many buy.
    short = table | {"orders 1 day": ("5", "4")}
    assert told(propose_for(short))["sales 14 days"] == ("sales", 14, None, "click")
    last = {"attribution model": ("Last Touch", "Last Touch"), "sales 14 days": ("5", "4")}
    assert told(propose_for(last))["sales 14 days"] == ("sales", 14, 14, "both")
    assert told(propose_for(last | {"attribution model": ("Last Click",) * 2}))["sales 14 days"][3] == "click"


def test_products_of_purchases_are_no_advertised_ones() -> None:
    bought = {"purchased ASIN": ("B0CN4Q7L2X", "B0BZ91KD3M"), "product name": ("a b", "c d"), "orders": ("1", "2")}
    assert targets(bought)["product name"] is None
    assert targets(bought | {"advertised ASIN": ("B0CN4Q7L2X",) * 2})["product name"] == "product_name"
    assert targets({"Product bought": ("a-1", "a-2"), "Quantity bought": ("1", "2")}) == {
        "Product bought": "purchased_sku_id",
        "Quantity bought": "units",
    }


def test_orders_above_line_items_are_campaigns() -> None:
    table = dict.fromkeys(("order id", "order name", "line item id", "line item name", "impressions"), ())
    assert targets(table)["order name"] == "campaign_name"
    assert targets(table | {"campaign name": ()})["order name"] is None


def test_marks_of_videos_are_counts_and_rates_are_none() -> None:
    counted = {
        "Video plays at 25%": ("300", "200"),
        "VideoViewsAt50Percent": ("20", "10"),
        "Video plays": ("900", "800"),
    }
    assert list(targets(counted).values()) == ["video_q25", "video_q50", "video_starts"]
    assert targets({"Video played to 25%": ("45.1%", "40.2%")})["Video played to 25%"] is None
    assert targets({"5 Second Views": ()})["5 Second Views"] == "video_views"
    assert targets({"video avg time watched": ()})["video avg time watched"] is None


def test_the_model_agrees_with_the_vectors_that_are_shipped() -> None:
    """The shipped vectors were made once; the model at hand makes them again."""
    folder = model_folder()
    assert folder is not None
    model = MiniLM(folder)
    assert model.embed(["campaign"]) @ model.embed(["campaign name"]).T > 0.6
    fresh = model._run(["campaign", "click through rate"])
    assert (fresh * model.embed(["campaign", "click through rate"])).sum(axis=1) == pytest.approx([1, 1], abs=1e-3)
