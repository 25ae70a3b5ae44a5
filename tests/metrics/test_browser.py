"""The Performance page in a real browser: it fits, keeps to the policy, draws and folds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Brand, User
from harmonization.models import Account
from metrics import services
from tests.metrics.conftest import Shelf
from tests.metrics.frames import HEADLINES, NEW_14, SAME_7, SAME_14
from tests.ui import pages
from tests.ui.conftest import browser_process  # noqa: F401 - the Chromium of the module

pytestmark = pytest.mark.browser

WEEKS = 24


@pytest.fixture
def busy(shelf: Shelf, alice: User, chips: Brand, at: Callable[..., Account]) -> Shelf:
    """24 weeks up to yesterday of three networks with campaigns that differ."""
    last = timezone.now().date() - timedelta(days=1)
    for number, (network, restated) in enumerate({"amazon_ads": 3, "walmart_connect": 14, "criteo": 5}.items()):
        account = at(chips, network)
        rows = [
            row
            for campaign in range(4)
            for back in range(WEEKS * 7)
            # Criteo's feed lost three days.
            if not (network == "criteo" and 2 <= back <= 4)
            for row in [_row(network, number, campaign, last - timedelta(days=back), back)]
        ]
        shelf.publish(account, "item", rows=rows, restatement_days=restated)
        if network != "criteo":
            _publish_factor(account, alice, "experiment" if network == "amazon_ads" else "econometric")
    return shelf


def _publish_factor(account: Account, actor: User, evidence: str) -> None:
    factor = services.NewFactor(
        low=Decimal("0.21"),
        value=Decimal("0.3"),
        high=Decimal("0.38"),
        evidence=evidence,
        method="weekly geo lift",
        retailer=account.retailer_id,
    )
    services.publish_factors(actor=actor, source=f"GT-00{evidence[1]}", factors=[factor])


def _row(network: str, number: int, campaign: int, day: date, back: int) -> dict[str, Any]:
    wave = 1 + 0.25 * math.sin(back / 3.5 + number) + 0.004 * (WEEKS * 7 - back)
    spend = Decimal(round(12_000 * wave / (campaign + 1) / (number + 1))) / 100
    headline = HEADLINES["walmart_connect" if network == "walmart_connect" else "amazon_ads"]
    return {
        "period_start": day,
        "campaign_name": f"{('Chips Core', 'Chips Category', 'Trail Mix', 'Auto')[campaign]} {network}",
        "sku_id": f"B00{campaign}",
        "spend": spend,
        "clicks": int(spend / 2) + campaign,
        "impressions": int(spend * 60),
        headline["sales"]: spend * (6 - number) + campaign,
        headline["orders"]: Decimal(int(spend / 5)),
        **_under_other_rules(network, spend),
    }


def _under_other_rules(network: str, spend: Decimal) -> dict[str, Any]:
    """Amazon tells same-SKU sales of 7 days, Walmart of 14 days and new buyers, Criteo neither."""
    if network == "amazon_ads":
        return {SAME_7: spend * 4}
    return {SAME_14: spend * 3, NEW_14: spend} if network == "walmart_connect" else {}


@pytest.fixture
def open_page(browser_process: Any, busy: Shelf, browser: Client) -> Iterator[Callable[..., Any]]:  # noqa: F811
    """`open_page(query, width, scheme)`: the page as the product renders it, in Chromium, under its policy."""
    contexts = []

    def opened(query: str = "", width: int = 1280, scheme: str = "light") -> Any:
        answer = browser.get(f"/performance/?{query}").content.decode()
        served.update({"/performance/": lambda request: (200, answer)})
        context = browser_process.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda line: page.faults.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{base}/performance/?{query}")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    served: dict[str, pages.Page] = {}
    with pages.serve(served) as base:
        yield opened
        for context in contexts:
            context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("attribution", ["as_reported", "common_window", "incremental"])
def test_the_page_fits_its_window_and_keeps_to_the_policy(
    open_page: Callable[..., Any], attribution: str, width: int, scheme: str
) -> None:
    page = open_page(f"attribution={attribution}", width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.query_selector("#course canvas") is not None
    page.hover("#course")
    assert "sales" in page.wait_for_selector(".tip").inner_text().lower()
    assert page.faults == []


def test_a_network_folds_and_the_totals_stay(open_page: Callable[..., Any]) -> None:
    page = open_page()
    first = page.query_selector("tr[data-parent=r0]")
    assert first.is_visible()
    page.click("tr[data-id=r0] .tree")
    assert first.is_hidden()
    assert page.is_visible("tfoot")
    assert page.faults == []


def test_filters_open_without_a_script(open_page: Callable[..., Any]) -> None:
    page = open_page()
    assert page.is_hidden("#p-network")
    page.click("summary")
    page.select_option("#p-network", "walmart_connect")
    page.click("details [type=submit]")
    assert "network=walmart_connect" in page.url
    assert "start=" in page.url


def test_columns_and_views_are_chosen_in_the_page(open_page: Callable[..., Any]) -> None:
    page = open_page("attribution=incremental")
    page.click("#by-scope button:has-text('Columns')")
    page.uncheck("#col-iroas")
    page.check("#col-orders")
    with page.expect_request("**/performance/?**") as asked:
        page.click("#by-scope form button:has-text('Show')")
    assert "cols=orders" in asked.value.url
    assert "cols=iroas" not in asked.value.url
    assert "attribution=incremental" in asked.value.url
    page.click("button:has-text('Saved views')")
    assert page.is_visible("#view-name")
    assert page.faults == []
