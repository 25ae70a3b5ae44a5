"""The pages of scenarios in a real browser: they fit, keep to the policy and draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from planning import services
from planning.models import Scenario
from tests.optimization.market import Market
from tests.planning.test_pages import TYPED, row
from tests.planning.test_scenarios import BOTH
from tests.ui import pages
from tests.ui.conftest import browser_process  # noqa: F401 - the Chromium of the module

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser_process: Any, fitted: Market, browser: Client) -> Iterator[Callable[..., Any]]:  # noqa: F811
    """`open_page(path, width, scheme)`: the page as the product renders it, in Chromium, under its policy."""
    contexts = []

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
        return page

    checked = browser.post("/scenarios/check/?brand=chips", TYPED | row(0, "onsite search > Amazon", "1000"))
    served: dict[str, pages.Page] = {"/scenarios/check/": lambda request: (200, checked.content.decode())}
    with pages.serve(served) as base:
        yield opened
        for context in contexts:
            context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_result_fits_and_draws(open_page, solved, width):
    scenario = solved(reserve_fraction="0.05", bounds=[{"path": ["onsite display"], "max_spend": "400"}])
    page = open_page(f"/scenarios/{scenario.pk}/", width)
    assert page.locator(".chart canvas").count() == 3
    assert fits(page)
    assert page.faults == []


def test_the_tooltip_of_a_curve_keeps_to_the_policy(open_page, solved):
    page = open_page(f"/scenarios/{solved().pk}/", scheme="dark")
    page.hover("#curve")
    assert "80% interval" in page.wait_for_selector(".tip").inner_text()
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_conflict_fits_and_draws(open_page, solved, width):
    page = open_page(f"/scenarios/{solved(bounds=BOTH).pk}/", width)
    assert page.locator("#over canvas").count() == 1
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_builder_checks_as_one_types(open_page, width):
    page = open_page("/scenarios/new/?brand=chips", width)
    page.fill("[name=total_budget]", "5000")
    page.wait_for_selector("text=The bounds can be met.")
    assert fits(page)
    assert page.faults == []
    assert not Scenario.objects.exists()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_builder_fits_with_every_kind_of_constraint(open_page, draft, width):
    walmart = ["onsite search", "Walmart"]
    scenario = draft(
        objective="profit", margin_fraction="0.35", mode="flexible_target_roi", target="0.4",
        fixed=[["onsite display"]],
        shares=[{"path": walmart, "within": ["onsite search"], "max_share": "0.6"}],
        margins=[{"path": walmart, "margin": "0.4"}], bounds=[{"path": walmart, "min_spend": "10"}],
    )  # fmt: skip
    page = open_page(f"/scenarios/{scenario.pk}/edit/", width)
    assert page.locator("#bound-1-kind").input_value() == "share"
    assert fits(page)
    assert page.faults == []


def test_the_list_fits_a_phone(open_page, solved):
    solved()
    page = open_page("/scenarios/", 390)
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_comparison_fits_and_draws(open_page, solved, width):
    solved()
    solved(total_budget="3000", name="Less")
    page = open_page("/scenarios/compare/?scenarios=SC-0001,SC-0002", width)
    assert page.locator("#spread canvas").count() == 1
    assert fits(page)
    assert page.faults == []


def test_a_typed_allocation_is_answered_in_the_dark(open_page, solved, browser, monkeypatch):
    address = f"/scenarios/{solved().pk}/simulate/"
    monkeypatch.setattr(browser, "get", lambda path: browser.post(path, {"n-0": "900", "start": "current"}))
    page = open_page(address, 390, "dark")
    page.hover("#typed")
    assert "Typed" in page.wait_for_selector(".tip").inner_text()
    assert page.input_value("[name=n-0]") == "900"
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_budgets_fit_and_burn_up(open_page, fitted, alice, chips, width):
    given = {"brand": str(chips.pk), "period_start": "2026-11-01", "period_end": "2026-11-30", "amount": "3000"}
    services.set_budget(actor=alice, given=given)
    page = open_page("/pacing/?as_of=2026-11-09", width)
    assert page.locator("#burnup canvas").count() == 1
    page.hover("#burnup")
    assert "Plan" in page.wait_for_selector(".tip").inner_text()
    assert fits(page)
    assert page.faults == []
