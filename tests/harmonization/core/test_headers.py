"""Headers are the same when only case, spaces, punctuation or a unit suffix differ."""

from __future__ import annotations

import pytest

from harmonization.core.headers import closest_header, match_alias


@pytest.mark.parametrize(
    ("header", "alias", "how", "days", "unit"),
    [
        ("Spend", "Spend", "exact", None, None),
        ("Spend ", "Spend", "normalised", None, None),
        ("ACoS", "ACOS", "normalised", None, None),
        ("campaign_id", "campaignId", "normalised", None, None),
        ("Spend (USD)", "Spend", "unit_suffix", None, "USD"),
        ("Spend(Rs.)", "Spend", "unit_suffix", None, "INR"),
        ("ACOS (%)", "ACOS", "unit_suffix", None, "%"),
        ("7 Day Total Sales", "{days} Day Total Sales", "exact", 7, None),
        ("14 Day Total Sales (₹)", "{days} Day Total Sales", "unit_suffix", 14, "INR"),
        ("14 day total orders", "{days} Day Total Orders (#)", "normalised", 14, None),
        ("attributedSales30days", "attributedSales{days}days", "exact", 30, None),
        ("Ｓｐｅｎｄ", "Spend", "normalised", None, None),
    ],
)
def test_matches(header: str, alias: str, how: str, days: int | None, unit: str | None) -> None:
    hit = match_alias(header, alias)
    assert hit is not None
    assert (hit.how, hit.days, hit.unit) == (how, days, unit)


@pytest.mark.parametrize(
    ("header", "alias"),
    [
        ("Spend", "Spent"),
        ("", "Spend"),
        ("(₹)", "Spend"),
        ("Click-Thru Rate (CTR)", "Click-Thru Rate"),
        ("Total Sales", "{days} Day Total Sales"),
        ("7 Day Total Sales - Promoted", "{days} Day Total Sales"),
        ("storeAttributedSales14days", "attributedSales{days}days"),
        ("777 Day Total Sales", "{days} Day Total Sales"),
    ],
)
def test_does_not_match(header: str, alias: str) -> None:
    assert match_alias(header, alias) is None


def test_closest_header_helps_or_is_silent() -> None:
    assert closest_header(["Customer Search Term"], ["Date", "Customers Search Terms"]) == "Customers Search Terms"
    assert closest_header(["Customer Search Term"], ["Date", "", "Zip"]) is None
