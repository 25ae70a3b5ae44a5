"""An experiment from its draft into planning, as a person does it in a browser, light and dark."""

from __future__ import annotations

import os
import re
from datetime import date, timedelta
from typing import Any

import pytest

from measurement import selectors
from measurement.models import Calibration, Experiment
from optimization import services as optimization
from tests import factories
from tests.browser.conftest import acme
from tests.measurement.conftest import END, GEOS, START, as_csv, geo_rows
from tests.metrics.conftest import Shelf
from tests.optimization.market import open_market

pytestmark = pytest.mark.browser

STATES = ("AL", "AR", "AZ", "CA", "CO", "FL", "GA", "IA", "IL", "IN", "KS", "KY", "MI", "MN", "MO", "NC", "NY", "OH",
          "OR", "PA", "TN", "TX", "VA", "WI")  # fmt: skip
NAMES = dict(zip(GEOS, STATES, strict=True))
LIFT = 0.06
#: Fields of the form that not every kind asks for.
ASKED_BY_KIND = ("design", "durations", "effects", "treated_share", "exclude", "cells", "keep_apart", "method",
                 "periods", "carryover", "baseline_rate", "daily_users")  # fmt: skip
#: The markets are as large as the ads of the shop: the extra spend is a part of what the reports tell.
SCALE = 0.015


def sales(last: date, treated: tuple[str, ...] = ()) -> bytes:
    """Sales and spend by state up to a day; the treated sell more in the test."""
    places = {state: geo for geo, state in NAMES.items()}
    rows = geo_rows(last, lift=LIFT, treated=tuple(places[one] for one in treated))
    return as_csv(
        [(day, NAMES[geo], round(SCALE * sold, 4), round(SCALE * spent, 4)) for day, geo, sold, spent in rows]
    )


@pytest.fixture(scope="module")
def shop(site: Any) -> Any:
    """acme with chips, its reports of ten weeks and their curves."""
    from django.conf import settings

    with acme():
        chips = factories.BrandFactory(slug="chips", name="Chips")
        market = open_market(Shelf(settings.STORAGE_ROOT / "staged"), chips)
        optimization.fit_curves(brand=chips)
    return market


@pytest.fixture
def clock() -> Any:
    """`clock(day)`: what the tenant's clock says, to the server's threads too."""
    patch = pytest.MonkeyPatch()
    now = {"day": date(2026, 8, 20)}
    patch.setattr(selectors, "today", lambda: now["day"])
    yield lambda day: now.update(day=day)
    patch.undo()


class Walk:
    """Steps on the pages, each looked at in both themes, on a desk and on a phone."""

    def __init__(self, watch: Any, site: Any) -> None:
        self.watch, self.page, self.site = watch, watch.page, site
        self.page.on("dialog", lambda dialog: dialog.accept())

    def look(self, name: str) -> None:
        """Nothing wrong, in any theme and width; pictures where somebody wants them."""
        self.page.wait_for_selector("html[data-ready]", state="attached")
        for theme in ("light", "dark"):
            # As the button of the page does it; charts are drawn anew.
            self.page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
            for width in (1280, 390):
                self.page.set_viewport_size({"width": width, "height": 800})
                self._charts_fit()
                self.watch.check()
                if folder := os.environ.get("SCREENSHOTS"):
                    self.page.evaluate("scrollTo(0, 0)")
                    path = f"{folder}/experiment-{name}-{width}-{theme}.png"
                    self.page.screenshot(path=path, full_page=True, caret="initial")
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self.page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'light')")

    def _charts_fit(self) -> None:
        """Each chart is drawn as wide as its place; a new width reaches it some frames later."""
        off = "Math.abs((box.querySelector('canvas')?.clientWidth ?? box.clientWidth) - box.clientWidth) > 1"
        for _ in range(100):
            if self.page.evaluate(f"![...document.querySelectorAll('[data-chart]')].some(box => {off})"):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"a chart of {self.page.url} is not as wide as its place")

    def press(self, text: str) -> None:
        with self.page.expect_navigation():
            self.page.click(f"main button:has-text('{text}')")

    def send(self, content: bytes) -> None:
        self.page.set_input_files("input[type=file]", {"name": "sales.csv", "mimeType": "text/csv", "buffer": content})
        with self.page.expect_navigation():
            self.page.click("button[value=file]")


def test_from_draft_to_plans(site, shop, signed_in, clock):
    clock(date(2026, 8, 20))
    walk = Walk(signed_in(), site)
    page = walk.page
    page.goto(f"{site.url}/experiments/?brand=chips")
    page.wait_for_selector("#next-test .kpis")
    walk.look("0-next")
    page.goto(f"{site.url}/experiments/new/?brand=chips")
    page.fill("[name=name]", "Amazon search heavy-up")
    for name, value in (("kind", "geo"), ("action", "heavy_up"), ("retailer", "amazon"), ("outcome", "sales"),
                        ("placement", "onsite_search_top"), ("design", "stratified")):  # fmt: skip
        page.select_option(f"[name={name}]", value)
    for name, value in (("currency", "USD"), ("start_date", str(START)), ("end_date", str(END)), ("durations", "28"),
                        ("seed", "1")):  # fmt: skip
        page.fill(f"[name={name}]", value)
    walk.look("1-form")
    with page.expect_navigation():
        page.click("main form button[type=submit] >> nth=0")
    assert re.search(r"/experiments/[0-9a-f-]{36}/$", page.url), page.locator("main").inner_text()
    here = page.url
    walk.send(sales(date(2026, 8, 19)))
    walk.press("Design")
    page.wait_for_selector("button:has-text('Choose')", timeout=180_000)
    walk.look("2-candidates")
    walk.press("Choose")
    walk.look("2-designed")
    walk.press("Register")
    clock(START)
    page.goto(here)
    walk.press("Start")
    assert "The result is not shown yet." in page.locator("main").inner_text()
    walk.look("3-running")
    number = here.split("/")[-2]
    treated = _treated(number)
    clock(END + timedelta(days=1))
    walk.send(sales(END, treated))
    walk.press("Read the result")
    page.wait_for_selector(".actions a:has-text('Reading')", timeout=180_000)
    with page.expect_navigation():
        page.click(".actions a:has-text('Reading')")
    told = page.locator("main").inner_text()
    assert "plan hashed before the start" in told
    assert "95% interval above 0" in told
    assert page.locator(".chart canvas").count() >= 2
    walk.look("4-reading")
    page.hover("#against")
    assert "Counterfactual" in page.wait_for_selector(".tip").inner_text()
    page.mouse.move(0, 0)
    with page.expect_navigation():
        page.click(".actions a:has-text('Use in planning')")
    walk.look("5-before")
    walk.press("Use in planning")
    assert "What changed" in page.locator("main").inner_text()
    walk.look("6-after")
    with acme():
        Calibration.objects.filter(reading__experiment_id=number).get()


def test_the_form_asks_what_its_kind_needs(site, shop, signed_in):
    watch = signed_in()
    page = watch.page
    page.goto(f"{site.url}/experiments/new/?brand=chips")
    for kind, shown in (
        ("geo", {"design", "durations", "keep_apart", "method"}),
        ("sku", {"durations", "treated_share", "method"}),
        ("switchback", {"periods", "carryover"}),
        ("ab", {"baseline_rate", "daily_users", "effects"}),
    ):
        page.select_option("[name=kind]", kind)
        seen = {name for name in ASKED_BY_KIND if page.locator(f"[name={name}]").is_visible()}
        assert seen >= shown, kind
        assert seen - shown <= {"effects", "treated_share", "exclude"}, kind
        watch.check()
    page.select_option("[name=looks]", "group_sequential")
    assert page.locator("[name=look_at]").is_visible()


def _treated(experiment_id: str) -> tuple[str, ...]:
    with acme():
        rows = Experiment.objects.get(pk=experiment_id).units.filter(group="treated")
        return tuple(rows.values_list("unit", flat=True))
