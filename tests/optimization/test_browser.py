"""The pages of curves in a real browser: they fit, keep to the policy and draw."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from metrics.services import NewFactor, publish_factors
from optimization import services
from optimization.models import CurveVersion
from tests.optimization.market import open_market
from tests.ui import pages
from tests.ui.conftest import browser_process  # noqa: F401 - the Chromium of the module

pytestmark = pytest.mark.browser

CELL = {"retailer": "Amazon", "placement": "onsite_search_top", "sku": "SEA-SALT"}


@pytest.fixture
def version(shelf, chips, alice) -> CurveVersion:
    """Twenty-six weeks, one override and factors from two hands."""
    open_market(shelf, chips, weeks=26)
    made = services.fit_curves(brand=chips, actor=alice).version
    services.adjust_curves(
        actor=alice, kind="override", brand=chips, family="log", a=1500.0, k=200.0, reason="The geo test in May", **CELL
    )
    services.adjust_curves(
        actor=alice, kind="prior", brand=chips, retailer="Walmart", roas=3.0, spread=0.3, reason="As last year"
    )
    services.set_factor(
        actor=alice, brand=chips, retailer="Amazon", mean=0.62, standard_error=0.08, reason="Two brand-lift studies"
    )
    found = NewFactor(
        low=Decimal("0.41"), value=Decimal("0.55"), high=Decimal("0.69"), evidence="experiment",
        method="Geo test, 8 weeks", placement="onsite_display",
    )  # fmt: skip
    publish_factors(actor=alice, source="GT-007", factors=[found], brand=chips)
    return made


@pytest.fixture
def open_page(browser_process: Any, browser: Any) -> Iterator[Callable[..., Any]]:  # noqa: F811
    """`open_page(path, width, scheme)`: the page as the product renders it, in Chromium, under its policy."""
    contexts = []
    served: dict[str, pages.Page] = {}

    def opened(path: str, width: int = 1280, scheme: str = "light") -> Any:
        answer = browser.get(path).content.decode()
        served[path.partition("?")[0]] = lambda request: (200, answer)
        context = browser_process.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda line: page.faults.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{base}{path}")
        page.wait_for_selector("html[data-ready]", state="attached")
        if folder := os.environ.get("SCREENSHOTS"):
            name = f"{path.strip('/').split('/')[-1].partition('?')[0] or path.split('/')[-2]}-{width}-{scheme}.png"
            page.screenshot(path=str(Path(folder) / name), full_page=True)
        return page

    with pages.serve(served) as base:
        yield opened
        for context in contexts:
            context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_pages_of_curves_fit_and_draw(open_page, version, width, scheme):
    for path, charts in (
        ("/curves/", 0),
        (f"/curves/{version.pk}/", 0),
        (f"/curves/{version.pk}/cell/?{urlencode(CELL)}", 1),
        ("/curves/factors/", 0),
    ):
        page = open_page(path, width, scheme)
        assert page.locator(".chart canvas").count() == charts, path
        assert fits(page), path
        assert page.faults == [], path


def test_the_tooltip_of_a_curve_keeps_to_the_policy(open_page, version):
    page = open_page(f"/curves/{version.pk}/cell/?{urlencode(CELL)}", scheme="dark")
    page.hover("#curve")
    assert "80% interval" in page.wait_for_selector(".tip").inner_text()
    assert page.faults == []
