"""The pages of learning programmes in a real browser: they fit, keep to the policy and draw."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from optimization.models import LearningProgramme
from optimization.services import learning as services
from tests.optimization.market import Market
from tests.optimization.programme import monday, publish_week, started
from tests.ui import pages
from tests.ui.conftest import browser_process  # noqa: F401 - the Chromium of the module

pytestmark = pytest.mark.browser


@pytest.fixture
def learnt(market: Market, fresh_cache: None) -> LearningProgramme:
    """Three weeks observed and a fourth proposed."""
    programme = started(market, settings={"temperature": 0.1})
    for number in range(3):
        week = services.propose_week(programme=programme, week=monday(number)).week
        programme.weeks.filter(pk=week.pk).update(status="accepted")
        publish_week(market, week)
        services.observe_weeks(programme=programme)
    services.propose_week(programme=programme, week=monday(3))
    return programme


@pytest.fixture
def open_page(browser_process: Any, learnt: LearningProgramme, browser: Client) -> Iterator[Callable[..., Any]]:  # noqa: F811
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
        if folder := os.environ.get("SCREENSHOTS"):
            name = f"learning{path.partition('?')[0].count('/')}-{width}-{scheme}.png"
            page.screenshot(path=Path(folder) / name, full_page=True)
        return page

    served: dict[str, pages.Page] = {}
    with pages.serve(served) as base:
        yield opened
        for context in contexts:
            context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_a_programme_fits_and_draws(open_page, learnt, width, scheme):
    page = open_page(f"/learning/{learnt.pk}/?check=replay&temperature=0.09", width, scheme)
    assert page.locator(".chart canvas").count() == 2
    assert "The same again." in page.inner_text("#log")
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_list_and_form_fit(open_page, learnt, width):
    for path in ("/learning/", f"/learning/new/{learnt.solve_id}/"):
        page = open_page(path, width)
        assert fits(page), path
        assert page.faults == []
