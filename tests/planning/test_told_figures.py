"""Figures and words that the pages and the planner tell of an answer: each is the one that it says it is."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from metrics.services import NewFactor, publish_factors
from rmn_site.ui.formats import money_compact
from tests.planning.test_aims import answer_of


def text_of(browser: Any, address: str) -> str:
    """A page as people read it."""
    page = browser.get(address)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))


@pytest.fixture
def half(fitted, chips, alice):
    """Half of what is attributed is caused."""
    factor = NewFactor(
        low=Decimal("0.33"), value=Decimal("0.5"), high=Decimal("0.75"), level=Decimal("0.9"), evidence="experiment",
        method="geo",
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-7", factors=[factor], brand=chips)


@pytest.mark.parametrize(
    "asks",
    [
        {},
        {"tail_fraction": "0.1"},
        {"mode": "flexible_target_marginal_roi", "target": "0.5"},
        {"weekly_budgets": [1050] * 4, "season": [1, 1, "1.6", 1]},
    ],
)
def test_the_incremental_part_is_what_is_earned_and_not_what_is_maximised(half, solved, browser, asks):
    scenario = solved(objective="incremental_sales", **asks)
    sold = sum(line["revenue_proposed"] for line in answer_of(scenario)["lines"])
    told = re.search(r"(\S+) of it incremental", text_of(browser, f"/scenarios/{scenario.pk}/"))
    assert told
    assert told[1] == money_compact(answer_of(scenario)["earned"], "USD") == money_compact(0.5 * sold, "USD")
