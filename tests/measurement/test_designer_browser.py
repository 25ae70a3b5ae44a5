"""The list, the designer and the running page in a real browser: they fit, keep to the policy and draw."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from measurement import services
from tests.conftest import browser_of
from tests.measurement.conftest import GEOS, START, as_csv, fresh, geo_rows, treated_of
from tests.ui import pages
from tests.ui.conftest import browser_process  # noqa: F401 - the Chromium of the module

pytestmark = pytest.mark.browser
STATES = ("TX", "FL", "OH", "GA", "WA", "CO", "AZ", "MN", "MO", "NC", "TN", "VA", "WI", "IL", "PA", "NY", "NJ", "MA",
          "OR", "NV", "UT", "KS", "IA", "AL")  # fmt: skip


def of_states(rows: list[tuple[Any, ...]]) -> bytes:
    names = dict(zip(GEOS, STATES, strict=True))
    return as_csv([(day, names[geo], sales, spend) for day, geo, sales, spend in rows])


@pytest.fixture
def open_page(browser_process: Any, alice: Any) -> Iterator[Callable[..., Any]]:  # noqa: F811
    """`open_page(path, width, scheme)`: the page as the product renders it, in Chromium, under its policy."""
    contexts = []
    served: dict[str, pages.Page] = {}

    def opened(path: str, width: int = 1280, scheme: str = "light") -> Any:
        answer = browser_of(alice).get(path).content.decode()
        served[path.partition("?")[0]] = lambda request: (200, answer)
        # The list asks for its card once it stands.
        card = browser_of(alice).get("/experiments/next/", headers={"HX-Request": "true"}).content.decode()
        served["/experiments/next/"] = lambda request: (200, card)
        context = browser_process.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda line: page.faults.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(f"{base}{path}")
        page.wait_for_selector("html[data-ready]", state="attached")
        if folder := os.environ.get("SCREENSHOTS"):
            name = f"{path.strip('/').replace('/', '-')[:30]}-{len(contexts)}-{width}-{scheme}.png"
            page.screenshot(path=Path(folder) / name, full_page=True)
        return page

    with pages.serve(served) as base:
        yield opened
        for context in contexts:
            context.close()


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_designer_draws_power_cost_map_and_fit(open_page, experiment, send, alice, width, scheme):
    one = experiment(
        settings={"durations": [14, 21, 28], "treated_counts": [2, 3, 4], "effects": [0.05, 0.1], "spend_change": 1.0}
    )
    send(one, of_states(geo_rows(date(2026, 8, 19))))
    services.design_experiment(experiment=fresh(one))
    services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    page = open_page(f"/experiments/{one.pk}/", width, scheme)
    assert page.locator(".chart canvas").count() == 4
    assert page.locator("svg.tile g.tr").count() == len(treated_of(one))
    assert page.locator("#candidates tbody tr").count() > 5
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_the_running_page_shows_time_checks_and_spend(open_page, running, send, today, width, scheme):
    one = running(cooldown_days=3)
    send(one, as_csv(geo_rows(START + timedelta(days=9), treated=treated_of(one))))
    today(START + timedelta(days=10))
    page = open_page(f"/experiments/{one.pk}/", width, scheme)
    assert "The result is not shown yet" in page.inner_text("main")
    assert fits(page)
    assert page.faults == []


@pytest.mark.parametrize("width", [1280, 390])
def test_list_and_form_fit(open_page, experiment, width):
    experiment()
    experiment(name="Another", kind="ab", settings={"baseline_rate": 0.1})
    for path in ("/experiments/", "/experiments/new/?brand=chips"):
        page = open_page(path, width)
        assert fits(page)
        assert page.faults == []
